"""Tables of awards: selections, and the meetings of the panel. No verbs."""

from __future__ import annotations

from grants.awards.models.advice import RankingRun
from grants.awards.models.complaints import Complaint
from grants.awards.models.describing import AwardDescription
from grants.awards.models.experts import EvaluatorNames
from grants.awards.models.letters import DecisionLetter, LetterLeftOut, LetterMailing, LetterText, ResultsPublication
from grants.awards.models.panel import PanelEvent, PanelItem, PanelMeeting, PanelMember, PanelMinutes
from grants.awards.models.plans import SelectionMove, SelectionScenario
from grants.awards.models.selections import Selection, SelectionItem
from grants.awards.models.solves import SelectionSolve
from grants.awards.models.withholding import AwardWithheld

__all__ = [
    "AwardDescription",
    "AwardWithheld",
    "Complaint",
    "DecisionLetter",
    "EvaluatorNames",
    "LetterLeftOut",
    "LetterMailing",
    "LetterText",
    "PanelEvent",
    "PanelItem",
    "PanelMeeting",
    "PanelMember",
    "PanelMinutes",
    "RankingRun",
    "ResultsPublication",
    "Selection",
    "SelectionItem",
    "SelectionMove",
    "SelectionScenario",
    "SelectionSolve",
]
