"""A seat given, moved, locked or released by hand, in sight of what that changes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries
from grants.evaluation.models import Assignment, Evaluator
from grants.evaluation.rules import AdjustInput
from grants.evaluation.services.seats import seat_by_hand, void_seat
from grants.evaluation.states import Deed, SeatState
from grants.identity.models import User


@act(
    "assignment.adjust",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.application_scope,
    says="changed the seats of {subject} by hand",
)
def adjust(actor: Actor, application_id: UUID, values: AdjustInput) -> str:
    """Give, move, release, lock or unlock a seat: the checks of the run, and a reason. Returns what was done."""
    application = locked(Application, application_id)
    queries.refuse_own_seat(actor, application_id)
    queries.refuse_closed(application)
    words = clean_text(values.reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; it is kept on the record."})
    acts.reason(words)
    call = calls.call_by_id(application.call_id)
    seat = None if values.deed is Deed.GIVE else _seat(application_id, values.leaving)
    if values.deed in (Deed.LOCK, Deed.UNLOCK):
        assert seat is not None, "every deed but giving is about a seat"
        seat.locked = values.deed is Deed.LOCK
        return "The seat is locked: no run moves it." if seat.locked else "The seat is not locked any more."
    if seat is not None:
        if seat.locked:
            raise Refused("This seat is locked. Unlock it first.")
        void_seat(seat, locked(Evaluator, seat.evaluator_id).user_id, words)
        db.session.flush()
    if values.deed is Deed.RELEASE:
        return "The seat is empty."
    member = next((one for one in queries.pool(call.id) if one.handle == values.taking), None)
    if member is None:
        raise Invalid("Choose an evaluator.", {"taking": "Choose who takes the seat."})
    seat_by_hand(call, application, member.id, words, seat.due_at if seat else None)
    return f"{member.name} has the seat and is told by mail."


def _seat(application_id: UUID, handle: str) -> Assignment:
    """The standing seat of a person on an application, locked."""
    found = db.session.scalars(
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            User.handle == handle,
        )
    ).one_or_none()
    if found is None:
        raise Invalid("Choose a seat.", {"leaving": "Choose a seat that stands."})
    return locked(Assignment, found)
