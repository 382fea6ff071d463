"""Who advises a city, or wrote an application with it, is in conflict with what it applies for, whatever office they have."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from grants.applications.models import Application
from grants.cities import services as cities
from grants.cities.models import City
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.evaluation import queries, services
from grants.evaluation.models import DetectedConflict
from grants.evaluation.rules import Answered, AnsweredEntity
from grants.evaluation.states import ConflictKind, Declared, Ruling
from grants.identity.models import Membership, Organisation, RoleGrant, User
from grants.identity.policy import Role
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_detecting import PROGRAM, rows_of
from tests.factories import identity as people


def city_of(scene: Scene, number: int) -> UUID:
    """The city of the register whose organisation leads an application."""
    with arranging():
        lead = get(Application, scene.application_ids[number]).coordinator_id
        city = City(
            slug="neochora", name="Neochóra", country_code="GR", mission_city=False, label_status="not_applicable",
            organisation_id=lead, organisation_link="by_hand", synthetic=True, folded="neochora",
        )  # fmt: skip
        db.session.add(city)
        return city.id


def advise(scene: Scene, name: str, number: int = 0) -> UUID:
    made = city_of(scene, number)
    cities.name_advisor(scene.actor("manager"), made, get(User, scene.people[name]).email)
    return made


def test_the_applications_of_their_city_are_shut_to_an_advisor_from_that_moment(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]

    advise(seated, name)

    assert ("application", first) in seated.actor(name).bars
    with pytest.raises(NotFound):
        queries.refuse_conflict(seated.people[name], first)
    with pytest.raises(NotFound):
        services.save(seated.actor(name), first, seated.sheet(8, 8, 8))
    assert {thing for _, thing in seated.actor(name).bars} == {first}


@pytest.mark.parametrize("name", ["chair", "officer"])
def test_neither_does_an_advisor_lead_or_decide_in_an_office(seated: Scene, name: str) -> None:
    first = seated.application_ids[0]

    advise(seated, name)

    assert ("application", first) in seated.actor(name).bars
    assert first in queries.shut_to(seated.actor(name), [first])


def test_the_next_look_empties_the_seat_and_keeps_the_fact_after_the_advice_ended(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    city = advise(seated, name)

    services.detect(PROGRAM, seated.call_id)

    assert name not in seated.seats(first)
    found = rows_of(seated, name)[first, "advised_city"]
    assert (found.state, found.evidence) == (
        "confirmed", "Advises Neochóra for the programme, or did within the years the call looks back"
    )  # fmt: skip
    cities.end_advice(seated.actor("manager"), city, get(User, seated.people[name]).handle)
    services.detect(PROGRAM, seated.call_id)
    assert rows_of(seated, name)[first, "advised_city"].state == "confirmed"
    assert ("application", first) in seated.actor(name).bars


def test_a_manager_who_dismisses_it_with_a_reason_opens_the_application(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    advise(seated, name)
    services.detect(PROGRAM, seated.call_id)
    manager, user_id = seated.actor("manager"), seated.people[name]

    services.decide_detected(manager, first, user_id, Ruling.CLEARED, "Named for the wrong city.")

    services.detect(PROGRAM, seated.call_id)
    assert rows_of(seated, name)[first, "advised_city"].state == "dismissed"
    assert seated.actor(name).bars == frozenset()
    queries.refuse_conflict(user_id, first)


def test_who_is_named_anew_after_a_past_advice_was_dismissed_is_shut_out_anew(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    city = advise(seated, name)
    services.detect(PROGRAM, seated.call_id)
    manager, user = seated.actor("manager"), get(User, seated.people[name])
    cities.end_advice(manager, city, user.handle)
    services.decide_detected(manager, first, user.id, Ruling.CLEARED, "Ended long ago.")
    services.detect(PROGRAM, seated.call_id)
    assert seated.actor(name).bars == frozenset()
    assert rows_of(seated, name)[first, "advised_city"].state == "dismissed"

    with clock.at(clock.now() + timedelta(hours=1)):
        cities.name_advisor(manager, city, get(User, seated.people[name]).email)

        assert ("application", first) in seated.actor(name).bars
        services.detect(PROGRAM, seated.call_id)
        assert rows_of(seated, name)[first, "advised_city"].state == "confirmed"

        # Dismissed again, that stands for this one.
        services.decide_detected(manager, first, user.id, Ruling.CLEARED, "Named for the wrong city.")
        services.detect(PROGRAM, seated.call_id)
        assert rows_of(seated, name)[first, "advised_city"].state == "dismissed"
        assert seated.actor(name).bars == frozenset()


def test_an_advisor_of_a_city_that_does_not_apply_reaches_everything(seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]
    made = city_of(seated, 0)
    with arranging():
        get(City, made).organisation_id = people.organisation("Elsewhere", country_code="GR").id
    cities.name_advisor(seated.actor("manager"), made, get(User, seated.people[name]).email)

    services.detect(PROGRAM, seated.call_id)

    assert rows_of(seated, name) == {}
    assert seated.actor(name).bars == frozenset()


def test_who_wrote_an_application_and_left_its_team_does_not_judge_it(seated: Scene) -> None:
    first, second = seated.application_ids[:2]
    name, other = seated.seats(first)[:2]
    with arranging():
        now = clock.now()
        for person, role in ((name, Role.APPLICATION_EDITOR), (other, Role.APPLICATION_READER)):
            people.role(seated.people[person], role, kind="application", object_id=first)
        for row in db.session.scalars(
            select(RoleGrant).where(RoleGrant.role.in_(["application_editor", "application_reader"]))
        ):
            row.ends_before = now

    services.detect(PROGRAM, seated.call_id)

    assert name not in seated.seats(first)
    rows = db.session.scalars(select(DetectedConflict).where(DetectedConflict.user_id == seated.people[name]))
    assert [(row.application_id, row.kind, row.state) for row in rows] == [(first, "helped_to_write", "confirmed")]
    # Who only read it wrote nothing of it; who wrote one competes with none.
    assert rows_of(seated, other) == {}
    assert ("application", second) not in seated.actor(name).bars


def test_advice_is_declared_by_its_own_kind(browser: Browser, seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    lead = get(Application, first).coordinator_id
    said = AnsweredEntity(lead, Declared.CONFLICT, ConflictKind.ADVICE, "I helped them with the work plan")

    services.declare(seated.actor(name), seated.call_id, (Answered(first, Declared.NONE),), (said,))

    assert name not in seated.seats(first)
    assert ("application", first) in seated.actor(name).bars
    shown = browser.get("manager", f"/calls/{seated.slug}/assignments").text
    assert "I helped them with the work plan" in shown
    assert "You advised it, or helped to write its application" in browser.get(name, "/assessments/conflicts").text


def test_a_member_of_another_entry_of_an_organisation_is_shut_out_from_that_moment(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    with arranging():
        lead = get(Organisation, get(Application, first).coordinator_id)
        again = Organisation(
            name=f"{lead.name}, again",
            kind=lead.kind,
            country_code=lead.country_code,
            synthetic=True,
            same_as_id=lead.id,
        )
        db.session.add(again)
        db.session.flush()
        began = clock.now() - timedelta(days=1)
        db.session.add(Membership(user_id=seated.people[name], organisation_id=again.id, starts_at=began))

    assert ("application", first) in seated.actor(name).bars
