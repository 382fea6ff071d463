"""What of a confirmed list came free, and who of its reserve list is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import ranking
from grants.awards.models import Selection, SelectionItem, SelectionMove
from grants.awards.queries.lists import facts_of, frozen_list
from grants.awards.queries.publication import STILL_SELECTED
from grants.awards.queries.selections import numbered, opened, plan_of
from grants.awards.ranking import Candidate, Freed, Limits, Next, next_of
from grants.awards.rules import Facts, MoveView, NextView, Plan, RankingPage, ReservePage, SelectionView, facts_kept
from grants.awards.states import Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import total
from grants.core.permissions import Actor, Scope
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.identity import queries as identity

SELECTION_FILES = "selection"

_ENDED = (ApplicationState.DECLINED.value, ApplicationState.DROPPED.value)


def move_scope(move_id: UUID) -> Scope:
    """A move lies in the call of its list, which is locked first: its money becomes scarcer."""
    found = db.session.execute(
        select(Selection.call_id)
        .join(SelectionMove, SelectionMove.selection_id == Selection.id)
        .where(SelectionMove.id == move_id)
    ).scalar()
    if found is None:
        raise NotFound
    return evaluation.call_scope(found)


@reader
def next_on_reserve(selection_id: UUID) -> Asking[tuple[Freed, Next | None, Sequence[Any]]]:
    """What came free of a confirmed list, who is next, and its items with their applications as they stand now.

    Country, cities and inhabitants are those the list was decided with; a list from before they were frozen with it
    is reckoned with those of today.
    """
    ((row,), items) = yield [
        select(Selection).where(Selection.id == selection_id),
        select(SelectionItem, Application.reference, Application.title, Application.state)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(SelectionItem.selection_id == selection_id)
        .order_by(SelectionItem.position),
    ]
    plan = plan_of(row)
    facts, free = yield from both(_facts(row, items), calls.free.asking(row.call_id))
    places = ranking.places_of(((item.reference, item.rank) for item in items if item.rank is not None), plan)
    had = [item for item in items if _had_money(item)]
    freed = Freed(
        tuple(_candidate(item, plan, facts, places) for item in had if item.state in STILL_SELECTED),
        total(item.amount for item in had if item.state in _ENDED),
        # What went to those who were not selected by the list: moved up, or corrected by a complaint.
        total(item.amount for item in had if item.outcome != Outcome.SELECTED.value),
        row.budget - row.used,
        free,
    )
    reserve = [
        _candidate(item, plan, facts, places)
        for item in items
        if item.outcome == Outcome.RESERVE.value and item.state == ApplicationState.RESERVE.value
    ]
    ids = {item.reference: item.application_id for item in items}
    groups = tuple(frozenset(ids[ref] for ref in group if ref in ids) for group in plan.exclusive)
    return freed, next_of(reserve, freed, Limits(row.budget, plan.rules, groups)), items


def _had_money(item: Any) -> bool:
    return item.outcome == Outcome.SELECTED.value or item.entry_id is not None


def _facts(row: Any, items: Sequence[Any]) -> Asking[Mapping[UUID, Facts]]:
    frozen = row.rules.get("facts")
    if frozen is not None:
        return facts_kept(frozen)
    return (yield from facts_of.asking([item.application_id for item in items]))


def _candidate(item: Any, plan: Plan, facts: Mapping[UUID, Facts], places: Mapping[str, int]) -> Candidate:
    about = facts.get(item.application_id, Facts())
    strand = plan.rules.strand_of(item.asked if item.asked is not None else item.amount)
    # The order is that of the plan; tied ones share their place, and so stand together: no alphabet decides.
    place = places[item.reference] if plan.overrides else (item.rank or item.position)
    return Candidate(
        item.application_id, item.reference, place, item.amount, about.country, about.cities,
        about.small(plan.rules.small_city_below), strand.name if strand else "",
    )  # fmt: skip


@reader
def selection_page(actor: Actor, slug: str, number: int) -> Asking[tuple[RankingPage, SelectionView]]:
    """One selection as it was frozen, whatever became of it, with its page; raises :class:`NotFound`.

    Nothing of its reserve list for whoever has a conflict with a row of it.
    """
    call, views = yield from opened.asking(actor, slug)
    view = numbered(views, number)
    asked: list[Asking[Any]] = [
        frozen_list(actor, call, views, view), reserve_page.asking(view), files.listed.asking(SELECTION_FILES, view.id)
    ]  # fmt: skip
    shown, reserve, made = yield from side_by_side(asked)
    if shown.partial:
        return shown, view
    return replace(shown, reserve=reserve), replace(view, has_minute=bool(made))


@reader
def reserve_page(view: SelectionView) -> Asking[ReservePage]:
    """The reserve list of a confirmed ranked list: what came free, who is next, what was decided. Empty for others."""
    if view.kind is not SelectionKind.RANKED or view.state is not SelectionState.CONFIRMED:
        return ReservePage()
    (freed, found, items), moves = yield from both(next_on_reserve.asking(view.id), _moves(view.id))
    named = {item.application_id: (item.reference, item.title, item.rank) for item in items}
    ended = tuple(
        (item.reference, item.title, item.amount) for item in items if _had_money(item) and item.state in _ENDED
    )
    proposed = None
    if found is not None:
        reference, title, rank = named[found.candidate.application_id]
        proposed = NextView(
            found.candidate.application_id, reference, title, rank or 0, found.candidate.amount, found.words
        )
    return ReservePage(ended, freed.available, proposed, moves)


def _moves(selection_id: UUID) -> Asking[tuple[MoveView, ...]]:
    rows = yield from ask(
        select(SelectionMove, Application.reference, Application.title)
        .join(Application, Application.id == SelectionMove.application_id)
        .where(SelectionMove.selection_id == selection_id)
        .order_by(SelectionMove.number)
        .limit(500)
    )
    people = yield from identity.people.asking(
        who for row in rows for who in (row.decided_by, row.confirmed_by, row.returned_by) if who
    )

    def name(who: UUID | None) -> str:
        return people[who].name if who in people else ""

    return tuple(
        MoveView(
            row.id, row.number, SelectionState(row.state), row.version, row.application_id, row.reference, row.title, row.amount,
            row.words, row.reason, name(row.decided_by), row.decided_by, row.decided_at, name(row.confirmed_by),
            name(row.returned_by), row.return_reason or "",
        )
        for row in rows
    )  # fmt: skip
