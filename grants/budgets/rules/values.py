"""The values budgets are made of: what a call asks of one, its cells, its sums, what was looked at."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from grants.core.errors import Conflict
from grants.core.money import Money


class EnvelopeRule(StrEnum):
    """Whether a request may lie below an award amount of the call or must equal one."""

    CEILING = "ceiling"
    EXACT = "exact"


class Purpose(StrEnum):
    """What a budget says: what is planned, what was granted, what was spent."""

    PLANNED = "planned"
    GRANTED = "granted"
    ACTUAL = "actual"


class Severity(StrEnum):
    """A broken rule stops the sending; a warning does not; a kept rule is shown so that people see it was looked at."""

    BROKEN = "broken"
    WARNING = "warning"
    KEPT = "kept"


class Nature(StrEnum):
    """What a category pays for, where a public administration is asked about it."""

    STAFF = "staff"
    PURCHASE = "purchase"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Category:
    """A column of the budget. ``entered`` is false for the one computed by the flat rate.

    Subcontracting and financial support to third parties stand outside the flat-rate base (domain.md B-01).
    """

    code: str
    label: str
    in_flat_rate_base: bool = True
    entered: bool = True
    hint: str = ""
    nature: Nature = Nature.OTHER


@dataclass(frozen=True, slots=True)
class Envelope:
    """An award amount of the call."""

    code: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CategoryLimit:
    """A category that may take at most a share of the whole (\u201csubcontracting stays below 30 %\u201d), or an amount."""

    category: str
    share_max: Fraction | None = None
    amount_max: Money | None = None


@dataclass(frozen=True, slots=True)
class LumpSum:
    """A work package the call itself names, and what it costs: its amounts must add up to exactly that."""

    work_package: str
    title: str
    amount: Money


@dataclass(frozen=True, slots=True)
class UnitCost:
    """A category that is paid by units: so many of a ``unit`` at the ``rate`` of the call, in whole ones or with so many
    ``decimals``. A rate is such that the smallest part of a unit is whole cents.
    """

    category: str
    unit: str
    rate: Money
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """Everything a call says about budgets; rates are exact fractions (``Fraction(1, 4)`` is 25 %).

    With ``by_work_package`` amounts are entered for each work package of the budget; with ``period_months`` also for
    each stretch of so many months of the ``duration_months``.
    """

    categories: tuple[Category, ...]
    flat_rate: Fraction | None = None
    funding_rate: Fraction = Fraction(1)
    envelopes: tuple[Envelope, ...] = ()
    envelope_rule: EnvelopeRule = EnvelopeRule.CEILING
    limits: tuple[CategoryLimit, ...] = ()
    by_work_package: bool = False
    period_months: int = 0
    duration_months: int = 0
    lump_sums: tuple[LumpSum, ...] = ()
    # The most one organisation may ask for.
    organisation_max: Money | None = None
    unit_costs: tuple[UnitCost, ...] = ()

    def category(self, code: str) -> Category | None:
        """The category of that code, or None."""
        return next((category for category in self.categories if category.code == code), None)

    def unit_of(self, code: str) -> UnitCost | None:
        """The unit in which a category is paid; None where it is paid as costs."""
        return next((each for each in self.unit_costs if each.category == code), None)

    @property
    def entered(self) -> tuple[Category, ...]:
        """The columns people type into."""
        return tuple(category for category in self.categories if category.entered)

    @property
    def computed(self) -> Category | None:
        """The column of the flat rate, if the call has one."""
        return next((category for category in self.categories if not category.entered), None)

    @property
    def periods(self) -> tuple[int, ...]:
        """The numbers of the periods amounts are entered for; a single 0 where a budget has none.

        >>> BudgetRules((), period_months=12, duration_months=30).periods
        (1, 2, 3)
        """
        if not self.period_months or not self.duration_months:
            return (0,)
        return tuple(range(1, -(-self.duration_months // self.period_months) + 1))

    def has(self, cell: Cell, packages: Collection[str]) -> bool:
        """Whether a budget with these work packages has such a cell; outside all of them amounts may still stand."""
        category = self.category(cell.category)
        return (
            category is not None
            and category.entered
            and cell.work_package in ({*packages, ""} if self.by_work_package else {""})
            and cell.period in self.periods
        )

    def period_words(self, period: int) -> str:
        """``months 13 to 24``; nothing for a budget without periods."""
        if not period:
            return ""
        first, last = (period - 1) * self.period_months + 1, min(period * self.period_months, self.duration_months)
        return f"month {first}" if first == last else f"months {first} to {last}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One amount of one organisation in one category, of one work package and period where the budget has such."""

    organisation_id: UUID
    category: str
    amount: Money
    work_package: str = ""
    period: int = 0

    @property
    def place(self) -> str:
        """The name and the id of this cell's field."""
        return field_name(self.organisation_id, self.category, self.work_package, self.period)


def field_name(organisation_id: UUID, category: str, work_package: str = "", period: int = 0) -> str:
    """The name and the id of one cell's field: what a broken rule links to."""
    name = f"cell-{organisation_id}-{category}"
    return f"{name}~{work_package}~{period}" if work_package or period else name


def cell_at(place: str, amount: Money) -> Cell | None:
    """The cell whose field has that name; None where no cell can have it.

    >>> cell_at(field_name(UUID(int=7), "A", "WP1", 2), Money(1)).work_package
    'WP1'
    """
    prefix, who, category = place[:5], place[5:41], place[42:]
    # Nothing without a shape is part of a name, and no database takes it.
    if prefix != "cell-" or place[41:42] != "-" or not place.isprintable():
        return None
    category, _, where = category.partition("~")
    work_package, _, period = where.partition("~")
    if where and not (period.isascii() and period.isdecimal() and len(period) < 4):
        return None
    try:
        return Cell(UUID(who), category, amount, work_package, int(period or 0))
    except ValueError:
        return None


# As they stand in the names of fields and in files.
_PACKAGE_CODE = re.compile("[A-Za-z0-9]{1,12}")


def is_package_code(text: str) -> bool:
    """Whether a work package may have that code: letters and figures, at most twelve.

    >>> is_package_code("WP1"), is_package_code("WP 1")
    (True, False)
    """
    return _PACKAGE_CODE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Package:
    """A work package as a budget knows it: what its amounts are entered under."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form or a browser showed of one cell: how often it had been saved, and the amount."""

    number: int
    amount: Money


class Outcome(StrEnum):
    """What became of an amount somebody sent."""

    STORED = "stored"
    # Nothing of one's own was in it: what stands is what one goes on from.
    STANDS = "stands"
    # Somebody else changed it after it was shown; both amounts come back.
    CONTESTED = "contested"
    # The budget has no such cell, or it is another partner's.
    NOT_THERE = "not_there"


@dataclass(frozen=True, slots=True)
class CellKept:
    """One cell as it stands after a save."""

    place: str
    outcome: Outcome
    number: int
    amount: Money
    saved_at: datetime | None = None
    saved_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrganisationTotals:
    """One row: amounts by category in the order of the rules, the flat rate included."""

    organisation_id: UUID
    amounts: tuple[Money, ...]
    direct: Money
    flat_rate_base: Money
    indirect: Money
    total: Money
    requested: Money


@dataclass(frozen=True, slots=True)
class SliceTotals:
    """What one organisation has in one work package and period, by category, its part of the flat rate included."""

    organisation_id: UUID
    work_package: str
    period: int
    amounts: tuple[Money, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """All rows, the sum of each column, and the whole; rows, slices and columns always agree to the cent."""

    rows: tuple[OrganisationTotals, ...]
    slices: tuple[SliceTotals, ...]
    by_category: tuple[Money, ...]
    direct: Money
    indirect: Money
    total: Money
    requested: Money

    def row(self, organisation_id: UUID) -> OrganisationTotals:
        """The row of one organisation; a KeyError where it has none."""
        for row in self.rows:
            if row.organisation_id == organisation_id:
                return row
        raise KeyError(organisation_id)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule looked at: what it says, the value, the limit, the remedy, and the field to mend."""

    code: str
    severity: Severity
    title: str
    explanation: str = ""
    figures: tuple[tuple[str, Money], ...] = ()
    remedy: str = ""
    place: str = ""

    @property
    def sentence(self) -> str:
        """Rule, value, limit and remedy in one go, for the check page and a list of problems."""
        return " ".join(part for part in (self.title, self.explanation, self.remedy) if part)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the grid form was read as: cells, a sentence for each field that could not be read, and what was reworded.

    ``typed`` keeps every text as it came, so that the page can give it back.
    """

    cells: tuple[Cell, ...]
    errors: Mapping[str, str]
    typed: Mapping[str, str]
    reworded: tuple[tuple[str, str], ...]


class BudgetChanged(Conflict):
    """Somebody else saved this budget first; the page shows both."""
