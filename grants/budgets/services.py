"""Plain helpers by which an owner's act writes a budget; no acts here, so the owner decides who may and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select

from grants.budgets import queries, rules
from grants.budgets.models import Budget, BudgetLine, BudgetOrganisation
from grants.budgets.rules import BudgetChanged, BudgetRules, Cell, Purpose
from grants.core import acts, encoding
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO


def create(
    owner_kind: str, owner_id: UUID, purpose: Purpose, budget_rules: BudgetRules, organisations: Sequence[UUID]
) -> UUID:
    """An empty budget with these rows; it keeps the rules, so that a later corrigendum never changes its sums."""
    assert not rules.rules_problems(budget_rules), "budget rules are checked before they are used"
    budget = Budget(
        owner_kind=owner_kind,
        owner_id=owner_id,
        purpose=purpose.value,
        rules=encoding.encode(budget_rules),
        saves=0,
    )
    db.session.add(budget)
    for position, organisation_id in enumerate(organisations):
        db.session.add(BudgetOrganisation(budget_id=budget.id, organisation_id=organisation_id, position=position))
    return budget.id


def add_organisation(budget_id: UUID, organisation_id: UUID) -> None:
    """One more row, at the end; an organisation that already has one keeps it."""
    budget = locked(Budget, budget_id)
    rows = _rows(budget_id)
    if organisation_id not in {row.organisation_id for row in rows}:
        position = max((row.position for row in rows), default=-1) + 1
        db.session.add(BudgetOrganisation(budget_id=budget_id, organisation_id=organisation_id, position=position))
        _touch(budget)


def remove_organisation(budget_id: UUID, organisation_id: UUID) -> None:
    """Take a row away; refused while it holds amounts, so that no money disappears unseen."""
    budget = locked(Budget, budget_id)
    held = queries.entered_by(budget_id, organisation_id)
    if held:
        raise Refused(
            f"This partner still has {held} in the budget. Move or clear its amounts first, then take it out."
        )
    for row in _rows(budget_id):
        if row.organisation_id == organisation_id:
            db.session.delete(row)
            _touch(budget)
    for line in _lines(budget_id):
        if line.organisation_id == organisation_id:
            db.session.delete(line)


def save_cells(budget_id: UUID, cells: Iterable[Cell], version: int | None) -> int:
    """Store amounts and return the budget's new version; cells not given stay as they are.

    A cell of the computed column, of an unknown category or of an organisation without a row is
    not stored: the flat rate is worked out, never typed. Raises :class:`BudgetChanged` when
    somebody saved after ``version`` was shown, and :class:`Invalid` for an amount below zero.
    """
    budget = locked(Budget, budget_id)
    if version is not None and budget.version != version:
        raise BudgetChanged(
            "Somebody else saved this budget while you were working. What you typed is kept on this page, beside what was stored."
        )
    entered = {category.code for category in queries.rules_of(budget).entered}
    present = {row.organisation_id for row in _rows(budget_id)}
    lines = {(line.organisation_id, line.category): line for line in _lines(budget_id)}
    for cell in cells:
        if cell.category not in entered or cell.organisation_id not in present:
            continue
        _store(budget_id, lines.get((cell.organisation_id, cell.category)), cell)
    _touch(budget)
    db.session.flush()
    return budget.version


def copy(budget_id: UUID, owner_kind: str, owner_id: UUID, purpose: Purpose) -> UUID:
    """The same rules, rows and amounts for another owner or purpose (granted from planned)."""
    source = get(Budget, budget_id)
    target = create(
        owner_kind, owner_id, purpose, queries.rules_of(source), [r.organisation_id for r in _rows(budget_id)]
    )
    for line in _lines(budget_id):
        db.session.add(
            BudgetLine(
                budget_id=target, organisation_id=line.organisation_id, category=line.category, amount=line.amount
            )
        )
    return target


def _store(budget_id: UUID, line: BudgetLine | None, cell: Cell) -> None:
    if cell.amount < ZERO:
        raise Invalid(
            "A budget holds amounts of zero or more.",
            {
                rules.field_name(
                    cell.organisation_id, cell.category
                ): f"{cell.amount} is below zero. Enter zero or more."
            },
        )
    if line is not None:
        # A line set to zero stays, so that its history stays too.
        line.amount = cell.amount
    elif cell.amount:
        db.session.add(
            BudgetLine(
                budget_id=budget_id,
                organisation_id=cell.organisation_id,
                category=cell.category,
                amount=cell.amount,
            )
        )


def _rows(budget_id: UUID) -> Sequence[BudgetOrganisation]:
    return db.session.scalars(
        select(BudgetOrganisation)
        .where(BudgetOrganisation.budget_id == budget_id)
        .order_by(BudgetOrganisation.position, BudgetOrganisation.id)
    ).all()


def _lines(budget_id: UUID) -> Sequence[BudgetLine]:
    return db.session.scalars(
        select(BudgetLine)
        .where(BudgetLine.budget_id == budget_id)
        .order_by(BudgetLine.organisation_id, BudgetLine.category)
    ).all()


def _touch(budget: Budget) -> None:
    """A new version even where no amount changed, so that a form sent later is known to be stale."""
    budget.saves += 1
    budget.saved_at = acts.moment()
    budget.saved_by = acts.running_act().actor.user_id
