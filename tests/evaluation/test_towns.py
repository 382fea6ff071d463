"""In which town an evaluator works: said by them or their manager, and compared with the cities of a consortium where a call says so."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from grants.applications.models import Application
from grants.calls.models import Call
from grants.calls.rules import ConflictRules
from grants.cities.models import City
from grants.core import encoding
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NotFound
from grants.core.permissions import Permission, system_actor
from grants.evaluation import queries, rules, services
from grants.evaluation.rules.detecting import Candidate
from grants.evaluation.states import DetectedKind
from grants.identity.models import Organisation
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_detecting import rows_of
from tests.evaluation.test_detecting_rules import APPLICATION, CITY, EVA, kinds
from tests.evaluation.test_importing import plan
from tests.evaluation.test_profiles import entry, in_pool
from tests.evaluation.test_targets import own, words_of

SAME_CITY = ConflictRules(same_city=True)
FOUND = {("same_city", APPLICATION.application_id)}
PROGRAM = system_actor("the program", (Permission.CONFLICT_DETECT,))


def ask_for_cities(scene: Scene) -> None:
    """The call says that who works in a city of a consortium does not judge its application."""
    with arranging():
        row = get(Call, scene.call_id)
        content: Any = deepcopy(row.content)
        content["fields"]["evaluation.conflict_rules"] = {
            **content["fields"]["evaluation.criteria"], "value": encoding.encode(SAME_CITY),
        }  # fmt: skip
        row.content = content


def test_the_town_a_person_works_in_counts_by_itself_where_the_call_says_so() -> None:
    person = Candidate(EVA, works_in=("GR", "Neochora"))

    assert kinds(person, SAME_CITY) == FOUND
    assert kinds(person) == set()
    assert kinds(replace(person, works_in=("CY", "Neochora")), SAME_CITY) == set()
    assert kinds(replace(person, works_in=("GR", "")), SAME_CITY) == set()
    assert kinds(replace(person, judges=False), SAME_CITY) == set()


def test_a_city_is_known_by_each_of_its_names() -> None:
    acts_for = replace(CITY, town="", cities=("New Village", "Neochóra"))

    assert list(acts_for.towns.values()) == ["Neochóra", "New Village"]
    assert list(replace(acts_for, town="New Village").towns.values()) == ["Neochóra", "New Village"]
    assert replace(CITY, town="", cities=()).towns == {}


@pytest.mark.parametrize("town", ["x" * 101, "12"])
def test_what_is_no_town_is_told_at_its_field(town: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.checked_member(entry(town=town))
    assert list(refused.value.problems) == ["town"]
    assert rules.checked_member(entry(town="  Novi   Sad ")).town == "Novi Sad"


def test_evaluator_and_manager_say_the_town_and_it_is_shown(browser: Browser, scene: Scene) -> None:
    path = f"/calls/{scene.slug}/own-profile"
    assert browser.post("eva1", path, **own(in_pool(scene, "eva1"), town="Turku")).status_code == 303

    member = in_pool(scene, "eva1")
    assert member.town == "Turku"
    assert "Town Turku" in words_of(browser, "manager", f"/calls/{scene.slug}/evaluators/{member.handle}/profile")
    assert 'value="Turku"' in browser.get("eva1", path).text
    form = f"/calls/{scene.slug}/evaluators/entry?person={member.handle}"
    values = {
        "person": str(member.user_id), "country_code": "FI", "languages": "en", "load_min": "0", "load_max": "3",
        "version": str(member.version),
    }  # fmt: skip
    assert browser.post("manager", form, **values, town="7").status_code == 422
    assert browser.post("manager", form, **values, town="Naantali").status_code == 303
    assert in_pool(scene, "eva1").town == "Naantali"
    # A tab that was open before learns that something else stands now.
    assert browser.post("eva1", path, **own(member, town="Turku")).status_code == 409


def test_a_file_sets_a_town_takes_it_away_and_without_the_column_leaves_it() -> None:
    (line,) = plan("n@example.org,Nora,FI,,,,1,4,,,,,Åbo").lines
    assert line.values is not None and line.values.town == "Åbo"
    (line,) = plan("n@example.org,Nora,FI,,,,1,4,,,,,12").lines
    assert line.problems == ("M2: “12” is no name of a town. Write its name, or leave the field empty.",)
    assert rules.cells_of(entry(town="Åbo"))[-1] == "Åbo"


def test_who_works_in_a_city_of_the_consortium_is_kept_away_from_its_application(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    ask_for_cities(seated)
    with arranging():
        lead = get(Application, first).coordinator_id
        # The register of organisations says no town; that of cities says for which one it acts.
        get(Organisation, lead).town = None
        db.session.add(
            City(
                slug="new-village", name="New Village", local_name="Neochóra", country_code="GR", mission_city=False, synthetic=True,
                label_status="not_applicable", organisation_id=lead, organisation_link="by_hand", folded="neochora",
            )
        )  # fmt: skip
    services.detect(PROGRAM, seated.call_id)
    assert name in seated.seats(first)
    member = in_pool(seated, name)
    values = replace(rules.entry_of(member), country_code="GR", town="Neochora")
    services.edit_profile(seated.actor(name), seated.call_id, values, member.version)

    services.detect(PROGRAM, seated.call_id)

    (row,) = rows_of(seated, name).values()
    assert (row.kind, row.evidence) == (
        DetectedKind.SAME_CITY.value, "Works in a city of the consortium: Neochóra",
    )  # fmt: skip
    assert name not in seated.seats(first)
    with pytest.raises(NotFound):
        queries.refuse_conflict(seated.people[name], first)
