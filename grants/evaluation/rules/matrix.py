"""Applications down, evaluators across: how well each fits, who may not meet, who has the seat."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grants.core.paging import Rows
from grants.evaluation.rules.run_view import RunView
from grants.evaluation.rules.seating import LoadLine

# So many people stand across at once.
COLUMNS_MAX = 10
# More than any pool holds.
START_MAX = 1_000_000


class MatrixOrder(StrEnum):
    """Who stands across first."""

    MATTERS = "matters"
    ROOM = "room"

    @property
    def words(self) -> str:
        """As the page calls it."""
        return {"matters": "Seats here, then fit", "room": "Most room"}[self.value]


@dataclass(frozen=True, slots=True)
class MatrixSearch:
    """Whom a reader wants across: a part of the name, who first, and how many people are passed over."""

    text: str = ""
    order: MatrixOrder = MatrixOrder.MATTERS
    start: int = 0


FIRST_PEOPLE = MatrixSearch()


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """One evaluator across; the load is what the reader may know of it."""

    name: str
    handle: str
    load: int
    load_max: int


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One evaluator and one application: a seat that stands, a fit of somebody who may take one, or why they may not."""

    fit: int
    is_seat: bool = False
    is_conflict: bool = False
    is_locked: bool = False
    # Why this person cannot take a seat, as a sentence; empty where they may.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One application down; a cell for each column, in their order."""

    reference: str
    title: str
    missing: int
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True)
class PastAssignment:
    """What an assignment came to of which nothing is in evaluation: its runs, latest first, and what everybody had.

    ``askers`` are the names of those who asked for the runs, by the number of the run; one the record does not know has none.
    """

    runs: tuple[RunView, ...]
    askers: dict[int, str]
    loads: tuple[LoadLine, ...]

    @property
    def seats(self) -> int:
        """How many seats everybody had together, of those the reader may know of."""
        return sum(line.load for line in self.loads)

    @property
    def submitted(self) -> int:
        """On how many of these an assessment was submitted."""
        return sum(line.submitted for line in self.loads)


@dataclass(frozen=True, slots=True)
class MatrixPage:
    """A few applications with those of the pool that matter for them."""

    call_slug: str
    call_title: str
    per_application: int
    columns: tuple[MatrixColumn, ...]
    rows: Rows[MatrixRow]
    search: MatrixSearch = MatrixSearch()
    # How many the search finds, and how many of the pool stepped down and have no seat on what is shown.
    found: int = 0
    stepped_down: int = 0
    # Where nothing the reader sees is in evaluation: what the assignment was, if there was one.
    past: PastAssignment | None = None

    @property
    def next_start(self) -> int | None:
        """How many people to pass over for the next ones; None behind the last."""
        after = self.search.start + len(self.columns)
        return after if self.columns and after < self.found else None

    @property
    def previous_start(self) -> int | None:
        """The same for the ones before; None before the first."""
        return max(0, self.search.start - COLUMNS_MAX) if self.search.start else None

    @property
    def people_words(self) -> str:
        """Whom the page shows of how many, and who never stands across."""
        last = self.search.start + len(self.columns)
        of = f"{self.found} of the pool" + (f" with “{self.search.text}” in their name" if self.search.text else "")
        said = f"People {self.search.start + 1} to {last} of {of}."
        if self.stepped_down:
            one = self.stepped_down == 1
            said += f" {self.stepped_down} more stepped down and {'has' if one else 'have'} no seat here, so no column."
        return said
