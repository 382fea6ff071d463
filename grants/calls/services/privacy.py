"""The act on the privacy notice of a call: a new version, which everybody at work on an application is asked to read."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.calls import queries as calls
from grants.calls.models import CallPrivacyNotice
from grants.calls.rules.privacy import PrivacyText, checked_notice
from grants.core import encoding
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import services as people


@act(
    "call.add_privacy_notice",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="published a version of the privacy notice of call {subject}",
)
def add_privacy_notice(actor: Actor, call_id: UUID, given: PrivacyText, note: str = "") -> int:
    """Publish a version of the notice; a later one says what changed, and everybody is asked again. Returns its number."""
    call = calls.call_by_id(call_id)
    if call.published_at is None:
        raise Refused("This call is a draft: its first privacy notice is a part of it, on the page where it is built.")
    kept = checked_notice(given)
    last = db.session.scalar(select(func.max(CallPrivacyNotice.number)).where(CallPrivacyNotice.call_id == call_id))
    words = note.strip()
    if last and not words:
        raise Invalid("Say what changed.", {"note": "Say what changed. Everybody who is asked again reads it."})
    number = (last or 0) + 1
    db.session.add(
        CallPrivacyNotice(
            call_id=call_id,
            number=number,
            content=encoding.encode(kept),
            note=words if last else None,
            published_by=actor.user_id,
        )
    )
    people.mail(
        calls.people_at_work(call_id),
        "privacy_notice",
        "call",
        call_id,
        title=call.title,
        slug=call.slug,
        number=number,
        note=words,
    )
    return number
