"""One run of the assignment as it was kept, why a seat went to whom it went, and what a change by hand would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from grants.applications.models import Application
from grants.calls.rules import CallView
from grants.calls.rules.assigning import AssignmentRules
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.paging import Page, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation import matching, rules
from grants.evaluation.matching.graph import seat_graph
from grants.evaluation.matching.proof import broken_groups
from grants.evaluation.models import Assignment, AssignmentLoss, AssignmentRun, Evaluator
from grants.evaluation.queries.access import READS_ASSIGNMENTS, clear_people
from grants.evaluation.queries.applicants import cities_of, consortia_of, head_of
from grants.evaluation.queries.assignments import (
    RUN_COLUMNS,
    call_assigned,
    country_rule,
    in_evaluation,
    people_for,
    pool,
    run_view,
    seat_views,
    sees_a_part,
    shut_titles,
)
from grants.evaluation.queries.run_file import superseded_by
from grants.evaluation.queries.said import declarations
from grants.evaluation.queries.seating import group_rules
from grants.evaluation.queries.seats_seen import may_see
from grants.evaluation.rules import (
    AdjustInput,
    AdjustPage,
    EvaluatorSample,
    PoolMember,
    RunPage,
    RunSeat,
    SeatLoss,
    SeatWhy,
    Tally,
    WhatIf,
)
from grants.evaluation.states import Deed, SeatState
from grants.identity.models import User


@reader
def run_page(actor: Actor, slug: str, number: int, page: Page) -> Asking[RunPage]:
    """A run by its number, with the seats it gave by reference and name; :class:`NotFound` without one."""
    call = yield from call_assigned.asking(actor, slug)
    asked = select(
        *RUN_COLUMNS,
        *(AssignmentRun.floor, AssignmentRun.spread, AssignmentRun.difference, AssignmentRun.milliseconds),
        superseded_by().label("superseded_by"),
        AssignmentRun.input.is_not(None).label("has_file"),
    ).where(AssignmentRun.call_id == call.id, AssignmentRun.number == number)
    found, shut = yield from both(ask(asked), shut_titles(actor, call.id))
    if not found:
        raise NotFound
    row = found[0]
    view = run_view(row, shut)
    key = Application.reference + " " + User.handle
    given_now = ask(
        select(Application.reference, Application.title, User.name, User.handle, Assignment.utility, Assignment.state)
        .join(Application, Application.id == Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .where(Assignment.run_id == row.id, may_see(actor, *READS_ASSIGNMENTS), key > (page.after or ""))
        .order_by(key)
        .limit(page.limit)
    )
    about_run: list[Asking[Any]] = [given_now, _stood_after(call.id, row.created_at), _names(row.settings)]
    seats, stood, absent = yield from side_by_side(about_run)
    loads = Counter((one.name, one.handle) for one in stood)
    given = [
        RunSeat(one.reference, one.title, one.name, one.handle, one.utility, one.state == SeatState.ACTIVE.value)
        for one in seats
    ]
    return RunPage(
        call.slug, call.title, view, row.settings, row.solver, row.ideal, row.floor, row.spread,
        view.changes, row.difference,
        cut(given, page, key=lambda one: f"{one.reference} {one.handle}", total=None if view.partial else row.seats_new),
        seat_graph((one.application_id, one.evaluator_id) for one in stood),
        # Who sees a part of the seats could reckon from these what is withheld.
        () if view.partial else tuple(EvaluatorSample(*who, count) for who, count in sorted(loads.items())),
        tuple(one.name for one in absent), row.milliseconds, row.superseded_by, row.has_file,
    )  # fmt: skip


def _names(settings: Mapping[str, Any]) -> Asking[Sequence[Any]]:
    """Whom a run left out because they were not there, by name."""
    ids = [UUID(one) for one in settings.get("absent", ())]
    return (
        yield from ask(
            select(User.name)
            .join(Evaluator, Evaluator.user_id == User.id)
            .where(Evaluator.id.in_(ids))
            .order_by(User.name, Evaluator.id)
        )
    )


def _stood_after(call_id: UUID, made_at: datetime) -> Asking[Sequence[Any]]:
    """The seats of a call that stood once a run was made, whatever became of them, with who had each."""
    rows = yield from ask(
        select(Assignment.application_id, Assignment.evaluator_id, User.name, User.handle)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .where(
            Evaluator.call_id == call_id,
            Assignment.created_at <= made_at,
            or_(Assignment.voided_at.is_(None), Assignment.voided_at > made_at),
        )
        .order_by(Assignment.application_id, Assignment.evaluator_id)
    )
    return rows


@reader
def seat_why(actor: Actor, slug: str, reference: str, handle: str) -> Asking[SeatWhy]:
    """One seat that stands, with the numbers its run kept for it; :class:`NotFound` for who assesses that application too."""
    call, application = yield from in_evaluation(actor, slug, reference, seen=may_see(actor, *READS_ASSIGNMENTS))
    asked: list[Asking[Any]] = [
        seat_views([application.id]), cities_of.asking([application.id]), pool.asking(call.id, actor),
        sees_a_part.asking(actor, call.id),
    ]  # fmt: skip
    seats, cities, members, partial = yield from side_by_side(asked)
    seat = next(
        (one for one in seats.get(application.id, []) if one.state is SeatState.ACTIVE and one.handle == handle), None
    )
    if seat is None:
        raise NotFound
    told = AssignmentRun.explanations[str(application.id)][str(seat.evaluator_id)]
    (row,) = yield from ask(
        select(
            *(Assignment.hand_reason, AssignmentRun.number, told.label("told"), AssignmentLoss.id.label("lost")),
            *(AssignmentLoss.least, AssignmentLoss.most, AssignmentLoss.moved, AssignmentLoss.milliseconds),
            AssignmentRun.input.is_not(None).label("has_input"),
        )
        .outerjoin(AssignmentRun, AssignmentRun.id == Assignment.run_id)
        .outerjoin(AssignmentLoss, _loss_of_seat())
        .where(Assignment.id == seat.id)
    )
    names = {str(member.id): member.name for member in members}
    head = head_of(application, cities.get(application.id, ""), call)
    later = SeatLoss(row.least, row.most, row.moved, row.milliseconds) if row.lost else None
    return SeatWhy(
        head, seat, row.number, row.hand_reason or "", row.told or {}, names, partial, later, bool(row.has_input)
    )


def _loss_of_seat() -> ColumnElement[bool]:
    return and_(
        AssignmentLoss.run_id == Assignment.run_id,
        AssignmentLoss.application_id == Assignment.application_id,
        AssignmentLoss.evaluator_id == Assignment.evaluator_id,
    )


@reader
def adjust_page(actor: Actor, slug: str, reference: str, asked_for: AdjustInput | None = None) -> Asking[AdjustPage]:
    """One application with its seats and everybody who could take one; with a change, what it would do."""
    call, application = yield from in_evaluation(actor, slug, reference)
    about_call: list[Asking[Any]] = [
        consortia_of.asking([application.id]),
        declarations.asking([application.id]),
        seat_views([application.id]),
        pool.asking(call.id, actor),
        cities_of.asking([application.id]),
        _standing(call.id),
        country_rule.asking(call.id),
        sees_a_part.asking(actor, call.id),
    ]
    (about,), stated, seats, members, cities, standing, countries, partial = yield from side_by_side(about_call)
    active = tuple(seat for seat in seats.get(application.id, []) if seat.state is SeatState.ACTIVE)
    taken = {seat.evaluator_id for seat in seats.get(application.id, [])}
    users = [member.user_id for member in members]
    clear = yield from clear_people.asking(users, [application.id], users)
    people = people_for(call, about, members, stated, taken, countries, clear)
    locked = frozenset(seat.handle for seat in active if (application.id, seat.evaluator_id) in standing.locked)
    page = AdjustPage(
        head_of(application, cities.get(application.id, ""), call), active, locked,
        max(0, call.content.evaluators_per_application - len(active)), people,
        rules.seats_version((seat.id, seat.state.value, seat.locked) for seat in seats.get(application.id, [])),
        partial=partial,
    )  # fmt: skip
    if asked_for is None or partial:
        return page
    return replace(page, what_if=_what_if(page, asked_for, call, members, standing.worth))


def standing_version(application_id: UUID) -> int:
    """The number of the seats of an application as they stand now, as :attr:`AdjustPage.version` shows it."""
    rows = db.session.execute(
        select(Assignment.id, Assignment.state, Assignment.locked).where(Assignment.application_id == application_id)
    )
    return rules.seats_version((row.id, row.state, row.locked) for row in rows)


def _what_if(
    page: AdjustPage,
    asked: AdjustInput,
    call: CallView,
    members: Sequence[PoolMember],
    worth: dict[tuple[UUID, UUID], int],
) -> WhatIf | None:
    """The figures before and after; None where the change cannot be made."""
    seated = {seat.handle: seat for seat in page.seats}
    free = {member.handle: (member, fit) for member, reason, fit in page.people if not reason}
    after, words = dict(worth), []
    if asked.deed in (Deed.RELEASE, Deed.MOVE):
        if asked.leaving not in seated:
            return None
        del after[page.head.id, seated[asked.leaving].evaluator_id]
        words.append(f"{seated[asked.leaving].name} leaves the seat")
    if asked.deed in (Deed.GIVE, Deed.MOVE):
        if asked.taking not in free:
            return None
        member, fit = free[asked.taking]
        after[page.head.id, member.id] = fit
        words.append(f"{member.name} takes it" if words else f"{member.name} takes a seat")
    if not words:
        return None
    return WhatIf(f"{' and '.join(words)}.", _tally(call, members, worth), _tally(call, members, after))


def _tally(call: CallView, members: Sequence[PoolMember], worth: dict[tuple[UUID, UUID], int]) -> Tally:
    each: Counter[UUID] = Counter()
    seats: dict[UUID, list[UUID]] = {}
    loads: Counter[UUID] = Counter()
    for (application_id, evaluator_id), fit in worth.items():
        each[application_id] += fit
        seats.setdefault(application_id, []).append(evaluator_id)
        loads[evaluator_id] += 1
    settings = call.content.assignment
    people = {member.id: rules_holder(member, settings) for member in members}
    seats_each = max(1, call.content.evaluators_per_application)
    instance = matching.Instance((), (), seats_each, groups=group_rules(settings))
    broken: list[str] = []
    for application_id, seated in sorted(seats.items()):
        subject = matching.Subject(application_id, "", call.content.language)
        found = broken_groups(instance, subject, [people[one] for one in seated])
        # Which organisation it is says nothing to who reads it: more than one in common are one rule broken.
        broken += dict.fromkeys(
            {"organisation": "one organisation", "gender": "women and men"}.get(kind, f"{kind} {what}")
            for kind, what in found
        )
        if len(seated) < call.content.evaluators_per_application:
            broken.append(rules.EMPTY_SEAT)
    broken += [
        f"the load of {member.name}" for member in members if not member.load_min <= loads[member.id] <= member.load_max
    ]
    count = [loads[member.id] for member in members]
    return Tally(
        sum(worth.values()), min(each.values(), default=0), max(count, default=0), min(count, default=0), tuple(broken)
    )


def rules_holder(member: PoolMember, settings: AssignmentRules) -> matching.Seatholder:
    """A member of the pool as the assignment of a call sees it: what they said of themselves only where a rule counts it."""
    return matching.Seatholder(
        member.id, member.load_max, member.load_min, member.name, member.country_code,
        member.belongs, frozenset(member.roles), frozenset(member.languages), member.load_target,
        member.gender.counted if settings.balance and member.gender else "",
    )  # fmt: skip


class _Standing:
    """Every seat that stands in a call with its fit, and those that are locked."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.worth = {(row.application_id, row.evaluator_id): row.utility for row in rows}
        self.locked = {(row.application_id, row.evaluator_id) for row in rows if row.locked}


def _standing(call_id: UUID) -> Asking[_Standing]:
    """All of them, however many: a figure of a part would be a wrong figure. Loads and seats bound them."""
    rows = yield from ask(
        select(Assignment.application_id, Assignment.evaluator_id, Assignment.utility, Assignment.locked)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(Evaluator.call_id == call_id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(Assignment.application_id, Assignment.evaluator_id)
    )
    return _Standing(rows)
