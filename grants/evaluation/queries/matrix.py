"""The matrix of a call's applications and evaluators, from which seats are adjusted by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation import rules
from grants.evaluation.queries.access import READS_ASSIGNMENTS, clear_people
from grants.evaluation.queries.applicants import consortia_of
from grants.evaluation.queries.assignments import call_assigned, country_rule, people_for, pool, seat_views
from grants.evaluation.queries.past_assignment import past_assignment
from grants.evaluation.queries.said import declarations
from grants.evaluation.queries.seating import OPEN
from grants.evaluation.queries.seats_seen import may_see
from grants.evaluation.rules import (
    MatrixCell,
    MatrixColumn,
    MatrixOrder,
    MatrixPage,
    MatrixRow,
    MatrixSearch,
    PoolMember,
    SeatView,
)
from grants.evaluation.states import SeatState

# Of each evaluator by id: why not, and how well they fit.
Told = Mapping[UUID, tuple[str, int]]


@reader
def matrix_page(actor: Actor, slug: str, page: Page, search: MatrixSearch = rules.FIRST_PEOPLE) -> Asking[MatrixPage]:
    """Applications in evaluation by reference, each with those of the pool whom the search asks for.

    For whoever decides of seats, or audits. What is shut to the reader is no row, and no seat on it is in a load. Where none is
    in evaluation, what the assignment was. Five statements, however many there are.
    """
    call = yield from call_assigned.asking(actor, slug)
    listed = select(Application.id, Application.reference, Application.title).where(
        Application.call_id == call.id,
        OPEN,
        may_see(actor, *READS_ASSIGNMENTS),
        Application.reference > (page.after or ""),
    )
    found, members = yield from both(
        ask(listed.order_by(Application.reference).limit(page.limit)), pool.asking(call.id, actor)
    )
    lines = cut(found, page, key=lambda row: str(row.reference))
    if not lines.items and page.after is None:
        past = yield from past_assignment.asking(actor, call.id)
        return MatrixPage(call.slug, call.title, call.content.evaluators_per_application, (), Rows(()), past=past)
    ids, users = [row.id for row in lines.items], [member.user_id for member in members]
    about: list[Asking[Any]] = [
        consortia_of.asking(ids), declarations.asking(ids), seat_views(ids), country_rule.asking(call.id),
        clear_people.asking(users, ids, users),
    ]  # fmt: skip
    consortia, stated, seats, countries, clear = yield from side_by_side(about)
    told: dict[UUID, Told] = {}
    active: dict[UUID, dict[UUID, SeatView]] = {}
    for one in consortia:
        every = seats.get(one.application_id, [])
        active[one.application_id] = {seat.evaluator_id: seat for seat in every if seat.state is SeatState.ACTIVE}
        people = people_for(call, one, members, stated, {seat.evaluator_id for seat in every}, countries, clear)
        told[one.application_id] = {member.id: (reason, fit) for member, reason, fit in people}
    there = _there(members, active)
    wanted = [member for member in there if search.text.casefold() in member.name.casefold()]
    # Past the last one the first ones are shown.
    search = search if search.start < len(wanted) else replace(search, start=0)
    across = _across(wanted, told, active, search)
    per_application = call.content.evaluators_per_application
    rows = [_row(row, across, told[row.id], active[row.id], stated, per_application) for row in lines.items]
    return MatrixPage(
        call.slug, call.title, per_application,
        tuple(MatrixColumn(one.name, one.handle, one.load, one.load_max) for one in across),
        Rows(tuple(rows), lines.next_key, lines.total, lines.first), search, len(wanted), len(members) - len(there),
    )  # fmt: skip


def _there(members: Sequence[PoolMember], active: Mapping[UUID, Mapping[UUID, SeatView]]) -> list[PoolMember]:
    """The pool without those who stepped down, who take no seat any more, unless they have one on what is shown."""
    seated = {evaluator for held in active.values() for evaluator in held}
    return [member for member in members if member.stepped_down_at is None or member.id in seated]


def _across(
    members: Sequence[PoolMember],
    told: Mapping[UUID, Told],
    active: Mapping[UUID, Mapping[UUID, SeatView]],
    search: MatrixSearch,
) -> list[PoolMember]:
    """So many of these as stand across at once: those with a seat on what is shown, then who may take one and fits best; or
    who may take one and has most room. By name."""
    seated = {evaluator for held in active.values() for evaluator in held}

    def matters(member: PoolMember) -> tuple[int, int]:
        able = [fit for each in told.values() for reason, fit in [each[member.id]] if not reason]
        if search.order is MatrixOrder.ROOM:
            return int(not able), member.load - member.load_max
        return int(member.id not in seated), -max(able, default=-1)

    best = sorted(members, key=lambda member: (*matters(member), member.name, member.handle))
    shown = best[search.start : search.start + rules.COLUMNS_MAX]
    return sorted(shown, key=lambda member: (member.name, member.handle))


def _row(
    row: Any,
    across: Sequence[PoolMember],
    told: Told,
    held: Mapping[UUID, SeatView],
    stated: Mapping[tuple[UUID, UUID], rules.Said],
    per_application: int,
) -> MatrixRow:
    cells = tuple(_cell(told[each.id], held.get(each.id), stated.get((each.user_id, row.id))) for each in across)
    return MatrixRow(row.reference, row.title, max(0, per_application - len(held)), cells)


def _cell(told: tuple[str, int], seat: SeatView | None, said: rules.Said | None) -> MatrixCell:
    reason, fit = told
    if seat is not None:
        return MatrixCell(seat.utility, is_seat=True, is_locked=seat.locked)
    return MatrixCell(fit, is_conflict=said is not None and said.is_conflict, reason=reason)
