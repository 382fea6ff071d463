"""Scenarios of a call, and what each would select from the list as it stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.awards import ranking
from grants.awards.models import Selection, SelectionScenario
from grants.awards.queries.lists import Read, facts_of, ranked, scored, shown_list
from grants.awards.queries.selections import opened
from grants.awards.ranking import RankedList
from grants.awards.rules import (
    Aimed,
    Column,
    Compared,
    Facts,
    Plan,
    ScenariosPage,
    ScenarioView,
    WhatIfPage,
    plan_of,
)
from grants.awards.states import Outcome, SelectionState
from grants.calls.rules import CallView
from grants.core import encoding
from grants.core.errors import NotFound, Refused
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.identity import queries as identity

BY_THE_CALL = "By the rules of the call"
# Each is reckoned anew: as many as a table holds and a page may take.
SIDE_BY_SIDE_MAX = 6


@reader
def scenarios(call_id: UUID) -> Asking[tuple[ScenarioView, ...]]:
    """The scenarios of a call by their number."""
    rows = yield from ask(
        select(SelectionScenario, Selection.number.label("chosen_in"))
        .outerjoin(
            Selection,
            (Selection.scenario_id == SelectionScenario.id) & (Selection.state != SelectionState.RETURNED.value),
        )
        .where(SelectionScenario.call_id == call_id)
        .order_by(SelectionScenario.number)
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
    found = next((each for each in scenarios(call_id) if each.number == number), None)
    if found is None:
        raise NotFound
    return found


@reader
def scenarios_page(actor: Actor, slug: str) -> Asking[ScenariosPage]:
    """Every scenario beside the list by the rules of the call. Whoever sees a part of the list sees no scenario."""
    call, views = yield from opened.asking(actor, slug)
    plain = plan_of(call.content.selection, None, None)
    asked: list[Asking[Any]] = [shown_list(actor, call, views, plain), scenarios.asking(call.id), _with_facts(call)]
    shown, saved, (read, facts) = yield from side_by_side(asked)
    if shown.partial or (yield from _sees_a_part.asking(actor, read)):
        return ScenariosPage(call.id, call.slug, call.title, True, False)
    official = ranked(call, plain, read)
    named: list[tuple[int | None, str, Plan]] = [(None, BY_THE_CALL, plain)]
    named += [(each.number, each.name, each.plan) for each in saved[1 - SIDE_BY_SIDE_MAX :]]
    made = []
    # One limit of time for all of them together.
    with ranking.bounded():
        for number, name, plan in named:
            # What tied applications and the line come to hangs on the plan; the scores are read once.
            made.append((number, name, _reckoned(ranked(call, plan, read), plan, facts)))
    columns = tuple(_column(number, name, found, facts) for number, name, found in made)
    rows = _compared(official, [found for _, _, found in made])
    return ScenariosPage(call.id, call.slug, call.title, False, shown.ready, columns, rows, saved)


def _reckoned(found: RankedList, plan: Plan, facts: Mapping[UUID, Facts]) -> RankedList:
    """The list of one scenario; where it is too hard to reckon, nothing selected and the sentence that says so."""
    try:
        return ranking.within(found, plan, facts)
    except Refused as error:
        rows = tuple(
            row if row.outcome is Outcome.BELOW_THRESHOLD else replace(row, outcome=Outcome.NOT_FUNDED)
            for row in found.rows
        )
        return replace(found, rows=rows, used=ZERO, relaxed=(str(error),))


def _with_facts(call: CallView) -> Asking[tuple[Read, Mapping[UUID, Facts]]]:
    read = yield from scored.asking(call)
    return read, (yield from facts_of.asking([row.id for row in read.ready]))


@reader
def _sees_a_part(actor: Actor, read: Read) -> Asking[bool]:
    """Whether something is shut to this person of what scenarios are reckoned from: what has its score and what waits.

    A list that stands holds other applications than those evaluated now; both count.
    """
    ids = [row.id for row in (*read.ready, *read.waiting)]
    shut = yield from side_by_side((evaluation.undeclared.asking(actor, ids), evaluation.conflicted.asking(actor, ids)))
    return bool(frozenset().union(*shut) or actor.barred("application") & frozenset(ids))


@reader
def what_ifs(actor: Actor, slug: str) -> Asking[WhatIfPage]:
    """What other aims would select within the rules of the call, beside the list; empty for whoever sees a part of it."""
    call, views = yield from opened.asking(actor, slug)
    plan = plan_of(call.content.selection, None, None)
    asked: list[Asking[Any]] = [shown_list(actor, call, views, plan), _with_facts(call)]
    shown, (read, facts) = yield from side_by_side(asked)
    if shown.partial or (yield from _sees_a_part.asking(actor, read)):
        return WhatIfPage(call.slug, call.title, True)
    official = ranked(call, plan, read)
    candidates, limits = ranking.candidates_of(official, plan, facts), ranking.limits_of(official, plan)
    found = []
    for aim in ranking.Aim:
        best = ranking.what_if(candidates, limits, aim)
        if best is not None:
            shares = tuple((country, many, money) for country, (many, money) in best.countries.items())
            found.append(Aimed(aim.words, len(best.selected), best.used, best.inversions, shares))
    by_rank = ranking.within(official, plan, facts).selected
    listed: dict[str, tuple[int, Money]] = {}
    for row in by_rank:
        country = facts[row.application_id].country if row.application_id in facts else ""
        many, money = listed.get(country, (0, ZERO))
        listed[country] = (many + 1, money + row.amount)
    shares = tuple((country, *listed[country]) for country in sorted(listed))
    first = Aimed("As ranked", len(by_rank), total(row.amount for row in by_rank), 0, shares)
    return WhatIfPage(call.slug, call.title, False, (first, *found))


def _column(number: int | None, name: str, found: RankedList, facts: Mapping[UUID, Facts]) -> Column:
    chosen = found.selected
    cities = {city for row in chosen for city in facts.get(row.application_id, Facts()).cities}
    countries = {facts[row.application_id].country for row in chosen if row.application_id in facts}
    return Column(number, name, len(chosen), len(cities), len(countries - {""}), found.used, found.left, found.relaxed)


def _compared(official: RankedList, made: Sequence[RankedList]) -> tuple[Compared, ...]:
    by_id = [{row.application_id: row for row in found.rows} for found in made]
    rows = []
    for row in official.rows:
        each = [found[row.application_id] for found in by_id]
        outcomes = tuple((one.outcome, one.amount) for one in each)
        if any(outcome is not Outcome.BELOW_THRESHOLD for outcome, _ in outcomes):
            rows.append(Compared(row.reference, row.title, row.rank, outcomes))
    return tuple(rows)
