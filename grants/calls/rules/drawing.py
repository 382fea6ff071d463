"""What a call says about drawing by lot at its budget line, and the draw itself: an order anybody can recompute.

The seed is made when the call is published and only its SHA-256 is told; the seed itself comes out only when a second
person confirms the list. So it stood before anybody could know who would be in the group, and nobody decides a list who
knows it. The place of an application hangs on the seed and on its own
reference alone: who else is drawn, and in which order they are named, changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from grants.calls.rules.scoring import exact_words

SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class DrawRules:
    """Who is drawn at the budget line: those within so many points of the first score that does not fit.

    Nothing (0) means those that share its score and stay tied by every rule of the call. ``intervals``: those whose 50 % rank
    interval crosses the line, by the advice as it stands when the list is decided; only tied ones where the method gives none.
    """

    within: Fraction
    intervals: bool = False

    @property
    def group_words(self) -> str:
        """The group in words.

        >>> DrawRules(Fraction(1, 2)).group_words
        'the applications within 0.5 point of the first score that does not fit'
        """
        if self.intervals:
            return "the applications whose 50 % rank interval crosses the line"
        if not self.within:
            return "the applications that stay tied by every rule of the call where not all of them fit"
        unit = "point" if self.within <= 1 else "points"
        return f"the applications within {exact_words(self.within)} {unit} of the first score that does not fit"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The rule in words, as everybody reads it."""
        return (
            f"At the budget line, {self.group_words} are put in order by lot.",
            *(INTERVALS if self.intervals else ()),
            "The seed of that draw is fixed when the call is published: its SHA-256 stands on the page of the call from "
            "then on, the seed itself is published with the results.",
        )


INTERVALS = (
    "The intervals are those of the advice from all score sheets as they are when the list is decided, and are kept with the "
    "decision: a rank is one among all that were assessed, and an interval crosses the line where it holds the last rank above "
    "it and the first below. Who is tied with one of them by every rule of the call is drawn too; who is not drawn keeps the "
    "place of the list.",
    "Where the method gives no intervals, only those that stay tied by every rule of the call are drawn.",
)


@dataclass(frozen=True, slots=True)
class Intervals:
    """The 50 % rank intervals of a run of the advice, by reference; ``why_not`` where there are none.

    ``missing``: nothing was worked out from the score sheets as they are, so that a list that needs it waits.
    """

    run: int = 0
    input_sha256: str = ""
    each: tuple[tuple[str, int, int], ...] = ()
    why_not: str = ""
    missing: bool = False

    @property
    def words(self) -> str:
        """Where the group at the line comes from, in a sentence.

        >>> Intervals(why_not="too few score sheets").words
        'The method gives no rank intervals (too few score sheets), so only tied applications are drawn.'
        """
        if self.why_not:
            return f"The method gives no rank intervals ({self.why_not}), so only tied applications are drawn."
        return (
            f"The 50 % rank intervals of {len(self.each)} applications are those of run {self.run} of the advice, whose input has "
            f"the SHA-256 {self.input_sha256}."
        )

    def crossing(self, above: int) -> frozenset[str]:
        """Whose interval holds the last of so many ranks above the line and the first below.

        >>> sorted(Intervals(each=(("A", 1, 2), ("B", 2, 3), ("C", 3, 4), ("D", 1, 3))).crossing(2))
        ['B', 'D']
        """
        return frozenset(reference for reference, low, high in self.each if low <= above < high)


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw that was made: by which rule, from which seed, and the references of its group in drawn order."""

    rules: DrawRules
    seed: str
    drawn: tuple[str, ...] = ()

    def order(self, references: Iterable[str]) -> tuple[str, ...]:
        """References in drawn order.

        >>> Draw(DrawRules(Fraction(0)), "7").order(("A-1", "A-2", "A-3"))
        ('A-2', 'A-3', 'A-1')
        """
        return tuple(sorted(references, key=lambda reference: (ticket(self.seed, reference), reference)))

    @property
    def sentences(self) -> tuple[str, ...]:
        """How it was drawn, so that anybody can draw again."""
        return (
            f"By lot: at the budget line, {self.rules.group_words} are in drawn order.",
            f"The seed is {self.seed}; its SHA-256, {seed_sha256(self.seed)}, was published with the call.",
            METHOD,
        )

    @property
    def told(self) -> tuple[str, ...]:
        """The same with the order it came to, for the pages and papers of a list."""
        return (*self.sentences, f"In drawn order: {', '.join(self.drawn)}.")

    def place_words(self, reference: str) -> str:
        """Which place an application was drawn at; empty where it was not drawn.

        >>> Draw(DrawRules(Fraction(0)), "7", ("A-2", "A-1")).place_words("A-1")
        'Drawn by lot: place 2 of 2 at the line.'
        """
        if reference not in self.drawn:
            return ""
        return f"Drawn by lot: place {self.drawn.index(reference) + 1} of {len(self.drawn)} at the line."


METHOD = (
    "To draw again: for each reference take the SHA-256 of the seed, a colon and the reference, as text in UTF-8 and "
    "written in hexadecimal; the lowest comes first."
)
# The same as a program, in a line of its own.
SCRIPT = (
    "import hashlib, sys\n"
    "seed, *references = sys.argv[1:]\n"
    'print("SHA-256 of the seed:", hashlib.sha256(seed.encode()).hexdigest())\n'
    'ticket = lambda reference: hashlib.sha256(f"{seed}:{reference}".encode()).hexdigest()\n'
    'print(*sorted(references, key=ticket), sep="\\n")\n'
)


def ticket(seed: str, reference: str) -> str:
    """What decides the place of one application.

    >>> ticket("7", "A-1")[:8]
    'd239e4df'
    """
    return hashlib.sha256(f"{seed}:{reference}".encode()).hexdigest()


def seed_sha256(seed: str) -> str:
    """What is told of a seed before it comes out."""
    return hashlib.sha256(seed.encode()).hexdigest()
