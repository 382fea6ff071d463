"""What everybody at work on an application of a call is told when its deadline moves."""

from __future__ import annotations

from uuid import UUID

from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.core.acts import act
from grants.core.permissions import Actor, Permission


@act(
    "application.tell_deadline_moved",
    needs=Permission.CALL_EXTEND,
    scope=calls.scope_of,
    says="told applicants that a deadline moved",
)
def tell_deadline_moved(actor: Actor, call_id: UUID, number: int) -> int:
    """Mail everybody of a draft or a sent application that the deadline moved; returns how many were told."""
    return call_services.tell_deadline_moved(calls.people_at_work(call_id), call_id, number)
