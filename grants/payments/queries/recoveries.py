"""Reads of recoveries: what is owed back, what came back, whose share it is, and whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.rules import GrantView
from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments.models import (
    InterestWaiver,
    PaymentOffset,
    PaymentRequest,
    Recovery,
    RecoveryReceipt,
    RecoveryShare,
)
from grants.payments.queries.offsets import offset_views
from grants.payments.queries.recovery_interest import interest_lines
from grants.payments.queries.requests import by_id
from grants.payments.rules import ReceiptView, RecoveryView
from grants.payments.rules.interest import InterestLine
from grants.payments.rules.offsets import OffsetView
from grants.payments.rules.recoveries import Share, ShareView, StepView
from grants.payments.states import UNCONFIRMED, RecoveryOrigin, RecoveryState

DUTIES_MAX = 50


@dataclass(frozen=True, slots=True)
class GrantRecoveries:
    """The recoveries of a grant, newest last, and what its balance found that nobody proposed yet."""

    grant: GrantView
    recoveries: tuple[RecoveryView, ...]
    to_propose: Money

    @property
    def of_balance(self) -> bool:
        """Whether what the balance found is still to be proposed."""
        return bool(self.to_propose)


@reader
def grant_recoveries(actor: Actor, reference: str) -> Asking[GrantRecoveries]:
    """For everybody who may read the agreement, in four statements; raises :class:`NotFound`."""
    row = yield from agreements.readable.asking(actor, reference)
    about: list[Asking[Any]] = [
        agreements.view.asking(row),
        recoveries_of(row.id),
        books.of.asking(accounts=(Account.PREFINANCING,), grant_id=row.id),
    ]
    grant, found, balances = yield from side_by_side(about)
    return GrantRecoveries(grant, found, to_propose(grant.final_amount, balances[Account.PREFINANCING], found))


def to_propose(final: Money | None, outstanding: Money, found: Sequence[RecoveryView]) -> Money:
    """What the balance found to be paid too much, where no recovery of it stands."""
    stands = any(each.origin is RecoveryOrigin.BALANCE and each.state is not RecoveryState.CANCELLED for each in found)
    return ZERO if final is None or stands else outstanding


def recovery_in(found: GrantRecoveries, number: int) -> RecoveryView:
    """One of them by its number; raises :class:`NotFound`."""
    for each in found.recoveries:
        if each.number == number:
            return each
    raise NotFound


def recoveries_of(grant_id: UUID) -> Asking[tuple[RecoveryView, ...]]:
    """Every recovery of a grant, in order of their numbers."""
    rows = yield from ask(select(Recovery).where(Recovery.grant_id == grant_id).order_by(Recovery.number))
    return (yield from recovery_views.asking(rows))


@reader
def recovery_views(rows: Sequence[Recovery]) -> Asking[tuple[RecoveryView, ...]]:
    """Recoveries as frozen values, in two statements however many there are."""
    if not rows:
        return ()
    ids = [row.id for row in rows]
    about: list[Asking[Any]] = [
        by_id.asking(Grant, {row.grant_id for row in rows}),
        by_id.asking(PaymentRequest, {row.request_id for row in rows if row.request_id}),
        ask(
            select(RecoveryReceipt)
            .where(RecoveryReceipt.recovery_id.in_(ids))
            .order_by(RecoveryReceipt.value_on, RecoveryReceipt.created_at, RecoveryReceipt.id)
        ),
        ask(
            select(RecoveryShare)
            .where(RecoveryShare.recovery_id.in_(ids))
            .order_by(RecoveryShare.amount.desc(), RecoveryShare.organisation_id)
        ),
        offset_views.asking(recoveries=ids),
        interest_lines.asking(ids),
        ask(select(InterestWaiver.recovery_id, InterestWaiver.amount).where(InterestWaiver.recovery_id.in_(ids))),
    ]
    grants, requests, receipts, shares, offsets, interest, waivers = yield from side_by_side(about)
    hands = {who for row in rows for who in _hands(row) if who}
    people, names = yield from both(
        identity.people.asking(hands | {each.booked_by for each in receipts}),
        identity.organisations.asking(
            {grant.coordinator_id for grant in grants.values()} | {each.organisation_id for each in shares}
        ),
    )
    who = {user_id: person.name for user_id, person in people.items()}
    return tuple(
        _view(
            row,
            grants[row.grant_id],
            names,
            who,
            requests.get(row.request_id),
            [each for each in receipts if each.recovery_id == row.id],
            [each for each in shares if each.recovery_id == row.id],
            tuple(offsets.get(row.id, ())),
            tuple(interest.get(row.id, ())),
            total(each.amount for each in waivers if each.recovery_id == row.id),
        )
        for row in rows
    )


def _hands(row: Recovery) -> tuple[UUID | None, ...]:
    return (
        *(row.proposed_by, row.informed_by, row.observed_by, row.confirmed_by, row.issued_by),
        *(row.waived_by, row.cancelled_by),
    )


def _view(
    row: Recovery,
    grant: Any,
    names: Mapping[UUID, Any],
    who: Mapping[UUID, str],
    request: Any,
    receipts: Sequence[Any],
    shares: Sequence[Any],
    offsets: tuple[OffsetView, ...],
    interest: tuple[InterestLine, ...],
    interest_waived: Money,
) -> RecoveryView:
    return RecoveryView(
        id=row.id,
        version=row.version,
        number=row.number,
        reference=row.reference,
        state=RecoveryState(row.state),
        origin=RecoveryOrigin(row.origin),
        grant_id=row.grant_id,
        grant_reference=grant.reference,
        acronym=grant.acronym or grant.title,
        payee=names[grant.coordinator_id].name,
        request_reference=request.reference if request is not None else None,
        amount=row.amount,
        reason=row.reason,
        reply_until=row.reply_until,
        due_on=row.due_on,
        steps=tuple(_steps(row, who)),
        shares=tuple(
            ShareView(names[each.organisation_id].name, Share(each.amount, each.accepted, each.received))
            for each in shares
        ),
        receipts=tuple(
            ReceiptView(each.amount, each.value_on, each.bank_reference, who[each.booked_by], each.above, each.interest)
            for each in receipts
        ),
        offsets=offsets,
        interest=interest,
        interest_waived=interest_waived,
        waived=row.waived,
        has_waiver=row.waiver_file_id is not None,
        reminders=row.reminders,
        reminded_at=row.reminded_at,
        proposed_by_id=row.proposed_by,
        confirmed_by_id=row.confirmed_by,
    )


def _steps(row: Recovery, who: Mapping[UUID, str]) -> Iterator[StepView]:
    """The steps that were taken, in the order in which they are taken."""
    until = f"Until {clock.long_date(row.reply_until)} the city may answer." if row.reply_until else ""
    due = f"To be paid by {clock.long_date(row.due_on)}." if row.due_on else ""
    taken: tuple[tuple[str, UUID | None, datetime | None, str | None], ...] = (
        ("Proposed", row.proposed_by, row.proposed_at, row.reason),
        ("City told beforehand", row.informed_by, row.informed_at, until),
        ("Answered by the city", row.observed_by, row.observed_at, row.observation),
        (
            "Established at once" if row.at_once else "Confirmed",
            row.confirmed_by,
            row.confirmed_at,
            row.reason if row.at_once else row.confirm_words,
        ),
        ("Debit note issued", row.issued_by, row.issued_at, due),
        ("Waived", row.waived_by, row.waived_at, row.waive_reason),
        ("Cancelled", row.cancelled_by, row.cancelled_at, row.cancel_reason),
    )
    for title, by, at, words in taken:
        if by is not None and at is not None:
            yield StepView(title, who[by], at, words or "")


def still_owed() -> ColumnElement[Any]:
    """What of a recovery is owed and was neither paid back, set off nor waived, in cents."""
    received = (
        select(func.coalesce(func.sum(books.cents_of(RecoveryReceipt.amount)), 0))
        .where(RecoveryReceipt.recovery_id == Recovery.id)
        .correlate(Recovery)
        .scalar_subquery()
    )
    set_off = (
        select(func.coalesce(func.sum(books.cents_of(PaymentOffset.amount)), 0))
        .where(PaymentOffset.recovery_id == Recovery.id)
        .correlate(Recovery)
        .scalar_subquery()
    )
    return books.cents_of(Recovery.amount) - received - set_off - func.coalesce(books.cents_of(Recovery.waived), 0)


def is_owed() -> ColumnElement[bool]:
    """Whether the books hold a recovery as owed; what is paid or waived is, with nothing left of it."""
    return Recovery.confirmed_at.is_not(None) & (Recovery.state != RecoveryState.CANCELLED.value)


def unsettled_proposals(grant_id: UUID) -> Asking[list[str]]:
    """Proposals of a grant that are neither confirmed nor cancelled, by reference."""
    statement = select(Recovery.reference).where(
        Recovery.grant_id == grant_id, Recovery.state.in_([state.value for state in UNCONFIRMED])
    )
    return [str(each) for (each,) in (yield from ask(statement.order_by(Recovery.number)))]


def rejected_later() -> dict[UUID, Money]:
    """What of each grant's accepted costs was claimed back after its balance, for costs that were rejected."""
    statement = (
        select(Recovery.grant_id, func.sum(books.cents_of(Recovery.amount)))
        .where(
            Recovery.origin != RecoveryOrigin.BALANCE.value,
            Recovery.confirmed_at.is_not(None),
            Recovery.state != RecoveryState.CANCELLED.value,
        )
        .group_by(Recovery.grant_id)
    )
    return {grant_id: Money(int(cents)) for grant_id, cents in db.session.execute(statement)}
