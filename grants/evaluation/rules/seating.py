"""The assignment page: what its list may be narrowed to, a row of it, and how much everybody on it carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from grants.calls.rules import LANGUAGES
from grants.core.paging import Rows, Tally
from grants.evaluation.rules.conflicts import DoubtRow
from grants.evaluation.rules.run_view import RunView
from grants.evaluation.rules.showing import SeatView
from grants.evaluation.states import AssessmentState, Declared

SEARCH_MAX = 100
# How the reason of a seat begins that its evaluator gave back.
GIVEN_BACK = "Given back: "


class SeatFilter(StrEnum):
    """What the list of the assignment may be narrowed to."""

    FREE = "free"
    LATE = "late"
    NOT_ACCEPTED = "not-accepted"
    GIVEN_BACK = "given-back"
    ROLE = "role"

    @property
    def words(self) -> str:
        """As the page calls it."""
        return {
            "free": "With an empty seat", "late": "With a late assessment", "not-accepted": "Contract not accepted",
            "given-back": "With a seat given back", "role": "Without a role the call asks for",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeatSearch:
    """What the list is narrowed to: words of a title or a reference, one filter, and a topic the application picked."""

    text: str = ""
    only: SeatFilter | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True)
class SeatedRow:
    """One application with its seats, who else could sit there by number, and what its evaluators lack."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    seats: tuple[SeatView, ...]
    voided: tuple[SeatView, ...] = ()
    missing: int = 0
    # In evaluation still: seats may be given and taken.
    open_still: bool = True
    # Of the pool, how many have a conflict with it and how many have not said.
    conflicts: int = 0
    undeclared: int = 0
    # Rules of the call on the evaluators of one application that these break, in words.
    lacking: tuple[str, ...] = ()
    # What it picked, as applicants read it.
    topics: tuple[str, ...] = ()

    @property
    def fit(self) -> int | None:
        """How well the seated fit on average, of 1000; None without anybody."""
        return sum(seat.utility for seat in self.seats) // len(self.seats) if self.seats else None

    @property
    def all_in(self) -> str:
        """Who assessed it, where nothing is left to be done on it; empty elsewhere."""
        done = not self.missing and all(seat.assessment is AssessmentState.SUBMITTED for seat in self.seats)
        return ", ".join(seat.name for seat in self.seats) if done else ""

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language somebody of them reads."""
        return tuple(sorted({language for seat in self.seats for language in seat.languages}))

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries they come from."""
        return tuple(sorted({seat.country_code for seat in self.seats if seat.country_code}))


@dataclass(frozen=True, slots=True)
class LoadLine:
    """How many applications a seated evaluator has, at least takes and at most takes."""

    name: str
    handle: str
    load: int
    load_min: int
    load_max: int
    submitted: int

    @property
    def words(self) -> str:
        """How that stands against what was agreed.

        >>> LoadLine("Eva", "eva", 2, 3, 5, 0).words, LoadLine("Eva", "eva", 5, 3, 5, 0).words
        ('1 below the least', 'Full')
        """
        if self.load > self.load_max:
            return f"{self.load - self.load_max} above the most"
        if self.load < self.load_min:
            return f"{self.load_min - self.load} below the least"
        return "Full" if self.load == self.load_max else f"{self.load_max - self.load} more at most"


@dataclass(frozen=True, slots=True)
class SeatTotals:
    """The seats of a whole call, counted."""

    applications: int = 0
    # Applications in evaluation still, and seats filled on those.
    open_applications: int = 0
    filled_open: int = 0
    filled: int = 0
    submitted: int = 0
    # Seats a run may move: given by a run, not locked, nothing written.
    movable: int = 0
    pool: int = 0
    told: int = 0
    conflicts: int = 0
    # Of the pool those who stepped down, who are not counted in ``pool``.
    stepped_down: int = 0

    @property
    def pool_words(self) -> str:
        """How many are in the pool, and how many stepped down, whom a run still counts."""
        return f"{self.pool}, and {self.stepped_down} stepped down" if self.stepped_down else str(self.pool)

    @property
    def undeclared(self) -> int:
        """How many answers about conflicts are still out."""
        return max(0, self.pool * self.open_applications - self.told)


@dataclass(frozen=True, slots=True)
class SinceRun:
    """What came after the last run and would make another one of it: its proof is of how things stood before."""

    told: int = 0
    seats: int = 0
    joined: int = 0
    left: int = 0

    @property
    def words(self) -> str:
        """The same as a sentence; nothing where nothing came.

        >>> SinceRun(told=1, joined=2).words
        'Since then: 1 declaration or ruling, 2 people more in the pool.'
        """
        parts = (
            (self.told, "declaration or ruling", "declarations or rulings"),
            (self.seats, "seat given or emptied otherwise", "seats given or emptied otherwise"),
            (self.joined, "person more in the pool", "people more in the pool"),
            (self.left, "person who stepped down", "people who stepped down"),
        )
        said = [f"{count} {one if count == 1 else many}" for count, one, many in parts if count]
        return f"Since then: {', '.join(said)}." if said else ""


# So many people who are not available are named, the rest counted.
ABSENT_NAMED = 10


@dataclass(frozen=True, slots=True)
class AssignmentsPage:
    """Everything on the manager’s assignment page of a call."""

    call_id: UUID
    call_slug: str
    call_title: str
    per_application: int
    roles: tuple[str, ...]
    search: SeatSearch
    rows: Rows[SeatedRow]
    totals: SeatTotals
    loads: tuple[LoadLine, ...]
    doubts: tuple[DoubtRow, ...]
    # More doubts and conflicts stand than are shown.
    more_doubts: bool
    runs: tuple[RunView, ...]
    # How many pairs with something found wait for a person to decide.
    found_waiting: Tally
    since: SinceRun = SinceRun()
    # Every topic an application of the call can pick, by its value.
    topics: Mapping[str, str] = field(default_factory=dict)
    # An application of the call is shut to who reads the page: a run of theirs leaves it out.
    partial: bool = False
    # Names of those of the pool who are not available today.
    absent: tuple[str, ...] = ()

    @property
    def absent_words(self) -> str:
        """Whom a run without a day would leave out, before anybody asks for it; empty where nobody."""
        if not self.absent:
            return ""
        is_one = len(self.absent) == 1
        more = len(self.absent) - ABSENT_NAMED
        named = ", ".join(self.absent[:ABSENT_NAMED]) + (f" and {more} more" if more > 0 else "")
        return (
            f"Not available today: {named}. Without a due day {'this person gets' if is_one else 'they get'} no seat."
        )

    @property
    def doubts_open(self) -> int:
        """How many doubts wait for a ruling, of those shown: open ones come first."""
        return sum(row.declared is Declared.UNSURE and row.ruling is None for row in self.doubts)

    @property
    def settled(self) -> tuple[DoubtRow, ...]:
        """The doubts and conflicts shown on which nobody has to rule."""
        return self.doubts[self.doubts_open :]

    @property
    def seats_needed(self) -> int:
        """How many seats the applications need in all; one that is evaluated needs those it had."""
        totals = self.totals
        return self.per_application * totals.open_applications + totals.filled - totals.filled_open

    @property
    def is_full(self) -> bool:
        """Whether no seat is empty."""
        return self.totals.filled >= self.seats_needed

    @property
    def may_run(self) -> bool:
        """Whether a run could change anything: an empty seat, or one that may move."""
        return bool(self.totals.open_applications) and (not self.is_full or self.totals.movable > 0)


def seat_words(seat: SeatView, now: datetime) -> tuple[str, str]:
    """How a seat stands, in a word, and the colour of that word."""
    if seat.assessment is AssessmentState.SUBMITTED:
        return "Submitted", "green"
    if seat.must_accept:
        return "Contract not accepted", "yellow"
    if seat.due_at is not None and seat.due_at < now:
        return "Late", "red"
    return ("Begun", "blue") if seat.assessment is AssessmentState.DRAFT else ("Not begun", "grey")


def lacking_words(broken: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What the evaluators of one application lack by the rules of the call, in words."""
    sentences = {
        "role": "Nobody for {}", "reader": "Nobody reads {}", "country": "Too many from {}",
        "organisation": "Too many of one organisation", "gender": "Not both a woman and a man, of those who said it",
    }  # fmt: skip
    return tuple(dict.fromkeys(sentences[kind].format(LANGUAGES.get(what, what)) for kind, what in broken))
