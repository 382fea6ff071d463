"""The last changes beside the task list, and the history whose pages end between two sittings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from grants.applications import queries, services
from grants.applications.rules import (
    AnswerInput,
    BudgetInput,
    DetailsInput,
    LastChange,
    PlanInput,
    ServingInput,
    told_together,
)
from grants.budgets.rules import Cell, ItemKind, Months, PlanItem, PlannedPackage
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.acts import arranging
from grants.core.money import euros
from grants.core.paging import Page
from grants.identity.policy import Role
from grants.oversight import queries as oversight
from grants.oversight.rules import TEAM_STORY, TrailFilter, in_sittings, lines_of_page
from tests import actors
from tests.applications.pages import text_of
from tests.applications.test_team import partner
from tests.factories import identity as identity_rows
from tests.factories.applications import WHILE_OPEN, draft
from tests.statements import statements

ANA, MAREK = UUID(int=1), UUID(int=2)


def change(minute: int, who: UUID = ANA, verb: str = "application.save_budget") -> LastChange:
    return LastChange(WHILE_OPEN + timedelta(minutes=minute), str(who.int), who, verb)


def test_what_one_person_did_in_one_place_at_one_sitting_is_one_line() -> None:
    told = told_together(
        [change(0), change(9), change(18), change(12, MAREK), change(40), change(41, verb="application.save_plan")]
    )

    minutes = [int((each.at - WHILE_OPEN).total_seconds() // 60) for each in told]
    assert minutes == [41, 40, 18, 12]


@dataclass(frozen=True)
class Line:
    who: str
    verb: str
    at: object


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 15), st.booleans()), max_size=30), st.integers(1, 8))
def test_pages_never_tell_one_sitting_twice_unless_it_fills_a_page(
    steps: list[tuple[str, int, bool]], size: int
) -> None:
    lines, at = [], WHILE_OPEN
    for who, minutes, typing in steps:
        at -= timedelta(minutes=minutes)
        lines.append(Line(who, "application.save_answer" if typing else "application.submit", at))
    pages, rest = [], lines
    while rest:
        taken = lines_of_page(rest[: size + 1], size)
        assert 1 <= taken <= size
        pages.append(in_sittings(rest[:taken]))
        rest = rest[taken:]

    whole = in_sittings(lines)

    assert sum(each.more + 1 for page in pages for each in page) == len(lines)
    if all(each.more + 1 <= size for each in whole):
        assert [each for page in pages for each in page] == list(whole)


def test_the_task_list_says_who_changed_what_last_with_its_link(app: Flask, call: CallView) -> None:
    ana = actors.ana()
    reference = draft(call, ana)
    ana = actors.ana()
    view = queries.view(ana, reference)
    with clock.at(WHILE_OPEN):
        marek = partner(view.id, "summary")
        services.save_answer(marek, view.id, "summary", AnswerInput("summary", ("Of Marek",), 0))
        services.save_answer(marek, view.id, "summary", AnswerInput("summary", ("Of Marek, more",), 1))
        services.edit_details(ana, view.id, DetailsInput("Warmer Blocks"))
        services.save_serving(ana, view.id, [ServingInput("Yes.", own_title="Roofs")])
        (north,) = ana.organisation_ids
        first = call.content.budget_rules.entered[0].code
        services.save_budget(ana, view.id, BudgetInput((Cell(north, first, euros(5)),), None))
        with statements() as asked:
            changes = queries.last_changes(queries.view(ana, reference))
        page = actors.client_of(app, ana).get(f"/applications/{reference}")

    told = {(each.person, each.words) for each in changes}
    assert {
        ("Ana Kowalska", "Title and summary"),
        ("Ana Kowalska", "Budget"),
        ("Ana Kowalska", "Actions and barriers it serves"),
    } <= told
    (written,) = [each for each in changes if each.section]
    assert (written.person, written.section, written.question) == ("Marek Nowak", "summary", "summary")
    assert len([each for each in asked if "dossier_answer_version" in each]) == 1
    assert f"/applications/{reference}/sections/summary#" in page.text
    assert "Last changes" in text_of(page)


def test_a_line_of_the_work_plan_counts_and_is_told_for_good_also_after_it_was_removed(
    app: Flask, call: CallView
) -> None:
    reference = draft(call, actors.ana())
    ana = actors.ana()
    view = queries.view(ana, reference)
    line = PlanItem(ItemKind.TASK, "Ask every street", None, Months(1, 4))
    with clock.at(WHILE_OPEN):
        marek = partner(view.id)
        # He leads another one, which says nothing of his role in this one.
        draft(call, marek, "Cool Courts")
        services.save_plan(ana, view.id, PlanInput((PlannedPackage("", "Listen"),), None))
    plans = ((marek, (line,)), (ana, ()))
    for hours, (who, items) in enumerate(plans, 1):
        with clock.at(WHILE_OPEN + timedelta(hours=hours)):
            who = actors.actor(who.user_id)
            services.save_plan(who, view.id, PlanInput((PlannedPackage("WP1", "Listen", None, None, items),), None))
    with clock.at(WHILE_OPEN + timedelta(hours=3)):
        services.save_plan(actors.ana(), view.id, PlanInput((), None))
        ana, nuria = actors.ana(), actors.nuria()
        told = [each.person for each in queries.last_changes(queries.view(ana, view.reference)) if each.page == "plan"]
        history = oversight.story(ana, "application", view.id, TEAM_STORY, Page())
        asked = TrailFilter(reference=view.reference, thing="application")
        records = [
            oversight.record(nuria, asked, Page())[0],
            oversight.record(nuria, TrailFilter(person="Nowak"), Page())[0],
        ]
        bare = actors.give(actors.person("Aud Barred", Role.AUDITOR), Role.AUDITOR, "call", call.id)
        with arranging():
            identity_rows.bar(bare.user_id, "application", view.id)
        hidden = oversight.record(actors.actor(bare.user_id), TrailFilter(), Page())[0]

    sentence = f"changed the work plan of application {view.reference}"
    saves = [
        [
            (line.who.partition(" ")[0], line.sentence, line.role)
            for line in lines
            if line.verb == "application.save_plan"
        ]
        for lines in (history, *records)
    ]
    lead, other = "Lead of an application", "Partner in an application"
    assert saves[0] == saves[1] == [
        ("Ana", sentence, lead), ("Ana", sentence, lead), ("Marek", sentence, other), ("Ana", sentence, lead),
    ]  # fmt: skip
    assert saves[2] == [("Marek", sentence, other)]
    assert told == ["Ana Kowalska", "Ana Kowalska", "Marek Nowak", "Ana Kowalska"]
    assert [line for line in hidden if "work plan" in line.sentence] == []
