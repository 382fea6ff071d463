"""Who holds a seat scores blind and leads nothing, whatever other roles the same person holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from importlib import import_module
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications.models import Application
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import NotAllowed, NotFound
from grants.core.paging import Page
from grants.core.permissions import Permission
from grants.evaluation import queries, services
from grants.evaluation.models import Assessment, Evaluator
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from grants.identity import policy
from grants.identity.models import User
from grants.identity.policy import Role
from tests.evaluation.scene import WORDS, Browser, Scene, declares
from tests.evaluation.test_views import text_of
from tests.factories import identity as people
from tests.no_route import DECIDES, JUDGES, walk
from tests.placeholders import target_of
from tests.statements import statements

COMBINED = (Role.PANEL_MEMBER, Role.PANEL_CHAIR, Role.PROGRAMME_MANAGER)


def joined(scene: Scene, role: Role) -> tuple[str, UUID, str]:
    """An evaluator of the first application, not of all, also holds this role; a colleague’s sheet is in."""
    about, other, *_ = scene.application_ids
    name, colleague, *_ = scene.seats(about)
    # Every pair fits alike, so who sits where is the method's choice: the seat on the other one is emptied if it was given.
    if queries.own_seat(scene.people[name], other) is not None:
        scene.release(name, other, "Needed elsewhere")
    with arranging():
        people.role(scene.people[name], role)
    services.submit(scene.actor(colleague), about, scene.sheet(9, 3, 8))
    return name, about, scene.references[0]


@pytest.mark.parametrize("role", COMBINED)
def test_no_other_role_opens_the_sheets_of_others_before_the_own_is_in(
    seated: Scene, browser: Browser, role: Role
) -> None:
    name, about, reference = joined(seated, role)

    with pytest.raises(NotFound):
        queries.consensus_page(seated.actor(name), reference)
    assert browser.get(name, f"/consensus/{reference}").status_code == 404
    assert reference not in {row.reference for row in queries.consensus_list(seated.actor(name)).items}
    assert queries.assessment_page(seated.actor(name), reference).others == ()

    services.submit(seated.actor(name), about, seated.sheet(8, 8, 8))
    assert len(queries.consensus_page(seated.actor(name), reference).sheets) == 2
    # A reopened sheet shuts the others again.
    seat = queries.own_seat(seated.people[name], about)
    assert seat is not None
    services.reopen(seated.actor("manager"), seat, "A slip")
    with pytest.raises(NotFound):
        queries.consensus_page(seated.actor(name), reference)


def test_no_route_tells_who_scores_what_others_wrote_before_their_own_sheet_is_in(app: Flask, seated: Scene) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    about = seated.application_ids[0]
    name, *others = seated.seats(about)
    for other in others:
        sheet = seated.sheet(9, 1, 7, words=f"Zyzzyva {WORDS}", remark="Zyzzyva indeed")
        services.submit(seated.actor(other), about, sheet)
    with arranging():
        for role in sorted(JUDGES | DECIDES):
            people.role(seated.people[name], role)
    # What others wrote is looked for on every page there is, by a word nobody else uses.
    found = replace(target_of(get(Application, about)), secrets=("Zyzzyva",), city="Zyzzyva")

    before = walk(app, seated.actor(name), [found], ("GET",))
    services.submit(seated.actor(name), about, seated.sheet(8, 8, 8))
    shown = frozenset({"evaluation.assessment", "evaluation.consensus"})
    after = walk(app, seated.actor(name), [found], ("GET",), only=shown)

    assert before.leaks == {}
    # The walk opens what there is, and sees the words where they may be read.
    assert len(before.answered) > 100 and shown <= before.read.keys()
    reference = seated.references[0]
    assert after.leaks.keys() == {f"GET /assessments/{reference}", f"GET /consensus/{reference}"}


def test_a_mark_changed_after_the_sheets_of_others_could_be_read_says_so(seated: Scene, browser: Browser) -> None:
    about, reference = seated.application_ids[0], seated.references[0]
    first, second, third = seated.seats(about)
    services.submit(seated.actor(first), about, seated.sheet(8, 8, 8))
    reopen(seated, first, about)
    # Nobody else was in: there was nothing to read.
    services.submit(seated.actor(first), about, seated.sheet(6, 8, 8))
    for name in (second, third):
        services.submit(seated.actor(name), about, seated.sheet(9, 9, 9))
    said = "changed after the sheets of others could be read"
    lists = (f"/consensus/{reference}", f"/calls/{seated.slug}/ranking")
    assert all(said not in browser.get("chair", path).text for path in lists)

    reopen(seated, first, about)
    services.submit(seated.actor(first), about, seated.sheet(9, 8, 8))
    assert f"Was 3: {said}." in browser.get("chair", lists[0]).text
    # Given back once more and set as it was, nothing is changed.
    reopen(seated, first, about)
    services.submit(seated.actor(first), about, seated.sheet(6, 8, 8))
    assert said not in browser.get("chair", lists[0]).text

    reopen(seated, first, about)
    services.submit(seated.actor(first), about, seated.sheet(9, 8, 7))
    seated.agree(about, 8, 8, 8)

    consensus, ranking = (text_of(browser.get("chair", path)) for path in lists)
    assert consensus.count(said) == 2
    assert f"Was 3: {said}." in consensus and f"Was 4: {said}." in consensus
    assert f"2 marks were {said}." in ranking
    criteria = queries.consensus_page(seated.actor("chair"), reference).criteria
    told = db.session.scalars(
        select(AuditEvent.reason).where(AuditEvent.verb == "assessment.submit", AuditEvent.reason.is_not(None))
    )
    assert set(told) == {
        f"{criteria[0].name} changed from 3 to 4.5 after the sheets of others could be read",
        f"{criteria[0].name} changed from 3 to 4.5 after the sheets of others could be read; "
        f"{criteria[2].name} changed from 4 to 3.5 after the sheets of others could be read",
    }


def reopen(scene: Scene, name: str, about: UUID) -> None:
    seat = queries.own_seat(scene.people[name], about)
    assert seat is not None
    services.reopen(scene.actor("manager"), seat, "A slip")


@pytest.mark.parametrize("role", COMBINED)
def test_applications_without_an_own_seat_stay_open_to_the_other_role(seated: Scene, role: Role) -> None:
    name, _, _ = joined(seated, role)
    other = next(
        (key, reference)
        for key, reference in zip(seated.application_ids, seated.references, strict=True)
        if name not in seated.seats(key)
    )

    assert queries.consensus_page(seated.actor(name), other[1]).head.id == other[0]


@pytest.mark.parametrize("role", [Role.PANEL_CHAIR, Role.PROGRAMME_MANAGER])
def test_whoever_holds_a_seat_leads_no_consensus_of_that_application(seated: Scene, role: Role) -> None:
    name, about, reference = joined(seated, role)
    colleague = next(each for each in seated.seats(about) if each != name)
    for each in seated.seats(about):
        if each != colleague:
            services.submit(seated.actor(each), about, seated.sheet(8, 8, 8))
    actor = seated.actor(name)
    words = "You assess this application yourself; somebody else leads its consensus."

    assert queries.consensus_page(actor, reference).may_write is False
    assert [duty for duty in queries.duties(actor, _now()) if duty.what.startswith("Write the consensus")] == []
    if actor.can(Permission.CONSENSUS_WRITE):
        for deed in (services.write_consensus, services.propose):
            with pytest.raises(NotAllowed, match=words):
                deed(seated.actor(name), about, seated.sheet(8, 8, 8, remark="Mine"))
        services.propose(seated.actor("chair"), about, seated.sheet(8, 8, 8, remark="We agree."))
        with pytest.raises(NotAllowed, match=words):
            services.take_back(seated.actor(name), about)
        with pytest.raises(NotAllowed, match=words):
            services.settle(seated.actor(name), about, "I differ")
        services.agree(seated.actor(name), about)


def test_who_chairs_sees_how_each_evaluator_scores_once_their_own_sheets_are_in(
    seated: Scene, browser: Browser
) -> None:
    path = f"/calls/{seated.slug}/scores"
    assert "No assessment is in yet" in text_of(browser.get("chair", path))
    name, about, _ = joined(seated, Role.PANEL_CHAIR)
    own, colleague = (get(User, seated.people[each]).name for each in (name, seated.seats(about)[1]))

    # 4.5, 1.5 and 4 points; nobody’s sheet stands beside it.
    shown = text_of(browser.get("chair", path))
    assert colleague in shown and ">4.50<" in shown and ">1.50<" in shown and "beside one yet" in shown
    blind = text_of(browser.get(name, path))
    assert "Your own assessments come first" in blind and colleague not in blind and "4.50" not in blind
    assert (browser.get("manager", path).status_code, browser.get("eva5", path).status_code) == (403, 403)

    mine = [key for key in seated.application_ids if name in seated.seats(key)]
    for key in mine:
        services.submit(seated.actor(name), key, seated.sheet(8, 8, 8))
    # Between two seats it stays shut: while evaluation goes on, the next may come to whoever is in the pool.
    between = text_of(browser.get(name, path))
    assert "You evaluate in this call yourself" in between and colleague not in between and "4.50" not in between
    with arranging():
        entry = get(Evaluator, seated.evaluator_id(name))
        entry.stepped_down_at, entry.stepped_down_why = _now(), "No time"
    with statements() as asked:
        open_now = text_of(browser.get(name, path))
    assert len(asked) <= 8 and own in open_now and colleague in open_now
    page = queries.scores_by_evaluator(seated.actor("chair"), seated.slug, Page(size=1))
    assert page.every is not None and (page.every.sheets, page.rows.total) == (len(mine) + 1, 2)
    rest = queries.scores_by_evaluator(seated.actor("chair"), seated.slug, Page(size=1, after=page.rows.next_key))
    told = {row.name: (row.against_words, row.compared_words) for row in (*page.rows.items, *rest.rows.items)}
    assert told == {own: ("+2.0", "on 1 application"), colleague: ("−2.0", "on 1 application")}
    assert [strip.mean_words for strip in page.every.strips][:1] == [f"{(4.5 + 4 * len(mine)) / (len(mine) + 1):.2f}"]

    # A figure of a part would be a wrong one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("grants.evaluation.queries.scores_by_evaluator"), "SHEETS_MAX", len(mine))
        refused = browser.get("chair", path)
    assert refused.status_code == 422 and "more than" in refused.text

    # What is shut to the reader counts in no figure.
    declares(seated.actor("chair"), seated.call_id, [Answered(about, Declared.CONFLICT, "A cousin")])
    less = text_of(browser.get("chair", path))
    assert colleague not in less and "4.50" not in less


def test_a_manager_with_a_seat_reopens_and_voids_no_colleagues_sheet_of_it(seated: Scene) -> None:
    name, about, _ = joined(seated, Role.PROGRAMME_MANAGER)
    colleague = seated.seats(about)[1]
    seat = queries.own_seat(seated.people[colleague], about)
    assert seat is not None

    with pytest.raises(NotAllowed, match="You assess this application yourself"):
        services.reopen(seated.actor(name), seat, "Not as I like it")
    for deed in (seated.release, seated.give):
        with pytest.raises(NotAllowed, match="You assess this application yourself"):
            deed(colleague, about, "Not as I like it", by=name)


def test_managing_and_evaluating_are_roles_that_stay_apart() -> None:
    assert policy.clash([Role.EVALUATOR], Role.PROGRAMME_MANAGER) is Role.EVALUATOR
    assert policy.clash([Role.PROGRAMME_MANAGER], Role.EVALUATOR) is Role.PROGRAMME_MANAGER


def _now() -> datetime:
    return clock.now()


def test_the_sheet_of_a_seat_that_was_emptied_since_could_be_read_too(seated: Scene) -> None:
    about = seated.application_ids[0]
    first, second, third = seated.seats(about)
    for name in (first, second):
        services.submit(seated.actor(name), about, seated.sheet(8, 8, 8))
    seated.release(first, about, "Fell ill.")
    services.submit(seated.actor(third), about, seated.sheet(7, 7, 7))
    seated.release(second, about, "Fell ill.")
    seat = queries.own_seat(seated.people[third], about)
    assert seat is not None

    services.reopen(seated.actor("manager"), seat, "A slip")

    row = db.session.scalars(select(Assessment).where(Assessment.assignment_id == seat)).one()
    assert row.marks_before is not None and set(row.marks_before.values()) == {7}
