"""What was granted held against what was declared, accepted and paid: by partner, category and period, to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from grants.budgets import rules as budgets
from grants.budgets.rules import BudgetContent, BudgetRules, Cell, OrganisationTotals, Totals
from grants.core import clock
from grants.core.money import ZERO, Money, total
from grants.reporting.states import ReportState

# What the city gave away to be looked at; a report that went back to it is not declared until it comes again.
DECLARED = (ReportState.SUBMITTED, ReportState.ACCEPTED, ReportState.REJECTED)


class By(StrEnum):
    """How the spending of a grant is divided."""

    PARTNER = "partner"
    CATEGORY = "category"
    PERIOD = "period"

    @property
    def words(self) -> str:
        """For pages."""
        return {By.PARTNER: "By partner", By.CATEGORY: "By category", By.PERIOD: "By period"}[self]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was accepted of one amount, and why less where it is less."""

    accepted: Money
    reason: str | None


@dataclass(frozen=True, slots=True)
class Reported:
    """One report: its period, its costs as they stand, and what was accepted of them once it was."""

    number: int
    reference: str
    state: ReportState
    starts_on: date
    ends_before: date
    rules: BudgetRules
    cells: tuple[Cell, ...]
    judged: Mapping[tuple[UUID, str], Judgement] = field(default_factory=dict)

    @property
    def declared(self) -> Totals:
        """The sums of what was declared, flat rate and funding rate applied; of nothing while it is with the city."""
        return budgets.totals(self.rules, self.cells if self.state in DECLARED else ())

    @property
    def accepted(self) -> Totals:
        """The sums of what was accepted, worked out by the same rules."""
        cells = (Cell(who, code, each.accepted) for (who, code), each in self.judged.items())
        return budgets.totals(self.rules, cells if self.state is ReportState.ACCEPTED else ())


@dataclass(frozen=True, slots=True)
class Spent:
    """One row. ``granted`` is None where nothing was planned that way, ``paid`` where payments are not divided that way."""

    label: str
    key: str
    granted: Money | None
    declared: Money
    accepted: Money
    paid: Money | None = None

    @property
    def left(self) -> Money | None:
        """What may still be accepted; below zero where more was accepted than was planned here."""
        return None if self.granted is None else self.granted - self.accepted

    @property
    def part(self) -> str:
        """How much of the granted money is accepted, as ``62.5 %``; empty where nothing was granted."""
        return percent(self.accepted, self.granted) if self.granted else ""

    @property
    def is_above(self) -> bool:
        """Whether more was declared than was granted here."""
        return self.granted is not None and self.declared > self.granted


@dataclass(frozen=True, slots=True)
class GrantMoney:
    """Everything the spending of a grant is worked out from. ``budget`` is None for a grant from before it had its own."""

    budget: BudgetContent | None
    maxima: Mapping[UUID, Money]
    reports: tuple[Reported, ...]
    paid: Mapping[UUID, Money]
    names: Mapping[UUID, str]

    def divided(self, by: By, starts_on: date) -> Spending:
        """The rows of one way to look at it."""
        match by:
            case By.PARTNER:
                return by_partner(self.maxima, self.names, self.reports, self.paid)
            case By.CATEGORY:
                return by_category(self.budget, self.reports)
            case By.PERIOD:
                return by_period(self.budget, starts_on, self.reports)

    @property
    def labels(self) -> dict[str, str]:
        """The categories of its reports by code."""
        return {each.code: each.label for report in self.reports for each in report.rules.categories}


@dataclass(frozen=True, slots=True)
class Spending:
    """The rows with their sum; every column adds up to the cent."""

    by: By
    rows: tuple[Spent, ...]
    whole: Spent


def percent(part: Money, whole: Money) -> str:
    """A part in per cent, rounded down to a tenth, so that 100 % is said of nothing less.

    >>> percent(Money(999_99), Money(1_000_00)).replace(chr(160), " ")
    '99.9 %'
    """
    return budgets.percent(Fraction(part.cents * 1000 // whole.cents, 1000))


def time_gone(starts_on: date, ends_before: date, today: date) -> str:
    """How much of the time of a grant has gone, like :func:`percent`.

    >>> time_gone(date(2023, 1, 1), date(2023, 1, 11), date(2023, 1, 6)).replace(chr(160), " ")
    '50 %'
    """
    days = (ends_before - starts_on).days
    gone = min(max((today - starts_on).days, 0), days)
    return budgets.percent(Fraction(gone * 1000 // days, 1000))


def by_partner(
    granted: Mapping[UUID, Money], names: Mapping[UUID, str], reports: Sequence[Reported], paid: Mapping[UUID, Money]
) -> Spending:
    """Money of the grant by partner, in the order of ``granted``; who takes no part any more comes last."""
    declared, accepted = _asked(each.declared for each in reports), _asked(each.accepted for each in reports)
    order = dict.fromkeys((*granted, *declared, *paid))
    rows = tuple(
        Spent(
            names.get(who, "Partner"),
            str(who),
            granted.get(who, ZERO),
            declared.get(who, ZERO),
            accepted.get(who, ZERO),
            paid.get(who, ZERO),
        )
        for who in order
    )
    return _summed(By.PARTNER, rows)


def _asked(found: Iterable[Totals]) -> dict[UUID, Money]:
    sums: dict[UUID, Money] = {}
    for each in found:
        for row in each.rows:
            sums[row.organisation_id] = sums.get(row.organisation_id, ZERO) + row.requested
    return sums


def by_category(granted: BudgetContent | None, reports: Sequence[Reported]) -> Spending:
    """Costs by category, the flat rate included, worked out in each budget by its own rules."""
    labels: dict[str, str] = {}
    for rules in (*([granted.rules] if granted else []), *(each.rules for each in reports)):
        labels |= {each.code: labels.get(each.code, each.label) for each in rules.categories}
    planned = _columns(granted.rules, granted.totals) if granted else None
    declared, accepted = (
        _together(_columns(each.rules, part) for each, part in pairs)
        for pairs in ([(each, each.declared) for each in reports], [(each, each.accepted) for each in reports])
    )
    rows = tuple(
        Spent(
            label,
            code,
            planned.get(code, ZERO) if planned is not None else None,
            declared.get(code, ZERO),
            accepted.get(code, ZERO),
        )
        for code, label in labels.items()
    )
    return _summed(By.CATEGORY, rows)


def _columns(rules: BudgetRules, worked: Totals) -> dict[str, Money]:
    return dict(zip((each.code for each in rules.categories), worked.by_category, strict=True))


def _together(found: Iterable[Mapping[str, Money]]) -> dict[str, Money]:
    sums: dict[str, Money] = {}
    for each in found:
        for code, amount in each.items():
            sums[code] = sums.get(code, ZERO) + amount
    return sums


def by_period(granted: BudgetContent | None, starts_on: date, reports: Sequence[Reported]) -> Spending:
    """Costs by reporting period; a period of the budget counts to the report in whose time it ends."""
    planned = _by_report(granted, starts_on, reports) if granted and granted.rules.period_months else None
    rows = tuple(
        Spent(
            f"Report {each.number}",
            str(each.number),
            planned.get(each.number, ZERO) if planned is not None else None,
            each.declared.total,
            each.accepted.total,
        )
        for each in reports
    )
    summed = _summed(By.PERIOD, rows)
    if granted is None or planned is not None:
        return summed
    # Planned as a whole and by no period: then it stands in the sum alone.
    whole = Spent(summed.whole.label, "", granted.totals.total, summed.whole.declared, summed.whole.accepted)
    return Spending(By.PERIOD, rows, whole)


def _by_report(granted: BudgetContent, starts_on: date, reports: Sequence[Reported]) -> dict[int, Money]:
    ends = [(clock.months_between(starts_on, each.ends_before), each.number) for each in reports]
    found: dict[int, Money] = {}
    for each in granted.totals.slices:
        last_month = min(each.period * granted.rules.period_months, granted.rules.duration_months)
        number = next((number for month, number in ends if last_month <= month), ends[-1][1] if ends else 0)
        found[number] = found.get(number, ZERO) + each.total
    return found


def _summed(by: By, rows: tuple[Spent, ...]) -> Spending:
    planned = [row.granted for row in rows if row.granted is not None]
    paid = [row.paid for row in rows if row.paid is not None]
    whole = Spent(
        "Together",
        "",
        total(planned) if planned else None,
        total(row.declared for row in rows),
        total(row.accepted for row in rows),
        total(paid) if paid else None,
    )
    return Spending(by, rows, whole)


# --- the lines behind a figure --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpendingLine:
    """One partner's cost of one category in one report; ``accepted`` is None until the report is accepted or rejected."""

    report: Reported
    organisation_id: UUID
    category: str
    label: str
    declared: Money
    accepted: Money | None
    reason: str | None
    is_worked_out: bool


def lines(
    reports: Sequence[Reported],
    *,
    organisation_id: UUID | None = None,
    category: str | None = None,
    number: int | None = None,
) -> tuple[SpendingLine, ...]:
    """Every amount behind the figures, narrowed where asked: by report, then partner, then category."""
    found: list[SpendingLine] = []
    for report in reports:
        if number is not None and report.number != number:
            continue
        accepted = {row.organisation_id: row for row in report.accepted.rows}
        for row in report.declared.rows:
            if organisation_id is None or row.organisation_id == organisation_id:
                found += _lines_of(report, row, accepted.get(row.organisation_id), category)
    return tuple(found)


def _lines_of(
    report: Reported, row: OrganisationTotals, accepted: OrganisationTotals | None, wanted: str | None
) -> list[SpendingLine]:
    settled = report.state is not ReportState.SUBMITTED
    found = []
    for column, category in enumerate(report.rules.categories):
        declared = row.amounts[column]
        if not declared or (wanted is not None and category.code != wanted):
            continue
        judged = report.judged.get((row.organisation_id, category.code))
        given = accepted.amounts[column] if accepted else ZERO
        found.append(
            SpendingLine(
                report,
                row.organisation_id,
                category.code,
                category.label,
                declared,
                given if settled else None,
                judged.reason if judged else None,
                not category.entered,
            )
        )
    return found


# --- all grants of a call ------------------------------------------------------------------------------------------


def summed(grants: Sequence[GrantSpent]) -> Spent:
    """All grants of a call together."""
    return _summed(By.PARTNER, tuple(each.spent for each in grants)).whole


@dataclass(frozen=True, slots=True)
class GrantSpent:
    """One grant in the spending of its call; all amounts are money of the grant."""

    reference: str
    spent: Spent
    time_gone: str
