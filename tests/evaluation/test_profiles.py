"""What is known of an evaluator: levels, roles, days and wishes, and how each moves a fit and forbids a seat."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from grants.calls import services as calls
from grants.calls.rules import AssignmentRules
from grants.core.acts import arranging
from grants.core.db import get
from grants.core.errors import Invalid, Refused
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Evaluator
from grants.evaluation.rules import Answered, EvaluatorInput, PoolMember
from grants.evaluation.states import CountryRule, Declared
from tests.evaluation.scene import CALL, Browser, Scene, declares
from tests.evaluation.test_rules import about, fit, member
from tests.evaluation.test_views import text_of
from tests.statements import statements

SOMEBODY = UUID(int=1)


def entry(**changes: object) -> EvaluatorInput:
    return replace(EvaluatorInput(SOMEBODY, "FI", ("en",), ("heat",), 0, 3), **changes)


def in_pool(scene: Scene, name: str) -> PoolMember:
    return next(one for one in queries.pool(scene.call_id) if one.user_id == scene.people[name])


def test_a_language_without_a_level_is_fluent_and_a_topic_is_known_best() -> None:
    stored = rules.checked_member(
        entry(country_code="ch", languages=(" EN native", "fr  reading", "de"), topics=("heat", "heat", "waste"))
    )

    assert (stored.country_code, stored.languages) == ("CH", ("en", "fr", "de"))
    assert stored.language_levels == (("en", "native"), ("fr", "reading"), ("de", "fluent"))
    assert stored.topic_levels == (("heat", 3), ("waste", 3))


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"languages": ("en well",)}, "languages"),
        ({"languages": ("english",)}, "languages"),
        ({"languages": ("en", "qq")}, "languages"),
        ({"country_code": "ZZ"}, "country_code"),
        ({"topic_levels": (("heat", 4),)}, "topics"),
        ({"roles": ("x" * 61,)}, "roles"),
        ({"available": (date(2026, 3, 2), date(2026, 3, 1))}, "available_until"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(wrong: dict[str, object], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.checked_member(entry(**wrong))

    assert list(refused.value.problems) == [place]


def test_availability_forbids_a_seat_that_is_due_outside_it() -> None:
    who = member(available_from=date(2026, 3, 1), available_until=date(2026, 3, 31))

    def why(due: datetime | None) -> str:
        return rules.why_not(who, about(), rules.Said(Declared.NONE), countries=CountryRule.KEPT_AWAY, due=due)

    assert why(None) == why(datetime(2026, 3, 31, 21, tzinfo=UTC)) == ""
    # 22:30 in UTC is already the next day in Brussels.
    assert why(datetime(2026, 3, 31, 22, 30, tzinfo=UTC)) == (
        "Eva is available from 1 March 2026 until 31 March 2026; the assessment is due on 1 April 2026."
    )


def test_the_pool_form_keeps_levels_roles_and_days(browser: Browser, scene: Scene) -> None:
    shown = in_pool(scene, "eva1")
    path = f"/calls/{scene.slug}/evaluators/entry?person={shown.handle}"
    values = {
        "person": str(shown.user_id), "country_code": "fi", "languages": "en native, sv reading", "roles": "finance",
        "load_min": "0", "load_max": "3", "available_from": "1 March 2026", "version": str(shown.version),
    }  # fmt: skip

    assert browser.post("manager", path, **values).status_code == 303

    member = in_pool(scene, "eva1")
    assert member.levels == {"en": "native", "sv": "reading"}
    assert (member.roles, member.available_words) == (("finance",), "from 1 March 2026")
    listed = browser.get("manager", path).get_data(as_text=True)
    assert "en native, sv reading" in listed
    assert "finance" in listed
    assert browser.post("manager", path, **{**values, "languages": "en well"}).status_code == 422


@pytest.mark.parametrize(("who", "page"), [("eva1", "own-profile"), ("manager", "evaluators/entry?person={}")])
def test_a_level_there_is_not_is_told_at_its_topic(browser: Browser, scene: Scene, who: str, page: str) -> None:
    path = f"/calls/{scene.slug}/{page.format(in_pool(scene, 'eva1').handle)}"
    topics = re.findall(r'name="(topic_[^"]+)"', browser.get(who, path).text)
    assert topics

    answer = browser.post(who, path, **dict.fromkeys(topics, "best"), country_code="FI", languages="en")

    assert "Choose one of the answers shown." in text_of(answer, 422)


def test_a_wish_comes_after_no_conflict_and_moves_the_fit(browser: Browser, scene: Scene) -> None:
    first = scene.application_ids[0]
    early = (Answered(first, Declared.NONE, wish=2),)
    with pytest.raises(Invalid, match="too early"):
        declares(scene.actor("eva1"), scene.call_id, early)
    assert f"wish_{first}" not in browser.get("eva1", "/assessments/conflicts").get_data(as_text=True)
    scene.declare_all()
    assert f"wish_{first}" in browser.get("eva1", "/assessments/conflicts").get_data(as_text=True)

    sent = browser.post(
        "eva1", f"/assessments/conflicts/{scene.slug}", **{f"declared_{first}": "none", f"wish_{first}": "2"}, go="send"
    )

    assert sent.status_code == 303
    assert in_pool(scene, "eva1").bids == {first: 2}
    assert in_pool(scene, "eva2").bids == {}


@pytest.mark.usefixtures("declared_world")
def test_a_seat_by_hand_asks_what_the_last_run_asked_and_whether_the_person_is_there(scene: Scene) -> None:
    shown = in_pool(scene, "eva1")
    services.pool(
        scene.actor("manager"),
        scene.call_id,
        EvaluatorInput(shown.user_id, "GR", ("en",), (), 0, 3, available=(None, date(2030, 1, 1))),
        shown.version,
    )
    first = scene.application_ids[0]

    with pytest.raises(Refused, match="is available until 1 January 2030; the assessment is due on 2 January 2030"):
        scene.give("eva1", first, "Knows it", datetime(2030, 1, 2, 12, tzinfo=UTC))
    assert queries.country_rule(scene.call_id) is CountryRule.ALLOWED
    scene.assign()
    scene.release(scene.seats(first)[0], first, "Ill")
    assert queries.country_rule(scene.call_id) is CountryRule.KEPT_AWAY
    with pytest.raises(Refused, match="comes from a country of the consortium"):
        scene.give("eva1", first, "Knows it")


@pytest.mark.usefixtures("declared_world")
def test_the_pool_costs_as_many_statements_whatever_is_known_and_wished(browser: Browser, scene: Scene) -> None:
    path = f"/calls/{scene.slug}/evaluators"
    browser.get("manager", path)
    with statements() as few:
        browser.get("manager", path)
    for name in scene.evaluators:
        wishes = tuple(Answered(one, Declared.NONE, wish=1) for one in scene.application_ids)
        declares(scene.actor(name), scene.call_id, wishes)

    with statements() as many:
        browser.get("manager", path)

    assert len(many) == len(few)


@pytest.mark.usefixtures("declared_world")
def test_whoever_has_a_wish_can_still_be_taken_out(scene: Scene) -> None:
    declares(scene.actor("eva1"), scene.call_id, (Answered(scene.application_ids[0], Declared.NONE, wish=-1),))

    services.remove(scene.actor("manager"), scene.call_id, scene.people["eva1"])

    assert len(queries.pool(scene.call_id)) == 4


def test_every_part_of_a_fit_moves() -> None:
    asked = AssignmentRules(450, 200, 150, 150, 50, roles=("finance",))
    plain = member(topics=("heat", "water"), roles=("finance",), levels={"en": "native"})
    assert fit(plain, about(), "en", asked) == 450 + 200 + 150 + 75 + 50

    assert fit(replace(plain, topic_levels={"heat": 1, "water": 2}), about(), "en", asked) == 225 + 200 + 150 + 75 + 50
    assert fit(replace(plain, levels={"en": "fluent"}), about(), "en", asked) == 450 + 180 + 150 + 75 + 50
    assert fit(replace(plain, roles=("citizen",)), about(), "en", asked) == 450 + 200 + 75 + 50


@pytest.mark.usefixtures("seated_world")
def test_whoever_assessed_an_applicant_in_the_call_of_the_year_before_met_it_last_year(scene: Scene) -> None:
    name = scene.seats(scene.application_ids[0])[0]
    seated = [one for one in scene.application_ids if name in scene.seats(one)]
    behind = {each for one in queries.consortia_of(seated) for each in one.organisation_ids}
    met = {}
    for year in (2022, 2023, 2024):
        text = CALL.replace("SMALL-2022", f"OTHER-{year}").replace("year: 2022", f"year: {year}")
        other = calls.import_call(scene.actor("manager"), text)
        services.pool(scene.actor("manager"), other.id, EvaluatorInput(scene.people[name], "FI", ("en",), (), 0, 3))
        (known,) = queries.pool(other.id)
        met[year] = known.met_last_year

    assert behind
    assert met == {2022: frozenset(), 2023: behind, 2024: frozenset()}
    assert in_pool(scene, name).met_last_year == frozenset()


def test_a_person_of_the_pool_is_told_in_the_words_of_the_form(browser: Browser, scene: Scene) -> None:
    with arranging():
        row = get(Evaluator, scene.evaluator_id("eva1"))
        row.topics, row.topic_levels, row.roles = ["mobility"], {"mobility": 3}, ["technical"]
    base = f"/calls/{scene.slug}/evaluators"

    page = text_of(browser.get("manager", f"{base}/{in_pool(scene, 'eva1').handle}/profile"))
    assert "(expert)" in page and "of 3)" not in page and ">Technical<" in page
    assert 'class="pg-b-label" data-label="Hash of the words"' in page or "What was accepted" not in page

    listed = text_of(browser.get("manager", base))
    assert 'class="pg-b-label" data-label="Topics"' in listed and 'class="pg-b-label" data-label="Roles"' in listed
