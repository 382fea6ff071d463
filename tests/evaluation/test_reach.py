"""Whoever takes part in an application, or stands in conflict with it, finds it in no list, count, search or file: bar or no bar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.queries.counting import counting, is_kept
from grants.applications.queries.exporting import export_rows, rows_of_list
from grants.applications.queries.list_files import reach_of
from grants.applications.queries.pipeline import standing
from grants.applications.queries.reach import conflicts_of, visible
from grants.applications.rules import ListFilter
from grants.applications.rules.listing import Listing
from grants.calls.models import Call
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.evaluation import queries
from grants.evaluation.models import ConflictDeclaration, DetectedConflict
from grants.evaluation.states import DetectedKind, DetectedState
from grants.identity.models import Membership
from grants.identity.policy import Role
from tests.evaluation.scene import Scene
from tests.factories import identity as people
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
    assert about not in actor.barred("application") and queries.shut_to(actor, [about]) == {about}
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


def test_a_list_asks_for_the_conflicts_of_a_person_once_however_long_it_is(scene: Scene) -> None:
    joined(scene, "manager", 1)
    actor = scene.actor("manager")

    # A set of its own, which hangs on no row of the list, made once and looked into.
    assert db.session.scalars(*conflicts_of(actor)).all() == [scene.application_ids[1]]
    assert "(hashed SubPlan" in _plan(actor)
    with statements() as seen:
        counting(actor, ListFilter())
    assert len(seen) == 1


def _plan(actor: Actor) -> str:
    statement = select(Application.id).where(visible(actor)).order_by(Application.reference).limit(50)
    asked = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    rows = db.session.connection().exec_driver_sql(f"EXPLAIN (COSTS OFF) {asked}")
    return "\n".join(row[0] for row in rows)


def test_somebody_without_an_office_is_asked_nothing_about_conflicts(scene: Scene) -> None:
    lead: UUID = scene.leads[0]
    scene.people["lead"] = lead

    assert "conflict_declaration" not in str(select(Application.id).where(visible(scene.actor("lead"))))
