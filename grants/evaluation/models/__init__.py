"""Tables of evaluation: pool, conflicts, runs and seats, sheets, consensus. No verbs."""

from __future__ import annotations

from grants.evaluation.models.assignments import Assignment, AssignmentRun
from grants.evaluation.models.conflicts import ConflictDeclaration
from grants.evaluation.models.consensus import Consensus, ConsensusAnswer, ConsensusScore, ConsensusVersion
from grants.evaluation.models.pool import Evaluator
from grants.evaluation.models.sheets import Assessment, AssessmentScore

__all__ = [
    "Assessment",
    "AssessmentScore",
    "Assignment",
    "AssignmentRun",
    "ConflictDeclaration",
    "Consensus",
    "ConsensusAnswer",
    "ConsensusScore",
    "ConsensusVersion",
    "Evaluator",
]
