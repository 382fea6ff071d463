"""The file with all applications that an evaluator may read, as its owner sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

PACK_KIND = "reading_pack"
# The PDF of one submitted version, one for all who read it; the job that makes it is about a seat.
COPY_KIND = "reading_copy"
COPY_ROLE = "pdf"
# Before it is packed; what is larger is read on its pages.
PACK_BYTES_MAX = 500_000_000
# What a title may hold and the name of a file may not.
_NO_PATH = str.maketrans("/\\", "--")


def packed_name(reference: str, title: str) -> str:
    """What the PDF of an application is called in the packed file.

    >>> packed_name("PCP-2027-A-0001", "Cool roofs/walls")
    'PCP-2027-A-0001 Cool roofs-walls.pdf'
    """
    return f"{reference} {title.translate(_NO_PATH)}.pdf"


def attached_folder(reference: str) -> str:
    """Where in the packed file the PDFs stand that are attached to an application."""
    return f"{reference} files"


@dataclass(frozen=True, slots=True)
class ToRead:
    """One application that is open to somebody now, with what was submitted."""

    application_id: UUID
    submission_id: UUID
    reference: str
    title: str
    # Of the person who asks.
    seat_id: UUID


@dataclass(frozen=True, slots=True)
class PackView:
    """The packed file: asked for, being made, there, shut again, or failed."""

    id: UUID
    asked_at: datetime
    made_at: datetime | None
    # References of what it holds.
    held: tuple[str, ...]
    # Whether all of that is still open to its owner: a conflict declared meanwhile shuts the file.
    still_open: bool
    # Applications that came since, or were left out then.
    missing: int
    running: bool
    failed: bool
    done: int
    total: int
    note: str
    error: str

    @property
    def is_there(self) -> bool:
        """Whether it can be taken."""
        return self.made_at is not None and self.still_open

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.made_at is not None or self.failed
