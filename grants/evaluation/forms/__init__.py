"""Forms of evaluation, by who fills them in; the modules beside this one hold them."""

from __future__ import annotations

from grants.evaluation.forms.assignments import FillForm, ReasonForm, RunForm, end_of
from grants.evaluation.forms.conflicts import ConflictsForm, RuleForm, conflicts_form
from grants.evaluation.forms.pool import PoolForm
from grants.evaluation.forms.sheets import SettleForm, SheetForm, sheet_form
from grants.evaluation.forms.shifts import ReturnShiftForm, ShiftForm

__all__ = [
    "ConflictsForm",
    "FillForm",
    "PoolForm",
    "ReasonForm",
    "ReturnShiftForm",
    "RuleForm",
    "RunForm",
    "SettleForm",
    "SheetForm",
    "ShiftForm",
    "conflicts_form",
    "end_of",
    "sheet_form",
]
