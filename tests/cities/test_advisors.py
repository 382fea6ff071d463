"""Advisors of cities: named by whoever looks after the register, with an account and where an organisation acts for the city."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from grants.cities import queries, services
from grants.cities.rules import CityInput
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.core.jobs.models import job
from grants.identity import services as people
from grants.identity.models import User
from grants.identity.policy import PERMISSIONS, Role, is_staff
from grants.identity.queries import holds_staff_role
from grants.identity.rules import OrganisationInput, RoleInput
from grants.identity.states import OrganisationKind
from tests import actors
from tests.factories import identity
from tests.html import check_page

pytestmark = pytest.mark.usefixtures("app")


def city(linked: bool = True):
    made = services.add_city(actors.ingrid(), CityInput("Neochóra", "GR", synthetic=True))
    if linked:
        with arranging():
            values = OrganisationInput("Neochóra", OrganisationKind.MUNICIPALITY, "GR", synthetic=True)
            people.make_organisation(values)
    return queries.city(actors.ingrid(), made.slug)


def advisor() -> User:
    with arranging():
        return identity.user("Ada Advisor", email="ada.advisor@example.eu")


def test_an_advisor_is_named_and_ended_on_the_page_of_the_city(app: Flask) -> None:
    shown, user_id = city(), advisor().id
    app.config["WTF_CSRF_ENABLED"] = False
    browser = actors.client_of(app, actors.ingrid())

    sent = browser.post(f"/cities/{shown.slug}/advisors", data={"email": " Ada.Advisor@example.eu "})

    assert sent.status_code == 303
    page = browser.get(f"/cities/{shown.slug}")
    check_page(page)
    assert "<strong>Ada Advisor</strong>, since" in page.text
    assert "jobs.conflicts.everywhere" in set(db.session.scalars(select(job.c.name)))
    (found,) = queries.advisors(shown.id)
    assert actors.actor(user_id).granted >= {("city:read", ("city", shown.id))}
    assert browser.post(f"/cities/{shown.slug}/advisors/{found.handle}/end").status_code == 303
    assert queries.advisors(shown.id) == ()
    with pytest.raises(Refused, match="does not advise Neochóra any more"):
        services.end_advice(actors.ingrid(), shown.id, found.handle)


def test_a_city_keeps_its_organisation_while_somebody_advises_it_or_the_entry_it_shares(app: Flask) -> None:
    shown, user = city(), advisor()
    manager = actors.ingrid()
    part = services.add_city(manager, CityInput("Paliá Chóra", "GR", part_of="Neochóra", synthetic=True))
    with arranging():
        kind = OrganisationKind.MUNICIPALITY
        people.make_organisation(OrganisationInput("Paliá Chóra", kind, "GR", synthetic=True))
        other = people.make_organisation(OrganisationInput("Elsewhere", kind, "GR", synthetic=True))
    services.name_advisor(manager, shown.id, user.email)
    acting = queries.city(manager, shown.slug).organisation_id

    for each in (shown, part):
        with pytest.raises(Refused, match=r"Ada Advisor advises .* End their part as advisors first"):
            services.unlink_organisation(manager, each.id)
        with pytest.raises(Refused, match="End their part as advisors first"):
            services.link_organisation(manager, each.id, other)
    assert acting is not None
    services.link_organisation(manager, shown.id, acting)

    assert queries.city(manager, shown.slug).organisation_id == acting
    services.end_advice(manager, shown.id, queries.advisors(shown.id)[0].handle)
    services.unlink_organisation(manager, part.id)
    services.link_organisation(manager, shown.id, other)


def test_who_has_no_account_is_not_named_nor_anybody_where_no_organisation_acts_for_the_city(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    shown = city()
    with pytest.raises(Invalid, match="Nobody is here under this address"):
        services.name_advisor(actors.ingrid(), shown.id, "nobody@example.eu")
    services.unlink_organisation(actors.ingrid(), shown.id)
    advisor()

    with pytest.raises(Refused, match="Choose the organisation first"):
        services.name_advisor(actors.ingrid(), shown.id, "ada.advisor@example.eu")
    with pytest.raises(NotAllowed):
        services.name_advisor(actors.eli(), shown.id, "ada.advisor@example.eu")

    text = actors.client_of(app, actors.ingrid()).get(f"/cities/{shown.slug}").text
    assert "Nobody is named." in text and "Name this advisor" not in text
    sent = actors.client_of(app, actors.ingrid()).post(f"/cities/{shown.slug}/advisors", data={"email": ""})
    assert (sent.status_code, "Enter the e-mail address of the advisor." in sent.text) == (422, True)


def test_an_advisor_is_no_staff_and_the_role_is_not_given_by_hand() -> None:
    shown, user_id = city(), advisor().id
    services.name_advisor(actors.ingrid(), shown.id, "ada.advisor@example.eu")

    assert not is_staff(Role.CITY_ADVISOR)
    assert not holds_staff_role(user_id)
    assert {str(each) for each in PERMISSIONS[Role.CITY_ADVISOR]} == {"city:read"}
    with pytest.raises(Refused, match="belongs to one city"):
        people.assign_role(actors.ada(), user_id, RoleInput(Role.CITY_ADVISOR))
