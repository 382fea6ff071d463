"""The seats of a call as a file, and what stands against a file of seats that comes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import rules
from grants.evaluation.models import Assessment, Assignment, Consensus, Evaluator
from grants.evaluation.queries.access import clear_people, unseatable
from grants.evaluation.queries.applicants import consortia_of
from grants.evaluation.queries.assignments import country_rule, pool, seat_views
from grants.evaluation.queries.said import declarations
from grants.evaluation.queries.seating import ACTIVE, OPEN
from grants.evaluation.queries.seats_seen import may_see
from grants.evaluation.rules import (
    SEAT_COLUMNS,
    AskedSeat,
    SeatedApplication,
    SeatPlan,
    SeatsKnown,
    SeatView,
    StandingSeat,
    Takes,
)
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity.models import User


@reader
def seat_table(actor: Actor, call: CallView) -> Asking[list[list[str]]]:
    """Every seat that stands on applications in evaluation, with the head; what is shut to the person is not in it."""
    rows = yield from ask(
        select(
            *(Application.reference, Application.title, User.handle, User.name),
            *(Assignment.locked, Assignment.due_at, Assignment.utility, Assessment.state),
        )
        .select_from(Application)
        .outerjoin(Assignment, (Assignment.application_id == Application.id) & ACTIVE)
        .outerjoin(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(User, User.id == Evaluator.user_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Application.call_id == call.id, may_see(actor), OPEN)
        .order_by(Application.reference, User.handle)
    )
    return [list(SEAT_COLUMNS), *(_cells(row) for row in rows)]


def _cells(row: Any) -> list[str]:
    if row.handle is None:
        return [row.reference, "", "", "", row.title, "", "", ""]
    day = _day(row.due_at)
    state = {"submitted": "submitted", "draft": "begun"}.get(row.state or "", "not begun")
    locked = "yes" if row.locked else "no"
    return [
        row.reference,
        row.handle,
        locked,
        day.isoformat() if day else "",
        row.title,
        row.name,
        str(row.utility),
        state,
    ]


def _day(due_at: datetime | None) -> date | None:
    """The day a file names."""
    return None if due_at is None else clock.in_zone(due_at).date()


@reader
def seat_plan(actor: Actor, call: CallView, table: Sequence[Sequence[str]]) -> Asking[SeatPlan]:
    """What a file would do; an application the person may not change is none."""
    asked = rules.read_seats(table)
    found = yield from ask(
        select(Application.id, Application.reference, Application.title).where(
            Application.call_id == call.id,
            may_see(actor),
            OPEN,
            Application.reference.in_({line.reference for line in asked}),
        )
    )
    shut = yield from unseatable.asking(actor, [row.id for row in found])
    open_ones = {row.reference: row for row in found if row.id not in shut}
    ids = [row.id for row in open_ones.values()]
    about: list[Asking[Any]] = [
        seat_views(ids), pool.asking(call.id, actor), consortia_of.asking(ids), declarations.asking(ids),
        country_rule.asking(call.id), ask(select(Consensus.application_id, Consensus.state).where(Consensus.application_id.in_(ids))),
    ]  # fmt: skip
    seats, members, consortia, stated, countries, consensus = yield from side_by_side(about)
    agreed = {row.application_id for row in consensus if row.state == ConsensusState.AGREED.value}
    people = {member.handle: member for member in members}
    # Who left the pool may have a seat still.
    seated = [(seat.handle, seat.name) for each in seats.values() for seat in each if seat.state is SeatState.ACTIVE]
    asked = rules.by_handle(asked, [*((one.handle, one.name) for one in members), *seated])
    by_id = {one.application_id: one for one in consortia}
    named = {people[line.handle].user_id for line in asked if line.handle in people}
    clear = yield from clear_people.asking(named, ids, named)
    unfit = {
        (line.reference, line.handle): why
        for line in asked
        if line.reference in open_ones and line.handle in people
        and (why := _unfit(line, people[line.handle], open_ones[line.reference].id, by_id, stated, countries, seats, clear))
    }  # fmt: skip
    return rules.plan_seats(
        asked,
        SeatsKnown(
            call.content.evaluators_per_application,
            {key: _application(row, seats.get(row.id, ()), row.id in agreed) for key, row in open_ones.items()},
            {
                one.handle: Takes(
                    one.id, one.name, one.carries, one.load_max, rules.COUNTS_AS_A_SEAT if one.unseen else ""
                )
                for one in members
            },
            unfit,
        ),
    )


def _application(row: Any, seats: Sequence[SeatView], agreed: bool) -> SeatedApplication:
    standing = {
        seat.handle: StandingSeat(
            seat.id, seat.name, seat.locked, seat.assessment is AssessmentState.SUBMITTED, _day(seat.due_at)
        )
        for seat in seats
        if seat.state is SeatState.ACTIVE
    }
    return SeatedApplication(row.id, row.title, standing, rules.SEATS_DECIDED if agreed else "")


def _unfit(
    line: AskedSeat,
    member: rules.PoolMember,
    application_id: UUID,
    consortia: Any,
    stated: Any,
    countries: Any,
    seats: Any,
    clear: frozenset[tuple[UUID, UUID]],
) -> str:
    """All that keeps somebody without a seat from taking one: what a seat given by hand is asked too."""
    had = {seat.evaluator_id: seat.state for seat in seats.get(application_id, ())}
    if had.get(member.id) is SeatState.ACTIVE:
        return ""
    before = [f"{member.name} had a seat on it before."] if member.id in had else []
    said = stated.get((member.user_id, application_id), rules.Said())
    due = clock.end_of_day(line.due) if line.due else None
    kept = list(rules.all_why_not(member, consortia[application_id], said, countries=countries, due=due))
    if not kept and (member.user_id, application_id) not in clear:
        kept = [rules.why_shut(member)]
    late = rules.past_day_words(line.due, clock.today()) if line.due else ""
    return " ".join(filter(None, [*before, *kept, late]))
