"""Reads of budgets: grid, totals and findings in a constant number of statements; who may see one is the owner's say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, func, select, type_coerce

from grants.budgets import rules
from grants.budgets.models import Budget, BudgetLine, BudgetOrganisation
from grants.budgets.rules import BudgetContent, BudgetRules, Cell, Finding, Purpose, Severity, Totals
from grants.core import encoding
from grants.core.db import db, get
from grants.core.errors import Problem
from grants.core.money import ZERO, Money, plain


class Grid:
    """What the tables of a budget share: amounts without decimals as long as every amount is in whole euros."""

    __slots__ = ()
    totals: Totals

    @property
    def whole(self) -> bool:
        """Whether no amount of the grid has cents."""
        return all(amount.cents % 100 == 0 for row in self.totals.rows for amount in (*row.amounts, row.requested))

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
class BudgetView(Grid):
    """A whole budget: grid, totals, and every rule looked at."""

    id: UUID
    owner_kind: str
    owner_id: UUID
    purpose: Purpose
    version: int
    saved_at: datetime | None
    saved_by: UUID | None
    rules: BudgetRules
    rows: tuple[BudgetRow, ...]
    totals: Totals
    findings: tuple[Finding, ...]
    cells: tuple[Cell, ...]

    @property
    def organisations(self) -> tuple[UUID, ...]:
        """The rows' organisations in order."""
        return tuple(row.organisation_id for row in self.rows)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The broken rules: ``place`` is the id of the field to mend, or ``budget``."""
        return self._of(Severity.BROKEN)

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
    def cell_names(self) -> dict[str, str]:
        """Field id -> “row, column” in words, for sentences about a cell."""
        return {
            rules.field_name(row.organisation_id, category.code): f"{row.name}, {category.label}"
            for row in self.rows
            for category in self.rules.entered
        }

    def field_name(self, organisation_id: UUID, category: str) -> str:
        """The name and id of one cell's field."""
        return rules.field_name(organisation_id, category)

    def text_of(self, amount: Money) -> str:
        """An amount as it stands in its field; nothing for zero."""
        return self.shown(amount) if amount else ""

    def amount(self, organisation_id: UUID, category: str) -> Money:
        """The amount entered in one cell; zero where there is none."""
        for cell in self.cells:
            if cell.organisation_id == organisation_id and cell.category == category:
                return cell.amount
        return ZERO


@dataclass(frozen=True, slots=True)
class FrozenBudget(Grid):
    """What the read view needs of a budget that no longer changes."""

    rules: BudgetRules
    rows: tuple[BudgetRow, ...]
    totals: Totals


def _organisations(budget_id: UUID) -> tuple[UUID, ...]:
    return tuple(
        db.session.scalars(
            select(BudgetOrganisation.organisation_id)
            .where(BudgetOrganisation.budget_id == budget_id)
            .order_by(BudgetOrganisation.position, BudgetOrganisation.id)
        )
    )


def rules_of(budget: Budget) -> BudgetRules:
    """The rules a budget was made under."""
    found: BudgetRules = encoding.decode_known(budget.rules, BudgetRules)
    return found


def written(budget_id: UUID) -> BudgetContent:
    """Rules, organisations and cells as frozen values."""
    budget = get(Budget, budget_id)
    lines = db.session.scalars(
        select(BudgetLine)
        .where(BudgetLine.budget_id == budget_id)
        .order_by(BudgetLine.organisation_id, BudgetLine.category)
    ).all()
    cells = tuple(Cell(line.organisation_id, line.category, line.amount) for line in lines)
    return BudgetContent(rules_of(budget), _organisations(budget_id), cells)


def rules_by_id(budget_ids: Iterable[UUID]) -> dict[UUID, BudgetRules]:
    """The rules of many budgets, in one statement."""
    statement = select(Budget).where(Budget.id.in_(list(budget_ids)))
    return {row.id: rules_of(row) for row in db.session.scalars(statement)}


def content(budget_id: UUID) -> dict[str, Any]:
    """The budget as plain JSON in one spelling: what a submission freezes and hashes."""
    return rules.to_mapping(written(budget_id))


def budget(budget_id: UUID, names: Mapping[UUID, str]) -> BudgetView:
    """The whole budget; ``names`` are those of the organisations, which the owner knows."""
    row, found = get(Budget, budget_id), written(budget_id)
    worked = found.totals
    return BudgetView(
        id=row.id,
        owner_kind=row.owner_kind,
        owner_id=row.owner_id,
        purpose=Purpose(row.purpose),
        version=row.version,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
        rules=found.rules,
        rows=rows(found, names),
        totals=worked,
        findings=rules.findings(found.rules, worked, names),
        cells=found.cells,
    )


def view_of(found: BudgetContent, names: Mapping[UUID, str]) -> FrozenBudget:
    """A budget a snapshot holds, ready for the read view."""
    return FrozenBudget(found.rules, rows(found, names), found.totals)


def rows(found: BudgetContent, names: Mapping[UUID, str]) -> tuple[BudgetRow, ...]:
    """The rows of a budget as it stands, or as a snapshot holds it."""
    return tuple(
        BudgetRow(row.organisation_id, names.get(row.organisation_id, "Partner"), row.amounts, row.total, row.requested)
        for row in found.totals.rows
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
        cells[line.budget_id].append(Cell(line.organisation_id, line.category, line.amount))
    return {each.id: rules.totals(rules_of(each), cells[each.id]).requested for each in budgets}
