"""A ranked list narrowed to what somebody looks for, in its official order unless another is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from grants.awards.rules.showing import LISTS_KEPT, RankingPage, RankingRow
from grants.awards.rules.strips import far_apart
from grants.calls.rules import SelectionRules
from grants.core.kept import ByIdentity

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


class Order(StrEnum):
    """By what a list is put in another order than the official one, which breaks its ties; its ranks stay as they are."""

    SCORE = "score"
    AMOUNT = "amount"
    TITLE = "title"
    COUNTRY = "country"

    @property
    def words(self) -> str:
        """For pages."""
        return {"score": "score", "amount": "what is asked for", "title": "title", "country": "country"}[self.value]

    def of(self, row: RankingRow) -> Any:
        """What of a row it goes by."""
        match self:
            case Order.SCORE:
                return row.score or Fraction(0)
            case Order.AMOUNT:
                return row.requested.cents
            case Order.TITLE:
                return row.title.casefold()
            case Order.COUNTRY:
                return row.country


@dataclass(frozen=True, slots=True)
class Sorting:
    """The order that is asked for, as the address says it: a name, with “-” before it for the largest first; “” is the official one.

    >>> Sorting("amount").turned("amount"), Sorting("-amount").turned("amount"), Sorting().turned("title")
    ('-amount', 'amount', 'title')
    """

    key: str = ""

    @property
    def by(self) -> Order | None:
        """By what; None for the official order."""
        return Order(self.key.lstrip("-")) if self.key else None

    @property
    def descending(self) -> bool:
        """Whether the largest stands first."""
        return self.key.startswith("-")

    def turned(self, name: str) -> str:
        """Where the head of a column leads: to that order, or to the other way round; the largest number comes first."""
        if self.by != name:
            return f"-{name}" if name in (Order.SCORE, Order.AMOUNT) else name
        return name if self.descending else f"-{name}"

    @property
    def words(self) -> str:
        """What the page says of it; empty for the official order."""
        if self.by is None:
            return ""
        way = "the largest or last first" if self.descending else "the smallest or first first"
        return f"In order of {self.by.words}, {way}. Ranks and running totals are those of the official list."

    def ordered(self, rows: Sequence[RankingRow]) -> tuple[RankingRow, ...]:
        """The rows in this order; between rows of another order than the official one stands no line."""
        by = self.by
        if by is None:
            return tuple(rows)
        found = sorted(rows, key=by.of, reverse=self.descending)
        return tuple(replace(row, line_after=False) if row.line_after else row for row in found)


SORTINGS = {key: Sorting(key) for each in Order for key in (each.value, f"-{each.value}")}
OFFICIAL = Sorting()


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
    sorting: Sorting = OFFICIAL

    @property
    def words(self) -> str:
        """How many are left, where not all are."""
        if not self.is_narrow:
            return ""
        near = f": up to {self.around} above the line and {self.around} below it" if self.around else ""
        return (
            f"{len(self.rows)} of {self.total} applications{'' if self.sorting.by else ', in the official order'}{near}. "
            "Ranks and running totals are those of the whole list."
        )


def narrowed(shown: RankingPage, look: Look | None = None, country: str = "", strand: str = "") -> Narrowed:
    """The list as it is, or as somebody wants to see it."""
    mark = _marked if shown.lasts else _marked.__wrapped__
    marked = mark(
        ByIdentity(shown.rows),
        bool(shown.line_words),
        shown.marking.total_max_half,
        shown.bare_threshold_half,
        shown.rules,
    )
    is_narrow = bool(look or country or strand)
    left = [
        (place, row)
        for place, row in enumerate(shown.rows if is_narrow else ())
        if (look is None or look in marked.marks[place])
        and (not country or row.country == country)
        and (not strand or marked.strand_of[place] == strand)
    ]
    return Narrowed(
        _with_line(left, marked.line_at) if is_narrow else shown.rows, len(shown.rows), marked.looks, marked.countries,
        marked.strands, is_narrow, around_rows(len(shown.rows)) if look is Look.LINE else 0,
    )  # fmt: skip


class _Marked(NamedTuple):
    """By row of a list what it is looked for by, and what may be asked for."""

    line_at: int | None
    marks: tuple[frozenset[Look], ...]
    strand_of: tuple[str, ...]
    looks: tuple[tuple[Look, int], ...]
    countries: tuple[tuple[str, int], ...]
    strands: tuple[tuple[str, int], ...]


# The rows of most lists are the same from look to look.
@lru_cache(maxsize=LISTS_KEPT)
def _marked(
    kept: ByIdentity[tuple[RankingRow, ...]],
    has_line: bool,
    most_half: int,
    threshold_half: int | None,
    rules: SelectionRules,
) -> _Marked:
    rows = kept.value
    at = _line_at(rows) if has_line else None
    apart = [far_apart(row.totals_half, most_half, threshold_half) for row in rows]
    marks = tuple(
        _looks(row, place, at, around_rows(len(rows)), far)
        for place, (row, far) in enumerate(zip(rows, apart, strict=True))
    )
    strands = tuple(_strand(rules, row) for row in rows) if rules.strands else ("",) * len(rows)
    found = Counter(mark for each in marks for mark in each)
    # What leaves the whole list is no choice.
    looks = tuple(
        (each, found[each]) for each in Look if (each is not Look.LINE or at is not None) and found[each] < len(rows)
    )
    return _Marked(at, marks, strands, looks, _offered(row.country for row in rows), _offered(strands))


def _offered(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Each name with how often it stands there; nothing to choose where all have one, or none."""
    found = Counter(names)
    return tuple((name, found[name]) for name in sorted(found) if name) if len(found) > 1 else ()


def _line_at(rows: Sequence[RankingRow]) -> int:
    """How many rows stand above the line."""
    return next((place for place, row in enumerate(rows, 1) if row.line_after), 0)


def around_rows(total: int) -> int:
    """How many rows above the line, and below it, are around it.

    >>> around_rows(15), around_rows(1_000)
    (3, 10)
    """
    return min(AROUND_ROWS, max(1, total // 5))


def _looks(row: RankingRow, place: int, at: int | None, around: int, is_apart: bool) -> frozenset[Look]:
    found = {Look.APART} if is_apart else set()
    # No line is drawn for who sees a part of the list.
    if at is not None and row.rank is not None and at - around <= place < at + around:
        found.add(Look.LINE)
    return frozenset(found)


def _strand(rules: SelectionRules, row: RankingRow) -> str:
    strand = rules.strand_of(row.requested)
    return strand.name if strand else ""


def _with_line(left: Sequence[tuple[int, RankingRow]], at: int | None) -> tuple[RankingRow, ...]:
    """The line below the last that is left of those above it."""
    above = [number for number, (place, _) in enumerate(left) if at is not None and place < at]
    last = above[-1] if above else None
    return tuple(replace(row, line_after=number == last) for number, (_, row) in enumerate(left))
