"""Where somebody stopped on a sheet, and what was skipped for now: machinery like a session, no deed and no record of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, case, cast, extract, literal
from sqlalchemy.dialects.postgresql import insert

from grants.core import clock
from grants.core.acts import bookkeeping
from grants.evaluation.models import SheetPlace
from grants.evaluation.rules import Place

# An open page tells of itself more often than this; after a longer silence nobody was working on it.
SILENCE_MAX = timedelta(seconds=90)
CHARACTERS_MAX = 200
OFFSET_MAX = 1_000_000


def keep_place(seat_id: UUID, place: Place) -> None:
    """Where this seat is read and written now; the time since it last told so counts as worked."""
    _put(
        seat_id,
        {
            "answer": place.answer[:CHARACTERS_MAX],
            "answer_offset": max(-OFFSET_MAX, min(OFFSET_MAX, place.answer_offset)),
            "field": place.field[:CHARACTERS_MAX],
            "field_offset": max(-OFFSET_MAX, min(OFFSET_MAX, place.field_offset)),
            # Whoever is back at it has not skipped it.
            "skipped_at": None,
        },
    )


def skip(seat_id: UUID) -> None:
    """Leave a sheet for later: it comes again when nothing else is open."""
    _put(seat_id, {"skipped_at": clock.now()})


def _put(seat_id: UUID, values: Mapping[str, Any]) -> None:
    now = clock.now()
    begun = {"answer": "", "answer_offset": 0, "field": "", "field_offset": 0, "seconds": 0, "skipped_at": None}
    since = literal(now) - SheetPlace.at
    worked = case((since <= SILENCE_MAX, cast(extract("epoch", since), Integer)), else_=0)
    statement = insert(SheetPlace).values(assignment_id=seat_id, at=now, **{**begun, **values})
    with bookkeeping() as books:
        books.execute(
            statement.on_conflict_do_update(
                index_elements=[SheetPlace.assignment_id],
                set_={**values, "at": now, "seconds": SheetPlace.seconds + worked},
            )
        )
