"""The forecast of payments by month: its identity with the ceiling, its lines as they are kept, and why they moved. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from grants.agreements.states import GrantState, PaymentKind
from grants.core import charts, clock
from grants.core.charts import Series, Steps
from grants.core.money import ZERO, Money, total
from grants.payments.rules.days import WORDS
from grants.payments.rules.expected import BEFORE_SIGNATURE, Basis, Expected, Outlook

MONTHS, MONTHS_MAX = 12, 60
# So many months that are over stand before those to come, where something happened in them.
MONTHS_BEFORE = 6


class LineKind(StrEnum):
    """What an amount of a kept forecast is: of the call's budget, or of a grant."""

    CEILING = "ceiling"
    PAID = "paid"
    DUE = "due"
    PREFINANCING = "prefinancing"
    ADDITIONAL = "additional"
    INTERIM = "interim"
    BALANCE = "balance"
    GIVEN_BACK = "given_back"
    RESERVED = "reserved"
    FREE = "free"

    @property
    def payment(self) -> PaymentKind | None:
        """The kind of payment, where it is one to come."""
        return PaymentKind(self.value) if self.value in set(PaymentKind) else None


@dataclass(frozen=True, slots=True)
class CallMoney:
    """The budget of a call: its ceiling, what is reserved of it and not signed, and what is free."""

    id: UUID
    slug: str
    reference: str
    title: str
    ceiling: Money
    reserved: Money
    free: Money


@dataclass(frozen=True, slots=True)
class GrantOutlook:
    """One grant in a forecast, with where its money goes from here."""

    id: UUID
    reference: str
    name: str
    call_id: UUID
    state: GrantState
    outlook: Outlook

    @property
    def is_signed(self) -> bool:
        """Whether its money is committed; before that it is reserved."""
        return self.state not in BEFORE_SIGNATURE

    @property
    def due(self) -> Money:
        """What is on its way to it."""
        return self.outlook.on_the_way


@dataclass(frozen=True, slots=True)
class ForecastAsk:
    """What a forecast is narrowed to, and how many months it tells one by one from ``from_month`` on."""

    call: str = ""
    fund: str = ""
    grant: str = ""
    from_month: date | None = None
    months: int = MONTHS


@dataclass(frozen=True, slots=True)
class Sums:
    """Where the whole ceiling is (F46): nothing of it is elsewhere."""

    ceiling: Money
    paid: Money
    due: Money
    forecast: Money
    reserved: Money
    given_back: Money
    free: Money

    @property
    def parts(self) -> Money:
        """Everything but the ceiling."""
        return total((self.paid, self.due, self.forecast, self.reserved, self.given_back, self.free))

    @property
    def holds(self) -> bool:
        """Whether the parts are the ceiling."""
        return self.parts == self.ceiling


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What a grant expects in each column of a forecast."""

    grant: GrantOutlook
    cells: tuple[Money, ...]

    @property
    def sum(self) -> Money:
        """All of it."""
        return total(self.cells)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Grants and calls as they stand today, and the months the page tells one by one."""

    today: date
    months: tuple[date, ...]
    calls: tuple[CallMoney, ...]
    grants: tuple[GrantOutlook, ...]
    # What was committed and paid in all, month by month, until now.
    history: tuple[tuple[date, Money, Money], ...] = ()

    @property
    def signed(self) -> tuple[GrantOutlook, ...]:
        """Grants whose money is committed."""
        return tuple(each for each in self.grants if each.is_signed)

    @property
    def unsigned(self) -> tuple[GrantOutlook, ...]:
        """Grants in preparation: their money is reserved."""
        return tuple(each for each in self.grants if not each.is_signed)

    @property
    def sums(self) -> Sums:
        """The identity: of the calls, or of one grant where no call is looked at as a whole."""
        outlooks = [each.outlook for each in self.signed]
        # What a closed grant gave back is free again in its call.
        back = [each.outlook for each in self.signed if not self.calls or each.state is not GrantState.CLOSED]
        maxima = total(each.outlook.maximum for each in self.grants)
        unsigned = total(each.outlook.maximum for each in self.unsigned)
        return Sums(
            ceiling=total(each.ceiling for each in self.calls) if self.calls else maxima,
            paid=total(each.paid for each in outlooks),
            due=total(each.on_the_way for each in outlooks),
            forecast=total(each.expected for each in outlooks),
            reserved=total(each.reserved for each in self.calls) if self.calls else unsigned,
            given_back=total(each.given_back for each in back),
            free=total(each.free for each in self.calls),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Before the months that are told, where something is, the months, and later."""
        before = ("Before",) if any(row[0] for row in self._all_cells) else ()
        return (*before, *(month_words(each) for each in self.months), "Later")

    def rows(self, grants: Sequence[GrantOutlook]) -> tuple[MonthRow, ...]:
        """What these grants expect, by column; those that expect nothing are left out."""
        first = 1 if len(self.columns) == len(self.months) + 1 else 0
        found = (MonthRow(each, self._cells(each)[first:]) for each in grants if each.outlook.lines)
        return tuple(found)

    def totals(self, grants: Sequence[GrantOutlook]) -> tuple[Money, ...]:
        """The sum of each column over these grants."""
        rows = self.rows(grants)
        return tuple(total(row.cells[place] for row in rows) for place in range(len(self.columns)))

    def sum_of(self, grants: Sequence[GrantOutlook]) -> Money:
        """Everything these grants expect."""
        return total(each.outlook.expected for each in grants)

    @property
    def _all_cells(self) -> list[tuple[Money, ...]]:
        return [self._cells(each) for each in self.grants]

    def _cells(self, grant: GrantOutlook) -> tuple[Money, ...]:
        """Before the months, each of them, and after."""
        sums = [ZERO] * (len(self.months) + 2)
        for line in grant.outlook.lines:
            place = clock.months_between(self.months[0], line.due_on) + 1
            sums[min(max(place, 0), len(sums) - 1)] += line.amount
        return tuple(sums)

    @property
    def chart(self) -> Steps:
        """Ceiling, committed and paid until now, and what is forecast on top of what is paid."""
        levels = self.levels
        series = (
            Series("ceiling", "Ceiling", tuple(self.sums.ceiling for _ in levels)),
            Series("committed", "Committed", tuple(each.committed for each in levels)),
            Series("paid", "Paid", tuple(each.paid for each in levels)),
            Series("forecast", "Forecast", tuple(each.forecast for each in levels)),
        )
        now = sum(1 for each in levels if each.month <= first_of_month(self.today))
        return charts.steps([month_words(each.month) for each in levels], series, now=now)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Month by month, what the chart draws: in all, at the end of each month."""
        this = first_of_month(self.today)
        last = max((*self.months, this))
        first = clock.add_months(this, -MONTHS_BEFORE)
        by_month = {month: (committed, paid) for month, committed, paid in self.history}
        committed = total(amount for month, amount, _ in self.history if month < first)
        paid = total(amount for month, _, amount in self.history if month < first)
        ahead = paid_and_due = ZERO
        found: list[Level] = []
        for month in months_from(first, clock.months_between(first, last) + 1):
            moved = by_month.get(month, (ZERO, ZERO))
            committed, paid = committed + moved[0], paid + moved[1]
            if month == this:
                paid_and_due = paid + total(each.due for each in self.signed)
            if month >= this:
                ahead += total(
                    line.amount
                    for each in self.signed
                    for line in each.outlook.lines
                    if first_of_month(line.due_on) == month
                )
            future = month > this
            found.append(
                Level(
                    month, None if future else committed, None if future else paid,
                    paid_and_due + ahead if month >= this else None,
                )
            )  # fmt: skip
        return tuple(found)

    @property
    def finding(self) -> str:
        """What the chart shows, as one sentence."""
        sums = self.sums
        share = sums.paid.cents * 100 // sums.ceiling.cents if sums.ceiling else 0
        if not sums.ceiling:
            return "There is no budget yet to forecast"
        rest = sums.given_back + sums.free + sums.reserved
        return f"{share} % of {sums.ceiling} is paid; paid, due and forecast stay {rest} below it"


@dataclass(frozen=True, slots=True)
class Level:
    """The end of one month: committed and paid as it was, and the forecast."""

    month: date
    committed: Money | None
    paid: Money | None
    forecast: Money | None

    @property
    def ends_on(self) -> date:
        """The last day of the month."""
        return clock.add_months(self.month, 1) - timedelta(days=1)


def first_of_month(day: date) -> date:
    """The month of a day, by its first day."""
    return day.replace(day=1)


def months_from(first: date, count: int) -> tuple[date, ...]:
    """So many months from one on, by their first days."""
    return tuple(clock.add_months(first_of_month(first), place) for place in range(count))


def month_words(month: date) -> str:
    """``Nov 2026``."""
    return f"{month:%b %Y}"


# --- kept forecasts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptLine:
    """One amount of a forecast, as it is kept."""

    call_id: UUID
    grant_id: UUID | None
    kind: LineKind
    amount: Money
    report_number: int | None = None
    due_on: date | None = None
    basis: Basis | None = None
    waits_for: str = ""
    # Of a grant in preparation: part of what its call has reserved, and no forecast of its own.
    is_reserved: bool = False

    @property
    def because(self) -> str:
        """What a payment to come waits for."""
        payment = self.kind.payment
        assert payment is not None and self.due_on is not None and self.basis is not None, "only payments to come wait"
        return Expected(payment, self.report_number, self.amount, self.due_on, self.basis, self.waits_for).because

    @property
    def name(self) -> str:
        """The payment to come."""
        payment = self.kind.payment
        assert payment is not None, "a line of another kind has no payment"
        return WORDS[payment] if self.report_number is None else f"{WORDS[payment]}, report {self.report_number}"

    @property
    def month(self) -> date | None:
        """The month it is expected in."""
        return None if self.due_on is None else first_of_month(self.due_on)


def lines_of(calls: Iterable[CallMoney], grants: Iterable[GrantOutlook]) -> tuple[KeptLine, ...]:
    """A whole forecast as lines to keep; amounts of nothing are left out."""
    return tuple(each for each in (*_budget_lines(calls), *_grant_lines(grants)) if each.amount)


def _budget_lines(calls: Iterable[CallMoney]) -> Iterator[KeptLine]:
    for call in calls:
        yield KeptLine(call.id, None, LineKind.CEILING, call.ceiling)
        yield KeptLine(call.id, None, LineKind.RESERVED, call.reserved)
        yield KeptLine(call.id, None, LineKind.FREE, call.free)


def _grant_lines(grants: Iterable[GrantOutlook]) -> Iterator[KeptLine]:
    for grant in grants:
        place, reserved = (grant.call_id, grant.id), not grant.is_signed
        yield KeptLine(*place, LineKind.PAID, grant.outlook.paid)
        yield KeptLine(*place, LineKind.DUE, grant.outlook.on_the_way)
        for line in grant.outlook.lines:
            yield KeptLine(
                *place,
                LineKind(line.kind.value),
                line.amount,
                line.report_number,
                line.due_on,
                line.basis,
                line.waits_for,
                reserved,
            )
        # What a closed grant gave back is free in its call again.
        if grant.state is not GrantState.CLOSED:
            yield KeptLine(*place, LineKind.GIVEN_BACK, grant.outlook.given_back)


class Cause(StrEnum):
    """Why an amount of a forecast is in another month, is another amount, or is gone."""

    DECIDED = "decided"
    MILESTONE = "milestone"
    REPORT = "report"
    REQUEST = "request"
    SIGNATURE = "signature"
    CAME_IN = "came_in"
    GIVEN_BACK = "given_back"
    DROPPED = "dropped"
    OTHER_AMOUNT = "other_amount"

    @property
    def words(self) -> str:
        """As the heading of what moved."""
        match self:
            case Cause.DECIDED:
                return "Decided: now paid, or on its way"
            case Cause.MILESTONE:
                return "A milestone is expected on another day"
            case Cause.REPORT:
                return "A report comes in on another day"
            case Cause.REQUEST:
                return "The due day of a request moved"
            case Cause.SIGNATURE:
                return "The agreement is signed on another day"
            case Cause.CAME_IN:
                return "A grant, or a payment of it, came in"
            case Cause.GIVEN_BACK:
                return "Goes back to the call"
            case Cause.DROPPED:
                return "Dropped before both sides signed"
            case Cause.OTHER_AMOUNT:
                return "Another amount: the agreement changed, or what is left for the balance"
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Move:
    """One amount that left a month, came to one, or went from one to another."""

    grant_id: UUID
    kind: PaymentKind
    report_number: int | None
    amount: Money
    cause: Cause
    from_month: date | None
    to_month: date | None
    because: str = ""

    @property
    def name(self) -> str:
        """The payment it is about."""
        return WORDS[self.kind] if self.report_number is None else f"{WORDS[self.kind]}, report {self.report_number}"


Key = tuple[UUID, LineKind, int | None]


def moves(before: Sequence[KeptLine], now: Sequence[KeptLine]) -> tuple[Move, ...]:
    """What became of every expected amount, with its cause: month by month the moves are exactly the difference."""
    old, new = _expected(before), _expected(now)
    settled, given_back = (
        [_sums(lines, kinds) for lines in (before, now)]
        for kinds in ({LineKind.PAID, LineKind.DUE}, {LineKind.GIVEN_BACK})
    )
    known, there = {key[0] for key in old}, {each.grant_id for each in now}
    found: list[Move] = []
    for key in sorted({*old, *new}, key=lambda each: (str(each[0]), list(LineKind).index(each[1]), each[2] or 0)):
        grant_id = key[0]
        if _grew(settled, grant_id):
            gone = Cause.DECIDED
        elif _grew(given_back, grant_id):
            gone = Cause.GIVEN_BACK
        else:
            gone = Cause.OTHER_AMOUNT if grant_id in there else Cause.DROPPED
        came = Cause.CAME_IN if grant_id not in known else gone
        found += _moved(key, old.get(key), new.get(key), gone=gone, came=came)
    return tuple(found)


def _moved(key: Key, old: KeptLine | None, new: KeptLine | None, *, gone: Cause, came: Cause) -> Iterator[Move]:
    grant_id, kind, number = key
    payment = kind.payment
    assert payment is not None, "only payments to come move"
    if old is None or new is None:
        one = old or new
        assert one is not None
        places = (one.month, None) if new is None else (None, one.month)
        yield Move(grant_id, payment, number, one.amount, gone if new is None else came, *places)
        return
    if old.month != new.month:
        shared = min(old.amount, new.amount)
        assert new.basis is not None, "a payment to come waits for something"
        yield Move(grant_id, payment, number, shared, Cause(new.basis.value), old.month, new.month, new.because)
    if new.amount > old.amount:
        yield Move(grant_id, payment, number, new.amount - old.amount, came, None, new.month)
    if new.amount < old.amount:
        yield Move(grant_id, payment, number, old.amount - new.amount, gone, old.month, None)


def _expected(lines: Iterable[KeptLine]) -> Mapping[Key, KeptLine]:
    return {
        (each.grant_id, each.kind, each.report_number): each
        for each in lines
        if each.grant_id is not None and each.kind.payment is not None
    }


def _sums(lines: Iterable[KeptLine], kinds: Container[LineKind]) -> Mapping[UUID | None, Money]:
    found: dict[UUID | None, Money] = {}
    for each in lines:
        if each.kind in kinds:
            found[each.grant_id] = found.get(each.grant_id, ZERO) + each.amount
    return found


def _grew(sums: Sequence[Mapping[UUID | None, Money]], grant_id: UUID) -> bool:
    before, now = (each.get(grant_id, ZERO) for each in sums)
    return now > before
