"""Reads of budgets; who may see one is the owner's say. The modules beside this one say how."""

from __future__ import annotations

from grants.budgets.queries.grids import BudgetView
from grants.budgets.queries.reading import (
    Stored,
    cell_of,
    content,
    entered_by,
    plan_of,
    rules_by_id,
    rules_of,
    sources_of,
    stored,
    written,
)
from grants.budgets.queries.showing import budget, shown, unstored, view_of

__all__ = [
    "BudgetView",
    "Stored",
    "budget",
    "cell_of",
    "content",
    "entered_by",
    "plan_of",
    "rules_by_id",
    "rules_of",
    "shown",
    "sources_of",
    "stored",
    "unstored",
    "view_of",
    "written",
]
