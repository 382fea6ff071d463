"""Tables of evaluation: pool, conflicts, runs and seats, sheets, consensus. No verbs."""

from __future__ import annotations

from grants.evaluation.models.assignments import Assignment, AssignmentLoss, AssignmentReminder, AssignmentRun
from grants.evaluation.models.conflicts import ConflictDeclaration, DetectedConflict, EntityDeclaration
from grants.evaluation.models.consensus import (
    Consensus,
    ConsensusAnswer,
    ConsensusScore,
    ConsensusVersion,
    ConsensusWriting,
)
from grants.evaluation.models.pool import (
    Evaluator,
    EvaluatorAcceptance,
    EvaluatorImport,
    EvaluatorInvitation,
    EvaluatorOrganisation,
    EvaluatorWish,
)
from grants.evaluation.models.sheets import Assessment, AssessmentScore, AssessmentVersion, ReadingPack, SheetPlace
from grants.evaluation.models.shifts import ScoreShift

__all__ = [
    "Assessment",
    "AssessmentScore",
    "AssessmentVersion",
    "Assignment",
    "AssignmentLoss",
    "AssignmentReminder",
    "AssignmentRun",
    "ConflictDeclaration",
    "Consensus",
    "ConsensusAnswer",
    "ConsensusScore",
    "ConsensusVersion",
    "ConsensusWriting",
    "DetectedConflict",
    "EntityDeclaration",
    "Evaluator",
    "EvaluatorAcceptance",
    "EvaluatorImport",
    "EvaluatorInvitation",
    "EvaluatorOrganisation",
    "EvaluatorWish",
    "ReadingPack",
    "ScoreShift",
    "SheetPlace",
]
