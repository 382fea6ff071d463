"""A conflicted person reaches an application by no route while it is judged, whatever roles they have."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import false, select, true

from grants.applications.models import Application
from grants.cities import services as cities
from grants.cities.models import City
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import NotFound
from grants.evaluation.queries import access, conflict_rows
from grants.identity.models import User
from grants.identity.policy import Role
from tests import actors
from tests.awards.meeting import planned, seat_panel
from tests.awards.test_advice import run as work_out_advice
from tests.awards.test_scenarios import cut
from tests.evaluation.scene import Scene
from tests.gates import opened
from tests.no_route import (
    DECIDES,
    JUDGES,
    freely,
    keep_from,
    kept_and_counted,
    out_of_reach,
    read_by_each,
    read_in_conflict,
    readable,
    told,
    walked_unaccepted,
    walked_undeclared,
    with_roles,
    with_seat,
    written_by_each,
)
from tests.nothing_there import NOTHING_THERE, SHOWN_BY
from tests.placeholders import target_of
from tests.servers import Cluster
from tests.without import take_out, words_of

ROOT = Path(__file__).resolve().parents[2]


def furnish(scene: Scene) -> None:
    """What leads to the first application on more pages: a conflict found, a scenario, a panel, an advice, a city."""
    scene.find(scene.evaluators[0], 0)
    cut(scene)
    work_out_advice(scene)
    seat_panel(scene)
    planned(scene).open_first()
    with arranging():
        lead = db.session.get_one(Application, scene.application_ids[0]).coordinator_id
        db.session.add(
            City(
                slug="neochora", name="Neochóra", country_code="GR", mission_city=False, synthetic=True,
                label_status="not_applicable", organisation_id=lead, organisation_link="by_hand", folded="neochora",
            )
        )  # fmt: skip


def test_no_route_tells_a_conflicted_person_of_an_application_that_is_judged_and_before_a_bar_is_set(
    app: Flask, evaluated: Scene, postgres: Cluster, database: str
) -> None:
    first, second, _ = evaluated.application_ids
    furnish(evaluated)
    app.config["WTF_CSRF_ENABLED"] = False

    free = freely(app, first, JUDGES | DECIDES)
    seated = freely(app, first, JUDGES, seated=True, only=readable(app) - free.answered)

    # The gates alone keep this person away; with a bar the decided world is walked (tests/awards/test_letters.py).
    leaks, judging = kept_and_counted(app, first, JUDGES, seat_id=second)
    assert leaks == {}
    leaks, deciding = kept_and_counted(app, first, DECIDES)
    assert leaks == {}
    # Writing is tried with each role alone, as the forms stood that somebody free of it was shown; none gets through.
    assert len(free.forms) >= 7
    assert written_by_each(app, first, JUDGES | DECIDES, free.forms) == ({}, {})

    # The walk sees what there is to see: somebody free of it reads of it on many pages.
    assert len(free.leaks.keys() | seated.leaks.keys()) >= 40
    # Every address leads somewhere for who is free of the application, but for those of which it is said why not.
    nowhere = frozenset().union(*NOTHING_THERE.values())
    rest = readable(app) - free.answered - seated.answered
    assert rest - out_of_reach(app, JUDGES | DECIDES | {Role.ASSIGNED_EVALUATOR}) == nowhere
    assert sum(map(len, NOTHING_THERE.values())) == len(nowhere)

    # Nor does any number: each stands there as well in a world in which the application never was.
    names = ("ranking", "ranking.csv", "ranking.xlsx", "assignments", "evaluators.csv")
    lists = {f"/calls/{evaluated.slug}/{name}" for name in names}
    # The advice is read by chairs who assess nothing: two worlds are compared in tests/awards/test_advice.py.
    beside = f"/calls/{evaluated.slug}/assignments/{evaluated.references[1]}/adjust"
    assert {"/home", "/applications", "/consensus", beside, *lists} <= deciding.numbers.keys()
    judged = {"/home", "/assessments", "/consensus", "/panels", f"/calls/{evaluated.slug}/scores"}
    assert judged <= judging.numbers.keys()
    db.session.rollback()
    take_out(postgres.dsn(database), first)
    assert judging.told_more(app) == {}
    assert deciding.told_more(app) == {}


def test_no_route_tells_of_an_application_to_anybody_in_conflict_who_has_one_role_alone(
    app: Flask, evaluated: Scene
) -> None:
    furnish(evaluated)

    leaks, opened_by = read_by_each(app, evaluated.application_ids[0], JUDGES | DECIDES)

    assert leaks == {}
    # Each was let in somewhere: a role that opens nothing would prove nothing.
    assert opened_by.keys() == JUDGES | DECIDES and min(opened_by.values()) >= 3, opened_by


def test_what_the_walks_do_not_reach_is_asked_for_in_conflict_by_the_test_named() -> None:
    """The test named is marked with the endpoint: then it fails unless it asked for it, and was shut out (tests/shut.py)."""
    wrong = []
    for endpoint, where in SHOWN_BY.items():
        path, _, name = where.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        tests = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name)
        proof = next(tests)
        marks = [
            each for each in proof.decorator_list if isinstance(each, ast.Call) and ast.unparse(each.func) == "shuts"
        ]
        marked = {word.value for mark in marks for word in ast.walk(mark) if isinstance(word, ast.Constant)}
        if endpoint not in marked or not re.search(r"\bbar\(|conflict\w*\(|declare|bars=", ast.unparse(proof)):
            wrong.append(endpoint)

    assert wrong == []


def test_no_route_tells_who_has_not_accepted_the_contract_of_an_application(app: Flask, evaluated: Scene) -> None:
    assert walked_unaccepted(app, evaluated.application_ids[0], JUDGES) == {}


def test_no_route_tells_who_judges_of_an_application_before_they_declared(app: Flask, evaluated: Scene) -> None:
    assert walked_undeclared(app, evaluated.application_ids[0]) == {}


def test_who_judges_and_manages_reads_nothing_of_the_seats_of_what_they_have_not_declared_about(
    app: Flask, evaluated: Scene
) -> None:
    first = evaluated.application_ids[0]
    about = target_of(db.session.get_one(Application, first))
    person = with_roles("Cora who chairs and manages", frozenset({Role.PANEL_CHAIR, Role.PROGRAMME_MANAGER}))
    assert person.user_id is not None
    manager = actors.client_of(app, evaluated.actor("manager"))
    reading = actors.client_of(app, keep_from(person, [], silent_about=first))
    under = f"/calls/{evaluated.slug}/assignments"
    assert told(app, evaluated.actor("manager"), [about], ("GET",), ("/calls/<slug>/assignments",)) != {}

    assert told(app, actors.actor(person.user_id), [about], ("GET",), ("/calls/<slug>/assignments",)) == {}

    run = f"{under}/runs/1/run.json"
    assert (manager.get(run).status_code, reading.get(run).status_code) == (200, 403)
    rows = reading.get(f"{under}/seats.csv").text
    assert evaluated.references[0] not in rows and evaluated.references[1] in rows
    evaluated.people["cora"] = person.user_id
    with pytest.raises(NotFound):
        evaluated.release(evaluated.seats(first)[0], first, "Ill for weeks.", by="cora")


def test_no_route_tells_an_advisor_of_a_city_of_its_application_whatever_they_declared_and_decide(
    app: Flask, evaluated: Scene
) -> None:
    first, second, _ = evaluated.application_ids
    furnish(evaluated)
    about = target_of(db.session.get_one(Application, first))
    judging = with_seat(keep_from(with_roles("Ada Advising who judges", JUDGES), []), second)
    deciding = keep_from(with_roles("Ada Advising who decides", DECIDES), [])
    assert told(app, deciding, [about], ("GET",), ("/applications/<ref>",)) != {}

    for person in (judging, deciding):
        assert person.user_id is not None
        advise(evaluated, person.user_id)
        actor = actors.actor(person.user_id)

        # Nobody looked for it and no bar is set: it holds from the moment it is so.
        assert told(app, actor, [about], ("GET",)) == {}


def advise(scene: Scene, user_id: UUID) -> None:
    """Name a person as an advisor of the city that leads the first application."""
    city = db.session.scalars(select(City.id).where(City.slug == "neochora")).one()
    cities.name_advisor(scene.actor("manager"), city, db.session.get_one(User, user_id).email)


def test_the_walk_notices_that_a_conflict_shuts_nothing(app: Flask, evaluated: Scene) -> None:
    """A proof of the walk itself: the one set of everybody's conflicts, opened, tells of the application all over."""
    with opened(conflict_rows.conflicts_held, lambda user_id, at: select(Application.id).where(false())):
        leaks = read_in_conflict(
            app, evaluated.application_ids[0], DECIDES, ("/audit", "/consensus", "/applications/<ref>")
        )

    assert leaks.keys() >= {
        "GET /audit",
        "GET /audit.csv",
        "GET /consensus",
        f"GET /consensus/{evaluated.references[0]}",
    }
    assert len(leaks) >= 7


def test_the_walk_reads_what_stands_in_a_pdf_and_in_an_archive_of_them() -> None:
    pdf, archive = io.BytesIO(), io.BytesIO()
    sheet = Canvas(pdf, pageCompression=1)
    sheet.drawString(72, 700, "Cool")
    sheet.drawString(72, 680, "Courtyards")
    sheet.save()
    assert b"Courtyards" not in pdf.getvalue()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("one.pdf", pdf.getvalue())

    assert [words_of(each.getvalue()) for each in (pdf, archive)] == ["Cool Courtyards"] * 2


def test_the_walk_notices_that_nobody_needs_to_declare(app: Flask, evaluated: Scene) -> None:
    # The gate, and the same as a set for long lists.
    with opened(access.clear_for, lambda user_id: true()), opened(access.closed_to, lambda user_id: false()):
        leaks = walked_undeclared(
            app, evaluated.application_ids[0], ("/assessments", "/consensus", "/panels", "/calls")
        )

    assert len(leaks) >= 5
