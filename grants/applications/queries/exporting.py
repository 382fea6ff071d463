"""The list of applications as lines of a file, exactly as it is filtered and ordered, with the columns it shows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from grants.applications.models import Application
from grants.applications.queries.lists import every_row
from grants.applications.queries.narrowing import narrowed
from grants.applications.queries.ordering import whole
from grants.applications.queries.reach import visible
from grants.applications.rules import words
from grants.applications.rules.exporting import ListForm
from grants.applications.rules.listing import Column, Listing
from grants.applications.states import ApplicationState
from grants.core import clock
from grants.core.db import db
from grants.core.money import Money
from grants.core.permissions import Actor

EXPORT_ROWS_MAX = ListForm.CSV.rows_max
PORTION = 500
Cell = tuple[str, Callable[[Any], object]]


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One row of a file, and the amount its cover adds up whether that column is shown or not."""

    cells: Sequence[object]
    requested: Money | None


def _due(row: Any) -> object:
    return _utc(row.closes_at) if row.state == ApplicationState.DRAFT.value else None


def _utc(moment: Any) -> str | None:
    return clock.as_utc(moment).isoformat() if moment else None


def _synthetic(row: Any) -> object:
    return row.synthetic_note or ("invented municipality" if row.synthetic else None)


# What names a row stands in every file, and so does what says that it is invented.
_FIRST: tuple[Cell, ...] = (("reference", lambda row: row.reference), ("title", lambda row: row.title))
_LAST: tuple[Cell, ...] = (("synthetic", _synthetic),)
_OF_COLUMN: Mapping[Column, tuple[Cell, ...]] = {
    Column.LEAD: (("lead", lambda row: row.name), ("country", lambda row: row.country_code)),
    Column.CALL: (("call", lambda row: row.call_title),),
    Column.STATE: (("state", lambda row: words(ApplicationState(row.state))),),
    Column.ASKED: (("requested_eur", lambda row: row.requested),),
    Column.SENT: (("sent_at_utc", lambda row: _utc(row.submitted_at)), ("due_at_utc", _due)),
    Column.AGE: (("in_state_since_utc", lambda row: _utc(row.state_since)),),
    Column.PARTNERS: (("organisations", lambda row: row.organisations),),
}


def _cells(listing: Listing) -> tuple[Cell, ...]:
    shown = (cell for column in listing.columns for cell in _OF_COLUMN[column])
    return (*_FIRST, *shown, *_LAST)


def export_head(listing: Listing) -> tuple[str, ...]:
    """The names of the columns of a file of this list."""
    return tuple(name for name, _ in _cells(listing))


def export_rows(actor: Actor, listing: Listing) -> Generator[ExportLine, None, None]:
    """The rows of the list in its order, at most 100,000 and one more than that; one statement."""
    statement = every_row(actor).add_columns(Application.synthetic_note)
    statement = statement.where(visible(actor), *narrowed(actor, listing.wanted))
    ordered = whole(actor, statement, listing.sorting).limit(EXPORT_ROWS_MAX + 1)
    taken = tuple(take for _, take in _cells(listing))
    # Read in portions, so that a long list never lies in memory as rows.
    with db.session.execute(ordered.execution_options(yield_per=PORTION)) as rows:
        for row in rows:
            yield ExportLine(tuple(take(row) for take in taken), row.requested)


def rows_of_list(actor: Actor, listing: Listing, *, most: int) -> int:
    """How many rows the list has for this person, counted up to one more than ``most``."""
    found = select(Application.id).where(visible(actor), *narrowed(actor, listing.wanted)).limit(most + 1).subquery()
    return int(db.session.scalar(select(func.count()).select_from(found)) or 0)
