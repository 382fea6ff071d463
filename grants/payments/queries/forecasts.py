"""The forecast of payments as a person may see it, and forecasts that were kept, held against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, natural
from grants.payments.models import ForecastLine, ForecastSnapshot
from grants.payments.queries.expected import outlooks
from grants.payments.rules.expected import Basis
from grants.payments.rules.forecasting import (
    CallMoney,
    Cause,
    Forecast,
    ForecastAsk,
    GrantOutlook,
    KeptLine,
    LineKind,
    Move,
    first_of_month,
    lines_of,
    months_from,
    moves,
)
from grants.programmes.models import FundSource

SNAPSHOTS_SHOWN = 24
READS = Permission.LEDGER_READ
# A dropped grant has no money; everything else is signed, or reserved.
_HAS_MONEY = Grant.state != GrantState.DROPPED.value


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a forecast can be narrowed to."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A forecast that was kept."""

    reference: str
    as_of: datetime
    taken_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class ForecastPage:
    """The forecast with what it can be narrowed to, and the last ones that were kept."""

    forecast: Forecast
    calls: tuple[Choice, ...]
    funds: tuple[Choice, ...]
    snapshots: tuple[Snapshot, ...]
    # A sentence for each filter that names nothing here.
    unknown: tuple[str, ...] = ()
    partial: bool = False


@reader
def forecast(actor: Actor, asked: ForecastAsk, at: datetime) -> Asking[ForecastPage]:
    """Every grant this person may see, with what it expects, and the budgets of the calls. Three statements."""
    today = clock.in_zone(at).date()
    about: list[Asking[Any]] = [
        ask(select(Call.id, Call.slug, Call.reference, Call.title).where(_calls(actor)).order_by(Call.reference)),
        ask(select(FundSource.id, FundSource.number, FundSource.acronym).order_by(FundSource.number)),
        ask(select(Grant.id).where(agreements.visible(actor, READS), Grant.reference == asked.grant)),
        snapshots.asking(),
    ]
    calls, funds, named, kept = yield from side_by_side(about)
    call = next((each for each in calls if asked.call in {each.slug, each.reference}), None) if asked.call else None
    fund = next((each for each in funds if each.number == asked.fund), None) if asked.fund else None
    looked_for = ((asked.call, call, "call"), (asked.fund, fund, "fund"), (asked.grant, named, "grant"))
    unknown = tuple(f"There is no {what} “{typed}” here." for typed, found, what in looked_for if typed and not found)
    wanted: ColumnElement[bool] = agreements.visible(actor, READS) & _HAS_MONEY
    if call is not None:
        wanted &= Grant.call_id == call.id
    if fund is not None:
        wanted &= Grant.fund_source_id == fund.id
    if asked.grant:
        wanted &= Grant.reference == asked.grant
    found = yield from _read(actor, wanted, calls if call is None else [call], fund.id if fund else None, today)
    if asked.grant:
        # One grant is held against its own maximum, not against the budget of its call.
        found = replace(found, calls=())
    months = months_from(asked.from_month or today, asked.months)
    return ForecastPage(
        replace(found, months=months),
        tuple(Choice(each.slug, each.title) for each in calls),
        tuple(Choice(each.number, f"{each.acronym} {each.number}") for each in funds),
        kept,
        unknown,
        partial=bool(actor.barred_from()),
    )


def _calls(actor: Actor) -> ColumnElement[bool]:
    """Calls whose books this person may read."""
    if actor.everywhere(READS):
        return Call.id.not_in(actor.barred("call"))
    places = actor.places(READS, "call")
    return Call.id.in_(places) if places else false()


def _read(
    actor: Actor, wanted: ColumnElement[bool], calls: Sequence[Any], fund_id: UUID | None, today: date
) -> Asking[Forecast]:
    ids = select(Grant.id).where(wanted)
    about: list[Asking[Any]] = [
        outlooks.asking(wanted, today),
        ask(books.budgets_of_calls(actor, fund_source_id=fund_id)),
        ask(books.committed_and_paid(ids)),
    ]
    grants, budgets, moved = yield from side_by_side(about)
    return Forecast(today, (first_of_month(today),), _money_of(calls, budgets), grants, _history(moved))


def _money_of(calls: Iterable[Any], budgets: Iterable[Any]) -> tuple[CallMoney, ...]:
    sums: dict[UUID, dict[Account, Money]] = {}
    for call_id, code, net in budgets:
        sums.setdefault(call_id, {})[Account(code)] = natural(Account(code), int(net), 0)
    found = []
    for call in calls:
        money = Balances(sums.get(call.id, {}))
        reserved = money[Account.RESERVED] + money[Account.COMMITTED]
        ceiling, free = money[Account.BUDGET_AUTHORISED], money[Account.AVAILABLE]
        if ceiling or reserved or free:
            found.append(CallMoney(call.id, call.slug, call.reference, call.title, ceiling, reserved, free))
    return tuple(found)


def _history(moved: Iterable[Any]) -> tuple[tuple[date, Money, Money], ...]:
    """By month, what was committed (paid included) and paid."""
    sums: dict[date, tuple[Money, Money]] = {}
    for month, code, net in moved:
        committed, paid = sums.get(month, (ZERO, ZERO))
        amount = Money(int(net))
        sums[month] = (committed + amount, paid + (amount if code == Account.CONSUMED.value else ZERO))
    return tuple((month, *sums[month]) for month in sorted(sums))


@reader
def snapshots() -> Asking[tuple[Snapshot, ...]]:
    """The forecasts that were kept last, newest first."""
    rows = yield from ask(select(ForecastSnapshot).order_by(ForecastSnapshot.as_of.desc()).limit(SNAPSHOTS_SHOWN))
    people = yield from identity.people.asking({row.taken_by for row in rows if row.taken_by})
    return tuple(
        Snapshot(row.reference, row.as_of, people[row.taken_by].name if row.taken_by else None, row.note)
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class CauseMoves:
    """What moved for one reason, and how much of it together."""

    cause: Cause
    moves: tuple[Move, ...]
    sum: Money


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A kept forecast beside what is forecast now: month by month, and why they differ."""

    snapshot: Snapshot
    then: tuple[KeptLine, ...]
    now: tuple[KeptLine, ...]
    causes: tuple[CauseMoves, ...]
    grants: dict[UUID, GrantOutlook]
    partial: bool

    @property
    def months(self) -> tuple[tuple[date, Money, Money], ...]:
        """Each month in which something was or is expected: then, and now."""
        sums: dict[date, list[Money]] = {}
        for place, lines in enumerate((self.then, self.now)):
            for line in lines:
                if line.month is not None:
                    sums.setdefault(line.month, [ZERO, ZERO])[place] += line.amount
        return tuple((month, then, now) for month, (then, now) in sorted(sums.items()))


@reader
def kept_forecast(actor: Actor, reference: str, at: datetime) -> Asking[KeptPage]:
    """One kept forecast as this person may see it, held against today's; raises :class:`NotFound`. Four statements."""
    today = clock.in_zone(at).date()
    row = next(iter((yield from ask(select(ForecastSnapshot).where(ForecastSnapshot.reference == reference)))), None)
    if row is None:
        raise NotFound
    # What was kept of a grant stays told when the grant is dropped; only today's side has nothing of it any more.
    visible = agreements.visible(actor, READS)
    about: list[Asking[Any]] = [
        ask(_lines_of(row.id, visible)),
        outlooks.asking(visible & _HAS_MONEY, today),
        identity.people.asking({row.taken_by} if row.taken_by else set()),
    ]
    kept, grants, people = yield from side_by_side(about)
    then, now = tuple(map(kept_line, kept)), lines_of((), grants)
    order = {each.id: place for place, each in enumerate(grants)}
    moved = sorted(moves(then, now), key=lambda move: order.get(move.grant_id, len(order)))
    causes = [(cause, tuple(each for each in moved if each.cause is cause)) for cause in Cause]
    return KeptPage(
        Snapshot(row.reference, row.as_of, people[row.taken_by].name if row.taken_by else None, row.note),
        then,
        now,
        tuple(CauseMoves(cause, found, total(each.amount for each in found)) for cause, found in causes if found),
        {each.id: each for each in grants},
        partial=bool(actor.barred_from()),
    )


def _lines_of(snapshot_id: UUID, visible: ColumnElement[bool]) -> Any:
    """The lines of the grants a person may see; a call's budget is not told apart from what is left out of it."""
    return (
        select(ForecastLine)
        .where(ForecastLine.snapshot_id == snapshot_id, ForecastLine.grant_id.in_(select(Grant.id).where(visible)))
        .order_by(ForecastLine.position)
    )


def kept_line(row: Any) -> KeptLine:
    """One line as it was kept."""
    return KeptLine(
        row.call_id,
        row.grant_id,
        LineKind(row.kind),
        row.amount,
        row.report_number,
        row.due_on,
        Basis(row.basis) if row.basis else None,
        row.waits_for or "",
        row.is_reserved,
    )


@reader
def whole_forecast(today: date) -> Asking[tuple[KeptLine, ...]]:
    """Everything there is to keep of today's forecast, whoever keeps it."""
    about: list[Asking[Any]] = [
        outlooks.asking(_HAS_MONEY, today),
        ask(books.budgets_of_calls(None)),
        ask(select(Call.id, Call.slug, Call.reference, Call.title).order_by(Call.reference)),
    ]
    grants, budgets, calls = yield from side_by_side(about)
    return lines_of(_money_of(calls, budgets), grants)


def kept_before(moment: datetime) -> tuple[ForecastSnapshot | None, tuple[KeptLine, ...]]:
    """The forecast that was kept last before a moment, whole, with its lines in order; None where none was."""
    statement = select(ForecastSnapshot).where(ForecastSnapshot.as_of < moment)
    row = db.session.scalars(
        statement.order_by(ForecastSnapshot.as_of.desc(), ForecastSnapshot.reference.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None, ()
    lines = select(ForecastLine).where(ForecastLine.snapshot_id == row.id).order_by(ForecastLine.position)
    return row, tuple(map(kept_line, db.session.scalars(lines)))


def kept_by_the_program(month: date) -> bool:
    """Whether the program kept a forecast in this month."""
    wanted = and_(ForecastSnapshot.taken_by.is_(None), ForecastSnapshot.taken_on >= month)
    return db.session.scalar(select(ForecastSnapshot.id).where(wanted).limit(1)) is not None
