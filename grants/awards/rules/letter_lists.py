"""The list of the letters of a call: a page of it after a key, how far they are together, and what is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grants.awards.rules.letters import LetterRow
from grants.awards.states import LetterState
from grants.core.paging import Page, Rows, cut


def is_missing(row: LetterRow) -> bool:
    """Whether its team was told nothing yet, by a letter or otherwise."""
    return row.state is not LetterState.SENT and row.told_at is None


def page_of(rows: Sequence[LetterRow], page: Page) -> Rows[LetterRow]:
    """The rows after the one whose reference the page names; from the first where it is not in the list any more."""
    at = next((number for number, row in enumerate(rows, 1) if row.reference == page.after), 0)
    found = Page(page.size, page.after if at else None)
    return cut(rows[at : at + page.limit], found, key=lambda row: row.reference, total=len(rows))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many letters of a call stand how."""

    total: int
    told: int
    missing: tuple[tuple[int, str], ...] = ()
    unread: int = 0
    kept: int = 0

    @classmethod
    def of(cls, rows: Sequence[LetterRow]) -> Counts:
        """Over every row a reader may look at."""
        still = [row for row in rows if is_missing(row)]
        named = {
            "to be prepared": [row for row in still if row.waits and not row.exceptions],
            "with something missing": [row for row in still if row.blocks],
            "waiting for a second person": [row for row in still if row.state is LetterState.PREPARED],
            "on the way": [row for row in still if row.state is LetterState.QUEUED],
            "failed": [row for row in still if row.state is LetterState.FAILED],
            "left out and not told otherwise": [row for row in still if row.state is None and row.left_out],
        }
        told = [row for row in rows if row.state is LetterState.SENT]
        return cls(
            len(rows),
            len(rows) - len(still),
            tuple((len(found), words) for words, found in named.items() if found),
            sum(row.acknowledged_at is None for row in told),
            sum(row.delivery.kept for row in told),
        )

    @property
    def open(self) -> int:
        """How many teams know nothing yet."""
        return self.total - self.told

    @property
    def words(self) -> str:
        """What is still missing, in a sentence; empty where nothing is.

        >>> Counts(60, 50, ((8, "to be prepared"), (2, "failed")), 3).words
        'Still missing: 8 to be prepared, 2 failed. 3 are not acknowledged yet.'
        >>> Counts(3, 3, (), 1).words
        '1 is not acknowledged yet.'
        """
        still = ", ".join(f"{number} {said}" for number, said in self.missing)
        unread = f"{self.unread} {'is' if self.unread == 1 else 'are'} not acknowledged yet."
        return " ".join(filter(None, (f"Still missing: {still}." if still else "", unread if self.unread else "")))
