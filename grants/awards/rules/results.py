"""A result as its applicant reads it, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.applications.rules import ApplicationView
from grants.awards.states import AmountBasis, Outcome, SelectionKind
from grants.calls.rules import Half
from grants.core.money import Money


@dataclass(frozen=True, slots=True)
class SelectedItem:
    """A selected application as the agreement needs it."""

    application_id: UUID
    selection_id: UUID
    call_id: UUID
    kind: SelectionKind
    outcome: Outcome
    amount: Money
    amount_basis: AmountBasis
    entry_id: UUID | None
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class ResultScore:
    """One criterion of the agreed assessment as its applicant reads it."""

    name: str
    question: str
    half: Half | None
    threshold_half: int | None
    words: str
    most_half: int


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The result of one application for its team; while it is not ``public`` nothing of it but when.

    Never a rank, an assessment of one person, or anybody's name.
    """

    application: ApplicationView
    published_elsewhere: bool
    public: bool
    outcome: Outcome | None = None
    threshold_words: str = ""
    scores: tuple[ResultScore, ...] = ()
    text: str = ""
    score_words: str = ""
    # What the scores are made of, and what the panel moved the sum by.
    basis: str = ""
    moved_words: str = ""
    # Which place it was drawn at, where the group at the line was put in order by lot.
    drawn_words: str = ""
    # On which conditions it is selected.
    conditions: str = ""
    # Whether its evaluation is being repeated: what stands here is what was told before.
    repeating: bool = False
    # What a repeated evaluation came to, and when that was settled; what stands here is its outcome.
    settled_words: str = ""
    settled_at: datetime | None = None
    # When its team was sent the newest letter of decision.
    letter_sent: datetime | None = None

    @property
    def total_half(self) -> Half | None:
        """The unweighted total; None where a score is not known."""
        halves = [score.half for score in self.scores if score.half is not None]
        return sum(halves) if halves and len(halves) == len(self.scores) else None


OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.SELECTED: "The application is selected for a grant.",
    Outcome.RESERVE: "The application reached every threshold and stands on the reserve list.",
    Outcome.NOT_FUNDED: "The application reached every threshold and is not funded: the budget did not reach it.",
    Outcome.BELOW_THRESHOLD: "The application is not funded: it is below a threshold.",
}

NEXT_WORDS: Mapping[Outcome, str] = {
    Outcome.SELECTED: (
        "The grant is prepared: the programme checks the organisations and prepares the grant agreement with you. "
        "The grant is awarded when both sides have signed it; until then nothing is due to you."
    ),
    Outcome.RESERVE: (
        "No money is set aside for it. If money becomes free and the programme decides to support it after all, it "
        "writes to you; nothing happens by itself."
    ),
    Outcome.NOT_FUNDED: "Nothing more happens with this application in this call. You can apply to another call.",
    Outcome.BELOW_THRESHOLD: "Nothing more happens with this application in this call. You can apply to another call.",
}
