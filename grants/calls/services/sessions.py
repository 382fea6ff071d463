"""Acts on the information sessions of a call: announced, changed, called off, and what is left of them afterwards."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.calls import queries as calls
from grants.calls.models import CallSession
from grants.calls.queries import SLIDES_KIND
from grants.calls.rules import CallView, literal_of
from grants.calls.rules.sessions import CheckedSession, SessionInput, checked_session, refuse_unexplained_lateness
from grants.core import acts, files
from grants.core.acts import act
from grants.core.db import check_version, db
from grants.core.errors import NotFound, Refused
from grants.core.files import Incoming
from grants.core.permissions import Actor, Permission
from grants.identity import services as people

SLIDES_ROLE = "slides"
SESSIONS_MAX = 50


@act(
    "call.add_session",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="announced an information session of call {subject}",
)
def add_session(actor: Actor, call_id: UUID, given: SessionInput) -> int:
    """Announce a session; returns its number in the call."""
    call = calls.call_by_id(call_id)
    kept = checked_session(given, call.zone)
    _refuse_late(kept, call, given)
    last = db.session.scalar(select(func.max(CallSession.number)).where(CallSession.call_id == call_id)) or 0
    if last >= SESSIONS_MAX:
        raise Refused(f"A call has at most {SESSIONS_MAX} sessions.")
    row = CallSession(
        call_id=call_id,
        number=last + 1,
        title=kept.title,
        starts_at=kept.starts_at,
        ends_at=kept.ends_at,
        place=kept.place,
        link=kept.link,
        recording=kept.recording,
    )
    db.session.add(row)
    return row.number


def _refuse_late(kept: CheckedSession, call: CallView, given: SessionInput) -> None:
    """After the deadline only with a reason, which stands on the record."""
    refuse_unexplained_lateness(kept, call.closes_at, call.zone, given.late_why)
    if given.late_why.strip():
        acts.reason(given.late_why.strip())


@act(
    "call.edit_session",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="changed an information session of call {subject}",
)
def edit_session(actor: Actor, call_id: UUID, number: int, given: SessionInput, *, version: int | None = None) -> None:
    """Change a session or add its recording; where it moves or has another link, and is still to come, everybody with a
    draft is told.
    """
    row, call = _locked(call_id, number), calls.call_by_id(call_id)
    check_version(row, version)
    kept = checked_session(given, call.zone)
    if kept.starts_at != row.starts_at:
        _refuse_late(kept, call, given)
    moved = (row.starts_at, row.ends_at, row.place) != (kept.starts_at, kept.ends_at, kept.place)
    # Whoever keeps the old link in a calendar would wait there alone.
    joined = _link_change(row.link or "", kept.link or "")
    row.title, row.starts_at, row.ends_at = kept.title, kept.starts_at, kept.ends_at
    row.place, row.link, row.recording = kept.place, kept.link, kept.recording
    if (moved or joined) and row.cancelled_at is None and kept.ends_at > acts.moment():
        _tell(call_id, row, "moved" if moved else joined)


def _link_change(before: str, after: str) -> str:
    """What became of a link, as the mail names it; empty where nothing did."""
    if before == after:
        return ""
    return "relinked" if before and after else "linked" if after else "unlinked"


@act(
    "call.cancel_session",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="called off an information session of call {subject}",
)
def cancel_session(actor: Actor, call_id: UUID, number: int) -> None:
    """Call a session off; it stays on the page and says so, and everybody with a draft is told."""
    row = _locked(call_id, number)
    if row.cancelled_at is not None:
        raise Refused("This session is called off already.")
    if row.ends_at <= acts.moment():
        raise Refused("This session has taken place; it cannot be called off.")
    row.cancelled_at = acts.moment()
    _tell(call_id, row, "cancelled")


@act(
    "call.add_slides",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="added the slides of an information session of call {subject}",
)
def add_slides(actor: Actor, call_id: UUID, number: int, incoming: Incoming) -> None:
    """Keep the slides of a session; newer ones take the place of those that stand."""
    row = _locked(call_id, number)
    standing = next(iter(files.listed(SLIDES_KIND, row.id, SLIDES_ROLE)), None)
    if standing is not None and standing.sha256 == incoming.sha256:
        return
    files.keep(
        incoming, kind=SLIDES_KIND, object_id=row.id, role=SLIDES_ROLE, replaces=standing.id if standing else None
    )


def _locked(call_id: UUID, number: int) -> CallSession:
    row = db.session.scalars(
        select(CallSession).where(CallSession.call_id == call_id, CallSession.number == number).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _tell(call_id: UUID, row: CallSession, what: str) -> None:
    call = calls.call_by_id(call_id)
    if call.published_at is None:
        return
    people.mail(
        calls.people_at_work(call_id),
        "session_changed",
        "call",
        call_id,
        what=what,
        session=row.title,
        when=literal_of(row.starts_at, call.zone),
        place=row.place,
        title=call.title,
        slug=call.slug,
    )
