"""A budget as a page shows it: frozen values, in whose tables every line and sum stands ready."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.budgets import rules
from grants.budgets.rules import (
    Asked,
    Bar,
    Beside,
    BudgetContent,
    BudgetRules,
    Category,
    Cell,
    Finding,
    Package,
    Purpose,
    Severity,
    Totals,
    UnitLine,
)
from grants.core.errors import Problem
from grants.core.money import Money, plain, total


class Grid:
    """What the tables of a budget share: amounts without decimals as long as every amount is in whole euros."""

    __slots__ = ()
    totals: Totals

    @property
    def whole(self) -> bool:
        """Whether no amount of the grid has cents."""
        in_rows = (amount for row in self.totals.rows for amount in (*row.amounts, row.requested))
        in_slices = (amount for each in self.totals.slices for amount in each.amounts)
        return all(amount.cents % 100 == 0 for amount in (*in_rows, *in_slices))

    def shown(self, amount: Money) -> str:
        """An amount as the table writes it."""
        return plain(amount).removesuffix(".00") if self.whole else plain(amount)


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One organisation's row for the grid: its name, the amounts in the order of the categories, its totals."""

    organisation_id: UUID
    name: str
    amounts: tuple[Money, ...]
    total: Money
    requested: Money


@dataclass(frozen=True, slots=True)
class GridCell:
    """One cell of the grid: the id of its field, what stands in it, how often it was saved."""

    place: str
    category: Category
    amount: Money
    number: int


@dataclass(frozen=True, slots=True)
class GridRow:
    """One line of the grid: an organisation, in one period where the budget has periods."""

    organisation_id: UUID
    name: str
    period: int
    period_words: str
    cells: tuple[GridCell, ...]
    total: Money

    @property
    def label(self) -> str:
        """The row in words."""
        return f"{self.name}, {self.period_words}" if self.period_words else self.name


@dataclass(frozen=True, slots=True)
class GridGroup:
    """The lines of one work package; one group without a code where the budget has none."""

    code: str
    title: str
    rows: tuple[GridRow, ...]
    amounts: tuple[Money, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class Dropped:
    """An amount that has no place any more since the rules of its budget changed: whose, where it stood."""

    name: str
    where: str
    amount: Money

    @property
    def sentence(self) -> str:
        """What is wrong and the way out."""
        return (
            f"{self.name} has {self.amount} under “{self.where}”, which this call does not have any more."
            " Move the amount to where it belongs now, then clear it."
        )


@dataclass(frozen=True, slots=True)
class BudgetView(Grid):
    """A whole budget: grid, totals, and every rule looked at."""

    id: UUID
    owner_kind: str
    owner_id: UUID
    purpose: Purpose
    version: int
    saved_at: datetime | None
    saved_by: UUID | None
    content: BudgetContent
    rows: tuple[BudgetRow, ...]
    groups: tuple[GridGroup, ...]
    totals: Totals
    findings: tuple[Finding, ...]
    asked: tuple[Asked, ...]
    # Amounts without a place since the rules changed.
    dropped: tuple[Dropped, ...] = ()

    @property
    def rules(self) -> BudgetRules:
        """The rules this budget was made under."""
        return self.content.rules

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The amounts entered."""
        return self.content.cells

    @property
    def organisations(self) -> tuple[UUID, ...]:
        """The rows' organisations in order."""
        return self.content.organisations

    @property
    def packages(self) -> tuple[Package, ...]:
        """The work packages in order."""
        return self.content.packages

    @property
    def unit_lines(self) -> tuple[UnitLine, ...]:
        """The units of every category that is paid by them, partner by partner and of all."""
        whole = ("All partners", self.totals.by_category)
        return rules.unit_lines(self.rules, [*((row.name, row.amounts) for row in self.rows), whole])

    @property
    def sliced(self) -> bool:
        """Whether one organisation has several lines in the grid, so that its sum stands in a table of its own."""
        return self.rules.by_work_package or self.rules.periods != (0,)

    @property
    def by_period(self) -> tuple[tuple[str, tuple[Money, ...], Money], ...]:
        """Each period in words with its amounts in the order of the categories and their sum; none without periods."""
        columns = range(len(self.rules.categories))
        found = []
        for period in self.rules.periods if self.rules.period_months else ():
            rows = [row for group in self.groups for row in group.rows if row.period == period]
            amounts = tuple(total(row.cells[column].amount for row in rows) for column in columns)
            found.append((self.rules.period_words(period), amounts, total(amounts)))
        return tuple(found)

    @property
    def timeline(self) -> tuple[tuple[Bar, ...], int]:
        """Every line of the work plan, and how many months it has."""
        return rules.timeline(self.content.plan, {row.organisation_id: row.name for row in self.rows})

    @property
    def pays_all(self) -> bool:
        """Whether the grant asked for pays every cost of it, so that nobody else has to."""
        return self.rules.funding_rate == 1 and self.totals.requested == self.totals.total

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The broken rules: ``place`` is the id of the field to mend, or ``budget``."""
        apart = tuple(Problem("budget", each.sentence) for each in self.dropped)
        return (*apart, *self._of(Severity.BROKEN))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What should be looked at."""
        return self._of(Severity.WARNING)

    def _of(self, severity: Severity) -> tuple[Problem, ...]:
        return tuple(Problem(f.place or "budget", f.sentence) for f in self.findings if f.severity is severity)

    @property
    def broken(self) -> frozenset[str]:
        """The ids of the fields a broken rule points to."""
        return frozenset(f.place for f in self.findings if f.severity is Severity.BROKEN and f.place)

    @property
    def lines(self) -> tuple[tuple[GridGroup, GridRow], ...]:
        """Every line of the grid with its group, from top to bottom."""
        return tuple((group, row) for group in self.groups for row in group.rows)

    @property
    def cell_names(self) -> dict[str, str]:
        """Field id -> “row, column” in words, for sentences about a cell."""
        return {
            cell.place: ", ".join(part for part in (group.code, row.label, cell.category.label) if part)
            for group, row in self.lines
            for cell in row.cells
            if cell.category.entered
        }

    @property
    def told_to_script(self) -> str:
        """What the script of the grid needs to add up as we do: categories in order, rates as exact fractions."""
        categories = [[each.code, each.entered, each.in_flat_rate_base] for each in self.rules.categories]
        rate = self.rules.flat_rate if self.rules.computed else None
        return json.dumps(
            {
                "categories": categories,
                "rate": [rate.numerator, rate.denominator] if rate is not None else None,
                "funding": [self.rules.funding_rate.numerator, self.rules.funding_rate.denominator],
            }
        )

    @property
    def shown_cells(self) -> dict[str, tuple[int, int]]:
        """Field id -> how often it was saved and its cents, for every cell that was ever saved: what a form carries."""
        return {
            cell.place: (cell.number, cell.amount.cents) for _, row in self.lines for cell in row.cells if cell.number
        }

    def note(self, asked: Asked) -> str:
        """The sentence given to what is asked."""
        return Beside(notes=self.content.notes).note(asked.organisation_id, asked.kind)

    def name_of(self, organisation_id: UUID) -> str:
        """The name of one of its organisations."""
        return next((row.name for row in self.rows if row.organisation_id == organisation_id), "Partner")

    def field_name(self, organisation_id: UUID, category: str) -> str:
        """The name and id of one cell's field."""
        return rules.field_name(organisation_id, category)

    def text_of(self, amount: Money) -> str:
        """An amount as it stands in its field; nothing for zero."""
        return self.shown(amount) if amount else ""

    def amount(self, organisation_id: UUID, category: str) -> Money:
        """The amount entered in one category by one organisation; zero where there is none."""
        return total(
            cell.amount for cell in self.cells if (cell.organisation_id, cell.category) == (organisation_id, category)
        )


@dataclass(frozen=True, slots=True)
class FrozenBudget(Grid):
    """What the read view needs of a budget that no longer changes."""

    content: BudgetContent
    rows: tuple[BudgetRow, ...]
    groups: tuple[GridGroup, ...]
    totals: Totals

    @property
    def rules(self) -> BudgetRules:
        """The rules the budget was made under."""
        return self.content.rules

    @property
    def unit_lines(self) -> tuple[UnitLine, ...]:
        """The units of every category that is paid by them, partner by partner and of all."""
        whole = ("All partners", self.totals.by_category)
        return rules.unit_lines(self.rules, [*((row.name, row.amounts) for row in self.rows), whole])

    @property
    def sliced(self) -> bool:
        """Whether it was entered by work package or period."""
        return self.rules.by_work_package or self.rules.periods != (0,)

    @property
    def timeline(self) -> tuple[tuple[Bar, ...], int]:
        """Every line of the work plan, and how many months it has."""
        return rules.timeline(self.content.plan, {row.organisation_id: row.name for row in self.rows})
