"""The budget of an application: cells saved one by one, what is asked back, and the table without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from grants.applications import queries, services
from grants.applications.rules import BudgetInput, InviteInput, SourcesInput
from grants.budgets.rules import Cell, Note, NoteKind, Shown, Source, SourceKind, field_name
from grants.budgets.rules.funding import financing_findings
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.errors import Refused
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.documents.queries import receipts
from tests import actors
from tests.applications.pages import forms, post, send, text_of, values_of
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again
from tests.html import check_page
from tests.statements import statements

NOTHING = (Shown(0, ZERO),)


@pytest.fixture(autouse=True)
def without_csrf(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def open_now() -> Iterator[None]:
    with clock.at(WHILE_OPEN):
        yield


def of_ana(call: CallView) -> tuple[Actor, UUID, str]:
    """Ana's draft: her rights on it, its id and its reference."""
    reference = factory.draft(call, actors.ana())
    ana = actors.ana()
    return ana, queries.id_of(ana, reference), reference


def marek_of(application_id: UUID, *, accepted: bool = True) -> Actor:
    """Marek of Southport, a partner in the application."""
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    services.invite(actors.ana(), application_id, InviteInput("marek.nowak@example.eu", "Marek Nowak", southport))
    if accepted:
        services.accept_invitation(again(marek), application_id, southport)
    return again(marek)


# --- the act --------------------------------------------------------------------------------------------------


def test_one_cell_and_a_pasted_block_are_saved_with_few_statements(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)
    marek_of(application_id)
    cities = queries.view_by_id(application_id).partners
    codes = [category.code for category in call.content.budget_rules.entered]

    with statements() as first:
        services.save_budget(
            ana, application_id, BudgetInput((Cell(cities[0].organisation_id, "A", euros(1)),), NOTHING)
        )
    with statements() as again_:
        shown = (Shown(1, euros(1)),)
        services.save_budget(ana, application_id, BudgetInput((Cell(cities[0].organisation_id, "A", euros(2)),), shown))
    block = tuple(Cell(city.organisation_id, code, euros(9)) for city in cities for code in codes)
    with statements() as many:
        services.save_budget(ana, application_id, BudgetInput(block, None))

    assert (len(first), len(again_), len(many)) == (6, 6, 8)


def test_nothing_of_the_budget_is_saved_after_the_deadline_and_the_rule_is_said(call: CallView) -> None:
    with clock.at(WHILE_OPEN):
        ana, application_id, _ = of_ana(call)
    (city,) = ana.organisation_ids

    with clock.at(AFTER_CLOSING), pytest.raises(Refused, match="The deadline was 15 November 2022, 12:00"):
        services.save_budget(ana, application_id, BudgetInput((Cell(city, "A", euros(1)),), NOTHING))


def test_a_partner_writes_amounts_only_after_accepting_and_only_the_own(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = marek_of(application_id, accepted=False)
    (northbridge,), (southport,) = ana.organisation_ids, marek.organisation_ids
    cells = (Cell(northbridge, "A", euros(1)), Cell(southport, "A", euros(2)))

    with pytest.raises(Refused, match="Accept the invitation of Municipality of Southport first"):
        services.save_budget(marek, application_id, BudgetInput(cells, None))
    services.accept_invitation(marek, application_id, southport)
    kept = services.save_budget(again(marek), application_id, BudgetInput(cells, None))

    assert [cell.place for cell in kept.cells] == [field_name(southport, "A")]
    budget = queries.workplace(ana, reference).budget
    assert (budget.amount(northbridge, "A"), budget.amount(southport, "A")) == (ZERO, euros(2))


# --- as the script sends it -----------------------------------------------------------------------------------


def sent(app: Flask, reference: str, cells: list[list[Any]], marks: str = "") -> Any:
    client = actors.client_of(app, actors.ana())
    return client.post(f"/applications/{reference}/budget/cells", data={"cells": json.dumps(cells), "marks": marks})


def test_cells_are_saved_and_each_is_told_how_it_stands(app: Flask, call: CallView, open_now: None) -> None:
    ana, _, reference = of_ana(call)
    (city,) = ana.organisation_ids
    a, b, c, d = (field_name(city, code) for code in ("A", "B", "C1", "C2"))

    told = sent(
        app, reference, [[a, "1.234,50", 0, 0], [b, "1.234", 0, 0], [c, "oops", 0, 0], [d, "77", 0, 0]]
    ).get_json()

    by_place = {each["place"]: each for each in told["cells"]}
    assert told["saved_at"] == "10:00"
    assert (by_place[a]["outcome"], by_place[a]["cents"], by_place[a]["number"]) == ("stored", 123450, 1)
    assert by_place[a]["read"] == "1\u00a0234.50"
    assert by_place[b]["outcome"] == "asks" and "can be read two ways" in by_place[b]["said"]
    assert by_place[c]["outcome"] == "unread" and "is not an amount" in by_place[c]["said"]
    assert (by_place[d]["outcome"], by_place[d]["read"]) == ("stored", "")
    assert queries.workplace(ana, reference).budget.totals.direct == Money(123450 + 7700)
    assert sent(app, reference, [[b, "1.234", 0, 0]], "dot").get_json()["cells"][0]["cents"] == 123400

    client = actors.client_of(app, actors.ana())
    with statements() as seen:
        client.post(f"/applications/{reference}/budget/cells", data={"cells": json.dumps([[d, "78", 1, 7700]])})
    # Who it is and which application; its lock, what decides, the table; two rows; the event with its act.
    assert len(seen) == 8


def test_a_cell_somebody_was_quicker_with_comes_back_with_who_and_when(
    app: Flask, call: CallView, open_now: None
) -> None:
    _, application_id, reference = of_ana(call)
    marek = marek_of(application_id)
    (southport,) = marek.organisation_ids
    place = field_name(southport, "A")
    services.save_budget(marek, application_id, BudgetInput((Cell(southport, "A", euros(5)),), NOTHING))

    (told,) = sent(app, reference, [[place, "6", 0, 0]]).get_json()["cells"]

    assert told["outcome"] == "contested" and told["cents"] == 500
    assert told["said"] == "Marek Nowak saved 5.00 here at 10:00."
    # Whoever typed nothing into it goes on from what stands.
    (told,) = sent(app, reference, [[place, "", 0, 0]]).get_json()["cells"]
    assert (told["outcome"], told["number"]) == ("stands", 1)


@pytest.mark.parametrize(
    "cells",
    ["", "{", "{}", "[[1]]", '[["cell-x-A", "1", 0, 0]]', '[["a", 1, 0, 0]]', "[" * 20_000, json.dumps([["x", "1", 0, 0]] * 5_001)],
    ids=str.__len__,
)  # fmt: skip
def test_what_no_script_of_ours_sends_is_refused_in_a_sentence(
    app: Flask, call: CallView, open_now: None, cells: str
) -> None:
    _, _, reference = of_ana(call)
    client = actors.client_of(app, actors.ana())

    answer = client.post(f"/applications/{reference}/budget/cells", data={"cells": cells})

    assert answer.status_code == 422
    assert "Reload the page" in answer.get_json()["problem"]


@pytest.mark.parametrize("code", ["A\x00", "\ud800", "A~WP\x00~0", "A~WP1~999"])
def test_a_cell_no_budget_can_have_is_told_apart_and_never_an_error(
    app: Flask, call: CallView, open_now: None, code: str
) -> None:
    ana, _, reference = of_ana(call)
    (city,) = ana.organisation_ids

    answer = sent(app, reference, [[f"cell-{city}-{code}", "5", 0, 0]])

    assert answer.status_code == 422 or answer.get_json()["cells"][0]["outcome"] == "not_there"


def test_a_form_that_says_nonsense_of_what_it_showed_counts_as_stale(
    app: Flask, call: CallView, open_now: None
) -> None:
    ana, application_id, reference = of_ana(call)
    (city,) = ana.organisation_ids
    services.save_budget(ana, application_id, BudgetInput((Cell(city, "A", euros(5)),), NOTHING))

    data = {"shown": "[" * 200_000, field_name(city, "A"): "6"}
    answer = actors.client_of(app, actors.ana()).post(f"/applications/{reference}/budget", data=data)

    assert answer.status_code == 409


@pytest.mark.parametrize("numbers", [[-1, 0], ["x", 0], [None, None], [0, 10**20], [True, 1.5]])
def test_numbers_nobody_was_shown_make_a_cell_stale_and_break_nothing(
    app: Flask, call: CallView, open_now: None, numbers: list[Any]
) -> None:
    ana, application_id, reference = of_ana(call)
    (city,) = ana.organisation_ids
    services.save_budget(ana, application_id, BudgetInput((Cell(city, "A", euros(5)),), NOTHING))

    (told,) = sent(app, reference, [[field_name(city, "A"), "6", *numbers]]).get_json()["cells"]

    assert told["outcome"] == "contested"


def test_a_strangers_budget_is_not_there(app: Flask, call: CallView, open_now: None) -> None:
    _, _, reference = of_ana(call)
    factory.draft(call, actors.sid(), "Cool Roofs")
    stranger = actors.client_of(app, actors.sid())

    assert stranger.post(f"/applications/{reference}/budget/cells", data={"cells": "[]"}).status_code == 404
    assert stranger.get(f"/applications/{reference}/budget/findings").status_code == 404


def test_the_rules_are_told_to_a_script_with_the_servers_sums(app: Flask, call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    (city,) = ana.organisation_ids
    services.save_budget(ana, application_id, BudgetInput((Cell(city, "B", euros(1_600_000)),), NOTHING))

    told = actors.client_of(app, actors.ana()).get(f"/applications/{reference}/budget/findings").get_json()

    assert (told["total"], told["requested"]) == (160_000_000, 160_000_000)
    assert told["places"] == [field_name(city, "A")]
    assert "Reduce the budget by EUR 100\u00a0000.00." in told["findings"]
    assert f'href="#{field_name(city, "A")}"' in told["broken"]


# --- without a script -----------------------------------------------------------------------------------------


def test_an_amount_that_can_be_read_two_ways_is_asked_back_and_read_once_one_says_how(
    app: Flask, call: CallView, open_now: None
) -> None:
    ana, _, reference = of_ana(call)
    (city,) = ana.organisation_ids
    path, client = f"/applications/{reference}/budget", actors.client_of(app, actors.ana())
    first, second = field_name(city, "A"), field_name(city, "B")

    asked = send(client, path, **{first: "1.234", second: "5"})
    assert asked.status_code == 422
    assert "“1.234” can be read two ways: 1 234.00 or 1 and three decimals." in text_of(asked)
    assert 'value="1.234"' in asked.get_data(as_text=True)
    check_page(asked)

    assert send(client, path, **{first: "1.234", "marks": "dot"}).status_code == 303
    budget = queries.workplace(ana, reference).budget
    assert (budget.amount(city, "A"), budget.amount(city, "B")) == (euros(1_234), euros(5))


def test_two_partners_who_save_the_whole_table_do_not_get_in_each_others_way(
    app: Flask, call: CallView, open_now: None
) -> None:
    ana, application_id, reference = of_ana(call)
    marek = marek_of(application_id)
    (northbridge,), (southport,) = ana.organisation_ids, marek.organisation_ids
    path = f"/applications/{reference}/budget"
    of_marek, of_lead = actors.client_of(app, marek), actors.client_of(app, actors.ana())
    seen_by_marek, seen_by_lead = values_of(of_marek, path), values_of(of_lead, path)

    assert post(of_lead, path, seen_by_lead, **{field_name(northbridge, "A"): "100"}).status_code == 303
    assert post(of_marek, path, seen_by_marek, **{field_name(southport, "A"): "200"}).status_code == 303

    budget = queries.workplace(ana, reference).budget
    assert (budget.amount(northbridge, "A"), budget.amount(southport, "A")) == (euros(100), euros(200))


# --- beside the amounts ---------------------------------------------------------------------------------------


def test_staff_and_vat_of_a_public_administration_ask_for_a_sentence_and_block_nothing(
    app: Flask, call: CallView, open_now: None
) -> None:
    ana, application_id, reference = of_ana(call)
    (city,) = ana.organisation_ids
    path, client = f"/applications/{reference}/budget", actors.client_of(app, actors.ana())
    cells = (Cell(city, "A", euros(10)), Cell(city, "C2", euros(5)))
    services.save_budget(ana, application_id, BudgetInput(cells, None))

    before = queries.workplace(ana, reference).budget
    assert before.problems == ()
    assert [problem.place for problem in before.warnings] == [f"note-staff-{city}", f"note-vat-{city}"]
    assert "Say in one sentence which work would not be done without the grant." in text_of(client.get(path))

    field = {f"note-staff-{city}": "A planner hired for the pilot\nalone.", f"note-vat-{city}": "x" * 401}
    refused = send(client, path, to=f"{path}/notes", **field)
    assert refused.status_code == 422 and "The sentence has 401 characters; the limit is 400." in text_of(refused)
    assert "x" * 401 in refused.get_data(as_text=True)
    assert (
        send(client, path, to=f"{path}/notes", **{f"note-vat-{city}": "All amounts are without VAT."}).status_code
        == 303
    )

    after = queries.workplace(ana, reference).budget
    assert after.warnings == ()
    assert [note.text for note in after.content.notes] == [
        "A planner hired for the pilot alone.",
        "All amounts are without VAT.",
    ]


def test_sources_that_do_not_balance_are_a_broken_rule_with_its_remedy(
    app: Flask, call: CallView, open_now: None
) -> None:
    ana, application_id, reference = of_ana(call)
    (city,) = ana.organisation_ids
    path, client = f"/applications/{reference}/budget", actors.client_of(app, actors.ana())
    services.save_budget(ana, application_id, BudgetInput((Cell(city, "B", euros(100)),), None))
    lines = {
        "source-0-name": "Region",
        "source-0-kind": "public",
        "source-0-amount": "1.234,50",
        "source-1-name": "Bank",
    }

    # Nobody is asked who else pays where the grant pays all; the table is there for who knows better.
    assert "<summary>Enter money of others all the same</summary>" in client.get(path).text
    refused = send(client, path, to=f"{path}/sources", **lines)
    assert "Enter money of others all the same" not in refused.text
    assert refused.status_code == 422
    assert "Enter the amount that “Bank” gives, or empty the line." in text_of(refused)
    assert 'value="1.234,50"' in refused.get_data(as_text=True)
    check_page(refused)

    assert send(client, path, to=f"{path}/sources", **{**lines, "source-1-name": ""}).status_code == 303
    budget = queries.workplace(ana, reference).budget
    (broken,) = budget.problems
    assert broken.message.startswith("This call pays all costs of this budget, so no other source is needed.")
    assert "Take the sources of EUR 1\u00a0234.50 out" in broken.message and "raise the costs" not in broken.message
    assert broken.place == "source-0-amount"
    assert "This call pays all costs of this budget: leave the table empty" in text_of(client.get(path))
    # No word on confirming what is not needed.
    assert [each.code for each in budget.findings if each.code in ("financing", "source")] == ["financing"]
    assert [source.confirmed for source in budget.content.sources] == [False]
    # Where a call pays a part, more costs help, and a source still has to be confirmed.
    broken, unsure = financing_findings(replace(budget.totals, requested=euros(50)), budget.content.sources)
    assert broken.title.endswith("more than is needed.") and "raise the costs" in broken.remedy
    assert unsure.title == "Region has not confirmed EUR 1\u00a0234.50."

    marek_of(application_id, accepted=False)
    assert "Declined to take part" not in text_of(client.get(path))
    (southport,) = actors.marek().organisation_ids
    services.decline_invitation(again(actors.marek()), application_id, southport, "")
    assert "Declined to take part: its amounts count until" in text_of(client.get(path))


def test_whoever_saves_the_sources_second_sees_both_lists(app: Flask, call: CallView, open_now: None) -> None:
    _, _, reference = of_ana(call)
    path, client = f"/applications/{reference}/budget", actors.client_of(app, actors.ana())
    first = {"source-0-name": "Region", "source-0-kind": "public", "source-0-amount": "10"}
    form = next(values for action, values in forms(check_page(client.get(path))) if action.endswith("/sources"))
    assert post(client, f"{path}/sources", form, **first).status_code == 303

    again_ = post(client, f"{path}/sources", {**form, "act_key": ["another"]}, **{**first, "source-0-name": "Bank"})

    assert again_.status_code == 409
    assert "Stored now: Region EUR 10.00" in text_of(again_)
    assert 'value="Bank"' in again_.get_data(as_text=True)


def test_a_partner_neither_enters_sources_nor_explains_costs_of_others(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = marek_of(application_id)
    (northbridge,), (southport,) = ana.organisation_ids, marek.organisation_ids
    source = Source("Region", SourceKind.PUBLIC, euros(1), confirmed=True)

    with pytest.raises(Refused, match="The lead and the editors enter who else pays"):
        services.save_sources(marek, application_id, SourcesInput((source,), None))
    notes = (Note(northbridge, NoteKind.STAFF, "Not mine"), Note(southport, NoteKind.STAFF, "Mine"))
    services.explain_costs(marek, application_id, notes)

    assert [note.text for note in queries.workplace(ana, reference).budget.content.notes] == ["Mine"]


def test_a_partner_is_told_what_is_asked_of_others_and_every_link_leads_somewhere(
    app: Flask, call: CallView, open_now: None
) -> None:
    ana, application_id, reference = of_ana(call)
    marek = marek_of(application_id)
    (city,) = ana.organisation_ids
    services.save_budget(ana, application_id, BudgetInput((Cell(city, "A", euros(10)),), None))
    source = Source("Region", SourceKind.PUBLIC, euros(1), confirmed=False)
    services.save_sources(ana, application_id, SourcesInput((source,), None))

    shown = actors.client_of(app, marek).get(f"/applications/{reference}/budget")

    check_page(shown)
    assert "Municipality of Northbridge (lead), staff: not explained yet" in text_of(shown)
    assert "The lead and the editors enter who else pays: This call pays all costs of this budget" in text_of(shown)


def test_what_stands_beside_the_amounts_is_frozen_with_the_submission_and_printed(app: Flask, call: CallView) -> None:
    application_id = factory.fill(factory.draft(call, actors.ana()), actors.ana())
    ana = actors.ana()
    (city,) = ana.organisation_ids
    with clock.at(WHILE_OPEN):
        services.explain_costs(ana, application_id, (Note(city, NoteKind.STAFF, "Hired for it."),))
        submitted = services.submit(ana, application_id)
        shown = text_of(actors.client_of(app, ana).get(f"/applications/{submitted.reference}/print"))
    content = queries.submitted_content(application_id)

    assert [note.text for note in content.budget.notes] == ["Hired for it."]
    assert content.sha256 == submitted.sha256
    assert "“Hired for it.”" in shown
    sections = dict(receipts.receipt(submitted.submission_id).answers)
    assert sections["Costs explained"] == (("Municipality of Northbridge (lead), staff", "Hired for it."),)
