"""Reads of privacy notices in an application: the version somebody has yet to accept, and who accepted which."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.applications.models import ApplicationNotice
from grants.calls.models import Call, CallPrivacyNotice
from grants.calls.rules.privacy import NoticeAsked
from grants.core.together import Asking, ask, reader
from grants.identity.models import User

ACCEPTED_MAX = 200


@reader
def notice_asked(user_id: UUID | None, call_id: UUID, application_id: UUID | None = None) -> Asking[NoticeAsked | None]:
    """The notice this person has yet to accept, for an application or before there is one; one statement."""
    newest = select(func.max(CallPrivacyNotice.number)).where(CallPrivacyNotice.call_id == call_id).scalar_subquery()
    accepted = (
        select(func.max(ApplicationNotice.number))
        .where(ApplicationNotice.application_id == application_id, ApplicationNotice.user_id == user_id)
        .scalar_subquery()
    )
    (row,) = yield from ask(
        select(Call.slug, newest.label("newest"), accepted.label("accepted")).where(Call.id == call_id)
    )
    if row.newest is None or row.accepted == row.newest:
        return None
    return NoticeAsked(row.slug, row.newest, row.accepted)


@reader
def accepted(application_id: UUID) -> Asking[tuple[tuple[str, int, datetime], ...]]:
    """(who, which version, when) of everybody of an application, the newest first; one statement."""
    rows = yield from ask(
        select(User.name, ApplicationNotice.number, ApplicationNotice.created_at)
        .join(User, User.id == ApplicationNotice.user_id)
        .where(ApplicationNotice.application_id == application_id)
        .order_by(ApplicationNotice.created_at.desc(), User.name)
        .limit(ACCEPTED_MAX)
    )
    return tuple((row[0], row[1], row[2]) for row in rows)
