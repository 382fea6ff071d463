"""What people enter: an evaluator, an answer about conflicts, a run, marks and sheets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from grants.evaluation.rules.employers import Employer
from grants.evaluation.states import (
    ConflictKind,
    CountryRule,
    Declared,
    Deed,
    Gender,
    StandingRule,
)


@dataclass(frozen=True, slots=True)
class EvaluatorInput:
    """A person for the pool of a call.

    A topic without a level is known best (3), a language without one is fluent. ``available`` are the first and the
    last day, each where there is one.
    """

    user_id: UUID
    country_code: str
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    load_min: int
    load_max: int
    topic_levels: tuple[tuple[str, int], ...] = ()
    language_levels: tuple[tuple[str, str], ...] = ()
    roles: tuple[str, ...] = ()
    available: tuple[date | None, date | None] = (None, None)
    # For whom this person works or worked; None leaves what is stored.
    employers: tuple[Employer, ...] | None = None
    # How many applications this person would like to have; None where that is not said.
    load_target: int | None = None
    # What the person says of themselves; None leaves what is stored, as everybody else does.
    gender: Gender | None = None
    # The town this person works in, in the country above; empty where that is not said.
    town: str = ""


def answer_mark(answer: str, words: str = "", more: str = "") -> str:
    """A short sign of what stands of one row, which its page carries: equal for equal answers and words.

    ``more`` is the wish, of which none is as good as the middle one, or the kind of tie.

    >>> answer_mark("none", "", "0") == answer_mark("none")
    True
    """
    text = "\n".join((answer, " ".join(words.split()), "" if more == "0" else more))
    return sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person declares about one application."""

    application_id: UUID
    declared: Declared
    reason: str = ""
    # How gladly this person would assess it, -2 to 2; None where nothing is said about it.
    wish: int | None = None
    # The mark of what it replaces, as its page carried it; None where nobody looked.
    over: str | None = field(default=None, compare=False)

    def mark(self, wish: int) -> str:
        """The sign of it, with the wish that stands where none was said."""
        said = wish if self.wish is None else self.wish
        return answer_mark(self.declared, self.reason, str(said) if self.declared is Declared.NONE else "")


@dataclass(frozen=True, slots=True)
class AnsweredEntity:
    """What a person declares about one organisation that takes part in applications of a call."""

    organisation_id: UUID
    declared: Declared
    kind: ConflictKind | None = None
    reason: str = ""
    over: str | None = field(default=None, compare=False)

    @property
    def mark(self) -> str:
        """The sign of it."""
        return answer_mark(self.declared, self.reason, self.kind or "")


@dataclass(frozen=True, slots=True)
class RunInput:
    """What a manager chooses for a run of the assignment."""

    seed: str
    due_at: datetime | None
    countries: CountryRule = CountryRule.KEPT_AWAY
    standing: StandingRule = StandingRule.KEPT


@dataclass(frozen=True, slots=True)
class AdjustInput:
    """A change of the seats of one application by hand; people by their handles."""

    deed: Deed
    leaving: str = ""
    taking: str = ""
    reason: str = ""
    # When the assessment of whoever takes a seat is due; None keeps the day of the seat.
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RemindInput:
    """Which seats to remind of by mail, with own words, and why somebody is reminded again within a day."""

    seat_ids: tuple[UUID, ...]
    message: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MarkInput:
    """One criterion of a sheet as typed."""

    criterion: str
    half: int | None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class SheetInput:
    """A whole score sheet, or a whole consensus, as typed."""

    marks: tuple[MarkInput, ...]
    remark: str = ""
