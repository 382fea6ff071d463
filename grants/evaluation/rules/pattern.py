"""What an evaluator is told of their own work: where they stopped, how they score, how fast they are, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median_low
from typing import Protocol

from grants.calls.rules import Criterion, Marking
from grants.evaluation.rules.scores import half_words

# A sheet that was open for less says nothing about how long one takes.
SECONDS_TELLING_MIN = 60


class Line(Protocol):
    """What of a line in the list of assessments counts here."""

    @property
    def reference(self) -> str:
        """Of the application."""

    @property
    def is_open(self) -> bool:
        """Whether the sheet is still to be finished."""

    @property
    def left(self) -> int:
        """How many scores are missing."""

    @property
    def skipped_at(self) -> datetime | None:
        """When it was left for later."""

    @property
    def seconds(self) -> int:
        """How long it was worked on."""

    @property
    def marks(self) -> tuple[tuple[Criterion, int | None], ...]:
        """The own scores."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stopped: what stood on top of either side of the screen, and how far it was scrolled beyond."""

    answer: str = ""
    answer_offset: int = 0
    field: str = ""
    field_offset: int = 0


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Pattern:
    """The own scores of one criterion: how often each mark of the scale was given, lowest first."""

    criterion: Criterion
    marks: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def given(self) -> int:
        """How many scores there are."""
        return sum(self.counts)

    @property
    def steps(self) -> tuple[tuple[str, int], ...]:
        """Each mark of the scale with how often it was given."""
        return tuple((half_words(half), count) for half, count in zip(self.marks, self.counts, strict=True))

    @property
    def words(self) -> str:
        """The same in words.

        >>> Pattern(Criterion("c", "Quality", ""), (0, 2, 4), (0, 1, 2)).words
        '1 once, 2 twice'
        """
        often = {1: "once", 2: "twice"}
        told = [f"{words} {often.get(count, f'{count} times')}" for words, count in self.steps if count]
        return ", ".join(told) or "none yet"


def patterns_of(lines: Iterable[Line], marking: Marking) -> tuple[Pattern, ...]:
    """For each criterion of a call the scores one gave on these sheets; a missing score is none."""
    counts = {one.key: dict.fromkeys(marking.marks(one), 0) for one in marking.criteria}
    for line in lines:
        for criterion, half in line.marks:
            if half is not None and half in counts.get(criterion.key, ()):
                counts[criterion.key][half] += 1
    return tuple(Pattern(one, marking.marks(one), tuple(counts[one.key].values())) for one in marking.criteria)


def left_words(days: int | None) -> str:
    """How many days are left until the next sheet is due; nothing where no date is set.

    >>> left_words(6), left_words(1), left_words(0), left_words(-2)
    ('6 days left', '1 day left', 'due today', '2 days late')
    """
    if days is None:
        return ""
    if days == 0:
        return "due today"
    unit = "day" if abs(days) == 1 else "days"
    return f"{days} {unit} left" if days > 0 else f"{-days} {unit} late"


def pace_minutes(lines: Iterable[Line]) -> int | None:
    """About how many minutes one sheet took this person, by the sheets submitted so far; None before the first."""
    taken = [line.seconds for line in lines if not line.is_open and line.seconds >= SECONDS_TELLING_MIN]
    return -(-median_low(taken) // 60) if taken else None


@dataclass(frozen=True, slots=True)
class OwnWork:
    """What an evaluator has done and has still to do."""

    done: int
    all: int
    # When the first open one is due.
    due_at: datetime | None
    pace: int | None
    # Where one stopped last, on a sheet that is still open.
    stopped: str | None
    next: str | None

    @property
    def pace_words(self) -> str:
        """How long one takes at the own pace; nothing before the first is submitted."""
        return pace_words(self.pace)

    def left_of(self, line: Line, criteria: int) -> str:
        """About how much of one sheet is still to do."""
        return work_left(self.pace, line.left, criteria)


def pace_words(minutes: int | None) -> str:
    """About how long one sheet takes; nothing where that is not known.

    >>> pace_words(50), pace_words(1), pace_words(None)
    ('about 50 minutes each at your pace', 'about 1 minute each at your pace', '')
    """
    if minutes is None:
        return ""
    return f"about {minutes} {'minute' if minutes == 1 else 'minutes'} each at your pace"


def work_left(pace: int | None, left: int, criteria: int) -> str:
    """About how much of a sheet is still to do at the own pace; nothing where that is not known or nothing is left.

    >>> work_left(50, 2, 3), work_left(50, 0, 3), work_left(None, 3, 3)
    ('about 34 minutes left', '', '')
    """
    if pace is None or not left:
        return ""
    minutes = -(-pace * left // criteria)
    return f"about {minutes} {'minute' if minutes == 1 else 'minutes'} left"


class ListOrder(StrEnum):
    """How the own list is ordered: what is open always stands before what is submitted."""

    LEFT = "left"
    DUE = "due"
    REFERENCE = "reference"

    @classmethod
    def asked(cls, text: str) -> ListOrder:
        """The order an address names; by reference where it names none."""
        return cls(text) if text in cls._value2member_map_ else cls.REFERENCE

    @property
    def words(self) -> str:
        """As the link says it."""
        return {
            "left": "Least work left",
            "due": "Due first",
            "reference": "Reference",
        }[self.value]


def next_of(lines: Sequence[Line]) -> str | None:
    """The application to go on with: fewest scores left first; what was skipped comes back when nothing else is open."""
    waiting = [line for line in lines if line.is_open]
    fresh = sorted((line for line in waiting if line.skipped_at is None), key=lambda line: (line.left, line.reference))
    again = sorted(
        ((line.skipped_at, line.reference) for line in waiting if line.skipped_at is not None),
    )
    return fresh[0].reference if fresh else again[0][1] if again else None
