"""Who audits reads the assignment, conflicts, scores and decisions of a call as those who made them, and changes nothing."""

from __future__ import annotations

import re

from flask import Flask

from grants.core.acts import arranging
from grants.core.db import get
from grants.core.paging import Page
from grants.evaluation import queries, services
from grants.identity.models import User
from grants.identity.policy import PERMISSIONS, Role
from tests.evaluation.scene import SCORES, Browser, Scene
from tests.evaluation.test_views import handle, text_of
from tests.factories import identity as people
from tests.html import check_page

PAGES = (
    "assignments", "assignments/matrix", "assignments/runs/1", "assignments/missing", "assignments/reminders", "conflicts", "evaluators",
    "results", "decision", "decision/names", "scores",
)  # fmt: skip
# What may be pressed on those pages: narrowing a list, the theme, and leaving.
SENDS = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]*)"')
HARMLESS = ("/theme", "/sign-out")
# Declaring an own conflict takes away and gives nothing; a letter is acknowledged by its own team alone; minutes are signed
# by those of the meeting, and to have them printed is to read them.
OTHERWISE_GUARDED = {
    "evaluation.declare_in_office", "awards.acknowledge_letter", "awards.sign_minutes", "awards.prepare_minutes",
}  # fmt: skip


def person(scene: Scene, name: str) -> str:
    return get(User, scene.people[name]).name


def test_an_auditor_reads_every_page_of_it_and_finds_nothing_to_press(browser: Browser, seated: Scene) -> None:
    seat = seated.seats(seated.application_ids[0])[0]
    who = f"{seated.references[0]}/{handle(seated, seat)}"
    for path in (*PAGES, f"assignments/{who}/why", f"evaluators/{handle(seated, seat)}/profile"):
        answer = browser.get("auditor", f"/calls/{seated.slug}/{path}")
        assert answer.status_code == 200, path
        check_page(answer)
        assert [each for each in SENDS.findall(answer.text) if not each.endswith(HARMLESS)] == [], path
        for deed in ("/adjust", "/reopen", "/invite", "/import", "/entry", "/assignments/file", "evaluators.csv"):
            assert deed not in answer.text, (path, deed)
    matrix = text_of(browser.get("auditor", f"/calls/{seated.slug}/assignments/matrix"))
    assert "Seat " in matrix and f"assignments/{who}/why" in matrix and "giving them a seat" not in matrix
    shown = text_of(browser.get("auditor", f"/calls/{seated.slug}/assignments"))
    assert f"/calls/{seated.slug}/assignments/matrix" in shown
    assert person(seated, seat) in shown and "Run again" not in shown
    assert person(seated, seat) in text_of(browser.get("auditor", f"/calls/{seated.slug}/assignments/missing"))


def test_what_writes_is_shut_to_who_audits(app: Flask, browser: Browser, seated: Scene) -> None:
    base, first = f"/calls/{seated.slug}", seated.references[0]
    seat = handle(seated, seated.seats(seated.application_ids[0])[0])
    addresses = (
        "assignments", "assignments/missing", f"assignments/{first}/adjust", f"assignments/{first}/{seat}/reopen",
        "assignments/file/look", "assignments/file/take", "evaluators/entry", "evaluators/invite", f"evaluators/{seat}/remove",
        "conflicts", f"conflicts/{first}/{seat}", f"conflicts/{first}/{seat}/found", "results", "results/publish",
        "results/return", "results/withhold", f"results/descriptions/{first}", f"results/descriptions/{first}/confirm", "decision", "decision/names", "advice", "scenarios",
    )  # fmt: skip
    for path in addresses:
        assert browser.post("auditor", f"{base}/{path}", reason="Because").status_code == 403, path
    for path in (f"assignments/{first}/adjust", "evaluators/entry", "evaluators.csv", "assignments/file", "advice"):
        assert browser.get("auditor", f"{base}/{path}").status_code == 403, path
    # And so is every other one there is.
    open_to = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("evaluation.", "awards.")) and rule.methods and "POST" in rule.methods
        and PERMISSIONS[Role.AUDITOR] & set(app.view_functions[rule.endpoint].access.any_of)  # type: ignore[attr-defined]
    }  # fmt: skip
    assert open_to <= OTHERWISE_GUARDED, open_to - OTHERWISE_GUARDED


def test_a_conflict_of_who_audits_gates_them_as_everybody(browser: Browser, seated: Scene) -> None:
    seat, base = seated.seats(seated.application_ids[0])[0], f"/calls/{seated.slug}"
    services.declare_in_office(seated.actor("auditor"), seated.application_ids[0], "My sister works there.")

    for path in (
        "assignments",
        "assignments/matrix",
        "assignments/missing",
        "assignments/runs/1",
        "conflicts",
        "results",
    ):
        shown = browser.get("auditor", f"{base}/{path}").text
        assert seated.references[0] not in shown, path
        assert path in ("conflicts", "results") or seated.references[1] in shown, path
    why = f"{base}/assignments/{seated.references[0]}/{handle(seated, seat)}/why"
    assert browser.get("auditor", why).status_code == 404
    assert browser.get("auditor", f"{base}/decision/names").status_code == 403


def test_who_audits_or_assigns_and_also_assesses_an_application_reads_nothing_of_its_seats(
    browser: Browser, seated: Scene
) -> None:
    first, other = seated.application_ids[:2]
    own = seated.seats(first)[0]
    elsewhere = next(name for name in seated.evaluators if name not in seated.seats(other))
    for role in (Role.AUDITOR, Role.PROGRAMME_MANAGER):
        for who, application, answer in ((own, 0, 404), (elsewhere, 1, 200)):
            with arranging():
                people.role(seated.people[who], role)
            for name in seated.seats(seated.application_ids[application]):
                why = f"{seated.references[application]}/{handle(seated, name)}/why"
                got = browser.get(who, f"/calls/{seated.slug}/assignments/{why}").status_code
                assert got == answer, (role, who, name)


def test_an_auditor_of_another_call_reads_nothing_of_this_one(browser: Browser, seated: Scene) -> None:
    with arranging():
        seated.people["other"] = people.user("Other Auditor").id
        people.role(seated.people["other"], Role.AUDITOR, kind="application", object_id=seated.application_ids[0])
    for path in PAGES:
        if path != "decision":
            assert browser.get("other", f"/calls/{seated.slug}/{path}").status_code == 404, path


def test_how_severe_somebody_is_stays_for_who_chairs(browser: Browser, scene: Scene) -> None:
    scene.evaluate(SCORES)
    path = f"/calls/{scene.slug}/scores"
    chair, auditor = (text_of(browser.get(name, path)) for name in ("chair", "auditor"))
    assert "Against colleagues" in chair and "Against colleagues" not in auditor
    assert person(scene, scene.seats(scene.application_ids[0])[0]) in auditor
    shown = queries.scores_by_evaluator(scene.actor("auditor"), scene.slug, Page())
    assert all(row.against is None for row in shown.rows.items)


def test_who_audits_or_assigns_and_also_assesses_sees_the_other_seats_of_it_on_no_page_of_the_assignment(
    browser: Browser, seated: Scene
) -> None:
    first = seated.application_ids[0]
    own, colleague, *_ = seated.seats(first)
    base, here = f"/calls/{seated.slug}/assignments", seated.references[0]
    pages = (f"{base}/{here}/adjust", f"{base}/{here}/{handle(seated, colleague)}/reopen")
    lists = (f"{base}/runs/1", base)
    others = [each for each in seated.application_ids if own not in seated.seats(each)]
    shown_still = seated.references[seated.application_ids.index(others[0])]
    for role in (Role.AUDITOR, Role.PROGRAMME_MANAGER):
        with arranging():
            people.role(seated.people[own], role)
        for path in lists:
            shown = browser.get(own, path).text
            assert here not in shown and shown_still in shown, (role, path)
        told = queries.run_page(seated.actor(own), seated.slug, 1, Page())
        assert told.run.partial and told.samples == ()
        page = queries.assignments_page(seated.actor(own), seated.slug)
        assert page.totals.applications == len(others)
        assert page.totals.filled == sum(len(seated.seats(each)) for each in others)
        for line in page.loads:
            seen = sum(line.name == seat.name for row in page.rows.items for seat in row.seats)
            assert line.load == seen, (role, line.name)
        # The reasons of a seat elsewhere tell no figure of the whole call.
        elsewhere = handle(seated, seated.seats(others[0])[0])
        assert queries.seat_why(seated.actor(own), seated.slug, shown_still, elsewhere).partial
    for path in pages:
        assert browser.get(own, path).status_code == 404, path
    # Nor once their own sheet is in: it can be given back.
    services.submit(seated.actor(own), first, seated.sheet(8, 8, 8))
    for path in pages:
        assert browser.get(own, path).status_code == 404, path
