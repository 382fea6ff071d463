"""Forms of awards, by what they are about; the modules beside this one hold them."""

from __future__ import annotations

from grants.awards.forms.advice import AdviceForm
from grants.awards.forms.panel import (
    CountForm,
    MeetingForm,
    OrderForm,
    ProposalForm,
    RecommendForm,
    RemarkForm,
    ReorderForm,
    VoteForm,
)
from grants.awards.forms.plans import ChooseForm, MoveForm, ScenarioForm, SolveForm
from grants.awards.forms.selections import ConfirmForm, ConfirmListForm, DecisionForm, PublishForm, ReturnForm

__all__ = [
    "AdviceForm",
    "ChooseForm",
    "ConfirmForm",
    "ConfirmListForm",
    "CountForm",
    "DecisionForm",
    "MeetingForm",
    "MoveForm",
    "OrderForm",
    "ProposalForm",
    "PublishForm",
    "RecommendForm",
    "RemarkForm",
    "ReorderForm",
    "ReturnForm",
    "ScenarioForm",
    "SolveForm",
    "VoteForm",
]
