"""Reads of privacy notices: the versions of a call, and who of an application accepted which."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.applications.models import ApplicationNotice
from grants.calls.models import Call, CallPrivacyNotice
from grants.calls.rules.privacy import NoticeAsked, NoticeView, PrivacyText
from grants.core import encoding
from grants.core.db import db
from grants.core.together import Asking, ask, reader
from grants.identity.models import User

VERSIONS_MAX = 100
ACCEPTED_MAX = 200


def notices(call_id: UUID) -> tuple[NoticeView, ...]:
    """Every version of a call's notice, the newest first; one statement."""
    rows = db.session.scalars(
        select(CallPrivacyNotice)
        .where(CallPrivacyNotice.call_id == call_id)
        .order_by(CallPrivacyNotice.number.desc())
        .limit(VERSIONS_MAX)
    )
    return tuple(
        NoticeView(row.number, encoding.decode({"value": row.content}, PrivacyText), row.created_at, row.note)
        for row in rows
    )


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
