"""A seat given, moved, locked or released by hand, in sight of what that changes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import assert_never
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.core.text import csv_table
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment, Evaluator
from grants.evaluation.rules import AdjustInput, PoolMember, SeatChange, SeatDeed
from grants.evaluation.services.seats import (
    HANDED_OVER,
    SeatingRoom,
    seat_by_hand,
    seating_room,
    take_seat_by_hand,
    tell_evaluators,
    to_change_by_hand,
)
from grants.evaluation.states import Deed, SeatState
from grants.identity.models import User


@act(
    "assignment.adjust",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.application_scope,
    says="changed the seats of {subject} by hand",
)
def adjust(actor: Actor, application_id: UUID, values: AdjustInput, shown: int | None = None) -> str:
    """Give, move, release, lock or unlock a seat: the checks of the run, and a reason. Returns what was done.

    ``shown`` is the number of the seats the form was shown with; raises :class:`Conflict` where others stand now.
    """
    application, words = to_change_by_hand(actor, application_id, values.reason)
    if shown not in (None, queries.standing_version(application_id)):
        raise Conflict("Somebody changed these seats while you were working. Nothing of yours was done.")
    call = calls.call_by_id(application.call_id)
    room = seating_room(actor, call, [application_id], _entries(call.id, {values.leaving, values.taking}))
    sentence, taken_by = _change(room, application, values, words)
    tell_evaluators(call, [taken_by] if taken_by is not None else [])
    return sentence


@act(
    "assignment.import",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="changed the seats of {subject} by a file",
)
def change_by_file(actor: Actor, call_id: UUID, text: str, shown: bytes, reason: str) -> int:
    """Do what the preview of this very text showed, each seat as a change by hand does it; how many seats changed.

    ``shown`` is the hash of that preview: where something changed since, nothing is written, and one looks again. Whoever
    leaves a seat leaves before anybody takes one, so that two people may change places.
    """
    call, table = calls.call_by_id(call_id), csv_table(text)
    # Locked before anything is compared: what stands then is what stands when it is written.
    ids = _held(call_id, {line.reference for line in rules.read_seats(table)})
    plan = queries.seat_plan(actor, call, table)
    if plan.sha256 != shown:
        raise Conflict(
            "What stands changed after this file was shown to you. Nothing was changed; look at what it would do now."
        )
    if not plan.written:
        raise Refused("The file changes nothing, so nothing was written.")
    order = (SeatDeed.UNLOCKED, SeatDeed.TAKEN, SeatDeed.GIVEN, SeatDeed.LOCKED)
    references = sorted({change.reference for change in plan.written})
    open_ones = {key: to_change_by_hand(actor, ids[key], reason) for key in references}
    entries = _entries(call_id, {change.handle for change in plan.written})
    room = seating_room(actor, call, [ids[key] for key in references], entries)
    seated: list[PoolMember] = []
    for change in sorted(plan.written, key=lambda one: (order.index(one.deed), one.reference, one.handle)):
        application, words = open_ones[change.reference]
        _, taken_by = _change(room, application, _by_hand(change), words)
        if taken_by is not None:
            seated.append(taken_by)
        if change.lock:
            _change(room, application, AdjustInput(Deed.LOCK, change.handle), words)
    # One mail for each evaluator with new seats, whatever their number.
    tell_evaluators(call, seated)
    return len(plan.written)


def _held(call_id: UUID, references: Collection[str]) -> dict[str, UUID]:
    """Those of these applications that are of the call, locked, by reference and in its order."""
    rows = db.session.execute(
        select(Application.id, Application.reference)
        .where(Application.call_id == call_id, Application.reference.in_(references))
        .order_by(Application.reference)
        .with_for_update()
    )
    return {row.reference: row.id for row in rows}


def _entries(call_id: UUID, handles: Collection[str]) -> tuple[UUID, ...]:
    """The entries in the pool of people by handle."""
    whose = select(Evaluator.id).join(User, User.id == Evaluator.user_id)
    return tuple(db.session.scalars(whose.where(Evaluator.call_id == call_id, User.handle.in_(handles))))


def _by_hand(change: SeatChange) -> AdjustInput:
    match change.deed:
        case SeatDeed.GIVEN:
            due = None if change.due is None else clock.end_of_day(change.due)
            return AdjustInput(Deed.GIVE, taking=change.handle, due_at=due)
        case SeatDeed.TAKEN:
            return AdjustInput(Deed.RELEASE, change.handle)
        case SeatDeed.LOCKED:
            return AdjustInput(Deed.LOCK, change.handle)
        case SeatDeed.UNLOCKED:
            return AdjustInput(Deed.UNLOCK, change.handle)
        case SeatDeed.SAME | SeatDeed.REFUSED:
            raise AssertionError("is not written")
        case _:
            assert_never(change.deed)


def _change(
    room: SeatingRoom, application: Application, values: AdjustInput, words: str
) -> tuple[str, PoolMember | None]:
    """One change of a seat inside an act that began with :func:`to_change_by_hand`: what was done, and who has a new seat."""
    seat = None if values.deed is Deed.GIVE else _seat(application.id, values.leaving)
    if values.deed in (Deed.LOCK, Deed.UNLOCK):
        assert seat is not None, "every deed but giving is about a seat"
        seat.locked = values.deed is Deed.LOCK
        return ("The seat is locked: no run moves it." if seat.locked else "The seat is not locked any more."), None
    if values.deed is Deed.RELEASE:
        assert seat is not None, "every deed but giving is about a seat"
        take_seat_by_hand(application, seat, words)
        return "The seat is empty, and who had it is told by mail.", None
    member = next((one for one in room.members.values() if one.handle == values.taking), None)
    if member is None:
        raise Invalid("Choose an evaluator.", {"taking": "Choose who takes the seat."})
    _refuse_past_day(values.due_at, seat)
    if seat is not None:
        take_seat_by_hand(application, seat, words, letter=HANDED_OVER)
    seat_by_hand(room, application, member.id, words, values.due_at or (seat.due_at if seat else None))
    return f"{member.name} has the seat and is told by mail.", member


def _refuse_past_day(due_at: datetime | None, seat: Assignment | None) -> None:
    """Raise :class:`Invalid` where whoever takes a seat would be late at once, by the day given or that of the seat."""
    due = due_at or (seat.due_at if seat else None)
    if due is None:
        return
    today = acts.today()
    words = rules.past_day_words(clock.in_zone(due).date(), today, stands=due_at is None)
    if words:
        raise Invalid("Nothing was changed.", {"due_on": words})


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
