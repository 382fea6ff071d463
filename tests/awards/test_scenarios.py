"""Scenarios are saved, compared side by side, and one is chosen with a reason and confirmed by another person."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select

from grants.applications.models import Application, Submission
from grants.applications.states import ApplicationState
from grants.awards import queries, services
from grants.awards.forms import ScenarioForm
from grants.awards.models import Selection, SelectionItem
from grants.awards.rules import (
    DecisionInput,
    Override,
    Plan,
    ScenarioInput,
    departures,
    override_lines,
    read_overrides,
    refuse_departures,
)
from grants.awards.states import Outcome
from grants.calls.models import Call
from grants.calls.rules import PLAIN_SELECTION, SelectionRules
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.money import euros
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from tests.awards.solving import worked_off
from tests.awards.test_minute import printed
from tests.awards.test_rules_of_selection import said
from tests.awards.test_services import reserved
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene, declares
from tests.statements import statements


def cut(scene: Scene, percent: int = 25) -> int:
    """A scenario that pays everybody less, so that all three fit."""
    plan = Plan(PLAIN_SELECTION, cut_percent=Fraction(percent))
    return services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput("Cut 25 %", plan))


def chosen(scene: Scene, number: int, name: str = "manager") -> int:
    saved = queries.scenario_of(scene.call_id, number)
    shown = queries.ranking_page(scene.actor(name), scene.slug, plan=saved.plan)
    given = DecisionInput(shown.list_hash, "All three can start.", scenario=number)
    return services.decide(scene.actor(name), scene.call_id, given)


def test_two_scenarios_stand_side_by_side_and_what_differs_is_named(evaluated: Scene) -> None:
    cut(evaluated)

    shown = queries.scenarios_page(evaluated.actor("chair"), evaluated.slug)

    # No register knows these cities: they are those the list itself names.
    assert [(each.name, each.applications, each.cities, each.used) for each in shown.columns] == [
        ("By the rules of the call", 2, 2, euros(800_000)),
        ("Cut 25 %", 3, 3, euros(900_000)),
    ]
    assert shown.differ_in("applications")
    assert {each.name: [many for many, _ in each.of] for each in shown.countries} == {
        "DK": [0, 1], "GR": [1, 1], "HU": [1, 1],
    }  # fmt: skip
    assert [each.differs for each in shown.countries] == [True] * 3
    assert shown.themes == ()  # Nobody of the small call picks one.
    column = replace(shown.columns[0], by_theme=(("heat", 1, euros(1)),))
    assert replace(shown, columns=(column,), theme_names=(("heat", "Heat in towns"),)).themes[0].name == "Heat in towns"
    assert len(shown.differing) == 3
    assert shown.differing[2].outcomes == ((Outcome.RESERVE, euros(400_000)), (Outcome.SELECTED, euros(300_000)))


def test_a_chosen_scenario_reserves_what_it_recommends_once_another_confirms(evaluated: Scene) -> None:
    number = chosen(evaluated, cut(evaluated))
    selection = db.session.scalars(select(Selection).where(Selection.number == number)).one()

    with pytest.raises(Refused, match="another person must confirm"):
        services.confirm(replace(evaluated.actor("chair"), user_id=evaluated.actor("manager").user_id), selection.id)
    assert services.confirm(evaluated.actor("chair"), selection.id) == euros(900_000) == reserved(evaluated)
    items = db.session.execute(select(SelectionItem.amount, SelectionItem.asked)).all()
    assert {tuple(item) for item in items} == {(euros(300_000), euros(400_000))}
    assert queries.scenario_of(evaluated.call_id, 1).chosen_in == number


def test_a_moved_application_has_a_reason_and_keeps_its_rank(evaluated: Scene) -> None:
    last = evaluated.references[1]
    moved = Plan(overrides=(Override(last, rank=1, reason="The only island."),))
    with pytest.raises(Invalid) as caught:
        silent = Plan(overrides=(Override(last, rank=1),))
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Islands", silent))
    assert "has no reason" in caught.value.problems["overrides"]

    services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Islands", moved))
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug, plan=moved)

    assert [(row.rank, row.outcome) for row in shown.rows] == [
        (3, Outcome.SELECTED),
        (1, Outcome.SELECTED),
        (2, Outcome.RESERVE),
    ]
    assert shown.rows[0].rule_words == "Moved to place 1: The only island."


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (Override("PCP-1", reason="Why"), "is not on the list"),
        (Override("{first}", amount=euros(400_001), reason="More"), "at most that"),
        (Override("{first}", amount=euros(300_000)), "has no reason"),
    ],
)
def test_a_departure_that_cannot_stand_is_refused(evaluated: Scene, override: Override, words: str) -> None:
    override = replace(override, reference=override.reference.format(first=evaluated.references[0]))

    with pytest.raises(Invalid) as caught:
        services.save_scenario(
            evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Odd", Plan(overrides=(override,)))
        )

    assert words in caught.value.problems["overrides"]


def test_a_recommended_amount_above_what_is_free_is_refused() -> None:
    plan = Plan(overrides=(Override("A-1", amount=euros(500), reason="It needs all of it"),))

    with pytest.raises(Invalid) as caught:
        refuse_departures(plan, {"A-1": euros(600)}, PLAIN_SELECTION, euros(499))

    assert "the call has EUR 499.00 free" in caught.value.problems["overrides"]
    refuse_departures(plan, {"A-1": euros(600)}, PLAIN_SELECTION, euros(500))


def test_a_scenario_is_changed_by_who_saw_it_and_stands_once_it_is_chosen(evaluated: Scene) -> None:
    number = cut(evaluated)
    saved = queries.scenario_of(evaluated.call_id, number)
    given = ScenarioInput("Cut 30 %", Plan(cut_percent=Fraction(30)), number, saved.version)
    services.save_scenario(evaluated.actor("manager"), evaluated.call_id, given)

    with pytest.raises(Conflict):
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, replace(given, name="Mine"))
    with pytest.raises(Invalid, match="not saved"):
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Cut 30 %", Plan()))
    chosen(evaluated, number)
    with pytest.raises(Refused, match="waits for a second person"):
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, replace(given, version=None))


def test_a_conflict_leaves_the_scenarios_out(evaluated: Scene, browser: Browser) -> None:
    number = cut(evaluated)
    conflict = Answered(evaluated.application_ids[0], Declared.CONFLICT, "My brother leads it")
    declares(evaluated.actor("chair"), evaluated.call_id, (conflict,))

    shown = queries.scenarios_page(evaluated.actor("chair"), evaluated.slug)

    assert (shown.partial, shown.columns, shown.rows, shown.scenarios) == (True, (), (), ())
    text = text_of(browser.get("chair", f"/calls/{evaluated.slug}/scenarios/{number}"))
    assert "Cut 25" not in text and "Somebody else compares" in text
    # Whoever may only have left something undeclared is led to where it is declared.
    for page in ("scenarios", "scenarios/what-if"):
        assert 'href="/assessments/conflicts">Declare conflicts</a>' in text_of(
            browser.get("chair", f"/calls/{evaluated.slug}/{page}")
        )


def test_the_pages_walk_from_saving_to_choosing(evaluated: Scene, browser: Browser) -> None:
    base = f"/calls/{evaluated.slug}/scenarios"
    assert "Side by side" in text_of(browser.get("manager", base))
    wrong = browser.post("manager", base, title="B", line="stop", overrides="nonsense")
    assert (wrong.status_code, "Line 1 needs five parts" in wrong.text) == (422, True)
    # What only the list knows is told with what is wrong by itself, once and above all; nothing typed is lost.
    last = evaluated.references[1]
    wrong = browser.post(
        "manager", base, title="", line="stop", country_max="x", exclusive=f"{last}, PCP-9", overrides="PCP-8;;;;"
    )
    summary = wrong.text.partition("There is a problem")[2].partition("<h1")[0]
    assert wrong.status_code == 422 and f"{last}, PCP-9" in wrong.text
    for words in (
        "Give the scenario a name.",
        "whole number",
        "PCP-9 is not on",
        "PCP-8 is not on",
        "Write why",
    ):
        assert summary.count(words) == 1, words
    # Above all each names its box, and what was typed stands in it.
    assert "Most applications from one country: write a whole number" in summary
    (typed,) = re.findall(r'<input[^>]* name="country_max"[^>]*>', wrong.text)
    assert 'type="text"' in typed and 'inputmode="numeric"' in typed and 'value="x"' in typed
    alone = browser.post("manager", base, title="B", line="stop", exclusive=f"\n{last}")
    assert "Applications of which at most one is selected: line 2 names one application." in alone.text
    assert (alone.status_code, "Line 2 names one application." in alone.text) == (422, True)
    strands = "Small; 450 000\nLarge; 900 000; 0"
    unread = browser.post("manager", base, title="B", line="stop", strands=strands, country_amount_max="0")
    assert unread.status_code == 422 and strands.replace("\n", "\r\n") in unread.text.replace("\r\n", "\n").replace(
        "\n", "\r\n"
    )
    for words in (
        "Line 1 needs three parts",
        "Line 2: “most together” must be more than zero; write an amount or take the line out.",
        "Write an amount above zero",
    ):
        assert words in unread.text, words
    assert browser.post("manager", base, title="B", line="stop", cut="25").status_code == 303
    # Strands, cities and money of one country: kept, told in words, selected by, and typed again as they were.
    given = {"title": "S", "line": "skip", "strands": "Small; 450 000; 500 000", "country_amount_max": "600 000,50"}
    assert browser.post("manager", base, **given, one_per_city="y", why="Spread").status_code == 303
    spread = queries.scenario_of(evaluated.call_id, 2).plan
    assert ScenarioForm.of("S", spread).to_input(PLAIN_SELECTION).plan == spread
    said_so = text_of(browser.get("manager", f"{base}/2"))
    for words in (*spread.rules.sentences, "more than is left of the strand “Small”"):
        assert words in said_so, words
    assert len(spread.rules.sentences) == 4 and "Small; 450\u00a0000.00; 500\u00a0000.00" in said_so
    together = f"Small (up to {euros(450_000)}, together {euros(500_000)}) instead of none"
    assert f"Strands of the budget: {together}. Reason: Spread" in departures(spread, PLAIN_SELECTION)
    page = text_of(browser.get("manager", f"{base}/1"))
    assert "Choose this scenario" in page
    saved = queries.scenario_of(evaluated.call_id, 1)
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug, plan=saved.plan)
    stale = browser.post("manager", f"{base}/1/choose", list_hash="x", reason="All three")
    assert stale.status_code == 409
    answer = browser.post("manager", f"{base}/1/choose", list_hash=shown.list_hash, reason="All three")
    assert answer.status_code == 303
    assert "from this scenario" in text_of(browser.get("manager", f"{base}/1"))
    assert browser.get("manager", f"{base}/9").status_code == 404


@pytest.mark.parametrize("place", ["9" * 5_000, "0", "5001", "١", "-1"])
def test_a_place_that_is_none_is_refused_in_words(place: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_overrides(f"A-1; {place}; ; ; Why")
    assert caught.value.problems == {"overrides": "Line 1: the place is a whole number from 1."}


def test_what_a_scenario_sets_aside_of_the_rules_has_a_reason_and_reaches_who_confirms(
    evaluated: Scene, browser: Browser
) -> None:
    said(evaluated, SelectionRules(country_max=1))
    plan = Plan(SelectionRules(fund_what_fits=True, country_max=3))
    with pytest.raises(Invalid) as caught:
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Looser", plan))
    assert caught.value.problems == {
        "why": "Write why this scenario departs from the rules of the call: what happens below the line: what still fits "
        "is selected instead of selection stops; most applications from one country: 3 instead of 1."
    }

    plan = replace(plan, reason="Few leads came")
    number = services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Looser", plan))
    selection = chosen(evaluated, number)
    said(evaluated, SelectionRules(country_max=2))

    shown = text_of(browser.get("chair", f"/calls/{evaluated.slug}/selections/{selection}"))
    assert "Departs from the published rules" in shown
    assert "Most applications from one country: 3 instead of 1. Reason: Few leads came" in shown


def test_an_application_is_moved_only_where_the_call_allows_it(evaluated: Scene) -> None:
    said(evaluated, SelectionRules(country_max=3))
    moved = Override(evaluated.references[1], rank=1, reason="The only island.")
    plan = Plan(SelectionRules(country_max=3), overrides=(moved,))
    given = ScenarioInput("Islands", plan)
    with pytest.raises(Invalid) as caught:
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, given)
    assert "does not allow an application to be moved" in caught.value.problems["overrides"]

    said(evaluated, SelectionRules(country_max=3, places=True))
    allowed = replace(given, plan=replace(plan, rules=SelectionRules(country_max=3, places=True)))
    number = services.save_scenario(evaluated.actor("manager"), evaluated.call_id, allowed)
    said(evaluated, SelectionRules(country_max=3))
    with pytest.raises(Refused, match="This scenario cannot be chosen as it is"):
        chosen(evaluated, number)


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan(exclusive=(("A", "B"),) * 21, reason="Why"), "exclusive"),
        (Plan(exclusive=(tuple(f"A-{number}" for number in range(21)),), reason="Why"), "exclusive"),
        (Plan(SelectionRules(country_max=2), reason="x" * 2_001), "why"),
        (Plan(overrides=(Override("{first}", rank=1, reason="x" * 2_001),)), "overrides"),
    ],
)
def test_what_is_typed_into_a_scenario_has_a_limit(evaluated: Scene, plan: Plan, field: str) -> None:
    first = evaluated.references[0]
    plan = replace(plan, overrides=tuple(replace(each, reference=first) for each in plan.overrides))
    with pytest.raises(Invalid) as caught:
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Long", plan))
    assert (
        "most" in caught.value.problems[field]
        or "limit" in caught.value.problems[field]
        or "more than" in caught.value.problems[field]
    )


def test_at_most_six_stand_side_by_side_and_the_others_are_linked(evaluated: Scene, browser: Browser) -> None:
    for percent in range(1, 7):
        plan = Plan(cut_percent=Fraction(percent))
        services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput(f"Cut {percent} %", plan))

    shown = queries.scenarios_page(evaluated.actor("manager"), evaluated.slug)

    assert [column.number for column in shown.columns] == [None, 2, 3, 4, 5, 6]
    page = text_of(browser.get("manager", f"/calls/{evaluated.slug}/scenarios"))
    assert page.index("Older scenarios, not side by side") < page.index(">Cut 1 %</a>")


def test_what_is_evaluated_after_a_list_stands_is_in_no_scenario(evaluated: Scene) -> None:
    chosen(evaluated, cut(evaluated))
    with arranging():
        first = get(Application, evaluated.application_ids[0])
        # It came after the list that stands, and scenarios are reckoned from it.
        late = Application(
            call_id=first.call_id, reference="PCP-2022-A-0199", title="Late Lanes", origin=first.origin,
            state=ApplicationState.UNDER_EVALUATION.value, coordinator_id=first.coordinator_id, requested=first.requested,
            submitted_at=first.submitted_at, submission_id=first.submission_id, search_text="late lanes",
        )  # fmt: skip
        db.session.add(late)
    db.session.rollback()

    shown = queries.scenarios_page(evaluated.actor("manager"), evaluated.slug)
    assert not shown.partial and shown.rows
    assert "PCP-2022-A-0199" not in str(shown)


def test_every_scenario_keeps_what_it_came_to_when_one_is_chosen(evaluated: Scene, browser: Browser) -> None:
    first = cut(evaluated)
    other = ScenarioInput("Cut 10 %", Plan(cut_percent=Fraction(10)))
    services.save_scenario(evaluated.actor("manager"), evaluated.call_id, other)
    before = queries.scenarios_page(evaluated.actor("manager"), evaluated.slug)
    hashes = [queries.scenario_page(evaluated.actor("manager"), evaluated.slug, at)[0].list_hash for at in (1, 2)]

    number = chosen(evaluated, first)
    selection = db.session.scalars(select(Selection.id).where(Selection.number == number)).one()
    services.confirm(evaluated.actor("chair"), selection)

    after = queries.scenarios_page(evaluated.actor("manager"), evaluated.slug)
    assert (after.columns, after.rows, after.decided) == (before.columns, before.rows, number)
    shown = [queries.scenario_page(evaluated.actor("manager"), evaluated.slug, at)[0] for at in (1, 2)]
    assert [page.list_hash for page in shown] == hashes
    assert [(len(page.selected), page.used) for page in shown] == [(3, euros(900_000)), (2, euros(720_000))]
    assert {row.amount for row in shown[1].rows} == {euros(360_000)}
    frozen = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    assert [(row.reference, row.rank, row.outcome, row.amount, row.running_total) for row in shown[0].rows] == [
        (row.reference, row.rank, row.outcome, row.amount, row.running_total) for row in frozen.rows
    ]
    minute = printed(evaluated, number)
    for words in (
        "Chosen from Scenario 1, “Cut 25 %”",
        "What it was compared with",
        "Cut 25 %: decided 3 3 3 900 000.00 100 000.00",
    ):
        assert words in minute, minute
    assert "Cut 10 % 2 2 2 720 000.00 280 000.00" in minute
    base = f"/calls/{evaluated.slug}/scenarios"
    text = text_of(browser.get("manager", f"{base}/2"))
    assert "Every amount is cut by 10 %." in text and "nothing of it was reserved" in text
    assert "The figures are those of the moment it was decided." in text_of(browser.get("manager", base))
    assert "reckoned only before" in text_of(browser.get("manager", f"{base}/what-if"))


def test_the_second_person_reads_by_what_the_list_was_selected(evaluated: Scene, browser: Browser) -> None:
    last = evaluated.references[1]
    plan = Plan(
        exclusive=((evaluated.references[0], last),),
        overrides=(Override(last, rank=1, conditions="Ethics check first", reason="The only island"),),
        cut_percent=Fraction(5),
        reason="One of two neighbours is enough.",
    )
    number = services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Islands", plan))
    chosen(evaluated, number)

    page = browser.get("chair", f"/calls/{evaluated.slug}/selections/1")

    text = text_of(page)
    assert "Confirm the list" in text and "Chosen from the scenario" in text and ">Islands</a>" in page.text
    assert f'href="/calls/{evaluated.slug}/scenarios/{number}"' in page.text
    for sentence in plan.sentences:
        assert sentence in text
    assert f"{last}: moved to place 1; condition: Ethics check first. Reason: The only island" in plan.sentences
    assert queries.ranking_page(evaluated.actor("chair"), evaluated.slug).plan == plan
    conflict = Answered(evaluated.application_ids[0], Declared.CONFLICT, "My brother leads it")
    declares(evaluated.actor("chair"), evaluated.call_id, (conflict,))
    assert "Islands" not in text_of(browser.get("chair", f"/calls/{evaluated.slug}/selections/1"))


def test_departures_are_read_as_they_are_written() -> None:
    found = (Override("A-1", 2, euros(250_000), "Ethics check first", "Less travel"), Override("A-2", reason="None"))

    assert read_overrides(override_lines(found)) == found


def saves(scene: Scene, *tonnes: str) -> None:
    """The form of the call asks what is saved, and each application wrote this."""
    with arranging():
        row = get(Call, scene.call_id)
        content: Any = deepcopy(row.content)
        for section in content["fields"]["application_form.sections"]["value"]["sections"][:1]:
            section["questions"].append({"key": "saved", "label": "Saved", "kind": "number", "hint": "In tCO₂e a year"})
        row.content = content
        for application_id, text in zip(scene.application_ids, tonnes, strict=True):
            application = get(Application, application_id)
            before = get(Submission, application.submission_id)
            sent: Any = deepcopy(before.content)
            sent["answers"]["answers"].append({"question": "saved", "text": text})
            kept = {name: getattr(before, name) for name in ("application_id", "submitted_at", "submitted_by", "closes_at", "sha256", "requested")}  # fmt: skip
            later = Submission(**kept, number=2, receipt_number=before.receipt_number + 100, content=sent)
            db.session.add(later)
            application.submission_id = later.id
    db.session.rollback()


def test_other_aims_stand_beside_the_list_and_decide_nothing(evaluated: Scene, browser: Browser) -> None:
    services.request_solve(evaluated.actor("manager"), evaluated.call_id)
    worked_off()
    shown = queries.what_ifs(evaluated.actor("chair"), evaluated.slug)

    assert [(aim.words, aim.applications, aim.used) for aim in shown.aims] == [
        ("As ranked", 2, euros(800_000)),
        ("Highest sum of scores", 2, euros(800_000)),
    ]
    # Nobody knows how many people live in these cities, so no set is the best for that; nor what else was never asked.
    assert [each.partition(":")[0] for each in shown.unknown] == [
        "Highest expected quality", "Most people in the cities", "Most tCO₂e saved for the money",
    ]  # fmt: skip
    assert shown.aims[1].inversions == 0
    # Where the form asks for savings, what the applications sent says which set saves most; who wrote none saves none.
    saves(evaluated, "1 200 tonnes is no number", "90", "700.5")
    services.request_solve(evaluated.actor("manager"), evaluated.call_id)
    worked_off()
    shown = queries.what_ifs(evaluated.actor("chair"), evaluated.slug)
    assert [(aim.words, aim.measures[-1]) for aim in shown.aims[::2]] == [
        ("As ranked", "700.5, which is 875.6 for each million euro"),
        ("Most tCO₂e saved for the money", "790.5, which is 988.1 for each million euro"),
    ]
    assert "answered “Saved”, checked by nobody. 1 without such a number" in shown.notes[0]
    # The first of the list asks for so much that it is left out for the two below it, by name.
    dear = queries.ranking_page(evaluated.actor("chair"), evaluated.slug).rows[0].application_id
    db.session.rollback()
    with arranging():
        get(Application, dear).requested = euros(700_000)
    db.session.commit()
    services.request_solve(evaluated.actor("manager"), evaluated.call_id)
    worked_off()
    shown = queries.what_ifs(evaluated.actor("chair"), evaluated.slug)
    assert [(aim.words, aim.applications, aim.inversions) for aim in shown.aims] == [
        ("As ranked", 1, 0),
        ("Highest sum of scores", 2, 2),
        ("Most tCO₂e saved for the money", 2, 2),
    ]
    assert [(row.rank, row.of) for row in shown.rows] == [(1, (None, 2, 2)), (2, (0, None, None)), (3, (0, None, None))]
    page = text_of(browser.get("chair", f"/calls/{evaluated.slug}/scenarios/what-if"))
    assert f"{shown.rows[0].title}<br>" in page and "Left out, 2 of a worse rank selected" in page
    assert "only to look at" in text_of(browser.get("chair", f"/calls/{evaluated.slug}/scenarios/what-if"))
    conflict = Answered(evaluated.application_ids[0], Declared.CONFLICT, "My brother leads it")
    declares(evaluated.actor("chair"), evaluated.call_id, (conflict,))
    assert queries.what_ifs(evaluated.actor("chair"), evaluated.slug).aims == ()


def test_scenarios_and_lists_take_few_statements_however_many_there_are(evaluated: Scene, browser: Browser) -> None:
    base = f"/calls/{evaluated.slug}"
    cut(evaluated)
    browser.get("manager", f"{base}/scenarios")
    with statements() as one:
        browser.get("manager", f"{base}/scenarios")
    services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Cut 10 %", Plan(cut_percent=Fraction(10))))  # fmt: skip
    with statements() as two:
        browser.get("manager", f"{base}/scenarios")
    with statements() as ranking:
        browser.get("manager", f"{base}/ranking")
    services.confirm(evaluated.actor("chair"), db.session.scalars(select(Selection.id).where(Selection.number == chosen(evaluated, 1))).one())  # fmt: skip
    with statements() as selection:
        browser.get("manager", f"{base}/selections/1")

    assert len(one) == len(two) <= 8
    assert len(ranking) <= 8
    assert len(selection) <= 8


def test_a_call_that_forbids_other_amounts_is_not_asked_for_a_cut(browser: Browser, evaluated: Scene) -> None:
    base, words = f"/calls/{evaluated.slug}/scenarios", "Cut every amount by, percent"
    assert words in browser.get("manager", base).text
    said(evaluated, SelectionRules(country_max=2))
    assert words not in browser.get("manager", base).text
    # What somebody sends all the same is refused where it was typed.
    sent = browser.post("manager", base, title="Less", line="stop", country_max="2", cut="25")
    assert sent.status_code == 422 and words in sent.text and "This call does not allow another amount" in sent.text
