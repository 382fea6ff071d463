"""The work plan of an application: written without a script, drawn as a timeline, an axis of the budget, frozen and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from grants.applications import queries, services
from grants.applications.rules import BudgetInput, InviteInput, PlanInput
from grants.budgets.models import Budget
from grants.budgets.rules import Cell, ItemKind, Months, PlanItem, PlannedPackage
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import get
from grants.core.errors import Invalid, Refused
from grants.core.money import euros
from grants.documents.queries import receipts
from tests import actors
from tests.applications.pages import forms, post, send, text_of, values_of
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN
from tests.html import check_page


@pytest.fixture(autouse=True)
def without_csrf(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def open_now() -> Iterator[None]:
    with clock.at(WHILE_OPEN):
        yield


LISTEN = {
    "wp-new-title": "Listen", "wp-new-months": "1-6",
    "wp-new-0-kind": "task", "wp-new-0-title": "Ask every street", "wp-new-0-months": "1 to 4",
    "wp-new-1-kind": "milestone", "wp-new-1-title": "All streets asked", "wp-new-1-months": "4",
}  # fmt: skip


def test_a_plan_is_written_line_by_line_and_drawn_as_a_timeline(app: Flask, call: CallView, open_now: None) -> None:
    reference = factory.draft(call, actors.ana())
    (city,) = actors.ana().organisation_ids
    path, client = f"/applications/{reference}/plan", actors.client_of(app, actors.ana())

    assert send(client, path, **LISTEN, **{"wp-new-0-owner": str(city)}).status_code == 303
    more = {"wp-WP1-2-kind": "deliverable", "wp-WP1-2-title": "Report", "wp-WP1-2-months": "6", "wp-new-title": "Build"}
    assert send(client, path, **more).status_code == 303

    plan = queries.workplace(actors.ana(), reference).budget.content.plan
    assert plan == (
        PlannedPackage("WP1", "Listen", None, Months(1, 6), (
            PlanItem(ItemKind.TASK, "Ask every street", city, Months(1, 4)),
            PlanItem(ItemKind.MILESTONE, "All streets asked", None, Months(4, 4)),
            PlanItem(ItemKind.DELIVERABLE, "Report", None, Months(6, 6)),
        )),
        PlannedPackage("WP2", "Build"),
    )  # fmt: skip
    shown = client.get(path)
    check_page(shown)
    assert "T1.1 Ask every street task Municipality of Northbridge (lead) months 1 to 4" in text_of(shown)
    assert '<rect x="0" y="2" width="40" height="6" class="pg-plan__task"/>' in shown.get_data(as_text=True)
    # An emptied title takes a line away, and never the lines of a work package; the code of another stays.
    assert send(client, path, **{"wp-WP1-title": "", "wp-WP1-0-title": ""}).status_code == 422
    assert [each.code for each in queries.workplace(actors.ana(), reference).budget.content.plan] == ["WP1", "WP2"]
    emptied = {"wp-WP1-title": "", **{f"wp-WP1-{number}-title": "" for number in range(3)}}
    assert send(client, path, **emptied).status_code == 303
    assert [each.code for each in queries.workplace(actors.ana(), reference).budget.content.plan] == ["WP2"]


@pytest.mark.parametrize(
    ("months", "sentence"),
    [
        ("soon", "“soon” is no stretch of months. Write 3 for one month, or 3-9 for several."),
        ("9-3", "“9-3” ends before it begins"),
        ("0", "before month 1"),
        ("1-99", "Month 99 lies after the end of the pilot, which has 24 months."),
        ("", "Enter the month, for example 3"),
    ],
)
def test_months_that_cannot_be_are_said_at_their_line_and_nothing_typed_is_lost(
    app: Flask, call: CallView, open_now: None, months: str, sentence: str
) -> None:
    reference = factory.draft(call, actors.ana())
    client = actors.client_of(app, actors.ana())

    refused = send(client, f"/applications/{reference}/plan", **{**LISTEN, "wp-new-1-months": months})

    assert refused.status_code == 422
    assert sentence in text_of(refused)
    assert 'value="All streets asked"' in refused.get_data(as_text=True)
    check_page(refused)


def test_lines_of_a_new_work_package_without_a_title_are_not_lost_without_a_word(
    app: Flask, call: CallView, open_now: None
) -> None:
    path = f"/applications/{factory.draft(call, actors.ana())}/plan"

    answer = send(
        actors.client_of(app, actors.ana()), path, **{"wp-new-0-title": "Ask every street", "wp-new-0-months": "1-4"}
    )

    assert answer.status_code == 422 and 'value="Ask every street"' in answer.text
    assert '<a href="#wp-new-title">A new work package: Give the work package a title' in answer.text


def test_whoever_saves_the_plan_second_takes_nothing_away_and_only_what_both_changed_is_asked_about(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference = factory.draft(call, actors.ana())
    path, client = f"/applications/{reference}/plan", actors.client_of(app, actors.ana())
    more = {"wp-WP1-2-title": "Report", "wp-WP1-2-months": "6", "wp-WP1-3-title": "Party", "wp-WP1-3-months": "6"}
    assert send(client, path, **LISTEN).status_code == 303
    assert send(client, path, **more, **{"wp-new-title": "Build"}).status_code == 303
    before = {**values_of(client, path), "act_key": ["second"]}
    theirs = {
        "wp-WP1-0-title": "Ask every house", "wp-WP1-1-title": "", "wp-WP1-4-title": "Map", "wp-WP1-4-months": "2",
        "wp-WP1-3-months": "5-6", "wp-new-title": "Share",
    }  # fmt: skip
    assert send(client, path, **theirs).status_code == 303

    mine = {"wp-WP2-title": "Build well", "wp-WP1-2-months": "5-6", "wp-WP1-4-title": "Log", "wp-WP1-4-months": "1"}
    saved = post(client, path, before, **mine)

    assert saved.status_code == 303
    listen, build, share = queries.workplace(actors.ana(), reference).budget.content.plan
    assert [(each.title, each.months.words) for each in listen.items] == [
        ("Ask every house", "months 1 to 4"), ("Report", "months 5 to 6"), ("Party", "months 5 to 6"),
        ("Map", "month 2"), ("Log", "month 1"),
    ]  # fmt: skip
    assert (build.title, share.title) == ("Build well", "Share")
    assert "It was also changed elsewhere" in text_of(client.get(path))

    both = post(client, path, {**before, "act_key": ["third"]}, **{"wp-WP1-0-months": "2", "wp-WP1-1-months": "3"})

    words = text_of(both)
    assert both.status_code == 422 and "Everything else is saved" in words
    assert (
        "Work package WP1, line 1 “Ask every street”: This was changed elsewhere while you were working: it is"
        " now task “Ask every house”, nobody named, months 1 to 4." in words
    )
    assert "Work package WP1, line 6 “All streets asked”: This was taken away elsewhere" in words
    ((_, shown),) = [each for each in forms(check_page(both)) if "wp-new-title" in each[1]]
    assert post(client, path, shown).status_code == 303
    (listen, *_) = queries.workplace(actors.ana(), reference).budget.content.plan
    assert [each.title for each in listen.items] == [
        "Ask every street", "Report", "Party", "Map", "Log", "All streets asked",
    ]  # fmt: skip


def test_a_plan_sent_twice_stands_once_and_one_that_says_not_what_it_showed_is_asked_about(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference = factory.draft(call, actors.ana())
    path, client = f"/applications/{reference}/plan", actors.client_of(app, actors.ana())
    empty = values_of(client, path)
    assert post(client, path, empty, **LISTEN).status_code == 303

    assert post(client, path, {**empty, "act_key": ["another"]}, **LISTEN).status_code == 303
    for shown in ("[", "5", '[{"code": 5}]', "null"):
        strange = post(client, path, {**empty, "act_key": ["strange"]}, **{"wp-new-title": "Shout", "shown": shown})
        assert strange.status_code == 422 and 'value="Shout"' in strange.text

    assert [each.title for each in queries.workplace(actors.ana(), reference).budget.content.plan] == ["Listen"]


def test_one_wrong_month_holds_back_its_own_line_only_and_is_named_where_the_page_shows_it(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference = factory.draft(call, actors.ana())
    path, client = f"/applications/{reference}/plan", actors.client_of(app, actors.ana())
    assert send(client, path, **LISTEN).status_code == 303

    typed = {
        "wp-WP1-title": "Listen well", "wp-WP1-0-title": "", "wp-WP1-1-months": "18-10",
        "wp-WP1-2-title": "Report", "wp-WP1-2-months": "", "wp-WP1-3-title": "Map", "wp-WP1-3-months": "2",
    }  # fmt: skip
    answer = send(client, path, **typed)

    words = text_of(answer)
    assert answer.status_code == 422 and "Everything else is saved" in words
    assert '<a href="#wp-WP1-0-months">Work package WP1, line 1 “All streets asked”: “18-10” ends before' in answer.text
    assert '<a href="#wp-WP1-2-months">Work package WP1, line 3 “Report”: Enter the month' in answer.text
    assert 'aria-label="WP1, line 1: months, for example 3-9" value="18-10"' in answer.text
    (package,) = queries.workplace(actors.ana(), reference).budget.content.plan
    assert (package.title, [(each.title, each.months.words) for each in package.items]) == (
        "Listen well", [("All streets asked", "month 4"), ("Map", "month 2")],
    )  # fmt: skip
    ((_, shown),) = [each for each in forms(check_page(answer)) if "wp-new-title" in each[1]]
    assert post(client, path, shown, **{"wp-WP1-0-months": "10-18", "wp-WP1-2-months": "9"}).status_code == 303
    (package,) = queries.workplace(actors.ana(), reference).budget.content.plan
    assert [each.months.words for each in package.items] == ["months 10 to 18", "month 2", "month 9"]


def test_saving_second_takes_no_package_of_another_away_and_loses_none_they_took_away(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference = factory.draft(call, actors.ana())
    path, client = f"/applications/{reference}/plan", actors.client_of(app, actors.ana())
    assert send(client, path, **LISTEN).status_code == 303
    ((_, before),) = [each for each in forms(check_page(client.get(path))) if "wp-new-title" in each[1]]
    assert send(client, path, **{"wp-new-title": "Build"}).status_code == 303
    emptied = {f"wp-WP1{part}-title": "" for part in ("", "-0", "-1")}
    assert send(client, path, **emptied).status_code == 303

    typed = {"wp-WP1-title": "Listen well", "wp-WP1-3-months": "5"}
    nameless = post(client, path, {**before, "act_key": ["one"]}, **typed)
    again = post(client, path, {**before, "act_key": ["two"]}, **{**typed, "wp-WP1-3-months": ""})

    assert "Give this line a title, or empty who does it" in text_of(nameless)
    assert again.status_code == 422 and 'value="Build"' in again.text and 'value="Listen well"' in again.text
    ((_, shown),) = [each for each in forms(check_page(again)) if "wp-new-title" in each[1]]
    assert post(client, path, shown).status_code == 303
    plan = queries.workplace(actors.ana(), reference).budget.content.plan
    assert [(each.code, each.title, len(each.items)) for each in plan] == [
        ("WP2", "Build", 0), ("WP3", "Listen well", 2),
    ]  # fmt: skip


def test_a_work_package_with_amounts_is_not_taken_away(call: CallView, open_now: None) -> None:
    reference = factory.draft(call, actors.ana())
    ana = actors.ana()
    application_id, (city,) = queries.id_of(ana, reference), ana.organisation_ids
    services.save_plan(ana, application_id, PlanInput((PlannedPackage("", "Listen"),), None))
    budget = queries.workplace(ana, reference).budget
    with arranging():
        row = get(Budget, budget.id)
        row.rules = {**row.rules, "by_work_package": True, "period_months": 12, "duration_months": 24}
    kept = services.save_budget(ana, application_id, BudgetInput((Cell(city, "A", euros(4), "WP1", 2),), None))
    assert [cell.outcome.value for cell in kept.cells] == ["stored"]

    with pytest.raises(Refused, match=r"WP1 still has EUR 4\.00 in the budget"):
        services.save_plan(ana, application_id, PlanInput((), None))

    group = queries.workplace(ana, reference).budget.groups[0]
    assert (group.code, group.title, group.total) == ("WP1", "Listen", euros(5))
    assert [row.label for row in group.rows] == [
        "Municipality of Northbridge (lead), months 1 to 12",
        "Municipality of Northbridge (lead), months 13 to 24",
    ]


def test_the_plan_is_frozen_with_the_submission(call: CallView) -> None:
    application_id = factory.fill(factory.draft(call, actors.ana()), actors.ana())
    plan = (PlannedPackage("WP1", "Listen", None, Months(1, 6)),)
    with clock.at(WHILE_OPEN):
        services.save_plan(actors.ana(), application_id, PlanInput((replace(plan[0], code=""),), None))
        submitted = services.submit(actors.ana(), application_id)

    assert queries.submitted_content(application_id).budget.plan == plan
    assert dict(receipts.receipt(submitted.submission_id).answers)["Work plan"] == (("WP1 Listen", "months 1 to 6"),)


def test_a_partner_who_is_taken_out_leads_nothing_in_the_plan_any_more(call: CallView, open_now: None) -> None:
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    (southport,) = actors.marek().organisation_ids
    services.invite(actors.ana(), application_id, InviteInput("marek.nowak@example.eu", "Marek Nowak", southport))
    task = PlanItem(ItemKind.TASK, "Ask every street", southport, Months(1, 4))
    plan = (PlannedPackage("", "Listen", southport, Months(1, 6), (task,)),)
    services.save_plan(actors.ana(), application_id, PlanInput(plan, None))

    services.remove_partner(actors.ana(), application_id, southport)

    (package,) = queries.workplace(actors.ana(), reference).budget.content.plan
    assert (package.lead_id, package.items[0].owner_id) == (None, None)
    assert package.items[0].title == "Ask every street"


def test_nobody_outside_the_consortium_leads_a_package_or_owns_a_line(call: CallView, open_now: None) -> None:
    reference = factory.draft(call, actors.ana())
    ana = actors.ana()
    (stranger,) = actors.marek().organisation_ids
    line = PlanItem(ItemKind.TASK, "Ask every street", stranger, Months(1, 4))

    for package in (PlannedPackage("", "Listen", stranger), PlannedPackage("", "Listen", items=(line,))):
        with pytest.raises(Invalid, match="takes no part"):
            services.save_plan(ana, queries.id_of(ana, reference), PlanInput((package,), None))
    assert queries.workplace(ana, reference).budget.content.plan == ()
