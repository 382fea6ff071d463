"""States of a selection decision, and the outcomes it gives each application."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class SelectionState(StrEnum):
    """One person decides, another confirms; only a confirmed selection reserves money. A returned one stays as history."""

    DECIDED = "decided"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


SELECTION = Machine(
    "selection",
    SelectionState,
    SelectionState.DECIDED,
    (
        Transition("confirm", (SelectionState.DECIDED,), SelectionState.CONFIRMED, Permission.SELECTION_CONFIRM),
        Transition("return", (SelectionState.DECIDED,), SelectionState.RETURNED, Permission.SELECTION_CONFIRM),
    ),
)


RESERVE_MOVE = Machine(
    "move from the reserve list",
    SelectionState,
    SelectionState.DECIDED,
    (
        Transition("confirm", (SelectionState.DECIDED,), SelectionState.CONFIRMED, Permission.SELECTION_CONFIRM),
        Transition("return", (SelectionState.DECIDED,), SelectionState.RETURNED, Permission.SELECTION_CONFIRM),
    ),
)


class SelectionKind(StrEnum):
    """A list ranked here, or an outcome that was published elsewhere: recorded with its source, without scores."""

    RANKED = "ranked"
    PUBLISHED_OUTCOME = "published_outcome"


class Outcome(StrEnum):
    """What the selection means for one application."""

    SELECTED = "selected"
    RESERVE = "reserve"
    NOT_FUNDED = "not_funded"
    BELOW_THRESHOLD = "below_threshold"

    @property
    def words(self) -> str:
        """For pages: “Not funded”."""
        return self.value.replace("_", " ").capitalize()


class EndedElsewhere(StrEnum):
    """How an application ended that got no grant in an outcome published elsewhere."""

    NOT_FUNDED = "not_funded"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        """For pages and records: “Not eligible”."""
        return {"not_funded": "Not funded", "ineligible": "Not eligible", "withdrawn": "Withdrawn"}[self.value]


class LineRule(StrEnum):
    """What happens below the first application that asks for more than is left."""

    STOP = "stop"
    SKIP = "skip"


class AmountBasis(StrEnum):
    """Whether an amount is what was asked for, was published, or is invented for the demonstration."""

    REQUESTED = "requested"
    PUBLISHED = "published"
    SYNTHETIC = "synthetic"
