"""Reads of the privacy notice of a call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls.models import CallPrivacyNotice
from grants.calls.rules.privacy import NoticeView, PrivacyText
from grants.core import encoding
from grants.core.db import db

VERSIONS_MAX = 100


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
