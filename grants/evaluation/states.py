"""States of evaluation: what people declare about conflicts, seats, assessments and the consensus."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class Declared(StrEnum):
    """What a person says about one application. Nothing declared is no state: nothing opens then."""

    NONE = "none"
    CONFLICT = "conflict"
    UNSURE = "unsure"

    @property
    def words(self) -> str:
        """As the person chose it on the page."""
        return {"none": "None", "conflict": "Conflict", "unsure": "Not sure"}[self.value]


class Ruling(StrEnum):
    """What the manager decided about a declaration."""

    CLEARED = "cleared"
    CONFIRMED = "confirmed"


class Ruled(StrEnum):
    """What followed from a ruling: nothing more, an empty seat, or a record that stands because it cannot be made anew."""

    NOTHING_MORE = "nothing_more"
    SEAT_EMPTIED = "seat_emptied"
    RECORD_STANDS = "record_stands"


class CountryRule(StrEnum):
    """Whether evaluators from a country of the consortium are kept away from its application."""

    KEPT_AWAY = "yes"
    ALLOWED = "no"


class RunStatus(StrEnum):
    """How a run of the assignment ended."""

    SOLVED = "solved"
    INFEASIBLE = "infeasible"


class SeatState(StrEnum):
    """A seat of an evaluator on an application; a voided one stays as history and counts for nothing."""

    ACTIVE = "active"
    VOIDED = "voided"


SEAT = Machine(
    "seat",
    SeatState,
    SeatState.ACTIVE,
    (Transition("void", (SeatState.ACTIVE,), SeatState.VOIDED, Permission.ASSIGNMENT_DECIDE),),
)


class AssessmentState(StrEnum):
    """A draft is the evaluator's own; a submitted assessment is read by the other evaluators and the chair."""

    DRAFT = "draft"
    SUBMITTED = "submitted"


ASSESSMENT = Machine(
    "assessment",
    AssessmentState,
    AssessmentState.DRAFT,
    (
        Transition("submit", (AssessmentState.DRAFT,), AssessmentState.SUBMITTED, Permission.ASSESSMENT_SCORE),
        Transition("reopen", (AssessmentState.SUBMITTED,), AssessmentState.DRAFT, Permission.ASSIGNMENT_DECIDE),
    ),
)


class ConsensusState(StrEnum):
    """The chair writes, puts it to the evaluators, and it stands once all have agreed."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    AGREED = "agreed"


CONSENSUS = Machine(
    "consensus",
    ConsensusState,
    ConsensusState.DRAFT,
    (
        Transition("propose", (ConsensusState.DRAFT,), ConsensusState.PROPOSED, Permission.CONSENSUS_WRITE),
        Transition("take_back", (ConsensusState.PROPOSED,), ConsensusState.DRAFT, Permission.CONSENSUS_WRITE),
        Transition("settle", (ConsensusState.PROPOSED,), ConsensusState.AGREED, Permission.CONSENSUS_AGREE),
        Transition(
            "reopen",
            (ConsensusState.PROPOSED, ConsensusState.AGREED),
            ConsensusState.DRAFT,
            Permission.ASSIGNMENT_DECIDE,
        ),
    ),
)


class ShiftState(StrEnum):
    """A move of a score by the panel counts once a second person confirmed it, until another one replaces it."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    REPLACED = "replaced"


SHIFT = Machine(
    "score shift",
    ShiftState,
    ShiftState.PROPOSED,
    (
        Transition("confirm", (ShiftState.PROPOSED,), ShiftState.CONFIRMED, Permission.SELECTION_CONFIRM),
        Transition("return", (ShiftState.PROPOSED,), ShiftState.RETURNED, Permission.SELECTION_CONFIRM),
        Transition("replace", (ShiftState.CONFIRMED,), ShiftState.REPLACED, Permission.SELECTION_CONFIRM),
    ),
)
