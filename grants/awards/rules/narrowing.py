"""A ranked list narrowed to what somebody looks for, always in its official order: around the line, far apart, a country, a strand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from grants.awards.rules.showing import RankingPage, RankingRow
from grants.awards.rules.strips import far_apart

# At most so many rows above the line, and as many below it, are around it; of a short list a fifth.
AROUND_ROWS = 10


class Look(StrEnum):
    """What of a list somebody wants to see."""

    LINE = "line"
    APART = "apart"

    @property
    def words(self) -> str:
        """For pages."""
        return {"line": "Around the line", "apart": "Far apart"}[self.value]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The rows that are left, and what may be asked for with how many of the whole list it leaves; no choice with one answer."""

    rows: tuple[RankingRow, ...]
    total: int
    looks: tuple[tuple[Look, int], ...]
    countries: tuple[tuple[str, int], ...]
    strands: tuple[tuple[str, int], ...]
    is_narrow: bool
    # How many rows above and below the line are shown, where only these are.
    around: int = 0

    @property
    def words(self) -> str:
        """How many are left, where not all are."""
        if not self.is_narrow:
            return ""
        near = f": up to {self.around} above the line and {self.around} below it" if self.around else ""
        return (
            f"{len(self.rows)} of {self.total} applications, in the official order{near}. "
            "Ranks and running totals are those of the whole list."
        )


def narrowed(shown: RankingPage, look: Look | None = None, country: str = "", strand: str = "") -> Narrowed:
    """The list as it is, or as somebody wants to see it."""
    at, around = _line_at(shown), around_rows(len(shown.rows))
    marks = [_looks(shown, row, place, at, around) for place, row in enumerate(shown.rows)]
    strands = [_strand(shown, row) for row in shown.rows] if shown.rules.strands else [""] * len(shown.rows)
    found = Counter(mark for each in marks for mark in each)
    # What leaves the whole list is no choice.
    looks = tuple(
        (each, found[each])
        for each in Look
        if (each is not Look.LINE or at is not None) and found[each] < len(shown.rows)
    )
    left = [
        (place, row)
        for place, row in enumerate(shown.rows)
        if (look is None or look in marks[place])
        and (not country or row.country == country)
        and (not strand or strands[place] == strand)
    ]
    is_narrow = bool(look or country or strand)
    return Narrowed(
        _with_line(left, at) if is_narrow else shown.rows, len(shown.rows), looks,
        _offered(row.country for row in shown.rows), _offered(strands), is_narrow, around if look is Look.LINE else 0,
    )  # fmt: skip


def _offered(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Each name with how often it stands there; nothing to choose where all have one, or none."""
    found = Counter(names)
    return tuple((name, found[name]) for name in sorted(found) if name) if len(found) > 1 else ()


def _line_at(shown: RankingPage) -> int | None:
    """How many rows stand above the line; None where no line is drawn for this person."""
    if not shown.line_words:
        return None
    return next((place for place, row in enumerate(shown.rows, 1) if row.line_after), 0)


def around_rows(total: int) -> int:
    """How many rows above the line, and below it, are around it.

    >>> around_rows(15), around_rows(1_000)
    (3, 10)
    """
    return min(AROUND_ROWS, max(1, total // 5))


def _looks(shown: RankingPage, row: RankingRow, place: int, at: int | None, around: int) -> frozenset[Look]:
    found = set()
    if at is not None and row.rank is not None and at - around <= place < at + around:
        found.add(Look.LINE)
    if far_apart(row.totals_half, shown.marking.total_max_half, shown.bare_threshold_half):
        found.add(Look.APART)
    return frozenset(found)


def _strand(shown: RankingPage, row: RankingRow) -> str:
    strand = shown.rules.strand_of(row.requested)
    return strand.name if strand else ""


def _with_line(left: Sequence[tuple[int, RankingRow]], at: int | None) -> tuple[RankingRow, ...]:
    """The line below the last that is left of those above it."""
    above = [number for number, (place, _) in enumerate(left) if at is not None and place < at]
    last = above[-1] if above else None
    return tuple(replace(row, line_after=number == last) for number, (_, row) in enumerate(left))
