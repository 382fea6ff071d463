"""The data files of the register, and how cities are named and found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.cities import rules
from grants.cities.rules import CityInput
from grants.cities.states import LabelStatus, Part
from grants.core.errors import Invalid, Problems

DATA = Path(rules.__file__).parents[1] / "data"
MISSION, PILOTS, NAMES = (
    (DATA / name).read_text(encoding="utf-8") for name in ("mission_cities.csv", "pilots.csv", "city_names.csv")
)
REGISTER = rules.read_register(MISSION, PILOTS, NAMES)


def test_the_files_agree_with_the_official_totals() -> None:
    entries = [city for city in REGISTER.cities if city.mission_city and city.part_of is None]
    first = [each for each in REGISTER.participations if each.call_label == rules.call_label("1")]
    codes = {city.name: city.country_code for city in REGISTER.cities}

    assert len(entries) == 112
    assert len({city.country_code for city in entries}) == 35
    assert len({each.city for each in first}) == 53
    assert len({each.pilot_key for each in first}) == 25
    assert len({codes[each.city] for each in first}) == 21


def test_cities_of_a_cohort_are_found_by_their_activity_or_by_the_list() -> None:
    found = Counter(each.call_label for each in REGISTER.participations)

    assert found == {rules.call_label("1"): 53, rules.call_label("2"): 15, rules.call_label("3"): 25}


def test_a_shared_entry_of_the_mission_is_two_cities() -> None:
    parts = [city.name for city in REGISTER.cities if city.part_of == "Eindhoven & Helmond"]

    assert parts == ["Eindhoven", "Helmond"]


def test_pilots_outside_the_mission_are_no_mission_cities() -> None:
    outside = [city for city in REGISTER.cities if not city.mission_city]

    assert [city.name for city in outside] == ["Galway", "Drammen", "Uppsala", "Rivne"]
    assert {city.label_status for city in outside} == {LabelStatus.NOT_APPLICABLE}


def test_who_led_is_said_only_where_it_is_known() -> None:
    parts = {each.city: each.role for each in REGISTER.participations if each.call_label == rules.call_label("1")}

    assert (parts["Mannheim"], parts["Aachen"], parts["Ljubljana"]) == (Part.LEAD, Part.PARTNER, Part.MEMBER)


def test_not_found_is_never_no() -> None:
    turin = next(city for city in REGISTER.cities if city.name == "La Louvière")

    assert (turin.label_status, turin.label_awarded) == (LabelStatus.NOT_FOUND, None)


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("Łódź", ["lodz", "łódź"]),
        ("Padua", ["padua", "padova"]),
        ("Thessaloniki", ["thessaloniki", "salonica", "θεσσαλονικη"]),
        ("Umeå", ["umea"]),
        ("Tauragė", ["taurage"]),
        ("Istanbul", ["istanbul"]),
        ("Munich", ["munchen", "munich"]),
        ("Gozo", ["għawdex".replace("ħ", "h")]),
    ],
)
def test_a_city_is_found_by_every_spelling(name: str, spellings: list[str]) -> None:
    city = next(city for city in REGISTER.cities if city.name == name)

    assert [spelling for spelling in spellings if rules.fold(spelling) not in city.folded] == []


def test_a_pilot_of_an_unknown_city_stops_the_loading() -> None:
    with pytest.raises(Problems) as refused:
        rules.read_register(MISSION, PILOTS.replace(",Mannheim,", ",Atlantis,"), NAMES)

    assert [str(problem) for problem in refused.value.found] == [
        "C1-01: names “Atlantis”, which the register does not know."
    ]


@pytest.mark.parametrize(("written", "code"), [("pl", "PL"), ("UK", "GB"), ("EL", "GR"), (" gr ", "GR")])
def test_countries_are_kept_as_iso_writes_them(written: str, code: str) -> None:
    assert rules.country_code(written) == code


def test_a_city_needs_a_name_a_country_and_people() -> None:
    with pytest.raises(Invalid) as refused:
        rules.checked(CityInput(" ", "XX", population=0, label_awarded="May 2025"))

    assert set(refused.value.problems) == {"name", "country_code", "population", "label_awarded"}


@pytest.mark.parametrize(
    ("name", "slug"), [("Łódź", "lodz"), ("Košice", "kosice"), ("Eindhoven & Helmond", "eindhoven-helmond"), ("Ø", "o")]
)
def test_the_address_of_a_city_is_plain(name: str, slug: str) -> None:
    assert rules.slug_of(name, "XX") == slug


@given(st.lists(st.text(min_size=1, max_size=12), max_size=12))
def test_addresses_never_repeat_and_are_plain(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        taken.append(rules.slug_of(name, "PL", taken))

    assert len(set(taken)) == len(taken)
    assert all(set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and slug for slug in taken)
