"""What is stored of budgets, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    BudgetContent,
    BudgetRules,
    Cell,
    ItemKind,
    Months,
    Note,
    NoteKind,
    Package,
    PlanItem,
    PlannedPackage,
    Source,
    SourceKind,
)
from grants.core import encoding
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.together import Asking, ask, reader, side_by_side


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


def entered_by(budget_id: UUID, organisation_id: UUID) -> Money:
    """The sum one organisation entered: what would be lost if it left."""
    amount = type_coerce(BudgetLine.amount, BigInteger)
    statement = select(func.coalesce(func.sum(amount), 0)).where(
        BudgetLine.budget_id == budget_id, BudgetLine.organisation_id == organisation_id
    )
    return Money(int(db.session.scalar(statement) or 0))
