"""From what is stored, or what a snapshot holds, to the grid with its totals and findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from grants.budgets import rules
from grants.budgets.queries.grids import BudgetRow, BudgetView, Dropped, FrozenBudget, GridCell, GridGroup, GridRow
from grants.budgets.queries.reading import Stored, cell_of, stored
from grants.budgets.rules import Beside, BudgetContent, BudgetRules, Cell, Package, Purpose, SliceTotals, Totals
from grants.core.money import ZERO, total


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
