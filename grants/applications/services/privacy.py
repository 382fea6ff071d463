"""Privacy notices in an application: that somebody of its team read and accepted the one of the call."""

from __future__ import annotations

from uuid import UUID

from grants.applications import queries
from grants.applications.models import Application, ApplicationNotice
from grants.applications.queries.privacy import notice_asked
from grants.calls.rules.privacy import refuse_unread
from grants.core.acts import act
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission


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
