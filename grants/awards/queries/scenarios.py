"""Scenarios of a call, and what each would select from the list as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from grants.awards import ranking
from grants.awards.models import Selection, SelectionScenario
from grants.awards.queries.aims import official_candidates, with_worths
from grants.awards.queries.heard import order_said
from grants.awards.queries.lists import frozen_list, shown_list, standing_of
from grants.awards.queries.ranked import (
    Read,
    facts_of,
    hash_of,
    of_ready,
    reckoned,
    scored_beside,
    why_told,
)
from grants.awards.queries.selections import opened
from grants.awards.queries.solves import ANSWERED, answers_kept
from grants.awards.ranking import Known, RankedList, Solved, Worths
from grants.awards.rules import (
    Facts,
    Kept,
    KeptRow,
    Plan,
    RankingPage,
    ScenariosPage,
    ScenarioView,
    compared,
    plan_of,
    shares_of,
)
from grants.awards.states import SelectionKind, SelectionState
from grants.calls.models import Call
from grants.calls.rules import CallView, Draw
from grants.core import encoding
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import topic_choices
from grants.identity import queries as identity

BY_THE_CALL = "By the rules of the call"
# Each is reckoned anew: as many as a table holds and a page may take.
SIDE_BY_SIDE_MAX = 6


@reader
def scenarios(call_id: UUID) -> Asking[tuple[ScenarioView, ...]]:
    """The scenarios of a call by their number."""
    return (yield from _scenarios(SelectionScenario.call_id == call_id))


def _scenarios(of_call: ColumnElement[bool]) -> Asking[tuple[ScenarioView, ...]]:
    rows = yield from ask(
        select(SelectionScenario, Selection.number.label("chosen_in"))
        .outerjoin(
            Selection,
            (Selection.scenario_id == SelectionScenario.id) & (Selection.state != SelectionState.RETURNED.value),
        )
        .where(of_call)
        .order_by(SelectionScenario.number)
        # Never reached: ``wrong_name`` refuses more than ``SCENARIOS_MAX`` in a call.
        .limit(100)
    )
    people = yield from identity.people.asking(row.made_by for row in rows)
    return tuple(
        ScenarioView(
            row.id, row.number, row.name, encoding.decode({"value": row.plan}, Plan), row.version,
            people[row.made_by].name if row.made_by in people else "", row.made_at, row.chosen_in,
        )
        for row in rows
    )  # fmt: skip


def scenario_of(call_id: UUID, number: int) -> ScenarioView:
    """One scenario of a call; raises :class:`NotFound`."""
    return _numbered(scenarios(call_id), number)


def _numbered(saved: Sequence[ScenarioView], number: int) -> ScenarioView:
    found = next((each for each in saved if each.number == number), None)
    if found is None:
        raise NotFound
    return found


@reader
def scenario_page(actor: Actor, slug: str, number: int) -> Asking[tuple[RankingPage, ScenarioView]]:
    """One scenario with the list it makes now; once a list is decided, with the one it made then."""
    named = select(Call.id).where(Call.slug == slug)
    asked: list[Asking[Any]] = [
        opened.asking(actor, slug), _scenarios(SelectionScenario.call_id.in_(named)), _kept_with(Selection.call_id.in_(named))
    ]  # fmt: skip
    (call, views), every, figures = yield from side_by_side(asked)
    saved, standing = _numbered(every, number), standing_of(views)
    if standing is None:
        return (yield from shown_list(actor, call, views, saved.plan)), saved
    kept = next((one for one in figures if one.number == number), None)
    shown = yield from frozen_list(actor, call, views, standing, kept)
    if kept is None:
        # Decided before figures were kept: the list that stands is not that of this scenario.
        return replace(shown, rows=(), plan=None), saved
    return shown, replace(saved, name=kept.name, plan=kept.plan)


@reader
def scenarios_page(actor: Actor, slug: str) -> Asking[ScenariosPage]:
    """Every scenario beside the list by the rules of the call. Whoever sees a part of the list sees no scenario."""
    named = select(Call.id).where(Call.slug == slug).scalar_subquery()
    (call, views), order = yield from both(opened.asking(actor, slug), order_said.asking(named))
    # With the order every scenario is saved with: else one that changes nothing would differ.
    plain, standing = plan_of(call.content.selection, order), standing_of(views)
    figures = _kept_with(Selection.call_id == call.id) if standing else figures_now.asking(call, plain)
    asked: list[Asking[Any]] = [shown_list(actor, call, views, plain), scenarios.asking(call.id), figures]
    shown, saved, kept = yield from side_by_side(asked)
    if shown.partial:
        return ScenariosPage(call.id, call.slug, call.title, True, False)
    there = tuple(one for one in kept if not one.unsolved)
    columns = tuple(one.column for one in there)
    rows = compared(there, {row.reference: row.title for row in shown.rows})
    decided = standing.number if standing else None
    return ScenariosPage(
        call.id, call.slug, call.title, False, shown.ready, columns, rows, saved, decided,
        tuple(one.name for one in kept if one.unsolved), call.content.selection, call.content.draw is not None,
        len(shown.waiting), "" if decided else shown.forgotten_words, shown.whole,
        topic_choices(call.content.definition),
    )  # fmt: skip


@reader
def figures_now(
    call: CallView, plain: Plan, draw: Draw | None = None, decided: Mapping[int | None, RankedList] | None = None
) -> Asking[tuple[Kept, ...]]:
    """What the list by the rules of the call and every scenario come to now, as a decision keeps it; with its draw by lot.

    The list that is ``decided``, under its scenario’s number, is there already and not worked out anew.
    """
    asked: list[Asking[Any]] = [scenarios.asking(call.id), _with_themes(call), answers_kept.asking(call.id)]
    saved, (read, facts, themes, cities), answers = yield from side_by_side(asked)
    there = decided or {}
    # All are drawn by the intervals that are kept with the decision.
    held = next((found.intervals for found in there.values()), None)
    # What a draw decides nobody could ask for before it was drawn.
    known = Known(answers, solves=draw is not None)
    named: list[tuple[int | None, str, Plan]] = [(None, BY_THE_CALL, plain)]
    named += [(each.number, each.name, each.plan) for each in saved[1 - SIDE_BY_SIDE_MAX :]]
    # What tied applications and the line come to hangs on the plan; the scores are read once. One limit of time for all.
    with ranking.bounded():
        return tuple(
            _kept(
                number,
                name,
                plan,
                there.get(number) or reckoned(call.content, plan, read, facts, known),
                facts,
                themes,
                cities,
            )
            for number, name, plan in (
                (number, name, replace(plan, draw=draw, intervals=held)) for number, name, plan in named
            )
        )


def _kept_with(of_call: ColumnElement[bool]) -> Asking[tuple[Kept, ...]]:
    """What was compared when the list of a call was decided that stands; nothing before, or where it was not kept."""
    stands = (Selection.kind == SelectionKind.RANKED.value, Selection.state != SelectionState.RETURNED.value)
    rows = yield from ask(select(Selection.compared).where(of_call, *stands).order_by(Selection.number.desc()).limit(1))
    return compared_in(rows[0].compared) if rows else ()


def compared_in(stored: Any) -> tuple[Kept, ...]:
    """What was compared when a list was decided, as it was kept with it; nothing where it was not."""
    if stored is None:
        return ()
    found: tuple[Kept, ...] | None = encoding.decode(stored, tuple[Kept, ...])
    return found or ()


def _with_themes(
    call: CallView,
) -> Asking[tuple[Read, Mapping[UUID, Facts], Mapping[UUID, frozenset[str]], Mapping[UUID, Sequence[str]]]]:
    read, (facts, themes, cities) = yield from scored_beside(
        call,
        lambda ids: (
            facts_of.asking(ids), evaluation.topics_picked.asking(ids), evaluation.cities_named.asking(ids)
        ),
    )  # fmt: skip
    return read, of_ready(read, facts), themes, cities


@dataclass(frozen=True, slots=True)
class ToSolve:
    """Everything the selections of a call are worked out from, as it stands at one moment."""

    call: CallView
    read: Read
    facts: Mapping[UUID, Facts]
    worths: Worths
    # The rules of the call, then each scenario, with what a page says of it; or what somebody typed for one look.
    plans: tuple[tuple[str, Plan], ...]
    answers: tuple[Solved, ...]
    aims: tuple[ranking.Aim, ...] = tuple(ranking.Aim)


@reader
def to_solve(call: CallView, typed: Plan | None = None) -> Asking[ToSolve]:
    """What :func:`worked_out` takes: every selection of a call, or the one that was typed."""
    asked: list[Asking[Any]] = [
        scenarios.asking(call.id), with_worths(call), answers_kept.asking(call.id, ANSWERED), order_said.asking(call.id)
    ]  # fmt: skip
    saved, (read, facts, worths), answers, order = yield from side_by_side(asked)
    if typed is not None:
        return ToSolve(call, read, facts, worths, (("the list as it was typed", typed),), tuple(answers), ())
    plans = [("the rules of the call", plan_of(call.content.selection))]
    if order:
        plans.append(("the rules of the call in the panel’s order", plan_of(call.content.selection, order)))
    named = ((f"scenario {each.number}", each.plan) for each in saved)
    return ToSolve(call, read, facts, worths, (*plans, *named), tuple(answers))


def worked_out(asked: ToSolve, say: Callable[[int, int, str], None]) -> tuple[Solved, ...]:
    """The answers to every question that has none, or none that was proven. It asks the database nothing."""
    known, steps = Known(asked.answers, solves=True), len(asked.plans) + bool(asked.aims)
    for done, (words, plan) in enumerate(asked.plans):
        say(done, steps, f"Working out {words}")
        reckoned(asked.call.content, plan, asked.read, asked.facts, known)
    if asked.aims:
        say(steps - 1, steps, "Working out what other aims select")
    # One that is too hard keeps its sentence; the others are asked all the same.
    candidates, limits = official_candidates(asked.call, asked.plans[0][1], asked.read, asked.facts, asked.worths)
    for aim in asked.aims:
        if not asked.worths.why_not(aim, candidates):
            with suppress(Refused):
                known.aimed(candidates, limits, aim)
    say(steps, steps, "Done")
    return tuple(known.new)


def _kept(
    number: int | None,
    name: str,
    plan: Plan,
    found: RankedList,
    facts: Mapping[UUID, Facts],
    themes: Mapping[UUID, frozenset[str]],
    towns: Mapping[UUID, Sequence[str]],
) -> Kept:
    chosen = [facts.get(row.application_id, Facts()) for row in found.selected]
    # Where the register of cities knows none of its organisations, what the list itself names as its cities.
    cities = {
        city
        for row, one in zip(found.selected, chosen, strict=True)
        for city in one.cities or towns.get(row.application_id, ())
    }
    return Kept(
        number, name, plan, found.budget, found.used, found.line_words, hash_of(found),
        len(cities), len({one.country for one in chosen} - {""}),
        tuple(
            KeptRow(
                row.reference, row.rank, row.outcome, row.amount, row.rule_words, row.conditions, row.straddles, row.missing
            )
            for row in found.rows
        ),
        why_told(found),
        shares_of(((facts.get(row.application_id, Facts()).country,), row.amount) for row in found.selected),
        shares_of((themes.get(row.application_id, ()), row.amount) for row in found.selected),
        found.unsolved,
    )  # fmt: skip
