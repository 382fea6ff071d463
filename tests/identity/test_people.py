"""Who may hold what beside what, roles for one call, organisations in the list, and one's own address."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.core import clock
from grants.core.acts import act, arranging
from grants.core.db import db
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.jobs import Job
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission
from grants.identity import queries, services
from grants.identity.models import Organisation, RoleGrant, SignInLink
from grants.identity.policy import Role
from grants.identity.rules import OrganisationInput, RoleInput, RolePlace, Where
from grants.identity.services import addresses
from grants.identity.states import LinkPurpose, OrganisationKind
from tests import actors
from tests.factories import identity as factory
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("app")

HERE = Where("192.0.2.1", "Firefox")


@act("test.give_a_part", needs=None, says="did a thing of the tests")
def give_a_part(actor: Actor, user_id: UUID, thing: UUID) -> UUID:
    """What acts of later stages do."""
    return services.give_role(user_id, Role.APPLICATION_LEAD, kind="application", object_id=thing)


def id_of(actor: Actor) -> UUID:
    assert actor.user_id is not None
    return actor.user_id


# Who acts for a city does not decide, and the other way round.


def test_staff_get_no_part_in_an_application_by_whatever_act() -> None:
    eva, ana = actors.eva(), actors.ana()

    with pytest.raises(Invalid, match="cannot take part"):
        give_a_part(ana, id_of(eva), uuid4())
    with pytest.raises(Refused, match="You work for the programme"):
        give_a_part(eva, id_of(eva), uuid4())


def test_who_takes_part_for_a_city_gets_no_role_of_staff_until_that_part_is_ended() -> None:
    ada, adam, ana = actors.ada(), actors.adam(), actors.ana()
    part = give_a_part(ana, id_of(ana), uuid4())
    with arranging():
        waiting = factory.role(id_of(ana), Role.FINANCE_VERIFIER, waiting=True).id

    with pytest.raises(Refused, match="takes part in an application"):
        services.assign_role(ada, id_of(ana), RoleInput(Role.ELIGIBILITY_OFFICER))
    with pytest.raises(Refused, match="takes part in an application"):
        services.confirm_role(adam, waiting)
    services.end_assigned_role(ada, part)
    services.assign_role(ada, id_of(ana), RoleInput(Role.ELIGIBILITY_OFFICER))


def test_a_part_in_an_application_rests_beside_a_role_of_staff() -> None:
    ana, thing = actors.ana(), uuid4()
    give_a_part(ana, id_of(ana), thing)
    assert thing in actors.actor(id_of(ana)).places(Permission.APPLICATION_SUBMIT, "application")
    with arranging():
        factory.role(id_of(ana), Role.EVALUATOR)

    now = actors.actor(id_of(ana))
    assert now.places(Permission.APPLICATION_SUBMIT, "application") == frozenset()
    assert thing in now.places(Permission.APPLICATION_READ, "application")


# Roles for one call.


def test_a_role_for_one_call_holds_there_only() -> None:
    ada, noa, call = actors.ada(), actors.nobody(), uuid4()

    services.assign_role(ada, id_of(noa), RoleInput(Role.PROJECT_OFFICER, call_id=call))

    now = actors.actor(id_of(noa))
    assert now.places(Permission.AGREEMENT_PREPARE, "call") == {call}
    assert not now.everywhere(Permission.AGREEMENT_PREPARE)
    with pytest.raises(Refused, match="already has the role"):
        services.assign_role(ada, id_of(noa), RoleInput(Role.PROJECT_OFFICER, call_id=call))
    services.assign_role(ada, id_of(noa), RoleInput(Role.PROJECT_OFFICER, call_id=uuid4()))
    grant = db.session.scalars(select(RoleGrant.id).where(RoleGrant.object_id == call)).one()
    services.end_assigned_role(ada, grant)
    assert call not in actors.actor(id_of(noa)).places(Permission.AGREEMENT_PREPARE, "call")


def test_what_must_stay_apart_stays_apart_in_any_call() -> None:
    ada, noa = actors.ada(), actors.nobody()
    services.assign_role(ada, id_of(noa), RoleInput(Role.AUTHORISING_OFFICER, call_id=uuid4()))

    with pytest.raises(Refused, match="cannot be both"):
        services.assign_role(ada, id_of(noa), RoleInput(Role.ACCOUNTING_OFFICER))


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.EVALUATOR])
def test_some_roles_are_not_given_for_one_call(role: Role) -> None:
    with pytest.raises(Invalid, match="not given for one call"):
        services.assign_role(actors.ada(), id_of(actors.nobody()), RoleInput(role, call_id=uuid4()))


def test_the_call_of_a_role_is_chosen_by_its_reference(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = RolePlace(uuid4(), "PCP-2022-C-0001", "Pilot cities")
    monkeypatch.setitem(queries.accounts._role_places, "call", lambda: (call,))
    noa = actors.nobody()
    actors.sign_in(client, actors.ada().user_id)
    page = "/admin/users/noa-norole"

    assert "Only in PCP-2022-C-0001, Pilot cities" in client.get(page).text
    unknown = client.post(f"{page}/roles", data={"role": "project_officer", "place": "PCP-9", "last_day": ""})
    assert unknown.status_code == 422
    sent = {"role": "project_officer", "place": call.reference, "last_day": ""}
    assert client.post(f"{page}/roles", data=sent).status_code == 303
    assert actors.actor(id_of(noa)).places(Permission.AGREEMENT_PREPARE, "call") == {call.id}
    assert "PCP-2022-C-0001, Pilot cities</td>" in client.get(page).text


# Organisations.


def test_an_administrator_adds_an_organisation_once() -> None:
    ada = actors.ada()
    made = services.add_organisation(ada, OrganisationInput("Gmina Łódź", OrganisationKind.MUNICIPALITY, "PL"))

    assert queries.organisation_by_slug(ada, queries.slug_of(made)) == made
    assert queries.slug_of(made) == "pl-gmina-lodz"
    with pytest.raises(Invalid) as refused:
        services.add_organisation(ada, OrganisationInput("gmina  LODZ", OrganisationKind.COMPANY, "PL"))
    assert list(refused.value.problems) == ["name"]


def test_an_organisation_is_not_renamed_to_another_that_is_here() -> None:
    ada = actors.ada()
    other = actors.organisation(actors.SOUTHPORT)
    actors.organisation(actors.NORTHBRIDGE)
    values = OrganisationInput(actors.NORTHBRIDGE.upper(), OrganisationKind.MUNICIPALITY, "PL")

    with pytest.raises(Invalid, match="here already"):
        services.edit_organisation(ada, other, values)
    same = OrganisationInput(actors.SOUTHPORT.upper(), OrganisationKind.AGENCY, "PL")
    assert services.edit_organisation(ada, other, same).kind is OrganisationKind.AGENCY


def test_the_people_of_a_city_neither_add_organisations_nor_list_them() -> None:
    ana = actors.ana()
    with pytest.raises(NotAllowed):
        services.add_organisation(ana, OrganisationInput("Another", OrganisationKind.COMPANY, "PL"))
    with pytest.raises(NotFound):
        queries.organisation_rows(ana, Page())


def test_organisations_page_by_their_key() -> None:
    ada = actors.ada()
    with arranging():
        for name in ("Aa", "Bb", "Cc"):
            factory.organisation(name, country_code="AA")

    first = queries.organisation_rows(ada, Page(size=2))
    second = queries.organisation_rows(ada, Page(size=2, after=first.next_key))
    assert [each.view.name for each in first.items] == ["Aa", "Bb"]
    assert second.items[0].view.name == "Cc"
    assert [each.slug for each in queries.organisation_rows(ada, Page(), search="bB").items] == ["aa-bb"]


def test_the_pages_of_organisations(app: Flask, client: FlaskClient) -> None:
    actors.sign_in(client, actors.ada().user_id)
    typed = {"name": "Heat Cooperative", "kind": "association", "country_code": "pl"}

    wrong = client.post("/admin/organisations/add", data={**typed, "country_code": "Poland"})
    assert wrong.status_code == 422 and "two capital letters" in wrong.text and "Heat Cooperative" in wrong.text
    of_the_eu = client.post("/admin/organisations/add", data={**typed, "country_code": "el"})
    assert of_the_eu.status_code == 422 and "Write GR instead of EL here." in of_the_eu.text
    nowhere = client.post("/admin/organisations/add", data={**typed, "country_code": "zz"})
    assert nowhere.status_code == 422 and "There is no country with the code ZZ." in nowhere.text
    made = client.post("/admin/organisations/add", data=typed)
    assert made.location == "/admin/organisations/pl-heat-cooperative"
    shown = client.get(made.location)
    assert 'value="association" selected' in shown.text or 'selected value="association"' in shown.text
    saved = client.post(made.location, data={**typed, "kind": "company", "town": "Łódź", "version": "1"})
    assert saved.status_code == 303
    stored = db.session.scalars(select(Organisation).where(Organisation.name == "Heat Cooperative")).one()
    assert (stored.kind, stored.town) == ("company", "Łódź")
    assert "Heat Cooperative" in client.get("/admin/organisations?q=heat").text
    assert client.get("/admin/organisations/pl-nothing").status_code == 404


# The own address.


def asked(email: str = "ana@new.example") -> tuple[Actor, str]:
    """Ana asked for another address; the token of the link that went there."""
    ana = actors.ana()
    services.ask_address(ana, email, HERE)
    link = db.session.scalars(select(SignInLink.id).where(SignInLink.purpose == "address")).one()
    return ana, queries.sign_in_address(link, LinkPurpose.ADDRESS).rpartition("/")[2]


def test_an_address_changes_only_once_its_link_was_opened() -> None:
    before = queries.own(actors.ana()).email
    other = services.sign_in(before, factory.PASSWORD, HERE)
    ana, token = asked()
    assert queries.own(ana).email == before

    services.confirm_address(ana, token)

    assert queries.own(ana).email == "ana@new.example"
    assert queries.live_session(other, clock.now()) is None
    letters = {
        job["template"]: queries.rendered_mail(id_of(ana), job["template"], job["context"])
        for job in db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send"))
    }
    assert letters["address_confirm"].to == "ana@new.example"
    assert letters["address_changed"].to == before
    assert "/address/" in letters["address_confirm"].text
    with pytest.raises(Refused, match="used already"):
        services.confirm_address(ana, token)


def test_the_link_is_good_for_its_person_and_a_day_and_sets_no_password() -> None:
    ana, token = asked()

    with pytest.raises(Refused):
        services.confirm_address(actors.marek(), token)
    with pytest.raises(Refused):
        services.set_password_by_link(token, "seven green lamps burn")
    with clock.at(clock.now() + timedelta(hours=25)), pytest.raises(Refused):
        services.confirm_address(ana, token)
    assert queries.own(ana).email != "ana@new.example"


def test_the_acts_of_a_change_look_again_at_what_was_looked_at_before() -> None:
    ana, _ = asked()
    link = db.session.scalars(select(SignInLink.id)).one()

    with pytest.raises(NeedsFreshSignIn):
        addresses._ask_address(actors.actor(id_of(ana), fresh=False), "ana@other.example")
    with pytest.raises(Refused):
        addresses._confirm_address(actors.marek(), link)
    with arranging():
        factory.user("Another Ana", email="ana@new.example")
    with pytest.raises(Refused, match="cannot be used"):
        addresses._confirm_address(ana, link)


def test_a_change_of_address_needs_a_fresh_proof_and_another_address() -> None:
    ana = actors.ana()
    with pytest.raises(NeedsFreshSignIn):
        services.ask_address(actors.actor(id_of(ana), fresh=False), "ana@new.example", HERE)
    with pytest.raises(Invalid, match="the address you have"):
        services.ask_address(ana, queries.own(ana).email.upper(), HERE)


def test_an_address_of_somebody_else_is_answered_alike_and_gets_no_link() -> None:
    ana = actors.ana()
    taken = queries.own(actors.marek()).email

    assert services.ask_address(ana, taken, HERE) == taken

    assert db.session.scalars(select(SignInLink).where(SignInLink.purpose == "address")).all() == []
    templates = {job["template"] for job in db.session.scalars(select(Job.args))}
    assert templates == {"address_asked"}


def test_opening_the_link_changes_nothing_and_the_button_does(app: Flask, client: FlaskClient) -> None:
    ana, token = asked()
    before = queries.own(ana).email
    actors.sign_in(client, ana.user_id)

    opened = client.get(f"/address/{token}")
    assert opened.location == "/profile/address/confirm"
    with statements() as seen:
        shown = client.get(opened.location)
    assert len(seen) <= 8
    assert "ana@new.example" in shown.text and before in shown.text
    db.session.rollback()
    assert queries.own(ana).email == before
    assert client.post(opened.location, data={}).location == "/profile"
    db.session.rollback()
    assert queries.own(ana).email == "ana@new.example"
    assert client.get(opened.location).status_code == 404


def test_the_form_for_another_address_keeps_what_was_typed(app: Flask, client: FlaskClient) -> None:
    actors.sign_in(client, actors.ana().user_id)

    wrong = client.post("/profile/address", data={"email": "ana new.example"})

    assert wrong.status_code == 422
    assert "Enter an e-mail address like" in wrong.text and "ana new.example" in wrong.text


def test_the_menu_leads_to_the_own_organisation_of_whoever_has_one(app: Flask) -> None:
    def named(person: Actor) -> bool:
        return b"Your organisation" in actors.client_of(app, person).get("/home").data

    assert named(actors.ana("Municipality of Northbridge"))
    assert not named(actors.ada()), "who looks after all of them and has none"
