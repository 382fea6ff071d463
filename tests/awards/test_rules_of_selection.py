"""A call whose own rules select: the page says which rule did what, the decision freezes it, and nothing is decided against it."""

from __future__ import annotations

import io
import re
from copy import deepcopy
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications.models import Application
from grants.awards import queries, services
from grants.awards.models import SelectionItem
from grants.awards.queries.lists import shown_rows
from grants.awards.ranking import RankedList, rank, within
from grants.awards.rules import DecisionInput, Facts, Plan, ScenarioInput
from grants.awards.states import LineRule, Outcome
from grants.calls import services as call_acts
from grants.calls.models import Call
from grants.calls.rules import BudgetInput, SelectionRules, StrandRule, Thresholds
from grants.core import encoding
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.file_types import FileType
from grants.core.money import ZERO, Money, euros
from tests import actors
from tests.awards.solving import worked_off
from tests.awards.test_minute import printed
from tests.awards.test_ranking import HORIZON, one
from tests.awards.test_services import decide, decision, reserved, states
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene


def said(scene: Scene, rules: SelectionRules) -> None:
    """The call says how it selects."""
    says(scene, "evaluation.selection", rules)


def says(scene: Scene, path: str, value: Any) -> None:
    """The call says something else about its evaluation."""
    with arranging():
        row = get(Call, scene.call_id)
        content: Any = deepcopy(row.content)
        content["fields"][path] = {**content["fields"]["evaluation.criteria"], "value": encoding.encode(value)}
        row.content = content
    db.session.rollback()


def test_the_line_stands_above_a_list_that_the_money_does_not_reach(evaluated: Scene, browser: Browser) -> None:
    base = f"/calls/{evaluated.slug}"

    def line() -> str:
        """The line in words; it stands before every row."""
        head, _, rest = text_of(browser.get("manager", f"{base}/ranking")).partition('class="pg-line"')
        assert "Cool Courtyards" in rest and 'data-label="Rank"' not in head
        return " ".join(re.sub("<[^>]+>", " ", rest.partition("</tr>")[0]).partition(">")[2].split())

    large = StrandRule("Large", euros(900_000), euros(350_000))
    says(evaluated, "evaluation.selection", SelectionRules(strands=(large,)))
    assert line().endswith(
        "Rank 1, “Cool Courtyards”, is the first it does not reach. Not selected: asks for EUR 50 000.00 more than is left "
        "of the strand “Large”."
    )
    says(evaluated, "evaluation.selection", SelectionRules())
    call_acts.authorise_budget(evaluated.actor("officer"), evaluated.call_id, BudgetInput(euros(0)))
    assert line() == (
        "Budget line: 0 selected, no money is free for this call. Rank 1, “Cool Courtyards”, asks for EUR 400 000.00 more "
        "than is left."
    )
    says(evaluated, "evaluation.thresholds", Thresholds(each_half=10))
    assert line() == "Budget line: 0 selected, no money is free for this call. Nobody is above the thresholds."
    assert "There is nothing to choose from" in text_of(browser.get("manager", f"{base}/scenarios/what-if"))
    # Nobody to fund is no dead end: the list is decided, confirmed and told like any other.
    key = decide(evaluated)
    assert services.confirm(evaluated.actor("chair"), key) == ZERO and set(states(evaluated)) == {"below_threshold"}


def test_whom_a_cap_keeps_out_is_told_at_the_line_and_nobody_comes_ahead_of_them_by_another_rule() -> None:
    scored = [replace(one(at, (9, 9, 11 - at)), requested=euros(asked)) for at, asked in enumerate((110, 50, 40), 1)]
    places = ("SK", "DE", "SE")
    facts = {each.application_id: Facts(country) for each, country in zip(scored, places, strict=True)}
    capped = SelectionRules(country_amount_max=euros(100), countries_min=2)

    found = within(rank(scored, HORIZON, euros(300)), Plan(capped), facts)

    first, *others = shown_rows(found, {}, {}, {})
    assert [row.outcome for row in found.selected] == [Outcome.SELECTED] * 2
    assert found.line_words.endswith(
        f"1 is left out although the money would reach, first “Pilot 1” at rank 1. {first.rule_words}"
    )
    assert "Nobody" not in found.line_words and "SK" in first.rule_words
    assert {row.rule_words for row in others} == {"Selected: better ranks are left out by a rule, each row says which."}


def test_a_line_with_money_below_it_adds_up_and_every_row_says_its_rule() -> None:
    money, places = (110, 80, 50, 40, 30), ("SK", "SK", "DE", "SE", "PT")
    scored = [replace(one(at, (9, 9, 11 - at)), requested=euros(asked)) for at, asked in enumerate(money, 1)]
    facts = {each.application_id: Facts(country) for each, country in zip(scored, places, strict=True)}

    def listed(countries: int) -> tuple[RankedList, list[tuple[str, str, Money, bool]]]:
        found = within(rank(scored, HORIZON, euros(200)), Plan(SelectionRules(countries_min=countries)), facts)
        rows = shown_rows(found, {}, {}, {})
        return found, [(row.line_said, row.rule_words, row.running_total, row.line_after) for row in rows]

    found, rows = listed(3)
    held, below = "Not selected: what is left is held for", "Selected ahead of better ranks by the rule:"
    assert found.line_words == (
        "Budget line: 1 selected above it, 2 below it with EUR 90.00, EUR 0.00 left of EUR 200.00. Above the line rank selects; "
        "below it a rule does, or what is still left: each row says which, and what is left at its rank. "
        f"Rank 2, “Pilot 2”, is the first it does not reach. {held} at least 3 countries."
    )
    # What is selected adds up to what is used: nothing stands beyond the budget.
    assert rows[:4] == [
        ("", "", euros(110), True),
        ("First below the line.", f"{held} at least 3 countries.", euros(110), False),
        ("", f"{below} at least 3 countries.", euros(160), False),
        ("", f"{below} at least 3 countries.", euros(200), False),
    ]
    found, rows = listed(4)
    assert "Budget line: 0 selected above it, 4 below it with EUR 200.00, EUR 0.00 left" in found.line_words
    assert rows[0] == ("First below the line.", f"{held} at least 4 countries.", ZERO, False)


@pytest.mark.parametrize("published", [True, False])
def test_another_line_than_the_published_one_is_a_departure_with_its_reason_wherever_it_is_told(
    app: Flask, browser: Browser, evaluated: Scene, published: bool
) -> None:
    """A call that says nothing stops too, as its page says: nobody chooses once the scores are known."""
    scene, manager = evaluated, evaluated.actor("manager")
    if published:
        said(scene, SelectionRules())
    with arranging():
        asked = {2: 900_000, 1: 100_000}
        for number, amount in asked.items():
            get(Application, scene.application_ids[number]).requested = euros(amount)
    db.session.rollback()
    base = f"/calls/{scene.slug}"
    stops = "election stops at the first application that asks for more than is left."
    assert stops in text_of(app.test_client().get(base)) and stops in text_of(browser.get("manager", f"{base}/ranking"))
    opened = browser.get("manager", f"{base}/decision")
    assert 'name="line"' not in opened.text and 'name="reserve_max"' not in opened.text and stops in text_of(opened)
    # What is sent all the same chooses nothing.
    by_call = queries.ranking_page(manager, scene.slug)
    tried = browser.post("manager", f"{base}/decision", go="show", line="skip", reason="")
    assert by_call.list_hash in tried.text
    looked, plain = (text_of(browser.get("manager", f"{base}/ranking{asked}")) for asked in ("?line=skip", ""))
    assert looked.partition("<main")[2] == plain.partition("<main")[2] != ""

    skips = Plan(SelectionRules(fund_what_fits=True))
    with pytest.raises(Invalid) as caught:
        services.save_scenario(manager, scene.call_id, ScenarioInput("Skip", skips))
    assert "what still fits is selected instead of selection stops" in caught.value.problems["why"]
    skips = replace(skips, reason="Nothing may lapse.")
    number = services.save_scenario(manager, scene.call_id, ScenarioInput("Skip", skips))
    departs = "What happens below the line: what still fits is selected instead of selection stops. Reason: Nothing may lapse."
    pages = [f"{base}/scenarios/{number}"]
    for address in pages:
        assert departs in text_of(browser.get("manager", address))
    shown = queries.ranking_page(manager, scene.slug, plan=skips)
    assert shown.list_hash != by_call.list_hash
    services.decide(manager, scene.call_id, DecisionInput(shown.list_hash, "Nothing lapses.", scenario=number))
    (view,) = queries.selections(scene.call_id)
    assert (view.line, view.departures) == (LineRule.SKIP, (departs,))
    services.confirm(scene.actor("officer"), view.id)
    for address in (*pages, f"{base}/selections/1", f"{base}/ranking"):
        page = text_of(browser.get("chair", address))
        assert departs in page and "Chosen when the scores were known." in page
    assert departs in printed(scene)


@pytest.fixture
def one_a_country(evaluated: Scene) -> Scene:
    said(evaluated, SelectionRules(fund_what_fits=True, country_max=1))
    return evaluated


def test_the_page_names_the_rule_that_keeps_a_row_out(one_a_country: Scene, browser: Browser) -> None:
    shown = queries.ranking_page(one_a_country.actor("manager"), one_a_country.slug)
    country = shown.rows[0].country

    assert (shown.rows[0].rank, shown.rows[0].outcome) == (1, Outcome.SELECTED)
    same = [row for row in shown.rows[1:] if row.country == country]
    assert all(row.rule_words == f"Not selected: {country} has its 1 of one country already." for row in same)
    text = text_of(browser.get("manager", f"/calls/{one_a_country.slug}/ranking"))
    assert "At most 1 application with a lead from one country is selected." in text
    assert "By country" in text
    # The call decides what happens at the line: nobody is asked.
    assert "Below the line</legend>" not in text_of(browser.get("manager", f"/calls/{one_a_country.slug}/decision"))


def test_the_steps_of_the_call_stand_on_every_page_of_its_selection(one_a_country: Scene, browser: Browser) -> None:
    slug = one_a_country.slug
    for page in ("ranking", "scenarios", "decision", "assignments", "results", "decision/letters", "complaints"):
        shown = browser.get("manager", f"/calls/{slug}/{page}")
        assert shown.status_code == 200, page
        assert f'<li><a class="govuk-link" href="/calls/{slug}/ranking"' in shown.text, page


def test_a_decision_freezes_the_rule_of_each_row_and_is_confirmed(one_a_country: Scene) -> None:
    shown = queries.ranking_page(one_a_country.actor("manager"), one_a_country.slug)
    selection_id = decide(one_a_country)

    assert services.confirm(one_a_country.actor("chair"), selection_id) == shown.used == reserved(one_a_country)
    frozen = db.session.scalars(select(SelectionItem.rule_words).order_by(SelectionItem.position)).all()
    assert list(frozen) == [row.rule_words for row in shown.rows]
    assert states(one_a_country).count("selected") == len(shown.selected)


def test_a_list_that_no_choice_can_make_is_not_decided(evaluated: Scene) -> None:
    said(evaluated, SelectionRules(countries_min=9))
    services.request_solve(evaluated.actor("manager"), evaluated.call_id)
    worked_off()
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)

    assert not shown.ready
    with pytest.raises(Refused, match="No choice reaches at least 9 countries"):
        services.decide(evaluated.actor("manager"), evaluated.call_id, decision(evaluated))


def test_a_budget_that_changes_after_the_decision_stops_its_confirmation(one_a_country: Scene) -> None:
    selection_id = decide(one_a_country)
    call_acts.authorise_budget(one_a_country.actor("officer"), one_a_country.call_id, BudgetInput(euros(990_000)))

    with pytest.raises(Refused, match="changed after this list was decided"):
        services.confirm(one_a_country.actor("chair"), selection_id)


def test_the_workbook_holds_the_rows_of_the_page(one_a_country: Scene, browser: Browser) -> None:
    shown = queries.ranking_page(one_a_country.actor("manager"), one_a_country.slug)

    path = f"/calls/{one_a_country.slug}/ranking.xlsx"
    # Whoever asks for its head alone takes nothing, and the record says nothing of it.
    assert actors.client_of(browser.app, one_a_country.actor("manager")).head(path).status_code == 405
    answer = browser.get("manager", path)
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))

    assert rows[0][:3] == ("Rank", "Reference", "Title")
    why = rows[0].index("Why")
    assert [(row[0], row[1], row[why]) for row in rows[1:]] == [
        (
            row.rank,
            row.reference,
            (row.rule_words and f"{row.tie_words} {row.rule_words}".strip()) or row.tie_words or None,
        )
        for row in shown.rows
    ]
    assert {row[rows[0].index("Recommended, EUR")] for row in rows[1:]} == {400_000}
    # Scores and amounts leave with an audit record that says who took which list and stands in the history of the call.
    db.session.rollback()
    taken = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "selection.export_list")).one()
    assert (taken.user_id, taken.reason) == (one_a_country.people["manager"], f"{len(shown.rows)} rows as XLSX.")
    assert (taken.object_kind, taken.object_id) == ("call", one_a_country.call_id)
    with pytest.raises(NotFound):
        services.export_ranking(actors.eli(), one_a_country.call_id, 3, FileType.CSV)
