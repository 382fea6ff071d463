"""Acts on privacy notices: a new version for a call, and that somebody of an application read and accepted one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.applications import queries
from grants.applications.models import Application, ApplicationNotice
from grants.applications.queries.privacy import notice_asked
from grants.applications.services.notices import people_at_work
from grants.calls import queries as calls
from grants.calls.models import CallPrivacyNotice
from grants.calls.rules.privacy import PrivacyText, checked_notice, refuse_unread
from grants.core import encoding
from grants.core.acts import act
from grants.core.db import db, get
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
        people_at_work(call_id),
        "privacy_notice",
        "call",
        call_id,
        title=call.title,
        slug=call.slug,
        number=number,
        note=words,
    )
    return number


@act(
    "application.accept_notice",
    needs=Permission.APPLICATION_READ,
    scope=queries.scope_of,
    says="accepted the privacy notice for application {subject}",
)
def accept_notice(actor: Actor, application_id: UUID, number: int) -> None:
    """Somebody of the team read the version that stands."""
    if queries.is_team(actor, application_id):
        note_acceptance(actor, application_id, number)


def note_acceptance(actor: Actor, application_id: UUID, number: int | None) -> None:
    """Keep that the actor accepted the notice that stands, inside the act by which they begin or join.

    Raises :class:`Invalid` where the form carried no version, or one that stands no more.
    """
    application = get(Application, application_id)
    asked = notice_asked(actor.user_id, application.call_id, application_id)
    refuse_unread(asked, number)
    if asked is not None:
        db.session.add(ApplicationNotice(application_id=application_id, user_id=actor.user_id, number=asked.number))


def refuse_sending_unread(actor: Actor, application: Application) -> None:
    """Whoever sends for all has read the version that stands."""
    asked = notice_asked(actor.user_id, application.call_id, application.id)
    if asked is not None:
        raise Refused(
            f"The privacy notice of this call is at version {asked.number}, which you have not accepted yet. "
            "Read it on the page of the application and accept it, then send."
        )
