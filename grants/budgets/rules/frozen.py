"""A budget as a snapshot holds it: plain JSON in one spelling, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from grants.budgets.rules.funding import Note, Source
from grants.budgets.rules.plan import PlannedPackage
from grants.budgets.rules.sums import package_order, totals
from grants.budgets.rules.values import BudgetRules, Cell, Nature, Package, Totals
from grants.core import encoding

# What budgets did not have at first: left out where there is none of it, so that older snapshots keep their hash.
LATER = frozenset(
    {
        "amount_max",
        "by_work_package",
        "duration_months",
        "lump_sums",
        "notes",
        "organisation_max",
        "packages",
        "period",
        "period_months",
        "plan",
        "sources",
        "unit_costs",
        "work_package",
    }
)


@dataclass(frozen=True, slots=True)
class BudgetContent:
    """A budget as it stood at one moment; totals follow from it."""

    rules: BudgetRules
    organisations: tuple[UUID, ...]
    cells: tuple[Cell, ...]
    packages: tuple[Package, ...] = ()
    notes: tuple[Note, ...] = ()
    sources: tuple[Source, ...] = ()
    plan: tuple[PlannedPackage, ...] = ()

    @property
    def totals(self) -> Totals:
        """The totals of this content."""
        return totals(self.rules, self.cells, self.organisations)


def to_mapping(content: BudgetContent) -> dict[str, Any]:
    """The content as plain JSON with one order and without zeros, for a snapshot and its hash."""
    order = {who: place for place, who in enumerate(content.organisations)}
    columns = {category.code: place for place, category in enumerate(content.rules.categories)}
    kept = sorted(
        (cell for cell in content.cells if cell.amount),
        key=lambda cell: (
            order[cell.organisation_id],
            columns[cell.category],
            package_order(cell.work_package),
            cell.period,
        ),
    )
    lean: dict[str, Any] = _lean(encoding.encode(content))
    return lean | {"cells": [_lean(encoding.encode(cell)) for cell in kept]}


def _lean(stored: Any) -> Any:
    if isinstance(stored, list | tuple):
        return [_lean(each) for each in stored]
    if isinstance(stored, dict):
        return {
            key: _lean(value)
            for key, value in stored.items()
            if (value or key not in LATER) and (key, value) != ("nature", Nature.OTHER.value)
        }
    return stored


def from_mapping(stored: Mapping[str, Any]) -> BudgetContent:
    """What :func:`to_mapping` made, as frozen values again."""
    content: BudgetContent = encoding.decode({"value": dict(stored)}, BudgetContent)
    return content
