"""A change of seats by hand: who could take one, and what the change would do before it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from grants.core.text import grouped
from grants.evaluation.rules.pool import PoolMember, digest
from grants.evaluation.rules.showing import ApplicationHead, SeatView

EMPTY_SEAT = "an empty seat"


@dataclass(frozen=True, slots=True)
class Tally:
    """What an assignment is worth: its total, its worst application, its loads, the rules it breaks."""

    total: int
    floor: int
    heaviest: int
    lightest: int
    broken: tuple[str, ...]

    @property
    def broken_words(self) -> str:
        """What is broken, each once with how many times.

        >>> Tally(0, 0, 0, 0, ("an empty seat", "role expert", "an empty seat", "role expert")).broken_words
        '2 empty seats; role expert, 2 times'
        """
        counted = Counter(self.broken)
        many = {EMPTY_SEAT: "{1} empty seats"}
        return "; ".join(
            what if times == 1 else many.get(what, "{0}, {1} times").format(what, times)
            for what, times in counted.items()
        )


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The assignment before and after a change that is not stored yet."""

    words: str
    before: Tally
    after: Tally

    @property
    def lines(self) -> tuple[tuple[str, str, str, str], ...]:
        """Each figure before, after, and what lies between, with its sign."""
        named = (
            ("Total fit", self.before.total, self.after.total),
            ("Worst served application", self.before.floor, self.after.floor),
            ("Heaviest load", self.before.heaviest, self.after.heaviest),
            ("Lightest load", self.before.lightest, self.after.lightest),
            ("Rules broken", len(self.before.broken), len(self.after.broken)),
        )
        return tuple((name, grouped(old), grouped(new), _signed(new - old)) for name, old, new in named)


def _signed(difference: int) -> str:
    """A difference as it is written: grouped, and with the sign of a sum.

    >>> _signed(-1171), _signed(5), _signed(0)
    ('\u22121\xa0171', '+5', '0')
    """
    sign = "\u2212" if difference < 0 else "+" if difference else ""
    return f"{sign}{grouped(abs(difference))}"


# So many people stand in sight, who could take a seat with the best first; more of a pool of hundreds are a line that opens.
BEST_SHOWN = 15


@dataclass(frozen=True, slots=True)
class AdjustPage:
    """One application, its seats, and who could take one."""

    head: ApplicationHead
    seats: tuple[SeatView, ...]
    locked: frozenset[str]
    missing: int
    people: tuple[tuple[PoolMember, str, int], ...]
    # Of the seats as they stand: a form that shows others is overtaken.
    version: int = 0
    # None for who sees a part of the call: its figures are of all of it.
    what_if: WhatIf | None = None
    partial: bool = False

    @property
    def unable(self) -> tuple[str, ...]:
        """Why each of the others cannot take a seat."""
        return tuple(reason for _, reason, _ in self.people if reason)

    @property
    def unable_opens(self) -> bool:
        """Whether they are so many that they stand behind a line."""
        return len(self.unable) > BEST_SHOWN


def seats_version(seats: Iterable[tuple[UUID, str, bool]]) -> int:
    """One number for the seats of an application, of the id, state and lock of each: whatever changes is another one."""
    told = sorted([str(key), state, locked] for key, state, locked in seats)
    return int.from_bytes(digest(told)[:7])
