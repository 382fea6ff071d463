"""What a grant will still be paid: how much, when, and what each payment waits for. Pure.

The agreement's schedule says what is planned, reports and milestones say when, and the books say how much is left. However
a grant stands, what is expected, what is on its way, what was paid and what is given back are its maximum (I19).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never

from grants.agreements.rules import ScheduleLine
from grants.agreements.states import ENDED, GrantState, MilestoneState, PaymentKind
from grants.calls.rules import TimeLimits
from grants.core import clock
from grants.core.money import ZERO, Money, total
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances
from grants.payments.rules.days import WORDS, days_of, prefinancing_due_on
from grants.payments.rules.decisions import Limits, room
from grants.payments.states import UNDECIDED, RequestState
from grants.reporting.states import SETTLED, ReportState

# Not signed by both sides: the money is reserved, not committed.
BEFORE_SIGNATURE = (GrantState.PREPARATION, GrantState.READY_TO_SIGN)


class Basis(StrEnum):
    """What an expected payment waits for."""

    SIGNATURE = "signature"
    REQUEST = "request"
    USE = "use"
    REPORT = "report"
    MILESTONE = "milestone"


@dataclass(frozen=True, slots=True)
class ReportStands:
    """A report: its period, when it is due, and where it stands; ``accepted`` is what was accepted of it."""

    number: int
    is_final: bool
    state: ReportState
    ends_before: date
    due_on: date
    submitted_on: date | None = None
    accepted: Money | None = None


@dataclass(frozen=True, slots=True)
class MilestoneStands:
    """A milestone: when it was planned, when it is expected now, and where it stands."""

    number: int
    state: MilestoneState
    due_on: date
    expected_on: date | None = None

    def day(self, today: date) -> date:
        """When it is reached as far as anybody knows: never a day that passed without it."""
        said = self.expected_on or self.due_on
        return said if self.state is MilestoneState.SUBMITTED else max(said, today)


@dataclass(frozen=True, slots=True)
class RequestStands:
    """A payment request: what it asks for, when it is due, and where it stands."""

    reference: str
    kind: PaymentKind
    state: RequestState
    report_number: int | None
    requested: Money
    due_on: date
    suspended_on: date | None = None


@dataclass(frozen=True, slots=True)
class GrantMoney:
    """Everything about one grant that decides what it will still be paid."""

    state: GrantState
    limits: Limits
    times: TimeLimits
    starts_on: date
    in_force_on: date | None
    final_amount: Money | None
    balances: Balances
    schedule: tuple[ScheduleLine, ...]
    reports: tuple[ReportStands, ...] = ()
    milestones: tuple[MilestoneStands, ...] = ()
    requests: tuple[RequestStands, ...] = ()

    @property
    def paid(self) -> Money:
        """Booked by the bank, less what came back."""
        return self.balances[Account.CONSUMED]

    @property
    def on_the_way(self) -> Money:
        """Approved and not booked by the bank yet, with what it rejected or returned and is sent again."""
        return sum_of(self.balances, Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED)

    @property
    def open(self) -> Money:
        """What of the maximum is neither paid nor on its way."""
        return self.limits.maximum - self.paid - self.on_the_way


@dataclass(frozen=True, slots=True)
class Expected:
    """One payment to come: at most this much, on this day if what it waits for comes in time."""

    kind: PaymentKind
    report_number: int | None
    amount: Money
    due_on: date
    basis: Basis
    # The number of the report or milestone, or the reference of the request, that it waits for.
    waits_for: str = ""

    @property
    def name(self) -> str:
        """``Interim payment, report 1``."""
        return WORDS[self.kind] if self.report_number is None else f"{WORDS[self.kind]}, report {self.report_number}"

    @property
    def because(self) -> str:
        """What it waits for, as it follows its amount: ``when report 1 is accepted``."""
        match self.basis:
            case Basis.SIGNATURE:
                return "when the agreement is signed"
            case Basis.REQUEST:
                return f"when request {self.waits_for} is decided" if self.waits_for else "when its request is decided"
            case Basis.USE:
                return "when the city states what it used of the pre-financing"
            case Basis.REPORT:
                return f"when report {self.waits_for} is accepted"
            case Basis.MILESTONE:
                return f"when milestone {self.waits_for} is reached and report {self.report_number} is accepted"
            case _:
                assert_never(self.basis)


@dataclass(frozen=True, slots=True)
class Outlook:
    """A grant's money to its end: what was paid, what is on its way, what is expected, and what goes back to the call."""

    maximum: Money
    paid: Money
    on_the_way: Money
    held: Money
    lines: tuple[Expected, ...]
    given_back: Money

    @property
    def expected(self) -> Money:
        """Everything that is still to come."""
        return total(each.amount for each in self.lines)

    @property
    def problem(self) -> str:
        """What is wrong, as I19 says it; empty where nothing is."""
        parts = self.expected + self.on_the_way + self.paid + self.given_back
        if parts != self.maximum:
            return f"I19: expected, on the way, paid and given back are {parts}; the maximum is {self.maximum}."
        if self.given_back < ZERO:
            return f"I19: {-self.given_back} more is paid and on its way than the maximum of {self.maximum}."
        return ""


def sum_of(balances: Balances, *accounts: Account) -> Money:
    """What several accounts hold together."""
    return total(balances[account] for account in accounts)


def outlook(money: GrantMoney, today: date) -> Outlook:
    """Where the money of a grant goes from here.

    Of a grant that ended, or whose final amount is decided, nothing more is expected: its rest goes back to the call.
    """
    lines: tuple[Expected, ...] = ()
    if money.state not in ENDED and money.final_amount is None and money.open > ZERO:
        lines = tuple(each for each in _lines(money, today) if each.amount)
    held = money.balances[Account.RETENTION]
    return Outlook(
        money.limits.maximum,
        money.paid,
        money.on_the_way,
        held,
        tuple(sorted(lines, key=lambda each: (each.due_on, each.report_number or 0))),
        money.open - total(each.amount for each in lines),
    )


def _lines(money: GrantMoney, today: date) -> Iterator[Expected]:
    """Pre-financing and interim payments as far as the ceiling goes, and the balance with what is left."""
    left, below_ceiling = money.open, room(money.balances, money.limits)
    first = _prefinancing(money, today)
    if first is not None:
        gross = min(first.amount, below_ceiling)
        cash = min(gross - min(money.limits.retention, gross), left)
        left, below_ceiling = left - cash, below_ceiling - gross
        yield _of(first, cash)
    more = _additional(money, today)
    if more is not None:
        cash = min(more.amount, below_ceiling, left)
        left, below_ceiling = left - cash, below_ceiling - cash
        yield _of(more, cash)
    for each in _interims(money, today):
        cash = min(each.amount, below_ceiling, left)
        left, below_ceiling = left - cash, below_ceiling - cash
        yield _of(each, cash)
    yield _balance(money, left, today)


def _of(line: Expected, amount: Money) -> Expected:
    return Expected(line.kind, line.report_number, amount, line.due_on, line.basis, line.waits_for)


def _prefinancing(money: GrantMoney, today: date) -> Expected | None:
    """The pre-financing, gross, where it is not decided."""
    asked = [each for each in money.requests if each.kind is PaymentKind.PREFINANCING]
    if money.state is GrantState.TERMINATED:
        return None
    if asked:
        return next((_requested(each, today) for each in asked if each.state in UNDECIDED), None)
    if not money.limits.prefinancing:
        return None
    due = max(prefinancing_due_on(money.in_force_on or today, money.starts_on, money.times), today)
    basis = Basis.SIGNATURE if money.in_force_on is None else Basis.REQUEST
    return Expected(PaymentKind.PREFINANCING, None, money.limits.prefinancing, due, basis)


def _additional(money: GrantMoney, today: date) -> Expected | None:
    """Additional pre-financing, where it may still be asked for or is not decided: on the day it was planned for at the earliest."""
    asked = [each for each in money.requests if each.kind is PaymentKind.ADDITIONAL]
    firsts = [each for each in money.requests if each.kind is PaymentKind.PREFINANCING]
    if money.state is GrantState.TERMINATED:
        return None
    if asked:
        return next((_requested(each, today) for each in asked if each.state in UNDECIDED), None)
    never = firsts and all(each.state in (RequestState.CANCELLED, RequestState.REJECTED) for each in firsts)
    late = any(each.kind is PaymentKind.BALANCE for each in money.requests)
    if not money.limits.additional or never or late:
        return None
    planned = next((each.due_on for each in money.schedule if each.kind is PaymentKind.ADDITIONAL), today)
    basis = Basis.SIGNATURE if money.in_force_on is None else Basis.USE
    return Expected(PaymentKind.ADDITIONAL, None, money.limits.additional, max(planned, today), basis)


def _requested(request: RequestStands, today: date) -> Expected:
    """A request that waits for its decision: on its due day, later by the days that its clock stands still."""
    still = (today - request.suspended_on).days if request.suspended_on is not None else 0
    due = max(clock.add_days(request.due_on, max(still, 0)), today)
    return Expected(request.kind, request.report_number, request.requested, due, Basis.REQUEST, request.reference)


def _interims(money: GrantMoney, today: date) -> Iterator[Expected]:
    """What each interim report will open, in their order: what was accepted or is asked for, else what was planned."""
    reports = {each.number: each for each in money.reports}
    planned = {each.report_number: each for each in money.schedule if each.kind is PaymentKind.INTERIM}
    asked = {each.report_number: each for each in money.requests if each.kind is PaymentKind.INTERIM}
    numbers = {number for number in (*planned, *asked) if number is not None}
    numbers |= {each.number for each in money.reports if each.accepted is not None and not each.is_final}
    for number in sorted(numbers):
        report = reports.get(number)
        if report is not None and report.is_final:
            # Made the final one by a termination: what it opens is the balance.
            continue
        if number in asked:
            found = [each for each in money.requests if each.report_number == number and each.state in UNDECIDED]
            yield from (_requested(each, today) for each in found if each.kind is PaymentKind.INTERIM)
        elif report is not None and report.state in SETTLED:
            if report.accepted is not None:
                yield _by_report(money, report.accepted, PaymentKind.INTERIM, number, today)
        else:
            yield _by_report(money, planned[number].planned, PaymentKind.INTERIM, number, today)


def _balance(money: GrantMoney, left: Money, today: date) -> Expected:
    """The balance: what its request asks for on top of everything else, or all that is left at most."""
    request = next(
        (each for each in money.requests if each.kind is PaymentKind.BALANCE and each.state in UNDECIDED), None
    )
    if request is not None:
        line = _requested(request, today)
        before = money.limits.maximum - left
        return _of(line, min(max(request.requested - before, ZERO), left))
    last = next(
        (each.number for each in money.reports if each.is_final and each.state is not ReportState.DROPPED), None
    )
    number = last or max(
        (each.report_number for each in money.schedule if each.report_number is not None),
        default=max((each.number for each in money.reports), default=1),
    )
    return _by_report(money, left, PaymentKind.BALANCE, number, today)


def _by_report(money: GrantMoney, amount: Money, kind: PaymentKind, number: int, today: date) -> Expected:
    """A payment that a report opens: so many days after it comes in, and it waits for the milestones of its period.

    The balance waits for every report that is not settled.
    """
    numbers = _unsettled(money, number) if kind is PaymentKind.BALANCE else [number]
    waits = [_comes_in(money, each, today) for each in numbers]
    day, basis, waits_for = max(waits, key=lambda each: each[0])
    due = max(clock.add_days(day, days_of(kind, money.times)), today)
    return Expected(kind, number, amount, due, basis, waits_for)


def _unsettled(money: GrantMoney, last: int) -> list[int]:
    """The last report, and those before it that are neither accepted nor rejected."""
    return [last, *(each.number for each in money.reports if each.number < last and each.state not in SETTLED)]


def _comes_in(money: GrantMoney, number: int, today: date) -> tuple[date, Basis, str]:
    """When a report is in the programme's hands, and what that hangs on."""
    report = next((each for each in money.reports if each.number == number), None)
    if report is not None and report.submitted_on is not None and report.state is not ReportState.RETURNED:
        return report.submitted_on, Basis.REPORT, str(number)
    planned = next((each.due_on for each in money.schedule if each.report_number == number), today)
    day = max(report.due_on if report is not None else planned, today)
    if money.state is GrantState.TERMINATED:
        return day, Basis.REPORT, str(number)
    gate = max(
        (each for each in money.milestones if gated_by(each, money.reports) == number and _open(each)),
        key=lambda each: (each.day(today), each.number),
        default=None,
    )
    if gate is not None and gate.day(today) > day:
        return gate.day(today), Basis.MILESTONE, str(gate.number)
    return day, Basis.REPORT, str(number)


def _open(milestone: MilestoneStands) -> bool:
    return milestone.state is not MilestoneState.ACCEPTED


def gated_by(milestone: MilestoneStands, reports: Sequence[ReportStands]) -> int | None:
    """The report that waits for a milestone: the first whose period ends after the day it was planned for, else the last.

    Planned, not expected: a milestone that slips belongs to the same report.
    """
    ordered = sorted(reports, key=lambda each: each.number)
    within = (each.number for each in ordered if each.ends_before > milestone.due_on)
    return next(within, ordered[-1].number if ordered else None)


@dataclass(frozen=True, slots=True)
class StripItem:
    """One part of a grant's money: how it is drawn, what it is called, how much, and what is said of it."""

    kind: str
    label: str
    amount: Money
    note: str


def strip(found: Outlook) -> tuple[StripItem, ...]:
    """Where the whole maximum of a grant is, for its city and the programme: paid, on the way, next, later, held.

    What is held back is released with the balance, so that is told without it.
    """
    balance = total(each.amount for each in found.lines if each.kind is PaymentKind.BALANCE)
    held = min(found.held, balance)
    items = [StripItem("paid", "Paid", found.paid, "booked by the bank")]
    if found.on_the_way:
        items.append(StripItem("way", "On the way", found.on_the_way, "approved, or in transit"))
    ahead = [(each, each.amount - (held if each.kind is PaymentKind.BALANCE else ZERO)) for each in found.lines]
    if ahead:
        first, amount = ahead[0]
        items.append(StripItem("next", "Next", amount, f"{clock.long_date(first.due_on)}, {first.because}"))
    if later := total(amount for _, amount in ahead[1:]):
        items.append(StripItem("later", "Later", later, f"after that, in {_payments(len(ahead) - 1)}"))
    if held:
        items.append(StripItem("held", "Held", held, "kept back until the balance"))
    if found.given_back > ZERO:
        items.append(StripItem("held", "Not used", found.given_back, "goes back to the call"))
    assert total(each.amount for each in items) + min(found.given_back, ZERO) == found.maximum, (
        "the strip is the maximum"
    )
    return tuple(items)


def _payments(count: int) -> str:
    return "one payment" if count == 1 else f"{count} payments"
