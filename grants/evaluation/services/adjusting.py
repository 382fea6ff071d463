"""A seat given, moved, locked or released by hand, in sight of what that changes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls import queries as calls
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries
from grants.evaluation.models import Assignment, Evaluator
from grants.evaluation.rules import AdjustInput
from grants.evaluation.services.seats import HANDED_OVER, seat_by_hand, take_seat_by_hand, to_change_by_hand
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
    application, words = to_change_by_hand(actor, application_id, values.reason)
    call = calls.call_by_id(application.call_id)
    seat = None if values.deed is Deed.GIVE else _seat(application_id, values.leaving)
    if values.deed in (Deed.LOCK, Deed.UNLOCK):
        assert seat is not None, "every deed but giving is about a seat"
        seat.locked = values.deed is Deed.LOCK
        return "The seat is locked: no run moves it." if seat.locked else "The seat is not locked any more."
    if values.deed is Deed.RELEASE:
        assert seat is not None, "every deed but giving is about a seat"
        take_seat_by_hand(application, seat, words)
        return "The seat is empty, and who had it is told by mail."
    member = next((one for one in queries.pool(call.id) if one.handle == values.taking), None)
    if member is None:
        raise Invalid("Choose an evaluator.", {"taking": "Choose who takes the seat."})
    if seat is not None:
        take_seat_by_hand(application, seat, words, letter=HANDED_OVER)
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
