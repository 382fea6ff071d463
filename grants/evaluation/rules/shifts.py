"""By how much the panel moves the score of an application: within the bound of the call, with a reason, by two people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.calls.rules import Scoring, points
from grants.core.errors import Invalid, Refused
from grants.dossiers.rules import clean_text
from grants.evaluation.rules.showing import ApplicationHead
from grants.evaluation.states import ShiftState

REASON_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class ShiftInput:
    """A shift as it is proposed: half points up or down, and why."""

    shift_half: int
    reason: str


@dataclass(frozen=True, slots=True)
class ShiftView:
    """One shift with who stands behind it."""

    id: UUID
    version: int
    shift_half: int
    reason: str
    state: ShiftState
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    return_reason: str

    @property
    def words(self) -> str:
        """The shift with its sign."""
        return shift_words(self.shift_half)


@dataclass(frozen=True, slots=True)
class ShiftPage:
    """What the panel sees when it moves a score: the score by the rule of the call, what stands, what waits, what was."""

    head: ApplicationHead
    most_half: int
    basis: str
    missing: str
    standing: ShiftView | None
    waiting: ShiftView | None
    earlier: tuple[ShiftView, ...]
    may_propose: bool
    may_decide: bool
    # Whether the application is still under evaluation; after that nobody moves its score.
    open_still: bool = True


def shift_words(half: int) -> str:
    """A shift with its sign.

    >>> shift_words(60), shift_words(-5), shift_words(0)
    ('+30', '−2.5', '0')
    """
    return f"+{points(half)}" if half > 0 else points(half)


def shift_sentence(half: int, reason: str) -> str:
    """What is said of a score the panel moved, and why; empty where it moved nothing."""
    if not half:
        return ""
    ended = reason if reason[-1:] in ".!?" else f"{reason}."
    return f"Moved by the panel by {shift_words(half)}: {ended}"


def beyond_words(half: int, scoring: Scoring) -> str:
    """Why a move that stands counts for nothing now: it is further than its call allows; empty where it is not."""
    most = scoring.board_shift_half
    if abs(half) <= most:
        return ""
    bound = f"at most {points(most)}" if most else "no move at all"
    way = f"Move it anew by at most {points(most)}, or by 0" if most else "Move it by 0"
    return f"The panel moved its score by {shift_words(half)}; the call now allows {bound}. {way}."


def checked_shift(values: ShiftInput, scoring: Scoring) -> ShiftInput:
    """The shift with its reason cleaned; refused beyond the bound of the call, and where the call knows none."""
    most = scoring.board_shift_half
    # A move is taken back even where the bound it stood on is gone.
    if not most and values.shift_half:
        raise Refused("The panel of this call does not move scores: its rules give no bound for it.")
    wrong: dict[str, str] = {}
    if abs(values.shift_half) > most:
        wrong["shift"] = f"The panel may move a score by at most {points(most)} points up or down."
    reason = clean_text(values.reason)
    if not reason:
        wrong["reason"] = "Write why the score is moved; the reason stands beside it on the list."
    elif len(reason) > REASON_CHARACTERS_MAX:
        wrong["reason"] = (
            f"The reason has {len(reason):,} characters; the limit is {REASON_CHARACTERS_MAX:,}. Shorten it."
        )
    if wrong:
        raise Invalid("Nothing was stored.", wrong)
    return ShiftInput(values.shift_half, reason)
