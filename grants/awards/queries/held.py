"""Where somebody may do what a duty asks, as a condition; a limit then counts own calls, and what is beyond it is told."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, literal

from grants.calls.models import Call
from grants.core.permissions import Actor, Permission

EVERY = func.count().over().label("every")


def held(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """The condition on :class:`Call` that the permission holds there: asked of the database, so that a limit counts own calls."""
    places = literal(True) if actor.everywhere(permission) else Call.id.in_(actor.places(permission, "call"))
    return and_(places, Call.id.not_in(actor.barred("call")))
