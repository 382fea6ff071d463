"""Forms of budgets: the grid of amounts with what stands beside it, and the work plan."""

from __future__ import annotations

from grants.budgets.forms.amounts import BudgetForm, NotesForm, Sent, SourcesForm, read_sent, shown_of_pair
from grants.budgets.forms.plan import PlanForm

__all__ = [
    "BudgetForm",
    "NotesForm",
    "PlanForm",
    "Sent",
    "SourcesForm",
    "read_sent",
    "shown_of_pair",
]
