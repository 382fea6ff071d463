"""A result as its applicant reads it, and what comes next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.applications.rules import ApplicationView
from grants.awards.states import AmountBasis, Outcome, SelectionKind
from grants.calls.rules import Half
from grants.core.money import Money
from grants.core.text import ended


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
    # Which rule kept it out although it reached every threshold.
    kept_out: str = ""
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


# What every rule that keeps a row out begins with, and by what a rule that brings one in is known: of the list, or of one
# that was worked out anew after a complaint.
_NOT_SELECTED, _SELECTED = "Not selected", re.compile(r"\bSelected\b|\bselects it\b")
# What the list says of other rows, which no applicant reads.
EACH_ROW_SAYS = ", each row says which"
_REFERENCE = re.compile(r"\b[A-Z0-9]+-\d{4}-A-\d{4,}\b")


def kept_out_words(rule_words: str, departures: Sequence[str], reference: str, order_told: str = "") -> str:
    """Why an application above every threshold is not selected, as the frozen list says it; others stay unnamed.

    ``departures`` are those of the list from the published rules; why another application was moved is told to nobody else.
    ``order_told`` says that the order of ties is not the panel's, which departs from no rule.

    >>> kept_out_words("", (), "P-2026-A-0001")
    'Not selected: the budget did not reach it.'
    >>> kept_out_words("Not selected: Cork takes part in P-2026-A-0002 already.", (), "P-2026-A-0001")
    'Not selected: Cork takes part in another application already.'
    >>> kept_out_words("", ("At least 4 countries. Reason: so that Cool Roofs is in.",), "P-2026-A-0001").split(". ")[-1]
    'At least 4 countries.'
    """
    told = [_unnamed(rule_words, reference)] if rule_words else []
    # A plain list names no rule, and a lot alone keeps nobody out.
    if not rule_words or (rule_words.startswith("Drawn by lot") and _NOT_SELECTED not in rule_words):
        told.append(f"{_NOT_SELECTED}: the budget did not reach it.")
    if departures:
        told.append("The list departs from the published rules.")
    for sentence in departures:
        # A reason is free text, in which another application may stand by its title.
        own = set(_REFERENCE.findall(sentence)) == {reference}
        shown = sentence if own else ended(sentence.partition(" Reason: ")[0])
        told.append(ended(_unnamed(shown, reference)))
    if order_told:
        told.append(order_told)
    return " ".join(told)


def selected_words(outcome: Outcome, rule_words: str, reference: str) -> str:
    """Why an application is selected; ``outcome`` and ``rule_words`` are those of the frozen list. Others stay unnamed.

    >>> selected_words(Outcome.SELECTED, "", "P-2026-A-0001")
    'Selected: the budget reaches it.'
    >>> selected_words(Outcome.SELECTED, "Drawn by lot: place 1 of 3 at the line.", "P-2026-A-0001")
    'Drawn by lot: place 1 of 3 at the line. Selected: the budget reaches it.'
    >>> selected_words(Outcome.RESERVE, "Not selected: it stands below the line.", "P-2026-A-0001")
    'It stood on the reserve list; since then money was set aside for it.'
    """
    if outcome is Outcome.RESERVE:
        return "It stood on the reserve list; since then money was set aside for it."
    if outcome is not Outcome.SELECTED:
        return "The list did not select it; since then the decision on a complaint did."
    told = [_unnamed(rule_words.replace(EACH_ROW_SAYS, ""), reference)] if rule_words else []
    # A plain list names no rule; a place at the line or one the panel gave is no money yet.
    if not _SELECTED.search(rule_words):
        told.append("Selected: the budget reaches it.")
    return " ".join(told)


def _unnamed(words: str, reference: str) -> str:
    said = _REFERENCE.sub(lambda found: found[0] if found[0] == reference else "another application", words)
    return f"{said[:1].upper()}{said[1:]}"


OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.SELECTED: "The application is selected for a grant.",
    Outcome.RESERVE: "The application reached every threshold and stands on the reserve list.",
    Outcome.NOT_FUNDED: "The application reached every threshold and is not funded.",
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
