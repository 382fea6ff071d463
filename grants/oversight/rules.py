"""Pure values and decisions of the pages that gather several stages: the order of duties, what counts as healthy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from grants.core.duties import Duty

# Free space on the data folder's disk below which the program no longer takes work.
DISK_FREE_BYTES_MIN = 200_000_000
# A job is rung within a second of its commit; the sweeper rings again. This late, nobody is ringing.
UNRUNG_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the program needs in order to take work: whether it is well, and what is seen, in words."""

    name: str
    well: bool
    words: str


def in_order(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Duties by deadline, those without one last; duties of the same moment stay in the order of the stages."""
    return tuple(sorted(duties, key=lambda duty: duty.due_at or datetime.max.replace(tzinfo=UTC)))


def how_many(duties: Iterable[Duty]) -> int:
    """The number beside \u201cTasks\u201d: a group counts as the things in it."""
    return sum(duty.count for duty in duties)


def disk_check(free_bytes: int) -> Check:
    """Whether there is room for another upload and another report."""
    return Check("disk", free_bytes >= DISK_FREE_BYTES_MIN, f"{free_bytes // 1_000_000} MB free")


def migrations_check(applied: str | None, expected: str | None) -> Check:
    """Whether the database has the tables this program was written for."""
    if expected is None:
        return Check("migrations", True, "none yet")
    return Check("migrations", applied == expected, "current" if applied == expected else "not current")


def bell_check(oldest_unrung_seconds: int) -> Check:
    """Whether jobs are handed to the workers: how long the oldest one waits that nobody was told of."""
    well = oldest_unrung_seconds <= UNRUNG_SECONDS_MAX
    words = f"the oldest waits for {oldest_unrung_seconds} seconds" if oldest_unrung_seconds else "none waits unrung"
    return Check("jobs", well, words)
