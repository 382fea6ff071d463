"""Forms of evaluation, by who fills them in; the modules beside this one hold them."""

from __future__ import annotations

from grants.evaluation.forms.assignments import AdjustForm, ReasonForm, RemindForm, RunForm, SeatsTakenForm, end_of
from grants.evaluation.forms.conflicts import ConflictsForm, Declarations, RuleForm, conflicts_form, places_sent
from grants.evaluation.forms.detected import DecideDetectedForm
from grants.evaluation.forms.leaving import FilledSheetForm, LeaveForm, Leaving
from grants.evaluation.forms.pool import (
    AnswerForm,
    DeclineForm,
    EvaluatorsFileForm,
    EvaluatorsTakenForm,
    InviteForm,
    OwnProfileForm,
    PoolForm,
    TermsForm,
    WhyForm,
    pool_form,
    profile_form,
)
from grants.evaluation.forms.sheets import (
    DissentForm,
    MarkField,
    ReopenConsensusForm,
    SettleForm,
    SheetForm,
    sheet_form,
)
from grants.evaluation.forms.shifts import ReturnShiftForm, ShiftForm

__all__ = [
    "AdjustForm",
    "AnswerForm",
    "ConflictsForm",
    "DecideDetectedForm",
    "Declarations",
    "DeclineForm",
    "DissentForm",
    "EvaluatorsFileForm",
    "EvaluatorsTakenForm",
    "FilledSheetForm",
    "InviteForm",
    "LeaveForm",
    "Leaving",
    "MarkField",
    "OwnProfileForm",
    "PoolForm",
    "ReasonForm",
    "RemindForm",
    "ReopenConsensusForm",
    "ReturnShiftForm",
    "RuleForm",
    "RunForm",
    "SeatsTakenForm",
    "SettleForm",
    "SheetForm",
    "ShiftForm",
    "TermsForm",
    "WhyForm",
    "conflicts_form",
    "end_of",
    "places_sent",
    "pool_form",
    "profile_form",
    "sheet_form",
]
