"""Cities of the register and the organisations that act for them: by name where it is plain, by hand otherwise, undone for good."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.applications import queries as applications
from grants.applications.rules import CityFact, Member, evidence
from grants.applications.states import PartnerRole, Verdict
from grants.calls.rules import Condition
from grants.cities import queries, services
from grants.cities.rules import CityInput, LoadSummary, places_named
from grants.cities.states import OrganisationLink, Part
from grants.core.acts import arranging
from grants.core.errors import Conflict, NotAllowed, Refused
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity import services as people
from grants.identity.rules import OrganisationInput
from grants.identity.states import OrganisationKind
from tests import actors
from tests.html import check_page

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def manager(app: Flask) -> Actor:
    services.load_register(actors.ingrid())
    return actors.ingrid()


def municipality(name: str, country: str, *, synthetic: bool = False, kind: OrganisationKind | None = None) -> UUID:
    values = OrganisationInput(name, kind or OrganisationKind.MUNICIPALITY, country, synthetic=synthetic)
    with arranging():
        return people.make_organisation(values)


def link_of(actor: Actor, slug: str) -> tuple[UUID | None, OrganisationLink | None]:
    city = queries.city(actor, slug)
    return city.organisation_id, city.organisation_link


@pytest.mark.parametrize(
    "name", ["Guimarães", "GUIMARAES", "Município de Guimarães", "Municipality of Guimarães", "City of Guimarães"]
)
def test_a_municipality_finds_its_city_by_name_and_country(manager: Actor, name: str) -> None:
    made = municipality(name, "PT")

    assert link_of(manager, "guimaraes") == (made, OrganisationLink.AUTOMATIC)


@pytest.mark.parametrize(
    ("name", "country", "synthetic", "kind"),
    [
        ("Guimarães", "ES", False, OrganisationKind.MUNICIPALITY),
        ("Guimarães", "PT", True, OrganisationKind.MUNICIPALITY),
        ("Guimarães", "PT", False, OrganisationKind.COMPANY),
        ("Guimarães Norte", "PT", False, OrganisationKind.MUNICIPALITY),
    ],
    ids=["another country", "invented", "a company", "another name"],
)
def test_nothing_is_linked_that_is_not_plain(
    manager: Actor, name: str, country: str, synthetic: bool, kind: OrganisationKind
) -> None:
    municipality(name, country, synthetic=synthetic, kind=kind)

    assert link_of(manager, "guimaraes") == (None, None)


def test_two_cities_of_one_name_are_left_to_people(manager: Actor) -> None:
    services.add_city(manager, CityInput("Guimaraes", "PT"))

    municipality("Guimarães", "PT")

    assert [link_of(manager, city.slug) for city in queries.register(queries.Search("guimaraes"), Page()).items] == [
        (None, None)
    ] * 2


def test_municipalities_that_were_there_first_are_linked_when_the_register_comes(app: Flask) -> None:
    made = municipality("Mannheim", "DE")

    assert services.load_register(actors.ingrid()) == LoadSummary(118, 0, 93, 1)
    assert link_of(actors.ingrid(), "mannheim") == (made, OrganisationLink.AUTOMATIC)


def test_a_link_undone_is_not_made_again_by_the_program(manager: Actor) -> None:
    made = municipality("Mannheim", "DE")
    city = queries.city(manager, "mannheim")

    services.unlink_organisation(manager, city.id, city.version)

    assert services.load_register(manager).linked == 0
    assert link_of(manager, "mannheim") == (None, OrganisationLink.UNDONE)
    with pytest.raises(Refused, match="No organisation acts for Mannheim"):
        services.unlink_organisation(manager, city.id)
    services.link_organisation(manager, city.id, made)
    assert link_of(manager, "mannheim") == (made, OrganisationLink.BY_HAND)


def test_no_invented_organisation_acts_for_a_real_city(manager: Actor) -> None:
    city = queries.city(manager, "lund")

    with pytest.raises(Refused, match="Lund is real and Lundby is invented"):
        services.link_organisation(manager, city.id, municipality("Lundby", "SE", synthetic=True))


def test_only_who_looks_after_cities_links_them_and_nobody_overwrites_a_colleague(manager: Actor) -> None:
    city, made = queries.city(manager, "lund"), municipality("Lunds kommun", "SE")
    for actor in (actors.eli(), actors.ana()):
        with pytest.raises(NotAllowed):
            services.link_organisation(actor, city.id, made)
    services.link_organisation(manager, city.id, made, city.version)

    with pytest.raises(Conflict):
        services.unlink_organisation(manager, city.id, city.version)


def test_the_desk_reads_earlier_pilots_through_the_link(manager: Actor) -> None:
    made = municipality("Mannheim", "DE")

    (fact,) = applications.city_facts([made])

    assert (fact.name, fact.earlier) == ("Mannheim", ("NetZeroCities pilots, cohort 1 (2022)",))


def test_a_pilot_the_public_lists_name_is_not_written_twice(manager: Actor) -> None:
    city = queries.city(manager, "mannheim")
    (before,) = city.participations
    assert before.pilot_title

    with arranging():
        services.record_participation(
            city.id, call_label="Call 2022", pilot_key="G-1", pilot_title=before.pilot_title, role=Part.LEAD
        )
        services.record_participation(
            city.id, call_label="Call 2027", pilot_key="G-2", pilot_title="Roofs", role=Part.LEAD
        )

    assert [each.pilot_title for each in queries.city_by_id(city.id).participations] == ["Roofs", before.pilot_title]


def test_the_manager_links_and_undoes_on_the_pages_of_the_city(app: Flask, client: FlaskClient, manager: Actor) -> None:
    browser = actors.client_of(app, manager)
    municipality("Lunds kommun", "SE")
    assert "Not linked" in " ".join(check_page(browser.get("/cities/lund")).itertext())
    assert "No organisation has the name of this city." in browser.get("/cities/lund/organisation").text
    found = browser.get("/cities/lund/organisation?words=LUNDS&country=SE")
    check_page(found)
    assert "Lunds kommun (municipality, SE)" in found.text

    empty = browser.post("/cities/lund/organisation?words=lunds&country=SE", data={"version": ""})
    assert empty.status_code == 422 and "Choose an organisation." in empty.text
    made = queries.organisations_for(manager, queries.city(manager, "lund"), "lunds")[0].id
    sent = browser.post("/cities/lund/organisation?words=lunds&country=SE", data={"organisation": str(made)})
    assert (sent.status_code, sent.location) == (303, "/cities/lund")
    shown = browser.get("/cities/lund")
    check_page(shown)
    assert "Lunds kommun." in shown.text and "Linked by hand." in shown.text
    assert browser.post("/cities/lund/organisation/undo", data={"version": "1"}).status_code in (409, 422)
    version = queries.city(manager, "lund").version
    assert browser.post("/cities/lund/organisation/undo", data={"version": str(version)}).status_code == 303
    assert "somebody undid the link" in browser.get("/cities/lund").text


def test_an_automatic_link_says_so_and_staff_without_the_right_see_no_button(app: Flask, manager: Actor) -> None:
    municipality("Mannheim", "DE")

    shown = actors.client_of(app, actors.eli()).get("/cities/mannheim")

    assert "Linked automatically" in shown.text and "Undo the link" not in shown.text
    assert actors.client_of(app, actors.eli()).get("/cities/mannheim/organisation").status_code == 403


def test_official_names_lose_what_a_municipality_puts_first() -> None:
    assert places_named("Comune di Padova", None) == {"comune di padova", "padova"}


CONDITION = Condition("overlap", "No territorial overlap and no double funding")
SIZE = Condition("size", "At least 50000 inhabitants", threshold=50_000)
A, B = UUID(int=1), UUID(int=2)
LINKED = Member(A, "Lund", None, OrganisationKind.MUNICIPALITY, "SE", None, PartnerRole.COORDINATOR)
UNLINKED = Member(B, "Malmö stad", None, OrganisationKind.MUNICIPALITY, "SE", None, PartnerRole.PARTNER)
FACT = CityFact(A, "Lund", "SE", 90_000, True, ())
NOT_LOOKED = "Malmö stad is not linked to the city register: nothing was looked up for it."


def test_the_desk_is_told_where_nothing_was_looked_up_and_no_verdict_is_suggested() -> None:
    nobody = evidence(CONDITION, (UNLINKED,), (), ())
    assert (nobody.lines, nobody.suggests) == ((NOT_LOOKED,), None)
    both = evidence(CONDITION, (LINKED, UNLINKED), (FACT,), ())
    assert (both.lines, both.suggests) == ((NOT_LOOKED,), None)
    assert evidence(CONDITION, (LINKED,), (FACT,), ()).suggests is Verdict.PASS


def test_the_size_of_a_city_nobody_looked_up_suggests_no_pass() -> None:
    found = evidence(SIZE, (LINKED, UNLINKED), (FACT,), ())

    assert (found.lines[-1], found.suggests) == (NOT_LOOKED, None)
    assert evidence(SIZE, (LINKED,), (FACT,), ()).suggests is Verdict.PASS


def test_a_university_has_no_city_to_look_up() -> None:
    university = Member(B, "Lund University", None, OrganisationKind.UNIVERSITY, "SE", None, PartnerRole.PARTNER)

    assert evidence(CONDITION, (LINKED, university), (FACT,), ()).suggests is Verdict.PASS


def test_what_only_a_draft_describes_claims_no_city_until_somebody_answers_for_it(manager: Actor) -> None:
    values = OrganisationInput("Guimarães", OrganisationKind.MUNICIPALITY, "PT")
    with arranging():
        made, _ = people.describe_organisation(values)
    described = link_of(manager, "guimaraes")

    with arranging():
        people.register_organisation(made)

    assert described == (None, None)
    assert link_of(manager, "guimaraes") == (made, OrganisationLink.AUTOMATIC)
