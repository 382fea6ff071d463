"""The privacy notice of a call: read before one begins or joins, kept by version, and asked again when it changes."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from grants.applications import services
from grants.applications.models import Application, ApplicationNotice
from grants.applications.queries import privacy as queries
from grants.applications.rules import DetailsInput, InviteInput, PersonInput, StartInput
from grants.calls import services as call_services
from grants.calls.rules.privacy import HEADINGS
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.identity import queries as identity
from grants.identity.states import Role
from tests import actors
from tests.applications.pages import forms, post
from tests.calls.scene import NOTICE, noticed
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN, again
from tests.html import check_page
from tests.worlds import World, Worlds

ADDRESS = "/calls/open-call-for-pilot-cities-2022"


@pytest.fixture(scope="session")
def notice_world(worlds: Worlds) -> World[UUID]:
    return worlds.of(noticed)


@pytest.fixture
def call_id(notice_world: World[UUID]) -> UUID:
    return notice_world.told()


def begin(call_id: UUID, notice: int | None = 1) -> str:
    ana = actors.ana()
    (own,) = ana.organisation_ids
    with clock.at(WHILE_OPEN):
        return services.start(ana, call_id, StartInput(own, DetailsInput("Warm Blocks"), notice)).reference


def id_of(reference: str) -> UUID:
    return db.session.scalars(select(Application.id).where(Application.reference == reference)).one()


def add_version(call_id: UUID, note: str = "Files are kept longer.") -> int:
    with clock.at(WHILE_OPEN):
        return call_services.add_privacy_notice(actors.ingrid(), call_id, replace(NOTICE, retention="Ten years."), note)


def test_nobody_begins_an_application_without_having_read_the_version_that_stands(app: Flask, call_id: UUID) -> None:
    for number in (None, 0, 2):
        with pytest.raises(Invalid, match="version 1"):
            begin(call_id, number)
    assert db.session.scalars(select(Application.id)).all() == []

    reference = begin(call_id)
    assert [(name, number) for name, number, _ in queries.accepted(id_of(reference))] == [("Ana Kowalska", 1)]


def test_who_is_invited_joins_by_reading_it(app: Flask, call_id: UUID) -> None:
    reference = begin(call_id)
    application_id, marek = id_of(reference), actors.marek()
    (theirs,) = marek.organisation_ids
    carla = actors.person("Carla Colleague", organisation_name=actors.NORTHBRIDGE)
    with clock.at(WHILE_OPEN):
        asked = InviteInput("marek.nowak@example.eu", "Marek Nowak", theirs)
        services.invite(again(actors.ana()), application_id, asked)
        as_editor = PersonInput("carla.colleague@example.eu", "Carla Colleague", Role.APPLICATION_EDITOR)
        services.invite_person(again(actors.ana()), application_id, as_editor)
        with pytest.raises(Invalid):
            services.accept_invitation(again(marek), application_id, theirs)
        with pytest.raises(Invalid):
            services.join(actors.actor(carla), application_id)
        services.join(actors.actor(carla), application_id, 1)

        # Another version comes while the page stands open: a second press is no reading of it.
        his, page = actors.client_of(app, again(marek)), f"/applications/{reference}/team"
        to = f"{page}/accept"
        opened = next(values for action, values in forms(check_page(his.get(page))) if action == to)
        add_version(call_id)
        assert post(his, to, opened).status_code == 422
        refused = post(his, to, {**opened, "act_key": ["k" * 30]})
        pressed = next(values for action, values in forms(check_page(refused)) if action == to)
        assert "I have read version 2 of the privacy notice" in refused.text and "notice" not in pressed
        assert post(his, to, pressed).status_code == 422
        assert post(his, to, {**pressed, "act_key": ["l" * 30]}, notice="2").status_code == 303

    assert {(name, number) for name, number, _ in queries.accepted(application_id)} == {
        ("Ana Kowalska", 1),
        ("Marek Nowak", 2),
        ("Carla Colleague", 1),
    }


def test_a_new_version_says_what_changed_and_asks_again_without_stopping_anybody_from_writing(
    app: Flask, call_id: UUID
) -> None:
    reference = begin(call_id)
    with pytest.raises(Invalid, match="what changed"):
        add_version(call_id, " ")
    assert add_version(call_id) == 2
    with clock.at(WHILE_OPEN):
        jobs.work_off(actor_of=identity.actor_for)

    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        unfinished = actors.client_of(app, again(actors.ana())).get(f"/applications/{reference}/submit")
        assert "It cannot be sent yet" in unfinished.text
        assert "The privacy notice of the call has a new version" in unfinished.text
    application_id = factory.fill(reference, actors.ana())
    with clock.at(WHILE_OPEN):
        with pytest.raises(Refused, match="version 2"):
            services.submit(again(actors.ana()), application_id)
        with pytest.raises(Invalid):
            services.accept_notice(again(actors.ana()), application_id, 1)
        ana = actors.client_of(app, again(actors.ana()))
        for page in ("check", "submit"):
            shown = ana.get(f"/applications/{reference}/{page}")
            check_page(shown)
            assert "The privacy notice of the call has a new version" in shown.text
            assert (
                "No problem stops the sending.<" not in shown.text
                and "Send version 1 to the programme" not in shown.text
            )
        back = ana.post(f"/applications/{reference}/privacy?back=submit", data={"notice": "2"})
        assert back.location == f"/applications/{reference}/submit"
        assert "to the programme" in ana.get(back.location).text
        assert services.submit(again(actors.ana()), application_id).number == 1

    assert [number for _, number, _ in queries.accepted(application_id)] == [2, 1]
    assert "privacy_notice" in [mail.template for mail in identity.mails(actors.ada()).items]


def test_what_was_accepted_stands(app: Flask, call_id: UUID) -> None:
    begin(call_id)

    with pytest.raises(DBAPIError, match="application_notice"), arranging():
        db.session.scalars(select(ApplicationNotice)).one().number = 7
        db.session.flush()


def test_a_call_without_a_notice_asks_nothing(app: Flask, client: FlaskClient) -> None:
    call = factory.published_call()

    assert factory.draft(call, actors.ana())
    assert "no privacy notice of its own" in client.get(f"/calls/{call.slug}/privacy").text


def test_beginning_reading_and_reading_again_without_a_script(app: Flask, call_id: UUID) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        ana, ingrid = actors.client_of(app, actors.ana()), actors.client_of(app, actors.ingrid())
        (own,) = actors.ana().organisation_ids
        slug = ADDRESS.rpartition("/")[2]
        address = f"/applications/new?call={slug}"
        page = ana.get(address)
        assert "I have read the privacy notice" in page.text and 'name="notice_number" value="1"' in page.text
        sent = {"title": "Warm Blocks", "organisation": str(own), "acronym": "", "about": "", "notice_number": "1"}
        lacking = ana.post(address, data=sent)
        assert lacking.status_code == 422 and "Read it, and confirm" in lacking.text and "Warm Blocks" in lacking.text
        check_page(lacking)
        started = ana.post(address, data=sent | {"notice": "y"})
        assert started.status_code == 303

        assert "waits for you" not in ana.get(started.location).text
        edited = ingrid.get(f"{ADDRESS}/privacy/edit")
        check_page(edited)
        given = {name: getattr(NOTICE, name) for name in HEADINGS}
        assert ingrid.post(f"{ADDRESS}/privacy/edit", data=given).status_code == 422
        assert ingrid.post(f"{ADDRESS}/privacy/edit", data=given | {"note": "Clearer."}).status_code == 303
        asked = ana.get(started.location)
        assert "has a new version" in asked.text
        check_page(asked)
        ana.post(f"{started.location}/privacy", data={"notice": "2"})
        assert "has a new version" not in ana.get(started.location).text
        team = ana.get(f"{started.location}/team")
        assert "has read" in team.text and "version 2" in team.text
        check_page(team)
        old = ana.get(f"{ADDRESS}/privacy?version=1")
        assert "This version stands no more" in old.text
        unknown = " ".join("".join(check_page(ana.get(f"{ADDRESS}/privacy?version=9")).itertext()).split())
        assert "There is no version “9”. There are: 2, 1." in unknown
        assert "The newest one is shown.Version 2," in unknown
