"""What is due and for how long: payments approved and not booked, and what cities still owe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, null, or_, select

from grants.agreements import queries as agreements
from grants.agreements.models import AgreementHold, Grant
from grants.agreements.states import PaymentKind
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.queries import Standing
from grants.ledger.rules import Balances, natural
from grants.ledger.rules.proofs import Checked
from grants.payments.models import PaymentOrder, PaymentRequest, Recovery
from grants.payments.queries.forecasts import Choice
from grants.payments.queries.offsets import set_off_cents
from grants.payments.queries.recoveries import is_owed, still_owed
from grants.payments.rules import reason_words
from grants.payments.rules.ageing import Ageing, AgeingAsk, AgeLine, Owing, bucket, by_age
from grants.payments.rules.expected import sum_of
from grants.payments.states import OrderState
from grants.reporting.models import PeriodicReport

# The accounts that hold what is due, by who owes it.
HELD = {
    Owing.DUE: (
        *(Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED),
        *(Account.INTEREST_PAYABLE, Account.INTEREST_IN_TRANSIT),
    ),
    Owing.RECOVERIES: (Account.RECOVERY_RECEIVABLE,),
}


@dataclass(frozen=True, slots=True)
class AgeingPage:
    """What is due with the calls it can be narrowed to; ``unknown_call`` says that the filter named none."""

    ageing: Ageing
    calls: tuple[Choice, ...]
    unknown_call: bool = False
    partial: bool = False


@reader
def ageing(actor: Actor, asked: AgeingAsk, at: datetime) -> Asking[AgeingPage]:
    """Everything due of the grants this person may see, oldest first, held against the ledger. Two statements."""
    today = clock.in_zone(at).date()
    seen = agreements.visible(actor, Permission.LEDGER_READ)
    with_grants = select(Grant.call_id).where(seen)
    calls = yield from ask(
        select(Call.id, Call.slug, Call.reference, Call.title).where(Call.id.in_(with_grants)).order_by(Call.reference)
    )
    call = next((each for each in calls if asked.call in {each.slug, each.reference}), None)
    if call is not None:
        seen &= Grant.call_id == call.id
    statement = _payments(seen, today) if asked.what is Owing.DUE else _recoveries(seen)
    about: list[Asking[Any]] = [ask(statement), ask(books.sums_by_grant(select(Grant.id).where(seen)))]
    rows, sums = yield from side_by_side(about)
    lines = by_age(_line(row, asked.what, today) for row in rows)
    held = sum(
        natural(Account(row.account), int(row.debits), int(row.credits)).cents
        for row in sums
        if Account(row.account) in HELD[asked.what]
    )
    choices = tuple(Choice(each.slug, each.title) for each in calls)
    return AgeingPage(
        Ageing(lines, Money(held)), choices, bool(asked.call) and call is None, partial=bool(actor.barred_from())
    )


def _line(row: Any, what: Owing, today: date) -> AgeLine:
    words = "Recovery" if what is Owing.RECOVERIES else reason_words(PaymentKind(row.kind), row.report)
    stopped = row.suspended_on
    notes = [f"the clock stands still since {clock.long_date(stopped)}"] if stopped else []
    if row.held_from:
        notes.append(f"the grant is suspended since {clock.long_date(row.held_from)}")
    # While its clock stands still its last day moves on with every day.
    due = (
        clock.add_days(row.due_on, max((today - stopped).days, 0)) if stopped and stopped <= row.due_on else row.due_on
    )
    return AgeLine(
        row.reference,
        row.grant,
        row.name,
        words,
        due,
        Money(int(row.cents)),
        bucket(due, today),
        "; ".join(notes),
        bool(row.held_from),
    )


def _left_to_pay() -> ColumnElement[Any]:
    """What was decided as payable of a request and is neither booked by the bank nor set off, in cents."""
    executed = (
        select(func.coalesce(func.sum(books.cents_of(PaymentOrder.amount)), 0))
        .where(PaymentOrder.request_id == PaymentRequest.id, PaymentOrder.state == OrderState.EXECUTED.value)
        .scalar_subquery()
    )
    return func.coalesce(books.cents_of(PaymentRequest.payable), 0) - executed - set_off_cents(PaymentRequest.id)


def _held_from(today: date) -> Any:
    """The first day of a suspension that stops everything of a grant today: of the whole, or of who receives every payment."""
    return (
        select(func.min(AgreementHold.from_on))
        .where(
            AgreementHold.grant_id == Grant.id,
            or_(AgreementHold.organisation_id.is_(None), AgreementHold.organisation_id == Grant.coordinator_id),
            AgreementHold.from_on <= today,
            or_(AgreementHold.lifted_on.is_(None), AgreementHold.lifted_on > today),
        )
        .correlate(Grant)
        .scalar_subquery()
    )


def _payments(seen: ColumnElement[bool], today: date) -> Select[Any]:
    left = _left_to_pay()
    return (
        select(
            *(PaymentRequest.reference, PaymentRequest.kind, PaymentRequest.due_on, PaymentRequest.suspended_on),
            *(PeriodicReport.number.label("report"), Grant.reference.label("grant")),
            *(func.coalesce(Grant.acronym, Grant.title).label("name"), left.label("cents")),
            _held_from(today).label("held_from"),
        )
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .outerjoin(PeriodicReport, PeriodicReport.id == PaymentRequest.report_id)
        .where(seen, left != 0)
        .order_by(PaymentRequest.due_on, PaymentRequest.reference)
    )


def _recoveries(seen: ColumnElement[bool]) -> Select[Any]:
    owed = still_owed()
    # Confirmed and not asked for yet, it ages from the day it was confirmed.
    confirmed_on = func.date(func.timezone(clock.BRUSSELS, Recovery.confirmed_at))
    due_on = func.coalesce(Recovery.due_on, confirmed_on)
    return (
        select(
            *(Recovery.reference, due_on.label("due_on"), null().label("suspended_on"), null().label("held_from")),
            *(Grant.reference.label("grant"), func.coalesce(Grant.acronym, Grant.title).label("name")),
            owed.label("cents"),
        )
        .join(Grant, Grant.id == Recovery.grant_id)
        .where(seen, is_owed(), owed != 0)
        .order_by(due_on, Recovery.reference)
    )


def due_checked(stands: Standing) -> Checked:
    """What requests and recoveries say is due, grant by grant, is what the ledger holds: the ageing is the ledger's."""
    grants = {row.id: row.reference for row in db.session.execute(select(Grant.id, Grant.reference))}
    problems = []
    for what, owed in ((Owing.DUE, _owed_to_cities()), (Owing.RECOVERIES, _owed_by_cities())):
        # In cents for all of them, and in words for those that are apart.
        apart = [
            grant_id
            for grant_id in grants
            if stands.grants.cents(grant_id, HELD[what]) != owed.get(grant_id, ZERO).cents
        ]
        for grant_id in sorted(apart, key=grants.__getitem__):
            held = sum_of(stands.grants.get(grant_id, Balances({})), *HELD[what])
            said = owed.get(grant_id, ZERO)
            problems.append(Problem(grants[grant_id], f"{what.words}: the ledger holds {held}, they say {said}."))
    return Checked(
        "Due",
        "What is approved and not booked, and what cities still owe, is what the ledger holds as due.",
        len(grants),
        "grants",
        tuple(problems),
    )


def _owed_to_cities() -> dict[UUID, Money]:
    left = func.sum(_left_to_pay())
    rows = db.session.execute(select(PaymentRequest.grant_id, left).group_by(PaymentRequest.grant_id))
    return {grant_id: Money(int(cents)) for grant_id, cents in rows}


def _owed_by_cities() -> dict[UUID, Money]:
    rows = db.session.execute(
        select(Recovery.grant_id, func.sum(still_owed())).where(is_owed()).group_by(Recovery.grant_id)
    )
    return {grant_id: Money(int(cents)) for grant_id, cents in rows}
