"""Whose turn it is with a recovery: one duty for each step, and one for each that is owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import RUNNING, PaymentKind, values
from grants.core import clock
from grants.core.duties import Duty
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, side_by_side
from grants.ledger import queries as books
from grants.payments.models import (
    InterestWaiver,
    PaymentOffset,
    PaymentRequest,
    Recovery,
    RecoveryInterest,
    RecoveryReceipt,
)
from grants.payments.queries.recoveries import DUTIES_MAX, still_owed
from grants.payments.rules.recoveries import REMIND_AFTER_DAYS
from grants.payments.states import PAYABLE_BACK, InterestState, RecoveryState

P = Permission


@dataclass(frozen=True, slots=True)
class _Turn:
    """A step somebody takes next: who may, which recoveries wait for it, and the words of the duty."""

    needs: Permission
    waits: Callable[[Actor, date], ColumnElement[bool]]
    what: str
    why: str
    button: str
    due: Callable[[Any], date | None] = lambda row: None


def _in(*states: RecoveryState) -> ColumnElement[bool]:
    return Recovery.state.in_([state.value for state in states])


def _may_be_confirmed(actor: Actor, today: date) -> ColumnElement[bool]:
    told = _in(RecoveryState.PRE_INFORMED) & (Recovery.reply_until < today)
    return or_(_in(RecoveryState.OBSERVED), told) & Recovery.proposed_by.is_distinct_from(actor.user_id)


def _may_be_answered(actor: Actor, today: date) -> ColumnElement[bool]:
    return _in(RecoveryState.PRE_INFORMED) & (Recovery.reply_until >= today)


def _to_issue(actor: Actor, today: date) -> ColumnElement[bool]:
    return _in(RecoveryState.CONFIRMED) & Recovery.confirmed_by.is_distinct_from(actor.user_id)


def _left_alone(actor: Actor, today: date) -> ColumnElement[bool]:
    reminded = Recovery.reminders >= len(REMIND_AFTER_DAYS)
    return _in(*PAYABLE_BACK) & reminded & Recovery.confirmed_by.is_distinct_from(actor.user_id)


def _live(paid: Any) -> ColumnElement[bool]:
    return exists().where(paid, RecoveryInterest.state != InterestState.REFUSED.value)


def _paid_late(actor: Actor, today: date) -> ColumnElement[bool]:
    receipts = exists().where(
        RecoveryReceipt.recovery_id == Recovery.id,
        RecoveryReceipt.value_on > Recovery.due_on,
        RecoveryReceipt.amount > ZERO,
        ~_live(RecoveryInterest.receipt_id == RecoveryReceipt.id),
    )
    offsets = exists().where(
        PaymentOffset.recovery_id == Recovery.id,
        PaymentOffset.offset_on > Recovery.due_on,
        ~_live(RecoveryInterest.offset_id == PaymentOffset.id),
    )
    return or_(receipts, offsets)


def _interest_owed(actor: Actor, today: date) -> ColumnElement[bool]:
    """What is confirmed of the interest on a debt is above what was paid and waived of it."""

    def cents(amount: Any, *where: ColumnElement[bool]) -> Any:
        summed = select(func.coalesce(func.sum(books.cents_of(amount)), 0)).where(*where)
        return summed.correlate(Recovery).scalar_subquery()

    confirmed = RecoveryInterest.state == InterestState.CONFIRMED.value
    due = cents(RecoveryInterest.amount, RecoveryInterest.recovery_id == Recovery.id, confirmed)
    paid = cents(RecoveryReceipt.interest, RecoveryReceipt.recovery_id == Recovery.id)
    waived = cents(InterestWaiver.amount, InterestWaiver.recovery_id == Recovery.id)
    still: ColumnElement[bool] = due > paid + waived
    return still


def _interest_waits(actor: Actor, today: date) -> ColumnElement[bool]:
    return exists().where(
        RecoveryInterest.recovery_id == Recovery.id,
        RecoveryInterest.state == InterestState.PROPOSED.value,
        RecoveryInterest.booked_by.is_distinct_from(actor.user_id),
    )


TURNS = (
    _Turn(
        P.RECOVERY_PROPOSE,
        lambda actor, today: _in(RecoveryState.PROPOSED),
        "Tell {name} of its debt beforehand",
        "{reference}: {amount} is proposed; the city answers before it is confirmed.",
        "Open the recovery",
    ),
    _Turn(
        P.RECOVERY_OBSERVE,
        _may_be_answered,
        "Answer what {name} is to pay back",
        "{reference}: {amount} is to be confirmed as a debt of {name}; say what speaks against it.",
        "Read and answer",
        lambda row: row.reply_until,
    ),
    _Turn(
        P.RECOVERY_CONFIRM,
        _may_be_confirmed,
        "Confirm the debt of {name}",
        "{reference}: {amount}; the city answered, or its days are over.",
        "Open the recovery",
    ),
    _Turn(
        P.RECOVERY_ISSUE,
        _to_issue,
        "Issue the debit note to {name}",
        "{reference}: {amount} is confirmed and not asked for yet.",
        "Open the recovery",
    ),
    _Turn(
        P.RECOVERY_BOOK,
        lambda actor, today: _in(*PAYABLE_BACK),
        "Book what {name} pays back",
        "{reference}: {owed} of {amount} is still owed.",
        "Open the recovery",
        lambda row: row.due_on,
    ),
    _Turn(
        P.PAYMENT_REQUEST_SUBMIT,
        lambda actor, today: _in(*PAYABLE_BACK),
        "Pay back what {name} owes",
        "{reference}: {owed} of {amount} is still owed.",
        "Open the recovery",
        lambda row: row.due_on,
    ),
    _Turn(
        P.RECOVERY_WAIVE,
        _left_alone,
        "Decide on the overdue debt of {name}",
        "{reference}: {owed} is still owed after every reminder; have it enforced, or waive it.",
        "Open the recovery",
    ),
    _Turn(
        P.INTEREST_BOOK,
        _paid_late,
        "Reckon interest on the late debt of {name}",
        "{reference}: part of {amount} was paid after its last day.",
        "Open the recovery",
    ),
    _Turn(
        P.INTEREST_CONFIRM,
        _interest_waits,
        "Confirm interest on the late debt of {name}",
        "{reference}: it was reckoned by somebody else.",
        "Open the recovery",
    ),
    _Turn(
        P.RECOVERY_BOOK,
        _interest_owed,
        "Book the interest {name} pays on its late debt",
        "{reference}: interest is confirmed and not paid; the grant cannot be closed before it is paid or waived.",
        "Open the recovery",
    ),
    _Turn(
        P.PAYMENT_REQUEST_SUBMIT,
        _interest_owed,
        "Pay the interest on the late debt of {name}",
        "{reference}: interest is confirmed and not paid; the grant cannot be closed before it is paid or waived.",
        "Open the recovery",
    ),
)


def recovery_duties(actor: Actor, today: date) -> Asking[list[Duty]]:
    """What is owed back and waits for this person, in one statement for each thing they may do."""
    kinds = [_duties(actor, turn, today) for turn in TURNS if actor.can(turn.needs)]
    if actor.can(P.RECOVERY_PROPOSE):
        kinds.append(_to_propose(actor))
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


def _duties(actor: Actor, turn: _Turn, today: date) -> Asking[list[Duty]]:
    statement = (
        select(
            *(Recovery.reference, Recovery.number, Recovery.amount, Recovery.reply_until, Recovery.due_on),
            Grant.reference.label("grant"),
            func.coalesce(Grant.acronym, Grant.title).label("name"),
            still_owed().label("owed"),
        )
        .join(Grant, Grant.id == Recovery.grant_id)
        .where(agreements.visible(actor, turn.needs), turn.waits(actor, today))
        .order_by(Recovery.due_on, Recovery.reference)
        .limit(DUTIES_MAX)
    )
    return [_duty(turn, row) for row in (yield from ask(statement))]


def _duty(turn: _Turn, row: Any) -> Duty:
    words = {"name": row.name, "reference": row.reference, "amount": row.amount, "owed": Money(int(row.owed))}
    due = turn.due(row)
    return Duty(
        turn.what.format(**words),
        turn.why.format(**words),
        turn.button,
        "payments.debt",
        {"ref": row.grant, "number": row.number},
        due_at=_end_of(due),
    )


def _end_of(day: date | None) -> datetime | None:
    return clock.end_of_day(day) if day is not None else None


def _to_propose(actor: Actor) -> Asking[list[Duty]]:
    statement = (
        select(Grant.reference, func.coalesce(Grant.acronym, Grant.title), PaymentRequest.recoverable)
        .join(PaymentRequest, PaymentRequest.grant_id == Grant.id)
        .where(
            agreements.visible(actor, P.RECOVERY_PROPOSE),
            Grant.state.in_(values(RUNNING)),
            PaymentRequest.kind == PaymentKind.BALANCE.value,
            PaymentRequest.recoverable > ZERO,
            ~exists().where(Recovery.request_id == PaymentRequest.id, Recovery.state != RecoveryState.CANCELLED.value),
        )
        .order_by(Grant.reference)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            f"Propose the recovery from {name}",
            f"{amount} was paid above the final amount; the grant cannot be closed before it is settled.",
            "Open the recovery",
            "payments.recovery",
            {"ref": reference},
        )
        for reference, name, amount in (yield from ask(statement))
    ]
