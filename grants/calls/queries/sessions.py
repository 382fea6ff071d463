"""Reads of the information sessions of a call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls.models import CallSession
from grants.calls.rules.sessions import SessionView, Slides
from grants.core import files
from grants.core.together import Asking, ask, both, reader

SLIDES_KIND = "call_session"


@reader
def sessions(call_id: UUID) -> Asking[tuple[SessionView, ...]]:
    """The information sessions of a call with their slides, the earliest first; one statement."""
    of_call = select(CallSession).where(CallSession.call_id == call_id)
    ids = select(CallSession.id).where(CallSession.call_id == call_id)
    found, slides = yield from both(
        ask(of_call.order_by(CallSession.starts_at, CallSession.number)), files.listed_in.asking(SLIDES_KIND, ids)
    )
    return tuple(
        SessionView(
            id=row.id,
            version=row.version,
            number=row.number,
            title=row.title,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            place=row.place,
            link=row.link,
            recording=row.recording,
            cancelled=row.cancelled_at is not None,
            slides=next(
                (Slides(each.id, each.name, each.size_bytes) for each in slides if each.object_id == row.id), None
            ),
        )
        for row in found
    )
