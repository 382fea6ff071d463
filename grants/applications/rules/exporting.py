"""The list of applications as a file: its forms and limits, what it says of itself, and how one stands that a job makes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from grants.applications.rules.listing import Listing
from grants.applications.rules.saving import listing_at
from grants.core import clock
from grants.core.money import Money

# What a page makes by itself, in a fraction of a second; anything longer is a job.
AT_ONCE_ROWS_MAX = 1_000
# A list goes old, and it names people: nobody needs last week's.
KEPT_FOR = timedelta(days=7)
FILES_MAX = 20


class ListForm(StrEnum):
    """As what a list leaves the program; the value is the ending of its address and of its name."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def label(self) -> str:
        """As a sentence calls it."""
        return {ListForm.CSV: "CSV file", ListForm.XLSX: "workbook"}[self]

    @property
    def rows_max(self) -> int:
        """How many rows one file holds."""
        return {ListForm.CSV: 100_000, ListForm.XLSX: 20_000}[self]

    @property
    def too_long(self) -> str:
        """What a list that does not fit is told, with the way out."""
        way_out = {
            ListForm.CSV: "Narrow it and take it out in parts.",
            ListForm.XLSX: "Take it out as CSV, which has room for 100,000, or narrow it.",
        }[self]
        return f"This list has more than {self.rows_max:,} rows. {way_out}"

    def words(self, rows: int) -> str:
        """What becomes of a list of so many rows: it is made while one waits, or by a job, or does not fit.

        >>> ListForm.CSV.words(1)
        'It has 1 row, and is made while you wait, as every list of up to 1,000.'
        >>> ListForm.CSV.words(1_840)
        'It has 1,840 rows. A list of more than 1,000 is made by a job; you may go on meanwhile.'
        """
        if rows > self.rows_max:
            return self.too_long
        counted = f"It has {rows:,} {'row' if rows == 1 else 'rows'}"
        if made_at_once(rows):
            return f"{counted}, and is made while you wait, as every list of up to {AT_ONCE_ROWS_MAX:,}."
        return f"{counted}. A list of more than {AT_ONCE_ROWS_MAX:,} is made by a job; you may go on meanwhile."


def made_at_once(rows: int) -> bool:
    """Whether a page writes a list of so many rows by itself."""
    return rows <= AT_ONCE_ROWS_MAX


@dataclass(frozen=True, slots=True)
class Cover:
    """What a file says of itself."""

    filter: str
    order: str
    as_of: datetime
    by: str
    rows: int
    asked: Money

    @property
    def lines(self) -> tuple[tuple[str, object], ...]:
        """Label and value of each line, for a sheet of its own or above the rows."""
        return (
            ("List", "Applications"),
            ("Filter", self.filter),
            ("Order", self.order),
            ("As of (UTC)", clock.as_utc(self.as_of).isoformat()),
            ("Taken out by", self.by),
            ("Rows", self.rows),
            ("Asked for in all, EUR", self.asked),
        )


@dataclass(frozen=True, slots=True)
class ListFileView:
    """A file of a list as its owner sees it: asked for, being made, there until a day, or failed."""

    id: UUID
    number: int
    form: ListForm
    address: str
    asked_at: datetime
    made_at: datetime | None
    rows: int | None
    # Of the job that makes it.
    running: bool
    failed: bool
    done: int
    total: int
    attempt: int
    note: str
    error: str
    # Whether what this person may read is what it was when the file was made.
    same_reach: bool
    # Head and rows alone.
    bare: bool = False

    @property
    def rows_written(self) -> tuple[int, int]:
        """How many rows its job has written, of how many; the last of its steps is the keeping of the file."""
        rows = max(0, self.total - 1)
        return min(self.done, rows), rows

    @property
    def listing(self) -> Listing:
        """The list it is of."""
        return listing_at(self.address)

    @property
    def kept_until(self) -> datetime | None:
        """When it is removed."""
        return self.made_at + KEPT_FOR if self.made_at else None

    def is_there(self, now: datetime) -> bool:
        """Whether it can be taken: made, not too old, and of what this person may still read.

        A conflict that was declared meanwhile must not be read around by an older file.
        """
        return self.kept_until is not None and now < self.kept_until and self.same_reach

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.made_at is not None or self.failed
