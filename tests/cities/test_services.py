"""The register in the database and on its pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.cities import queries, services
from grants.cities.queries import Search
from grants.cities.rules import CityInput, LoadSummary
from grants.cities.states import OrganisationLink, Part
from grants.core.acts import arranging
from grants.core.db import get
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity.models import Organisation
from tests import actors
from tests.html import check_page, texts

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def manager(app: Flask) -> Actor:
    services.load_register(actors.ingrid())
    return actors.ingrid()


def found(**search: str) -> list[str]:
    return [city.name for city in queries.register(Search(**search), Page(size=200)).items]


def test_loading_twice_changes_nothing(manager: Actor) -> None:
    assert services.load_register(manager) == LoadSummary(0, 0, 0)
    assert queries.counts() == queries.Counts(118, 112, 105, 93)


def test_loading_mends_what_differs_and_keeps_what_people_know(manager: Actor) -> None:
    with arranging():
        row = queries.find("Leuven", "BE")
        assert row is not None
        row.note, row.population = "wrong", 102_000

    assert services.load_register(manager) == LoadSummary(0, 1, 0)
    leuven = queries.city(manager, "leuven")
    assert (leuven.note, leuven.population) == ("pilot cohort inferred", 102_000)


def test_only_who_looks_after_cities_loads_them() -> None:
    with pytest.raises(NotAllowed):
        services.load_register(actors.eli())


def test_a_search_ignores_case_and_accents(manager: Actor) -> None:
    wanted = {
        "lodz": ["Łódź"],
        "LODZ": ["Łódź"],
        "padova": ["Padua"],
        "den haag": ["The Hague"],
        "helmond": ["Eindhoven & Helmond", "Helmond"],
        "atlantis": [],
        "100%": [],
    }

    assert {words: found(words=words) for words in wanted} == wanted


def test_a_search_combines_country_label_and_kind(manager: Actor) -> None:
    assert found(country="BE", label="labelled") == ["Antwerp", "Leuven"]
    assert found(country="BE", kind="new") == ["La Louvière"]
    assert found(country="NL", kind="mission") == [
        "Amsterdam",
        "Eindhoven & Helmond",
        "Groningen",
        "Rotterdam",
        "The Hague",
        "Utrecht",
    ]


def test_the_register_goes_on_until_each_city_was_shown_once(manager: Actor) -> None:
    shown, asked = [], Page(size=50)
    while asked.after is not None or not shown:
        part = queries.register(Search(), asked)
        assert part.total == 118
        shown += [city.name for city in part.items]
        if part.next_key is None:
            break
        asked = replace(asked, after=part.next_key)

    assert shown == found() and len(set(shown)) == 118


def test_a_city_shows_its_pilots_and_its_entry(manager: Actor) -> None:
    helmond = queries.city(manager, "helmond")

    assert helmond.part_of == "Eindhoven & Helmond"
    assert [(each.call_label, each.role) for each in helmond.participations] == [
        ("NetZeroCities pilots, cohort 1 (2022)", Part.PARTNER)
    ]
    with pytest.raises(NotFound):
        queries.city(manager, "atlantis")


def test_a_city_is_added_once(manager: Actor) -> None:
    made = services.add_city(manager, CityInput("  Żółtowice ", "pl", synthetic=True, population=61_000))

    assert (made.name, made.country_code, made.slug, made.synthetic) == ("Żółtowice", "PL", "zoltowice", True)
    with pytest.raises(Refused, match="in the register already"):
        services.add_city(manager, CityInput("Żółtowice", "PL"))
    with pytest.raises(Refused, match="Add it first"):
        services.add_city(manager, CityInput("Leiden", "NL", part_of="Leiden & Delft"))


def test_a_participation_is_written_once(manager: Actor) -> None:
    city = queries.city(manager, "la-louviere")
    for _ in range(2):
        with arranging():
            services.record_participation(
                city.id, call_label="Small call", pilot_key="PCP-2027-G-0001", pilot_title="Streets", role=Part.LEAD
            )

    assert [each.pilot_title for each in queries.city_by_id(city.id).participations] == ["Streets"]


def test_an_organisation_acts_for_its_city(manager: Actor) -> None:
    city, organisation = queries.city(manager, "lund"), actors.organisation()
    with arranging():
        get(Organisation, organisation).synthetic = False

    services.link_organisation(manager, city.id, organisation, city.version)

    (linked,) = queries.of_organisation(organisation)
    assert (linked.name, linked.organisation_link) == ("Lund", OrganisationLink.BY_HAND)


def test_the_register_opens_for_staff_and_not_for_applicants(app: Flask, client: FlaskClient, manager: Actor) -> None:
    for actor in (manager, actors.eli(), actors.pia(), actors.nuria()):
        page = check_page(actors.client_of(app, actor).get("/cities?words=lodz"))
        assert "Łódź" in texts(page, "td")
    for actor in (actors.ana(), actors.eva()):
        assert actors.client_of(app, actor).get("/cities").status_code == 403
    assert client.get("/cities").status_code == 303


def test_an_empty_register_is_filled_from_its_page(app: Flask, client: FlaskClient) -> None:
    browser = actors.client_of(app, actors.ingrid())
    assert "The register is empty." in " ".join(check_page(browser.get("/cities")).itertext())

    assert browser.post("/cities/load").status_code == 303
    assert "118 cities added, 0 changed, 93 participations added, 0 linked with their municipality." in " ".join(
        check_page(browser.get("/cities")).itertext()
    )


def test_pages_of_one_city_and_of_a_new_one(app: Flask, client: FlaskClient, manager: Actor) -> None:
    browser = actors.client_of(app, manager)
    assert "Padua (Padova)" in " ".join(texts(check_page(browser.get("/cities/padua")), "h1"))
    check_page(browser.get("/cities/new"))

    answer = browser.post("/cities/new", data={"name": "", "country": "PL", "population": "many"})
    assert answer.status_code == 422
    assert "Enter the name of the city." in " ".join(check_page(answer).itertext())
    made = browser.post("/cities/new", data={"name": "Żółtowice", "country": "PL", "synthetic": "y"})
    assert (made.status_code, made.location) == (303, "/cities/zoltowice")
    assert "Invented" in " ".join(check_page(browser.get("/cities/zoltowice")).itertext())
