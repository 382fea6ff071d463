"""How many applications of a list there are: from the totals the database keeps, or counted up to a thousand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, cast, func, select, union_all

from grants.applications.models import Application, ApplicationTotal
from grants.applications.queries.narrowing import narrowed_first, of_calls
from grants.applications.queries.reach import sees_calls_whole, state_to, visible, was_sent
from grants.applications.rules import ListFilter
from grants.applications.states import ApplicationState
from grants.core import paging
from grants.core.paging import Tally
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side

Numbers = dict[ApplicationState, Tally]


@reader
def counting(actor: Actor, wanted: ListFilter) -> Asking[tuple[Tally, Numbers]]:
    """How many the whole filter finds, and how many of each state it finds without its states."""
    if is_kept(actor, wanted):
        numbers = yield from counts.asking(actor, wanted)
        return _sum(numbers, wanted), numbers
    asked = [_counted(actor, replace(wanted, states=())), *([_counted(actor, wanted)] if wanted.states else [])]
    answers = yield from side_by_side([ask(each) for each in asked])
    numbers = _bounded(answers[0])
    of_states = _bounded(answers[-1])
    return _sum(of_states, wanted), numbers


@reader
def counts(actor: Actor, wanted: ListFilter) -> Asking[Numbers]:
    """How many of each state a person may see, under the same filter but for its states; states in table order.

    Whole calls are read from the totals kept of them; everything else is counted up to a thousand in all: beyond that, each
    state has at least as many as it says.
    """
    if is_kept(actor, wanted):
        rows = yield from ask(_kept(actor, wanted))
        found = {row.state: Tally(int(row.number)) for row in rows if row.number}
        return {state: found[state.value] for state in ApplicationState if state.value in found}
    rows = yield from ask(_counted(actor, replace(wanted, states=())))
    return _bounded(rows)


def _sum(numbers: Numbers, wanted: ListFilter) -> Tally:
    chosen = [tally for state, tally in numbers.items() if not wanted.states or state in wanted.states]
    total = sum(chosen, Tally(0))
    return Tally.of(total.number) if total.more else total


def _bounded(rows: Any) -> Numbers:
    found = {row.state: int(row.number) for row in rows}
    more = sum(found.values()) > paging.COUNTED_MAX
    return {
        state: Tally(min(found[state.value], paging.COUNTED_MAX), more)
        for state in ApplicationState
        if state.value in found
    }


def is_kept(actor: Actor, wanted: ListFilter) -> bool:
    """Whether totals say how many there are; else they are counted."""
    return sees_calls_whole(actor) and not (wanted.country_code or wanted.search or wanted.days)


def _kept(actor: Actor, wanted: ListFilter) -> Any:
    """State and number by the totals; what is shut to this person, and their own, is looked at one by one."""
    kept = select(ApplicationTotal.state, ApplicationTotal.number)
    one_by_one = actor.places(Permission.APPLICATION_READ, "application") | actor.barred("application")
    in_totals = and_(was_sent(), *_in_calls(actor, Application.call_id, wanted))
    apart = and_(Application.id.in_(one_by_one), *of_calls(Application.call_id, wanted))
    # Totals hold the state it is in; one's own is counted by the one its team was told.
    out = select(Application.state, -cast(in_totals, Integer)).where(apart)
    back = select(state_to(actor), cast(visible(actor), Integer)).where(apart)
    summed = union_all(kept.where(*_in_calls(actor, ApplicationTotal.call_id, wanted)), out, back).subquery()
    return select(summed.c.state, func.sum(summed.c.number).label("number")).group_by(summed.c.state)


def _in_calls(actor: Actor, call_id: Any, wanted: ListFilter) -> Iterator[ColumnElement[bool]]:
    """Of the calls of which the person sees all that was sent."""
    if not actor.everywhere(Permission.APPLICATION_READ):
        yield call_id.in_(actor.places(Permission.APPLICATION_READ, "call"))
    if actor.barred("call"):
        yield call_id.not_in(actor.barred("call"))
    yield from of_calls(call_id, wanted)


def _counted(actor: Actor, wanted: ListFilter) -> Any:
    """State and number of what the person sees, at most one more than :data:`COUNTED_MAX` in all."""
    seen = (
        select(state_to(actor).label("state"))
        .where(visible(actor), *narrowed_first(actor, wanted))
        .limit(paging.COUNTED_MAX + 1)
        .subquery()
    )
    return select(seen.c.state, func.count().label("number")).group_by(seen.c.state)
