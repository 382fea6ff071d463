"""What the panel said reaches who decides the list: once its minutes are signed, and nobody to whom it is shut."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from threading import Thread
from typing import Any, cast

import pytest
from flask import Flask, current_app
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select

from grants.awards import queries, services
from grants.awards.models import Selection
from grants.awards.queries.selections import plan_of
from grants.awards.rules import BY_RANK, DecisionInput, Plan, ScenarioInput, SelectionView
from grants.awards.rules.heard import settled
from grants.awards.services import confirming
from grants.calls import queries as calls
from grants.calls.rules import ResultsInput
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.identity.queries import actor_for
from tests.awards.meeting import Meeting, planned, seat_panel
from tests.awards.publishing import publish
from tests.evaluation.scene import CLOSED, Browser, Scene
from tests.statements import statements
from tests.worlds import World, Worlds

NAMES = some.sampled_from("ABCDE")
PAIRS = some.lists(some.tuples(NAMES, NAMES).filter(lambda pair: pair[0] != pair[1]), max_size=12)


@given(PAIRS)
def test_the_last_word_of_the_panel_counts_and_everything_it_named_stands_once(pairs: list[tuple[str, str]]) -> None:
    order = settled(pairs)

    assert sorted(order) == sorted({each for pair in pairs for each in pair})
    if pairs:
        first, second = pairs[-1]
        assert order.index(first) < order.index(second)


@given(some.permutations("ABCDE"))
def test_what_contradicts_nothing_stands_as_it_was_said(said: list[str]) -> None:
    assert settled(pairwise(said)) == tuple(said)


@pytest.fixture(scope="session")
def held_world(worlds: Worlds, small_world: World[Scene]) -> World[Meeting]:
    """Two applications are tied; the panel put the second before the first and recommends something for it."""

    def held_by_the_panel() -> Meeting:
        scene = small_world.told()
        scene.evaluate(((8, 8, 8), (8, 8, 8), (9, 9, 9)))
        seat_panel(scene, with_place=1)
        meeting = planned(scene)
        meeting.all_arrive()
        meeting.does("chair", "begin")
        meeting.does("chair", "open_item", scene.references[1])
        meeting.does("chair", "reorder", scene.references[0], "It covers a region nobody covers")
        meeting.does("chair", "recommend", "Name the streets first", "The sheets miss them")
        meeting.does("chair", "end")
        services.minutes.freeze(scene.actor("manager"), meeting.id)
        return meeting

    with clock.at(CLOSED):
        return worlds.of(held_by_the_panel, like=small_world)


@pytest.fixture
def held(scene: Scene, held_world: World[Meeting]) -> Meeting:
    """The meeting, with the people of its scene in the browser's too."""
    told = held_world.told()
    scene.people.update(told.scene.people)
    return told


def sign(meeting: Meeting) -> None:
    for who in ("chair", "ben"):
        services.minutes.sign(meeting.scene.actor(who), meeting.id, 1)


def order_field(page: str) -> str:
    return page.partition('name="panel_order"')[2].partition("</textarea>")[0].partition(">")[2].strip()


def test_the_decision_begins_with_what_signed_minutes_say(held: Meeting, browser: Browser) -> None:
    scene = held.scene
    slug = held.page("manager").head.call_slug
    path = f"/calls/{slug}/decision"
    before = browser.get("manager", path).get_data(as_text=True)
    assert order_field(before) == "" and "Name the streets first" not in before

    sign(held)

    with statements() as asked:
        page = browser.get("manager", path)
    assert len(asked) <= 8
    shown = page.get_data(as_text=True)
    assert order_field(shown).split() == [scene.references[1], scene.references[0]]
    assert "The panel recommends:</strong> Name the streets first" in shown
    rows = queries.ranking_page(scene.actor("manager"), slug, panel_order=order_field(shown).split()).rows
    assert [row.reference for row in rows[1:]] == [scene.references[1], scene.references[0]]
    assert [row.rank for row in rows] == [1, 2, 3]


def test_who_may_not_read_an_application_is_told_nothing_the_panel_said_of_it(held: Meeting, browser: Browser) -> None:
    sign(held)
    slug = held.page("manager").head.call_slug

    page = browser.get("cleo", f"/calls/{slug}/decision").get_data(as_text=True)

    for word in ("Name the streets first", held.scene.references[1], "signed minutes of"):
        assert word not in page
    assert db.session.query(Selection).count() == 0


def ordered(meeting: Meeting, order: list[int], reason: str = "", more: tuple[str, ...] = ()) -> DecisionInput:
    scene = meeting.scene
    named = [*(scene.references[each] for each in order), *more]
    shown = queries.ranking_page(scene.actor("manager"), scene.slug, panel_order=named)
    return DecisionInput(shown.list_hash, "As ranked.", panel_order=tuple(named), order_reason=reason)


def decided(meeting: Meeting, values: DecisionInput) -> SelectionView:
    scene = meeting.scene
    services.decide(scene.actor("manager"), scene.call_id, values)
    # The latest comes first.
    return queries.selections(scene.call_id)[0]


def kept_plan() -> Plan:
    return plan_of(db.session.scalars(select(Selection)).one())


def test_another_order_of_ties_than_the_panels_needs_a_reason_and_is_never_called_the_panels(held: Meeting) -> None:
    sign(held)

    with pytest.raises(Invalid) as refused:
        decided(held, ordered(held, [0, 1]))
    assert "signed minutes say" in refused.value.problems["order_reason"]
    with pytest.raises(Invalid):
        decided(held, ordered(held, []))

    view = decided(held, ordered(held, [0, 1], "The first covers two regions."))

    (said,) = view.departures
    assert said.startswith("Not the panel but whoever decided the list put tied applications in this order")
    assert said.endswith("Reason: The first covers two regions.")
    assert said in kept_plan().sentences
    assert not any("The panel put" in each for each in kept_plan().sentences)


def test_the_order_of_signed_minutes_is_the_panels_whatever_is_typed_as_a_reason(held: Meeting) -> None:
    sign(held)

    view = decided(held, ordered(held, [1, 0], "As they said."))

    assert view.departures == () and kept_plan().order_reason == ""
    assert any(each.startswith("The panel put tied applications in this order") for each in kept_plan().sentences)


def test_without_signed_minutes_nobody_says_what_the_panel_put_first(held: Meeting) -> None:
    with pytest.raises(Invalid) as refused:
        decided(held, ordered(held, [1, 0]))
    assert "No signed minutes of the panel say one" in refused.value.problems["order_reason"]


def test_a_scenario_takes_the_order_of_signed_minutes_and_no_older_one(held: Meeting) -> None:
    scene = held.scene
    services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput("Before", Plan()))
    sign(held)
    number = services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput("After", Plan()))

    plan = queries.scenario_of(scene.call_id, number).plan
    assert plan.panel_order == (scene.references[1], scene.references[0])
    old = queries.scenario_page(scene.actor("manager"), scene.slug, 1)[0]
    with pytest.raises(Refused, match="Save the scenario again"):
        services.decide(
            scene.actor("manager"), scene.call_id, DecisionInput(old.list_hash, "It is better.", scenario=1)
        )
    new = queries.scenario_page(scene.actor("manager"), scene.slug, number)[0]
    services.decide(
        scene.actor("manager"), scene.call_id, DecisionInput(new.list_hash, "It is better.", scenario=number)
    )
    assert [row.rank for row in queries.ranking_page(scene.actor("manager"), scene.slug).rows] == [1, 2, 3]


def test_a_line_that_is_not_on_the_list_is_refused_at_its_field_and_never_called_the_panels(held: Meeting) -> None:
    scene = held.scene
    shown = queries.ranking_page(scene.actor("manager"), scene.slug)
    typed = DecisionInput(shown.list_hash, "As ranked.", panel_order=("the green one before the other",))

    with pytest.raises(Invalid) as refused:
        decided(held, typed)
    words = refused.value.problems["panel_order"]
    assert words.startswith("the green one before the other is not on the list. Write one reference a line")

    sign(held)
    with pytest.raises(Invalid) as refused:
        decided(held, ordered(held, [1, 0], more=("PCP-0000-A-99",)))
    assert "PCP-0000-A-99 is not on the list" in refused.value.problems["panel_order"]
    assert db.session.query(Selection).count() == 0


def test_a_line_that_is_not_on_the_list_is_told_when_the_list_is_shown_too(held: Meeting, browser: Browser) -> None:
    answer = browser.post("manager", f"/calls/{held.scene.slug}/decision", go="show", panel_order="Oulu", reason="")

    assert "Oulu is not on the list. Write one reference a line" in answer.get_data(as_text=True)


def test_whom_the_panel_named_and_who_left_the_list_hinders_no_decision(
    held: Meeting, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(held)
    scene, said = held.scene, queries.order_said(held.scene.call_id)
    monkeypatch.setattr(import_module("grants.awards.queries.heard"), "settled", lambda pairs: ("PCP-0000-A-99", *said))
    page = browser.get("manager", f"/calls/{scene.slug}/decision").get_data(as_text=True)
    assert order_field(page).split() == list(said)

    number = services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput("All", Plan()))
    shown = queries.scenario_page(scene.actor("manager"), scene.slug, number)[0]
    services.decide(
        scene.actor("manager"), scene.call_id, DecisionInput(shown.list_hash, "It is better.", scenario=number)
    )
    assert kept_plan().panel_order == said


def test_minutes_signed_after_the_decision_that_say_another_order_refuse_its_confirmation(held: Meeting) -> None:
    scene = held.scene
    view = decided(held, ordered(held, [0, 1], "Nobody sat yet."))
    sign(held)

    with pytest.raises(
        Refused, match="signed after this list was decided put tied applications in another order"
    ) as no:
        services.confirm(scene.actor("officer"), view.id)
    assert f"{scene.references[1]}, {scene.references[0]}. Return the list" in str(no.value)

    services.return_list(scene.actor("officer"), view.id, "The panel’s minutes came.")
    again = decided(held, ordered(held, [1, 0]))
    services.confirm(scene.actor("officer"), again.id)


def test_a_list_whose_order_of_ties_is_not_the_panels_departs_from_no_rule_and_its_reason_is_told_to_nobody(
    held: Meeting,
) -> None:
    sign(held)
    scene, why = held.scene, "The mayor asked for it."
    view = decided(held, ordered(held, [], why))
    services.confirm(scene.actor("officer"), view.id)
    row = db.session.scalars(select(Selection)).one()

    assert (row.rules.get("departures", []), why in row.rules["order_told"]) == ([], False)
    assert [why in each for each in queries.selections(scene.call_id)[0].departures] == [True]
    letters = queries.letters.letters_page(scene.actor("manager"), scene.slug)
    told = " ".join(words for each in letters.rows if each.text for words in each.text.paragraphs)
    assert "left applications tied that the panel had put in order" in told
    for words in (why, "departs from the published rules"):
        assert words not in told
    at = publish(scene, ResultsInput())
    results = [
        queries.result(actor_for(lead), ref, at) for lead, ref in zip(scene.leads, scene.references, strict=True)
    ]
    kept_out = " ".join(each.kept_out for each in results)
    assert "left applications tied that the panel had put in order" in kept_out
    assert why not in kept_out and "departs from the published rules" not in kept_out


def test_a_scenario_that_changes_nothing_selects_what_the_rules_of_the_call_select(held: Meeting) -> None:
    scene = held.scene
    sign(held)
    services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput("The same", Plan(BY_RANK.rules)))

    shown = queries.scenarios_page(scene.actor("manager"), scene.slug)

    assert [column.name for column in shown.columns] == ["By the rules of the call", "The same"]
    assert shown.differing == () and len({column.applications for column in shown.columns}) == 1
    # What a job works out is asked with the same order.
    asked = queries.to_solve(calls.call_by_id(scene.call_id))
    assert [bool(plan.panel_order) for _, plan in asked.plans] == [False, True, True]


def test_minutes_are_not_signed_while_the_list_they_speak_of_is_confirmed(
    held: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, app, now = held.scene, cast(Flask, cast(Any, current_app)._get_current_object()), clock.now()
    view = decided(
        held, DecisionInput(queries.ranking_page(scene.actor("manager"), scene.slug).list_hash, "As ranked.")
    )
    services.minutes.sign(scene.actor("chair"), held.id, 1)
    asked, ended = confirming._refuse_later_minutes, list[str]()

    def second() -> None:
        with app.app_context(), clock.at(now):
            try:
                services.minutes.sign(scene.actor("ben"), held.id, 1)
                ended.append("signed")
            finally:
                db.session.remove()

    other = Thread(target=second)

    def and_then_signed(*given: Any) -> None:
        asked(*given)
        other.start()
        # What the minutes say was looked at: they say nothing else until the list stands confirmed.
        other.join(2)
        assert ended == []

    monkeypatch.setattr(confirming, "_refuse_later_minutes", and_then_signed)
    services.confirm(scene.actor("officer"), view.id)
    other.join(30)

    assert ended == ["signed"]
