"""Another lead where the lead is gone: asked for by the team, answered by staff, told to everybody, never without a lead."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from grants.applications import queries, services
from grants.applications.rules import DetailsInput
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.errors import Invalid, NotAllowed, NotFound, Refused
from grants.core.permissions import Actor
from grants.identity import services as people
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.applications.test_team import mails, partner
from tests.factories.applications import WHILE_OPEN, again, draft


@pytest.fixture(autouse=True)
def open_now(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        yield


class Left:
    """Ana's draft with Marek as partner, and Sid of her city who is not of the team; then Ana's account is disabled."""

    def __init__(self, call: CallView) -> None:
        self.ana = actors.ana().user_id
        self.reference = draft(call, actors.ana())
        self.id = queries.id_of(actors.ana(), self.reference)
        self.marek = partner(self.id, "summary")
        self.next = actors.person("Sven Successor", Role.APPLICANT, organisation_name=actors.NORTHBRIDGE)

    def ana_goes(self) -> None:
        assert self.ana is not None
        people.disable_user(actors.ada(), self.ana, reason="Left the city.")

    def asked(self) -> UUID:
        return services.ask_takeover(again(self.marek), self.id, self.next, "Ana left; Sven follows.")


@pytest.fixture
def left(call: CallView) -> Left:
    return Left(call)


def lead_of(left: Left) -> UUID | None:
    return queries.view_by_id(left.id).coordinator.contact_id


def test_a_partner_asks_staff_confirm_and_the_new_lead_leads(left: Left) -> None:
    left.ana_goes()
    takeover = left.asked()
    with pytest.raises(Refused, match="asked already"):
        left.asked()

    services.confirm_takeover(actors.ingrid(), takeover)

    assert lead_of(left) == left.next
    sven = actors.actor(left.next)
    services.edit_details(sven, left.id, DetailsInput("Warm Blocks of Sven"))
    told = {str(each) for each in mails("application_takeover")}
    assert len(told) == 2
    with pytest.raises(Refused, match="answered meanwhile"):
        services.confirm_takeover(actors.ingrid(), takeover)
    assert next(person.role for person in queries.team(queries.view_by_id(left.id))) is Role.APPLICATION_LEAD


def test_nobody_takes_over_from_a_lead_who_is_there(left: Left) -> None:
    with pytest.raises(Refused, match="leads the application and has a working account"):
        left.asked()
    left.ana_goes()
    takeover = left.asked()
    assert left.ana is not None
    people.enable_user(actors.ada(), left.ana)
    with pytest.raises(Refused, match="working account"):
        services.confirm_takeover(actors.ingrid(), takeover)
    assert lead_of(left) == left.ana


def test_a_refusal_needs_a_reason_and_leaves_everything_as_it_was(left: Left) -> None:
    left.ana_goes()
    takeover = left.asked()

    with pytest.raises(Invalid, match="reason"):
        services.refuse_takeover(actors.ingrid(), takeover, " ")
    services.refuse_takeover(actors.ingrid(), takeover, "The city named another.")

    assert lead_of(left) == left.ana
    assert len(mails("application_takeover")) == 3


def test_a_reason_that_is_too_long_is_refused_with_the_count_and_stays_in_the_form(app: Flask, left: Left) -> None:
    left.ana_goes()
    long = "w " * 300 + "THE END"
    sentence = "The reason has 607 characters; 500 fit. Take 107 away."
    with pytest.raises(Invalid, match=sentence):
        services.ask_takeover(again(left.marek), left.id, left.next, long)
    takeover = left.asked()
    with pytest.raises(Invalid, match=sentence):
        services.refuse_takeover(actors.ingrid(), takeover, long)

    office = actors.client_of(app, actors.ingrid())
    page = send(office, "/takeovers", to="/takeovers/refuse", thing=str(takeover), reason=long)
    assert page.status_code == 422 and sentence in text_of(page)
    assert f'value="{long}"' in page.text
    assert queries.takeover_waits(left.id)


def test_only_people_of_the_leading_city_without_another_part_lead(left: Left) -> None:
    left.ana_goes()
    marek = left.marek.user_id
    assert marek is not None

    with pytest.raises(Invalid):
        services.ask_takeover(again(left.marek), left.id, marek, "Me.")
    with pytest.raises(Invalid, match="reason"):
        services.ask_takeover(again(left.marek), left.id, left.next, "  ")
    with pytest.raises((NotAllowed, NotFound)):
        services.ask_takeover(actors.actor(left.next), left.id, left.next, "Me.")


def test_the_team_cannot_confirm_and_nobody_confirms_the_own_request(left: Left) -> None:
    left.ana_goes()
    takeover = left.asked()

    for person in (again(left.marek), actors.eli(), actors.actor(left.next)):
        with pytest.raises((NotAllowed, NotFound)):
            services.confirm_takeover(person, takeover)
    asker = Actor(left.marek.user_id, "Marek", actors.ingrid().granted)
    with pytest.raises(Refused, match="You asked for this yourself"):
        services.confirm_takeover(asker, takeover)


def test_it_is_asked_and_answered_on_pages(app: Flask, left: Left) -> None:
    marek, office = actors.client_of(app, again(left.marek)), actors.client_of(app, actors.ingrid())
    page = f"/applications/{left.reference}/takeover"
    assert "has a working account" in text_of(marek.get(page))
    left.ana_goes()
    assert send(marek, page, person=str(left.next), reason="").status_code == 422
    assert send(marek, page, person=str(left.next), reason="Ana left.").status_code == 303
    assert "Somebody asked already" in text_of(marek.get(page))
    duties = [duty.what for duty in queries.duties(actors.ingrid(), clock.now())]
    assert "Say who leads 1 application whose lead is gone" in duties
    shown = text_of(office.get("/takeovers"))
    assert "Sven Successor for Municipality of Northbridge" in shown and "Ana left." in shown
    assert "Warm Blocks" not in shown
    assert send(office, "/takeovers", to="/takeovers/refuse", reason="").status_code == 422
    assert send(office, "/takeovers", to="/takeovers/refuse", reason="The city named another.").status_code == 303
    assert lead_of(left) != left.next
    send(marek, page, person=str(left.next), reason="Asked the city again.")
    assert send(office, "/takeovers", to="/takeovers/confirm").status_code == 303
    assert lead_of(left) == left.next
    assert "made another person the lead" in text_of(marek.get(f"/applications/{left.reference}/history"))
