"""Lists that go on: a query is asked for so many rows after a key, and gives them with the key of the next page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ROWS_ON_A_PAGE = 50
ROWS_ON_A_PAGE_MAX = 200
# Where nothing keeps a total, counting ends here.
COUNTED_MAX = 1_000
# More digits than any number has that rows are told apart by, and fewer than the database cannot compare.
NUMBER_DIGITS_MAX = 9

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page:
    """What a list is asked for: at most ``size`` rows after the row whose sort key reads ``after``.

    Keys, not numbers of pages: a row that comes or goes never shifts the next page.
    """

    size: int = ROWS_ON_A_PAGE
    after: str | None = None

    @property
    def limit(self) -> int:
        """How many rows to read: one too many, which only says that there is more."""
        return self.size + 1

    @property
    def number(self) -> int | None:
        """The key as a number, for lists in the order of one; None where none was given, or nonsense.

        >>> Page(after="12").number, Page(after="1e5").number, Page(after="9" * 40).number
        (12, None, None)
        """
        after = self.after or ""
        return int(after) if after.isascii() and after.isdecimal() and len(after) <= NUMBER_DIGITS_MAX else None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are, or at least are where counting ended.

    >>> str(Tally(840)), str(Tally.of(1_001)), str(Tally(840) + Tally.of(1_001))
    ('840', '1000+', '1840+')
    """

    number: int
    more: bool = False

    @classmethod
    def of(cls, counted: int) -> Tally:
        """Of rows counted up to one more than :data:`COUNTED_MAX`."""
        return cls(min(counted, COUNTED_MAX), counted > COUNTED_MAX)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.number + other.number, self.more or other.more)

    def __str__(self) -> str:
        return f"{self.number}+" if self.more else str(self.number)


@dataclass(frozen=True, slots=True)
class Rows(Generic[Item]):
    """One page of a list; ``next_key`` is None on the last one, ``total`` None where counting would cost too much."""

    items: tuple[Item, ...]
    next_key: str | None = None
    total: int | Tally | None = None
    first: bool = True


def cut(
    found: Sequence[Item], page: Page, *, key: Callable[[Item], str], total: int | Tally | None = None
) -> Rows[Item]:
    """Cut what a query found for ``page.limit`` rows to one page.

    >>> cut(("a", "b", "c"), Page(size=2), key=str).next_key
    'b'
    """
    shown = tuple(found[: page.size])
    more = len(found) > page.size
    return Rows(shown, next_key=key(shown[-1]) if more and shown else None, total=total, first=page.after is None)


def paged(found: Sequence[Item], page: Page, *, key: Callable[[Item], str]) -> Rows[Item]:
    """One page of a list that is read whole, for its sums stand above it; each item has a key of its own.

    Where the item of the key is gone meanwhile the list begins anew.

    >>> paged(("a", "b", "c"), Page(size=1, after="a"), key=str).items
    ('b',)
    """
    keys = [key(each) for each in found]
    start = keys.index(page.after) + 1 if page.after in keys else 0
    rows = cut(found[start : start + page.limit], page, key=key, total=len(found))
    return Rows(rows.items, rows.next_key, rows.total, first=start == 0)
