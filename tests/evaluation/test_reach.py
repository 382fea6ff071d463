"""Whoever takes part in an application, or stands in conflict with it, finds it in no list, count, search or file: bar or no bar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.queries.counting import counting, is_kept
from grants.applications.queries.exporting import export_rows, rows_of_list
from grants.applications.queries.list_files import reach_of
from grants.applications.queries.pipeline import standing
from grants.applications.queries.reach import visible
from grants.applications.rules import ListFilter
from grants.applications.rules.listing import Listing
from grants.applications.states import ApplicationState
from grants.calls.models import Call, CallExpertTerms
from grants.calls.rules.expert_terms import ExpertTerms
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.db import Row, db, get
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import queries, services
from grants.evaluation.models import (
    Assessment,
    AssessmentVersion,
    ConflictDeclaration,
    DetectedConflict,
    EntityDeclaration,
    EvaluatorAcceptance,
)
from grants.evaluation.queries import access
from grants.evaluation.states import DetectedKind, DetectedState
from grants.identity import queries as identity
from grants.identity.models import AccessBar, Membership
from grants.identity.policy import Role
from tests.evaluation.scene import Scene
from tests.factories import identity as people
from tests.no_route import WRITING, read_by, told_by, walk
from tests.placeholders import target_of
from tests.statements import statements


def joined(scene: Scene, name: str, number: int) -> None:
    """Membership of the municipality that leads an application; nobody has set a bar."""
    with arranging():
        lead = get(Application, scene.application_ids[number]).coordinator_id
        db.session.add(Membership(user_id=scene.people[name], organisation_id=lead, starts_at=clock.now()))


def found(scene: Scene, name: str, number: int) -> None:
    """A conflict the program found and that stands; its bar was never set."""
    with arranging():
        db.session.add(
            DetectedConflict(
                user_id=scene.people[name], application_id=scene.application_ids[number],
                state=DetectedState.CONFIRMED.value, kind=DetectedKind.PAST_CONSORTIUM.value, evidence="A pilot",
                found_at=clock.now(),
            )
        )  # fmt: skip


def declared(scene: Scene, name: str, number: int) -> None:
    """A declaration whose bar was lifted by hand."""
    with arranging():
        db.session.add(
            ConflictDeclaration(
                user_id=scene.people[name], application_id=scene.application_ids[number], declared="conflict",
                reason="A cousin", declared_at=clock.now(),
            )
        )  # fmt: skip


def seen_by(actor: Actor) -> dict[str, Any]:
    """How many applications each way of looking tells this person of."""
    search = ListFilter(search="PCP-2022-A-0102")
    total, by_state = counting(actor, ListFilter())
    searched, _ = counting(actor, search)
    return {
        "list": len(db.session.scalars(select(Application.id).where(visible(actor))).all()),
        "count": total.number,
        "states": sum(tally.number for tally in by_state.values()),
        "search": searched.number,
        "pipeline": sum(each.number for each in standing(actor, ListFilter())),
        "file": len(list(export_rows(actor, Listing()))),
        "rows": rows_of_list(actor, Listing(), most=10),
    }


WHOLE = {"list": 3, "count": 3, "states": 3, "search": 1, "pipeline": 3, "file": 3, "rows": 3}
LESS = {"list": 2, "count": 2, "states": 2, "search": 0, "pipeline": 2, "file": 2, "rows": 2}


@pytest.mark.parametrize(
    ("stands", "name"),
    [(joined, "manager"), (found, "auditor"), (declared, "manager")],
    ids=["member", "found", "said"],
)
def test_a_conflict_shuts_every_list_count_search_and_file_to_every_office_before_a_bar_is_set(
    scene: Scene, name: str, stands: Callable[[Scene, str, int], None]
) -> None:
    actor, about = scene.actor(name), scene.application_ids[1]
    assert is_kept(actor, ListFilter()) and seen_by(actor) == WHOLE
    reach = reach_of(actor)

    stands(scene, name, 1)

    actor = scene.actor(name)
    # Nobody set a bar, and it stands all the same: every list and every deed that heeds bars heeds it.
    assert db.session.scalar(select(func.count()).select_from(AccessBar)) == 0
    assert actor.barred("application") == queries.shut_to(actor, [about]) == {about}
    assert not actor.may(Permission.APPLICATION_READ, Scope.of(("application", about), ("call", scene.call_id)))
    assert seen_by(actor) == LESS
    with pytest.raises(NotFound):
        applications.id_of(actor, scene.references[1])
    # A file that was made before is not handed out any more.
    assert reach_of(actor) != reach
    with arranging():
        get(Call, scene.call_id).results_public_at = clock.now() - timedelta(minutes=1)
    # What is still in evaluation stays shut when results are public.
    assert seen_by(scene.actor(name)) == LESS
    with arranging():
        get(Application, about).state = ApplicationState.NOT_FUNDED.value
    assert seen_by(scene.actor(name)) == WHOLE


def test_what_is_shut_three_times_over_is_taken_from_the_totals_once(scene: Scene) -> None:
    about = scene.application_ids[1]
    for stands in (joined, found, declared):
        stands(scene, "manager", 1)
    with arranging():
        people.bar(scene.people["manager"], "application", about)

    assert seen_by(scene.actor("manager")) == LESS


def test_ones_own_application_stays_in_the_list_of_an_office(scene: Scene) -> None:
    joined(scene, "manager", 1)
    with arranging():
        people.role(
            scene.people["manager"], Role.APPLICATION_LEAD, kind="application", object_id=scene.application_ids[1]
        )

    assert seen_by(scene.actor("manager")) == WHOLE


@pytest.mark.usefixtures("declared_world")
def test_the_condition_of_lists_says_what_the_gate_of_evaluation_says(scene: Scene) -> None:
    for name in ("manager", "auditor", "chair"):
        joined(scene, name, 0)
        found(scene, name, 1)

        actor = scene.actor(name)
        shown = set(db.session.scalars(select(Application.id).where(visible(actor))))

        assert shown == set(scene.application_ids) - queries.shut_to(actor, scene.application_ids)


def told(scene: Scene, name: str, number: int, said: str, ruling: str | None = None) -> Row:
    """What somebody declared about an application, and what was ruled on it."""
    by = scene.people["manager"] if ruling else None
    return ConflictDeclaration(
        user_id=scene.people[name], application_id=scene.application_ids[number], declared=said, reason="A word",
        declared_at=clock.now(), ruling=ruling, ruled_by=by, ruled_at=clock.now() if ruling else None,
    )  # fmt: skip


def every_state(scene: Scene) -> dict[str, list[int]]:
    """People in every state there is between a person and an application, and which applications open for each."""
    said = {
        "eva1": ("none", "conflict", ""), "eva2": (("unsure", "cleared"), ("none", "confirmed"), "unsure"),
        "eva3": ("none",) * 3, "eva4": ("none", "none", ("none", "cleared")), "eva5": ("none",) * 3, "chair": ("none",) * 3,
    }  # fmt: skip
    scene.find("eva3", 0, DetectedState.CONFIRMED)
    scene.find("eva3", 1)
    joined(scene, "eva3", 2)
    joined(scene, "eva5", 0)
    with arranging():
        leads = [get(Application, key).coordinator_id for key in scene.application_ids]
        for name, each in said.items():
            rows = [(one, None) if isinstance(one, str) else one for one in each]
            db.session.add_all(told(scene, name, number, *row) for number, row in enumerate(rows) if row[0])
            for number, lead in enumerate(leads):
                # The first organisation was not asked about, of the others there is a doubt: one is covered by a ruling.
                about = ("", "unsure", "unsure")[number] if name == "eva4" else "none"
                values = {} if about == "none" else {"kind": "economic", "reason": "Shares"}
                row = EntityDeclaration(
                    user_id=scene.people[name], call_id=scene.call_id, organisation_id=lead, declared=about,
                    declared_at=clock.now(), **values,
                )  # fmt: skip
                db.session.add_all([row] if about else [])
        # Somebody decided that this membership is none.
        db.session.add(
            DetectedConflict(
                user_id=scene.people["eva5"], application_id=scene.application_ids[0], organisation_id=leads[0],
                state=DetectedState.DISMISSED.value, kind=DetectedKind.OWN_ORGANISATION.value, evidence="Another one",
                found_at=clock.now(), decided_by=scene.people["manager"], decided_at=clock.now(), decision_reason="So",
            )
        )  # fmt: skip
        lead_of = scene.application_ids[1]
        people.role(scene.people["eva5"], Role.APPLICATION_LEAD, kind="application", object_id=lead_of)
    return {"eva1": [0], "eva2": [0], "eva3": [1], "eva4": [2], "eva5": [0, 2], "chair": [0, 1, 2], "manager": []}


def gate(scene: Scene, name: str | None) -> list[int]:
    """Which applications open for somebody: by the gate as conditions on a row and as sets, which must be contrary."""
    db.session.rollback()
    person = scene.people[name] if name else None
    clear = db.session.scalars(select(Application.id).where(access.clear_for(person))).all()
    closed = db.session.scalars(select(Application.id).where(access.closed_to(person))).all()
    assert sorted([*clear, *closed]) == sorted(scene.application_ids), name
    return [number for number, key in enumerate(scene.application_ids) if key in clear]


def test_the_gate_row_by_row_and_as_sets_is_contrary_in_every_state(scene: Scene) -> None:
    opens = every_state(scene)
    assert {name: gate(scene, name) for name in opens} == opens and gate(scene, None) == []

    # Whoever is in the pool accepts the words of the call first; the chair is in none.
    text = ExpertTerms("You are paid by the day.", "You tell nobody.")
    about = {"call_id": scene.call_id, "number": 1, "sha256": text.sha256}
    with arranging():
        db.session.add(CallExpertTerms(content=encoding.encode(text), published_by=scene.people["manager"], **about))
    assert [gate(scene, name) for name in ("eva1", "eva5", "chair")] == [[], [], [0, 1, 2]]
    with arranging():
        db.session.add(EvaluatorAcceptance(user_id=scene.people["eva5"], **about))
    assert [gate(scene, name) for name in ("eva1", "eva5")] == [[], opens["eva5"]]


def test_a_person_is_asked_about_conflicts_once_for_all_lists_and_by_no_statement_more(scene: Scene) -> None:
    joined(scene, "manager", 1)
    with statements() as seen:
        actor = scene.actor("manager")
    rights, below = seen
    assert "conflict_declaration" in rights and "grant_agreement" in below

    with statements() as seen:
        counting(actor, ListFilter())
        db.session.scalars(select(Application.id).where(visible(actor))).all()

    # What a conflict shuts comes into a list as what it is: ids, and no question about anybody.
    assert len(seen) == 2
    assert not any("conflict" in each for each in seen)


def test_a_letter_that_waited_is_not_sent_to_somebody_who_came_into_conflict_meanwhile(scene: Scene) -> None:
    about = scene.application_ids[1]
    assert not identity.is_kept_from(scene.people["manager"], "application", about)

    joined(scene, "manager", 1)

    assert identity.is_kept_from(scene.people["manager"], "application", about)
    assert not identity.is_kept_from(scene.people["manager"], "application", scene.application_ids[0])


def test_somebody_who_applies_and_holds_no_office_is_kept_from_nothing_by_what_they_belong_to(scene: Scene) -> None:
    lead: UUID = scene.leads[0]
    scene.people["lead"] = lead
    joined(scene, "lead", 1)

    assert scene.actor("lead").bars == frozenset()


# Where somebody writes who assesses.
SHEETS = ("/assessments", "/consensus")


def sheets_kept() -> list[object]:
    """What stands of every sheet and of its fields."""
    db.session.rollback()
    sheets = select(Assessment.id, Assessment.version, Assessment.numbers, Assessment.remark).order_by(Assessment.id)
    return [*map(tuple, db.session.execute(sheets)), db.session.scalar(select(func.count(AssessmentVersion.id)))]


def test_a_tab_that_was_open_before_a_conflict_was_found_tells_and_saves_nothing(app: Flask, seated: Scene) -> None:
    first, name = seated.application_ids[0], seated.seats(seated.application_ids[0])[0]
    services.save(seated.actor(name), first, seated.sheet(8, 8, 8))
    before = read_by(app, seated.actor(name), first, under=SHEETS)
    kept = sheets_kept()

    # Nobody has set a bar or emptied the seat yet.
    seated.find(name, 0, DetectedState.CONFIRMED)
    db.session.rollback()
    about = target_of(db.session.get_one(Application, first))
    after = walk(app, seated.actor(name), [about], ("GET", *sorted(WRITING)), SHEETS, forms=before.forms)

    assert len(before.leaks) >= 9 and len(before.forms) >= 3
    assert told_by(after, [about]) == {}
    assert sheets_kept() == kept
