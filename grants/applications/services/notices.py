"""What everybody at work on an application of a call is told; the call's own stage does not know them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application, ApplicationPartner
from grants.applications.rules import WRITABLE
from grants.applications.states import PartnerState
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.core.acts import act
from grants.core.db import db
from grants.core.permissions import Actor, Permission


@act(
    "application.tell_deadline_moved",
    needs=Permission.CALL_EXTEND,
    scope=calls.scope_of,
    says="told applicants that a deadline moved",
)
def tell_deadline_moved(actor: Actor, call_id: UUID, number: int) -> int:
    """Mail everybody of a draft or a sent application that the deadline moved; returns how many were told."""
    return call_services.tell_deadline_moved(people_at_work(call_id), call_id, number)


def people_at_work(call_id: UUID) -> list[UUID]:
    """Everybody who speaks for an organisation in a draft or a sent application to a call."""
    people = db.session.scalars(
        select(ApplicationPartner.contact_user_id)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .where(
            Application.call_id == call_id,
            Application.state.in_([state.value for state in WRITABLE]),
            ApplicationPartner.state != PartnerState.DECLINED.value,
            ApplicationPartner.contact_user_id.is_not(None),
        )
        .distinct()
    )
    return [person for person in people if person]
