"""What evaluators say of themselves beside what they know: how many applications they aim at, and their gender."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace

import pytest
from sqlalchemy import select

from grants.calls.rules import AssignmentRules
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Invalid
from grants.evaluation import matching, queries, rules, services
from grants.evaluation.models import AssignmentRun, Evaluator
from grants.evaluation.rules import PoolMember
from grants.evaluation.states import Gender
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_importing import plan
from tests.evaluation.test_profiles import entry, in_pool
from tests.evaluation.test_runs_apart import asked_of
from tests.evaluation.test_views import text_of


def words_of(browser: Browser, name: str, path: str) -> str:
    """The page without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(browser.get(name, path))).split())


def own(member: PoolMember, **changes: str) -> dict[str, str]:
    """The form of the own profile, as the person sends it."""
    return {"country_code": "FI", "languages": "en", "version": str(member.version), **changes}


def test_a_target_lies_between_the_least_and_the_largest_number() -> None:
    assert rules.checked_member(entry(load_min=1, load_max=4, load_target=4)).load_target == 4
    with pytest.raises(Invalid) as refused:
        rules.checked_member(entry(load_min=1, load_max=4, load_target=5))
    assert list(refused.value.problems) == ["load_target"]


def test_evaluator_and_manager_say_the_target_and_it_is_shown(browser: Browser, scene: Scene) -> None:
    member = in_pool(scene, "eva1")
    path = f"/calls/{scene.slug}/own-profile"

    assert browser.post("eva1", path, **own(member, load_target="2", gender="woman")).status_code == 303
    assert in_pool(scene, "eva1").load_target == 2
    assert "Aimed at 2" in words_of(browser, "manager", f"/calls/{scene.slug}/evaluators/{member.handle}/profile")
    member = in_pool(scene, "eva1")
    values = {
        "person": str(member.user_id), "country_code": "FI", "languages": "en", "load_min": "0", "load_max": "3",
        "load_target": "3", "version": str(member.version),
    }  # fmt: skip
    form = f"/calls/{scene.slug}/evaluators/entry?person={member.handle}"
    assert browser.post("manager", form, **{**values, "load_target": "4"}).status_code == 422
    assert browser.post("manager", form, **values).status_code == 303
    # What the person said of themselves nobody else changes.
    assert (in_pool(scene, "eva1").load_target, in_pool(scene, "eva1").gender) == (3, Gender.WOMAN)
    assert browser.post("eva1", path, **own(in_pool(scene, "eva1"), load_target="99")).status_code == 422


def test_a_file_sets_a_target_takes_it_away_and_without_the_column_leaves_it() -> None:
    (line,) = plan("n@example.org,Nora,FI,,,,1,4,,,,3").lines
    assert line.values is not None and line.values.load_target == 3
    (line,) = plan("n@example.org,Nora,FI,,,,1,4,,,,").lines
    assert line.values is not None and line.values.load_target is None
    assert rules.cells_of(entry(load_target=2))[-2] == "2"


@pytest.mark.usefixtures("declared_world")
def test_a_target_is_in_the_input_of_a_run_its_page_and_the_reasons_of_its_seats(
    browser: Browser, scene: Scene
) -> None:
    plain = rules.spelled(matching.canonical(asked_of(scene)))
    assert b"load_target" not in plain
    with arranging():
        db.session.scalars(select(Evaluator).where(Evaluator.user_id == scene.people["eva1"])).one().load_target = 1

    scene.assign()

    (row,) = db.session.scalars(select(AssignmentRun))
    wanted = [one["load_target"] for one in json.loads(_input(row))["evaluators"] if "load_target" in one]
    assert (wanted, row.settings["targets"]) == ([1], 1)
    told = [one for people in row.explanations.values() for one in people.values() if "target" in one]
    assert told and all(one["target"] == 1 for one in told)
    assert "1 evaluator said how many applications to aim at" in text_of(
        browser.get("manager", f"/calls/{scene.slug}/assignments/runs/1")
    )


def _input(row: AssignmentRun) -> bytes:
    assert row.input is not None
    return zlib.decompress(row.input)


def said(scene: Scene, *genders: Gender | None) -> None:
    with arranging():
        for number, gender in enumerate(genders, 1):
            row = db.session.scalars(select(Evaluator).where(Evaluator.user_id == scene.people[f"eva{number}"])).one()
            row.gender = None if gender is None else gender.value


def test_gender_is_shown_to_nobody_but_the_person_and_who_manages_the_pool(browser: Browser, scene: Scene) -> None:
    member = in_pool(scene, "eva2")
    path = f"/calls/{scene.slug}/own-profile"
    assert "You need not say." in text_of(browser.get("eva2", path))

    assert browser.post("eva2", path, **own(member, gender="another")).status_code == 303

    assert in_pool(scene, "eva2").gender is Gender.ANOTHER
    assert 'value="another" checked' in browser.get("eva2", path).get_data(as_text=True)
    person = f"/calls/{scene.slug}/evaluators/{member.handle}/profile"
    assert "Gender, as they said Another" in words_of(browser, "manager", person)
    assert "Gender" not in words_of(browser, "auditor", person)
    # No record of a change keeps it.
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "evaluator.edit_profile")).all()
    assert events and all(
        "another" not in repr(event.changes) and "gender" not in repr(event.changes) for event in events
    )


@pytest.mark.usefixtures("declared_world")
def test_a_run_counts_gender_only_where_the_call_asks_for_it(scene: Scene) -> None:
    said(scene, Gender.WOMAN, Gender.MAN, Gender.ANOTHER, Gender.UNSAID, None)
    assert {one.gender for one in asked_of(scene).evaluators} == {""}
    member = in_pool(scene, "eva1")
    asks = replace(AssignmentRules(750, 250), balance=True)

    assert queries.rules_holder(member, asks).gender == "woman"
    assert queries.rules_holder(member, AssignmentRules(750, 250)).gender == ""
    assert queries.rules_holder(in_pool(scene, "eva3"), asks).gender == ""
    assert queries.group_rules(asks).balance and asks.groups == (
        "at least one woman and one man, counting those who said so",
    )
    assert services.work_out(asked_of(scene), matching.assign).spelled.count(b"gender") == 0


def test_seats_by_hand_are_held_against_the_rule_without_telling_who_said_what() -> None:
    assert rules.lacking_words([("gender", "woman"), ("gender", "man")]) == (
        "Not both a woman and a man, of those who said it",
    )
