"""Terms of a grant: shares, milestones, the schedule of payments within its limits, and the periods of its reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from uuid import UUID

from grants.agreements.states import (
    PaymentKind,
)
from grants.budgets.rules import percent
from grants.core import clock
from grants.core.money import ZERO, Money, Rounding, total

# More people than this never have to sign one paper.
PROGRAMME_SIGNATURES_MAX = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """What the project officer fixes for a grant in preparation; the limits follow from the call's percentages."""

    starts_on: date
    months: int
    shares: tuple[Share, ...]
    milestones: tuple[PlannedMilestone, ...]
    amount_note: str | None = None
    # What holds for this grant beside its articles; empty for nothing.
    special_conditions: str = ""
    # How many people sign for the programme.
    programme_signatures: int = 1


@dataclass(frozen=True, slots=True)
class Share:
    """The most one beneficiary may receive."""

    organisation_id: UUID
    maximum: Money


@dataclass(frozen=True, slots=True)
class NamedShare:
    """A beneficiary as the agreement names it."""

    organisation_id: UUID
    name: str
    country_code: str
    is_coordinator: bool
    maximum: Money


@dataclass(frozen=True, slots=True)
class PlannedMilestone:
    """A milestone with the written criterion by which it is accepted."""

    title: str
    criterion: str
    due_on: date


@dataclass(frozen=True, slots=True)
class Percentages:
    """The call's payment rules as exact percentages of the maximum grant: ``Fraction(40)`` is 40 %."""

    prefinancing: Fraction
    interim_ceiling: Fraction
    retention: Fraction
    additional: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts that follow from the maximum grant; rounded down, so that none is ever above its percentage.

    ``additional`` is what is paid in advance once more, nothing of it held back.
    """

    prefinancing: Money
    interim_ceiling: Money
    retention: Money
    additional: Money = ZERO

    @property
    def in_advance(self) -> Money:
        """What is paid in advance in all, with what is held back of it."""
        return self.prefinancing + self.additional


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """Within how many days a request is answered, and after how many one that nobody opened counts as opened."""

    reply_days: int
    opened_after_days: int

    def received_on(self, sent_on: date, opened_on: date | None) -> date:
        """The day on which it counts as received.

        >>> str(ReplyRule(45, 10).received_on(date(2024, 3, 1), None))
        '2024-03-11'
        """
        counts = clock.add_days(sent_on, self.opened_after_days)
        return counts if opened_on is None else min(opened_on, counts)

    def reply_due_on(self, sent_on: date, opened_on: date | None) -> date:
        """The last day to answer, itself included; the day it was received is not counted.

        >>> str(ReplyRule(45, 10).reply_due_on(date(2024, 3, 1), date(2024, 3, 2)))
        '2024-04-16'
        """
        return clock.add_days(self.received_on(sent_on, opened_on), self.reply_days)


# Where a call says nothing of it.
PLAIN_REPLY = ReplyRule(45, 10)


@dataclass(frozen=True, slots=True)
class FlexibilityRule:
    """How much of a budget may be moved without an amendment over the life of a grant, and of which maximum that is a part."""

    free: Money
    notify: Money
    maximum: Money

    @property
    def words(self) -> str:
        """As sentences of the agreement."""
        if not self.notify:
            return "Costs are moved between partners and categories of the budget by an amendment only."
        freely = f"up to {self._amount(self.free)} in all freely" if self.free else ""
        told = (
            f"up to {self._amount(self.notify)} in all with a notice to the programme"
            if self.notify > self.free
            else ""
        )
        ways = " and ".join(each for each in (freely, told) if each)
        return (
            f"Over the whole life of the grant, costs may be moved between partners and categories of the budget {ways}; every "
            f"move counts, back-moves too. Shares are those of the maximum grant of {_unbroken(self.maximum)}. More takes an amendment."
        )

    def _amount(self, amount: Money) -> str:
        """An amount with the share of the maximum that was rounded down to it."""
        hundredths = -(-amount.cents * 10_000 // self.maximum.cents)
        return f"{_unbroken(amount)} ({percent(Fraction(hundredths, 10_000))})"


def _unbroken(amount: Money) -> str:
    """An amount whose currency never stands at the end of a line without it."""
    return str(amount).replace(" ", "\N{NO-BREAK SPACE}")


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One planned payment."""

    number: int
    kind: PaymentKind
    report_number: int | None
    planned: Money
    due_on: date


def limits(maximum: Money, percentages: Percentages) -> Limits:
    """The exact limits of a grant.

    >>> limits(Money(600_000_00), Percentages(Fraction(40), Fraction(90), Fraction(5))).interim_ceiling.cents
    54000000
    """
    return Limits(
        prefinancing=_percent(maximum, percentages.prefinancing),
        interim_ceiling=_percent(maximum, percentages.interim_ceiling),
        retention=min(_percent(maximum, percentages.retention), _percent(maximum, percentages.prefinancing)),
        additional=_percent(maximum, percentages.additional),
    )


def _percent(amount: Money, percent: Fraction) -> Money:
    return amount.share(percent / 100, rounding=Rounding.DOWN)


def schedule(maximum: Money, allowed: Limits, starts_on: date, report_dues: Sequence[date]) -> tuple[ScheduleLine, ...]:
    """The payments a grant can expect: pre-financing, one after each interim report, the balance after the final one.

    ``report_dues`` are the due days of the periodic reports in order, the last one the final report's. Additional
    pre-financing is planned half-way to the first of them.
    What lies between pre-financing and the interim ceiling is planned in equal parts; planned amounts
    always sum to the maximum.
    """
    assert report_dues, "a grant has at least its final report"
    lines: list[ScheduleLine] = []
    if allowed.prefinancing:
        lines.append(
            ScheduleLine(1, PaymentKind.PREFINANCING, None, allowed.prefinancing - allowed.retention, starts_on)
        )
    if allowed.additional:
        half_way = starts_on + (report_dues[0] - starts_on) // 2
        lines.append(ScheduleLine(len(lines) + 1, PaymentKind.ADDITIONAL, None, allowed.additional, half_way))
    interims = list(report_dues[:-1])
    between = allowed.interim_ceiling - allowed.in_advance
    if interims and between:
        parts = between.split([1] * len(interims))
        for report_number, (due, part) in enumerate(zip(interims, parts, strict=True), 1):
            lines.append(ScheduleLine(len(lines) + 1, PaymentKind.INTERIM, report_number, part, due))
    rest = maximum - total(line.planned for line in lines)
    lines.append(ScheduleLine(len(lines) + 1, PaymentKind.BALANCE, len(report_dues), rest, report_dues[-1]))
    assert total(line.planned for line in lines) == maximum, "the schedule pays exactly the maximum"
    return tuple(lines)


def terms_problems(terms: Terms, reserved: Money, parent_ends_on: date | None) -> dict[str, str]:
    """What is wrong with the terms, by field; empty when they may stand."""
    found: dict[str, str] = {}
    maximum = total(share.maximum for share in terms.shares)
    if maximum > reserved:
        found["shares"] = (
            f"The maxima of the beneficiaries sum to {maximum}, but {reserved} was reserved by the selection decision. "
            f"Lower them by {maximum - reserved}."
        )
    if maximum <= ZERO:
        found["shares"] = "Give at least one beneficiary a maximum above zero."
    if not 1 <= terms.months <= 120:
        found["months"] = "A grant runs between 1 and 120 months."
    elif parent_ends_on is not None and clock.add_months(terms.starts_on, terms.months) > parent_ends_on:
        # A warning would do in law; a grant that outlives its parent cannot be paid from it.
        found["months"] = (
            f"The grant would end after its parent grant ({clock.long_date(parent_ends_on)}). Choose an earlier start or fewer months."
        )
    if not 1 <= terms.programme_signatures <= PROGRAMME_SIGNATURES_MAX:
        found["programme_signatures"] = (
            f"Between 1 and {PROGRAMME_SIGNATURES_MAX} people sign for the programme. Enter such a number."
        )
    if not terms.milestones:
        found["milestones"] = "Name at least one milestone with the criterion by which it is accepted."
    return found


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """One periodic report a grant owes: its period (half-open) and the day it is due."""

    number: int
    is_final: bool
    starts_on: date
    ends_before: date
    due_on: date


def report_plan(starts_on: date, months: int, interim_months: Sequence[int], days: int) -> tuple[ReportPlan, ...]:
    """The periodic reports of a grant: one for each interim month, and the final one at its end.

    ``interim_months`` count from the start; ``days`` is the time after a period until its report is
    due (60 in the Horizon model agreement, a parameter of the call).

    >>> [str(plan.due_on) for plan in report_plan(date(2023, 6, 1), 24, [12], 60)]
    ['2024-07-31', '2025-07-31']
    """
    ends = [clock.add_months(starts_on, month) for month in sorted({m for m in interim_months if 0 < m < months})]
    ends.append(clock.add_months(starts_on, months))
    begins = [starts_on, *ends[:-1]]
    return tuple(
        ReportPlan(number, number == len(ends), begin, end, clock.add_days(end, days))
        for number, (begin, end) in enumerate(zip(begins, ends, strict=True), 1)
    )


def default_shares(reserved: Money, requested: Sequence[tuple[UUID, Money]]) -> tuple[Share, ...]:
    """The reserved amount over the beneficiaries in proportion to what each asked for; in equal parts where nothing is known."""
    weights = [amount.cents for _, amount in requested]
    parts = reserved.split(weights if sum(weights) else [1] * len(requested))
    return tuple(Share(organisation_id, part) for (organisation_id, _), part in zip(requested, parts, strict=True))
