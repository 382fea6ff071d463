"""The list of applications as lines of a file, exactly as it is filtered and ordered."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from grants.applications.models import Application
from grants.applications.queries.lists import every_row
from grants.applications.queries.narrowing import narrowed
from grants.applications.queries.ordering import whole
from grants.applications.queries.reach import visible
from grants.applications.rules import words
from grants.applications.rules.listing import Listing
from grants.applications.states import ApplicationState
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Actor

EXPORT_ROWS_MAX = 100_000
PORTION = 500
HEAD = (
    *("reference", "title", "call", "state", "lead", "country", "organisations", "requested_eur", "sent_at_utc"),
    *("synthetic", "in_state_since_utc"),
)


def export_rows(actor: Actor, listing: Listing) -> Generator[Sequence[object], None, None]:
    """The rows of the list in its order, at most 100,000 and one more than that; one statement."""
    statement = every_row().add_columns(Application.synthetic_note).where(visible(actor), *narrowed(listing.wanted))
    ordered = whole(statement, listing.sorting).limit(EXPORT_ROWS_MAX + 1)
    # Read in portions, so that a long list never lies in memory as rows.
    with db.session.execute(ordered.execution_options(yield_per=PORTION)) as rows:
        for row in rows:
            yield _line(row)


def _line(row: Any) -> tuple[object, ...]:
    return (
        *(row.reference, row.title, row.call_title, words(ApplicationState(row.state)), row.name),
        *(row.country_code, row.organisations, row.requested),
        clock.as_utc(row.submitted_at).isoformat() if row.submitted_at else None,
        row.synthetic_note or ("invented municipality" if row.synthetic else None),
        clock.as_utc(row.state_since).isoformat(),
    )
