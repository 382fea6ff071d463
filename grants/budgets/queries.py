"""Reads of budgets: grid, totals and findings in a constant number of statements; who may see one is the owner's say."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, func, select, type_coerce

from grants.budgets import rules
from grants.budgets.models import (
    Budget,
    BudgetLine,
    BudgetNote,
    BudgetOrganisation,
    BudgetPackage,
    BudgetPlanItem,
    BudgetSource,
)
from grants.budgets.rules import (
    Asked,
    Bar,
    Beside,
    BudgetContent,
    BudgetRules,
    Category,
    Cell,
    Finding,
    ItemKind,
    Months,
    Note,
    NoteKind,
    Package,
    PlanItem,
    PlannedPackage,
    Purpose,
    Severity,
    SliceTotals,
    Source,
    SourceKind,
    Totals,
)
from grants.core import encoding
from grants.core.db import db
from grants.core.errors import NotFound, Problem
from grants.core.money import ZERO, Money, plain, total
from grants.core.together import Asking, ask, reader, side_by_side


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
    def sliced(self) -> bool:
        """Whether one organisation has several lines in the grid, so that its sum stands in a table of its own."""
        return self.rules.by_work_package or self.rules.periods != (0,)

    @property
    def timeline(self) -> tuple[tuple[Bar, ...], int]:
        """Every line of the work plan, and how many months it has."""
        return rules.timeline(self.content.plan, {row.organisation_id: row.name for row in self.rows})

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
    def sliced(self) -> bool:
        """Whether it was entered by work package or period."""
        return self.rules.by_work_package or self.rules.periods != (0,)

    @property
    def timeline(self) -> tuple[tuple[Bar, ...], int]:
        """Every line of the work plan, and how many months it has."""
        return rules.timeline(self.content.plan, {row.organisation_id: row.name for row in self.rows})


def rules_of(budget: Any) -> BudgetRules:
    """The rules a budget was made under."""
    found: BudgetRules = encoding.decode_known(budget.rules, BudgetRules)
    return found


@dataclass(frozen=True, slots=True)
class Stored:
    """A budget as it is stored: its own row, what is written in it, and the rows of its amounts."""

    row: Any
    content: BudgetContent
    lines: Sequence[Any]


@reader
def stored(budget_id: UUID) -> Asking[Stored]:
    """A budget with everything in it; one statement. Raises :class:`NotFound`."""
    parts: list[Asking[Any]] = [
        ask(select(Budget).where(Budget.id == budget_id)),
        ask(
            select(BudgetLine)
            .where(BudgetLine.budget_id == budget_id)
            .order_by(BudgetLine.organisation_id, BudgetLine.category, BudgetLine.work_package, BudgetLine.period)
        ),
        plan_of.asking(budget_id),
        _organisations.asking(budget_id),
        _notes_of.asking(budget_id),
        sources_of.asking(budget_id),
    ]
    found, lines, plan, organisations, notes, sources = yield from side_by_side(parts)
    if not found:
        raise NotFound
    budget_rules = rules_of(found[0])
    content = BudgetContent(
        rules=budget_rules,
        organisations=organisations,
        cells=tuple(cell for cell in map(cell_of, lines) if budget_rules.has(cell, {each.code for each in plan})),
        packages=tuple(Package(each.code, each.title) for each in plan) if budget_rules.by_work_package else (),
        notes=notes,
        sources=sources,
        plan=plan,
    )
    return Stored(found[0], content, lines)


@reader
def _organisations(budget_id: UUID) -> Asking[tuple[UUID, ...]]:
    rows = yield from ask(
        select(BudgetOrganisation.organisation_id)
        .where(BudgetOrganisation.budget_id == budget_id)
        .order_by(BudgetOrganisation.position, BudgetOrganisation.id)
    )
    return tuple(row.organisation_id for row in rows)


@reader
def plan_of(budget_id: UUID) -> Asking[tuple[PlannedPackage, ...]]:
    """The work plan: work packages in order with their lines, in one statement."""
    packages, items = yield from side_by_side(
        ask(question)
        for question in (
            select(BudgetPackage)
            .where(BudgetPackage.budget_id == budget_id)
            .order_by(BudgetPackage.position, BudgetPackage.code),
            select(BudgetPlanItem)
            .join(BudgetPackage, BudgetPackage.id == BudgetPlanItem.package_id)
            .where(BudgetPackage.budget_id == budget_id)
            .order_by(BudgetPlanItem.position, BudgetPlanItem.id),
        )
    )
    return tuple(
        PlannedPackage(
            code=package.code,
            title=package.title,
            lead_id=package.lead_id,
            months=Months(package.starts_month, package.ends_month or 0) if package.starts_month else None,
            items=tuple(_item(item) for item in items if item.package_id == package.id),
        )
        for package in packages
    )


def _item(row: Any) -> PlanItem:
    return PlanItem(ItemKind(row.kind), row.title, row.owner_id, Months(row.starts_month, row.ends_month))


def cell_of(line: Any) -> Cell:
    """A stored amount as a cell."""
    return Cell(line.organisation_id, line.category, line.amount, line.work_package, line.period)


@reader
def _notes_of(budget_id: UUID) -> Asking[tuple[Note, ...]]:
    rows = yield from ask(
        select(BudgetNote)
        .where(BudgetNote.budget_id == budget_id, BudgetNote.text != "")
        .order_by(BudgetNote.organisation_id, BudgetNote.kind)
    )
    return tuple(Note(each.organisation_id, NoteKind(each.kind), each.text) for each in rows)


@reader
def sources_of(budget_id: UUID) -> Asking[tuple[Source, ...]]:
    """The sources beside the grant, in order."""
    rows = yield from ask(
        select(BudgetSource).where(BudgetSource.budget_id == budget_id).order_by(BudgetSource.position, BudgetSource.id)
    )
    return tuple(Source(each.name, SourceKind(each.kind), each.amount, each.confirmed) for each in rows)


def written(budget_id: UUID) -> BudgetContent:
    """Rules, organisations, work packages and cells as frozen values."""
    return stored(budget_id).content


def rules_by_id(budget_ids: Iterable[UUID]) -> dict[UUID, BudgetRules]:
    """The rules of many budgets, in one statement."""
    statement = select(Budget).where(Budget.id.in_(list(budget_ids)))
    return {row.id: rules_of(row) for row in db.session.scalars(statement)}


def content(budget_id: UUID) -> dict[str, Any]:
    """The budget as plain JSON in one spelling: what a submission freezes and hashes."""
    return rules.to_mapping(written(budget_id))


def budget(budget_id: UUID, names: Mapping[UUID, str], public: Collection[UUID] = ()) -> BudgetView:
    """The whole budget; ``names`` are those of the organisations, which the owner knows, as it knows which of them are
    ``public`` administrations.
    """
    return shown(stored(budget_id), names, public)


def shown(kept: Stored, names: Mapping[UUID, str], public: Collection[UUID] = ()) -> BudgetView:
    """What is stored made ready to look at; ``names`` and ``public`` as for :func:`budget`."""
    row, numbers = kept.row, {cell_of(line).place: line.version for line in kept.lines}
    return replace(
        _worked_out(kept.content, names, public, numbers),
        id=row.id,
        owner_kind=row.owner_kind,
        owner_id=row.owner_id,
        purpose=Purpose(row.purpose),
        version=row.version,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
        dropped=_dropped(row, kept.content, kept.lines, names),
    )


def unstored(found: BudgetContent, names: Mapping[UUID, str], public: Collection[UUID] = ()) -> BudgetView:
    """A budget that stands in no table, by the same rules."""
    return _worked_out(found, names, public, {})


def _worked_out(
    found: BudgetContent, names: Mapping[UUID, str], public: Collection[UUID], numbers: Mapping[str, int]
) -> BudgetView:
    """What follows from the content alone, of nobody; ``numbers`` say how often each cell was saved."""
    worked, nobody = found.totals, UUID(int=0)
    return BudgetView(
        id=nobody,
        owner_kind="",
        owner_id=nobody,
        purpose=Purpose.PLANNED,
        version=0,
        saved_at=None,
        saved_by=None,
        content=found,
        rows=_rows(worked, names),
        groups=_groups(found, worked, names, numbers),
        totals=worked,
        findings=rules.findings(found.rules, worked, names, Beside(found.packages, public, found.notes, found.sources)),
        asked=rules.asked_sentences(found.rules, worked, public),
    )


def _dropped(row: Any, found: BudgetContent, lines: Iterable[Any], names: Mapping[UUID, str]) -> tuple[Dropped, ...]:
    """The amounts that are in no cell of the grid."""
    placed = {cell.place for cell in found.cells}
    apart = [cell for cell in map(cell_of, lines) if cell.amount and cell.place not in placed]
    labels = {category.code: category.label for category in found.rules.categories} | row.dropped
    return tuple(
        Dropped(
            names.get(cell.organisation_id, "Partner"),
            ", ".join(filter(None, (cell.work_package, labels.get(cell.category, cell.category), _period_words(cell)))),
            cell.amount,
        )
        for cell in apart
    )


def _period_words(cell: Cell) -> str:
    return f"period {cell.period}" if cell.period else ""


def view_of(found: BudgetContent, names: Mapping[UUID, str]) -> FrozenBudget:
    """A budget a snapshot holds, ready for the read view."""
    worked = found.totals
    return FrozenBudget(found, _rows(worked, names), _groups(found, worked, names, {}), worked)


def _rows(worked: Totals, names: Mapping[UUID, str]) -> tuple[BudgetRow, ...]:
    return tuple(
        BudgetRow(row.organisation_id, names.get(row.organisation_id, "Partner"), row.amounts, row.total, row.requested)
        for row in worked.rows
    )


def _groups(
    found: BudgetContent, worked: Totals, names: Mapping[UUID, str], numbers: Mapping[str, int]
) -> tuple[GridGroup, ...]:
    """The lines of the grid: by work package, organisation and period. Amounts outside all work packages come last."""
    slices = {(each.work_package, each.organisation_id, each.period): each for each in worked.slices}
    packages = list(found.packages)
    if not packages or any(not each.work_package and each.total for each in worked.slices):
        packages.append(Package("", "Not in a work package" if found.rules.by_work_package else ""))
    groups = []
    for package in packages:
        rows = tuple(
            _grid_row(found.rules, package.code, who, period, slices.get((package.code, who, period)), names, numbers)
            for who in found.organisations
            for period in found.rules.periods
        )
        columns = range(len(found.rules.categories))
        amounts = tuple(total(row.cells[column].amount for row in rows) for column in columns)
        groups.append(GridGroup(package.code, package.title, rows, amounts, total(amounts)))
    return tuple(groups)


def _grid_row(
    budget_rules: BudgetRules,
    package: str,
    who: UUID,
    period: int,
    found: SliceTotals | None,
    names: Mapping[UUID, str],
    numbers: Mapping[str, int],
) -> GridRow:
    cells = []
    for column, category in enumerate(budget_rules.categories):
        place = rules.field_name(who, category.code, package, period)
        cells.append(GridCell(place, category, found.amounts[column] if found else ZERO, numbers.get(place, 0)))
    return GridRow(
        organisation_id=who,
        name=names.get(who, "Partner"),
        period=period,
        period_words=budget_rules.period_words(period),
        cells=tuple(cells),
        total=found.total if found else ZERO,
    )


def entered_by(budget_id: UUID, organisation_id: UUID) -> Money:
    """The sum one organisation entered: what would be lost if it left."""
    amount = type_coerce(BudgetLine.amount, BigInteger)
    statement = select(func.coalesce(func.sum(amount), 0)).where(
        BudgetLine.budget_id == budget_id, BudgetLine.organisation_id == organisation_id
    )
    return Money(int(db.session.scalar(statement) or 0))


def requested(budget_ids: Iterable[UUID]) -> dict[UUID, Money]:
    """The sum asked for by each budget, in three statements for all."""
    wanted = list(budget_ids)
    if not wanted:
        return {}
    budgets = db.session.scalars(select(Budget).where(Budget.id.in_(wanted))).all()
    cells: dict[UUID, list[Cell]] = {budget_id: [] for budget_id in wanted}
    for line in db.session.scalars(select(BudgetLine).where(BudgetLine.budget_id.in_(wanted))):
        cells[line.budget_id].append(cell_of(line))
    return {each.id: rules.totals(rules_of(each), cells[each.id]).requested for each in budgets}
