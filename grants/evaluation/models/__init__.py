"""Tables of evaluation: pool, conflicts, runs and seats, sheets, consensus. No verbs."""

from __future__ import annotations

from grants.evaluation.models.assignments import Assignment, AssignmentRun
from grants.evaluation.models.conflicts import ConflictDeclaration
from grants.evaluation.models.consensus import Consensus, ConsensusScore
from grants.evaluation.models.pool import Evaluator
from grants.evaluation.models.sheets import Assessment, AssessmentScore
from grants.evaluation.models.shifts import ScoreShift

__all__ = [
    "Assessment",
    "AssessmentScore",
    "Assignment",
    "AssignmentRun",
    "ConflictDeclaration",
    "Consensus",
    "ConsensusScore",
    "Evaluator",
    "ScoreShift",
]
