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
from grants.calls.models import Call
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import queries, services
from grants.evaluation.models import Assessment, AssessmentVersion, ConflictDeclaration, DetectedConflict
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


def test_the_condition_of_lists_says_what_the_gate_of_evaluation_says(scene: Scene) -> None:
    scene.declare_all()
    for name in ("manager", "auditor", "chair"):
        joined(scene, name, 0)
        found(scene, name, 1)

        actor = scene.actor(name)
        shown = set(db.session.scalars(select(Application.id).where(visible(actor))))

        assert shown == set(scene.application_ids) - queries.shut_to(actor, scene.application_ids)


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
