"""The small pictures of a row of the ranked list: the marks behind its score as a strip, and the running total as a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grants.calls.rules import Half, points
from grants.core.money import Money

STRIP_FROM, STRIP_TO = 6, 184
BAR_WIDTH = 90


@dataclass(frozen=True, slots=True)
class Strip:
    """Evaluators' totals as dots and the official score before weights as a triangle, on one scale from zero to the most."""

    dots: tuple[tuple[int, int], ...]
    first: int
    last: int
    consensus: int
    words: str
    # Where they disagree enough to be marked: by how much.
    apart: str = ""


# A sixth of all points between two evaluators (2.5 of 15), or the threshold in all between them; `apart_words` say so.
APART_FROM = Fraction(1, 6)


def strip(totals_half: Sequence[int], consensus_half: Half, most_half: int, threshold_half: int | None = None) -> Strip:
    """Where the marks of one row stand; equal totals are stacked.

    >>> strip((10, 10, 20), 12, 20).dots
    ((95, 13), (95, 8), (184, 13))

    Where no sheet is whole, nobody's total is drawn.

    >>> strip((), 12, 20).dots, strip((), 12, 20).words
    ((), 'none of the sheets has every score')

    Those that lie far apart, or on both sides of the threshold in all, are told of.

    >>> strip((18, 24), 20, 30, 20).apart, strip((20, 22), 20, 30, 20).apart, strip((19, 20), 20, 30, 20).apart
    ('3 points apart, on both sides of the threshold', '', '0.5 point apart, on both sides of the threshold')
    """
    agreed = _place(consensus_half, most_half)
    if not totals_half:
        return Strip((), agreed, agreed, agreed, "none of the sheets has every score")
    given: list[Half] = sorted(totals_half)
    dots, seen = [], dict.fromkeys(given, 0)
    for half in given:
        dots.append((_place(half, most_half), 13 - 5 * seen[half]))
        seen[half] += 1
    lowest, highest = points(given[0]), points(given[-1])
    words = f"all {lowest}" if lowest == highest else f"from {lowest} to {highest}"
    return Strip(tuple(dots), dots[0][0], dots[-1][0], agreed, words, _apart(given, most_half, threshold_half))


def far_apart(totals_half: Sequence[Half], most_half: int, threshold_half: int | None = None) -> bool:
    """Whether evaluators are marked as far apart, without drawing their marks.

    >>> far_apart((18, 24), 30, 20), far_apart((20, 22), 30, 20), far_apart((), 30)
    (True, False, False)
    """
    if not totals_half:
        return False
    lowest, highest = min(totals_half), max(totals_half)
    astride = threshold_half is not None and lowest < threshold_half <= highest
    # In whole numbers: it is asked of every row of a long list.
    return astride or (highest - lowest) * APART_FROM.denominator >= most_half * APART_FROM.numerator


def _apart(given: Sequence[Half], most_half: int, threshold_half: int | None) -> str:
    if not far_apart(given, most_half, threshold_half):
        return ""
    spread = given[-1] - given[0]
    astride = threshold_half is not None and given[0] < threshold_half <= given[-1]
    unit = "point" if spread <= 2 else "points"
    return f"{points(spread)} {unit} apart{', on both sides of the threshold' if astride else ''}"


def _place(half: Half, most_half: int) -> int:
    return STRIP_FROM + int((STRIP_TO - STRIP_FROM) * half // max(1, most_half))


def bar(running: Money, budget: Money) -> tuple[int, int]:
    """How far the running total reaches, and where the budget line stands; the wider of the two fills the bar."""
    most = max(running.cents, budget.cents, 1)
    return BAR_WIDTH * running.cents // most, BAR_WIDTH * budget.cents // most
