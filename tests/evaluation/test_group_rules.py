"""Rules on groups of a call through its runs: seats by hand that break them, whose organisations count, what pages say."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import select

from grants.calls.models import Call
from grants.calls.rules.assigning import AssignmentRules
from grants.core import encoding
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.evaluation import queries, services
from grants.evaluation.models import AssignmentRun, Evaluator
from grants.evaluation.rules import AdjustInput, EvaluatorInput, RunInput, read_employers
from grants.evaluation.services.records import input_of
from grants.evaluation.services.runs import _read
from grants.evaluation.states import Deed, RunStatus
from grants.identity.models import Organisation
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_views import handle, text_of
from tests.factories import identity as people
from tests.factories.identity import bar


def with_rules(scene: Scene, **rules: Any) -> None:
    """The call has these rules on groups."""
    with arranging():
        row = get(Call, scene.call_id)
        content: Any = deepcopy(row.content)
        asked = encoding.encode(AssignmentRules(750, 250, **rules))
        content["fields"]["evaluation.assignment"] = {**content["fields"]["evaluation.criteria"], "value": asked}
        row.content = content
    db.session.rollback()


def from_countries(scene: Scene, **countries: str) -> None:
    """Evaluators come from these countries."""
    with arranging():
        for name, code in countries.items():
            get(Evaluator, scene.evaluator_id(name)).country_code = code
    db.session.rollback()


def works_for(scene: Scene, name: str, employers: str) -> None:
    """An evaluator works or worked for these, as the manager enters it."""
    member = next(each for each in queries.pool(scene.call_id) if each.user_id == scene.people[name])
    values = EvaluatorInput(member.user_id, "FI", ("en",), (), 0, 3, employers=read_employers(employers))
    services.pool(scene.actor("manager"), scene.call_id, values, member.version)
    db.session.rollback()


def last(scene: Scene) -> AssignmentRun:
    db.session.rollback()
    found = db.session.scalars(select(AssignmentRun).order_by(AssignmentRun.number.desc()).limit(1)).one()
    return found


def page_of_run(browser: Browser, scene: Scene, number: int = 1, name: str = "manager") -> str:
    return text_of(browser.get(name, f"/calls/{scene.slug}/assignments/runs/{number}"))


def test_seats_by_hand_that_break_a_rule_hinder_no_run_and_are_told(browser: Browser, scene: Scene) -> None:
    from_countries(scene, eva1="FI", eva2="FI", eva3="SE", eva4="DE", eva5="FR")
    with_rules(scene, country_max=1)
    scene.declare_all()
    first = scene.application_ids[0]
    scene.give("eva1", first, "She knows the town")
    scene.give("eva2", first, "And he the trams")

    assert scene.assign().status is RunStatus.SOLVED

    assert {"eva1", "eva2"} < set(scene.seats(first))
    for other in scene.application_ids[1:]:
        assert len({"eva1", "eva2"} & set(scene.seats(other))) <= 1 and len(scene.seats(other)) == 3
    text = page_of_run(browser, scene)
    assert "Rules broken by seats given by hand" in text
    assert "“Cool Courtyards”: Too many from FI." in text
    with arranging():
        bar(scene.people["manager"], "application", first)
    assert "Cool Courtyards" not in page_of_run(browser, scene)


def test_an_evaluator_who_moved_to_another_country_hinders_no_later_run(browser: Browser, scene: Scene) -> None:
    from_countries(scene, eva1="FI", eva2="NO", eva3="SE", eva4="DE", eva5="FR")
    with_rules(scene, country_max=1)
    scene.declare_all()
    scene.assign()
    first = scene.application_ids[0]
    one, two, three = scene.seats(first)
    from_countries(scene, **{one: "PT", two: "PT"})
    scene.release(three, first, "Ill")

    # Who had the seat does not get it again: the two others of the pool remain, and seats that stand stay.
    assert scene.assign().status is RunStatus.SOLVED

    assert {one, two} < set(scene.seats(first)) and len(scene.seats(first)) == 3
    assert "“Cool Courtyards”: Too many from PT." in page_of_run(browser, scene, 2)


def test_an_application_filled_by_hand_without_a_role_leaves_the_others_their_run(
    browser: Browser, scene: Scene
) -> None:
    with_rules(scene, roles=("finance",))
    with arranging():
        for name in ("eva4", "eva5"):
            get(Evaluator, scene.evaluator_id(name)).roles = ["finance"]
    scene.declare_all()
    first = scene.application_ids[0]
    for name in ("eva1", "eva2", "eva3"):
        scene.give(name, first, "Nobody else is there")

    assert scene.assign().status is RunStatus.SOLVED

    assert all({"eva4", "eva5"} & set(scene.seats(other)) for other in scene.application_ids[1:])
    assert "“Cool Courtyards”: Nobody for finance." in page_of_run(browser, scene)


GHENT = "University of Ghent"


@pytest.mark.parametrize("registered", [True, False])
def test_whoever_works_for_one_organisation_counts_as_of_it(scene: Scene, *, registered: bool) -> None:
    with arranging():
        if registered:
            people.organisation(GHENT, country_code="BE")
    for name in ("eva1", "eva2"):
        works_for(scene, name, f"{GHENT} (2019 to now)")
    # Left so long ago that it counts no more, and left within three years.
    works_for(scene, "eva3", f"{GHENT} (2010 to 2015)")
    works_for(scene, "eva4", f"Acme (2021 to now) | {GHENT} (2010 to 2021)")
    with_rules(scene, organisation_max=1)
    scene.declare_all()

    scene.assign()

    for application_id in scene.application_ids:
        assert len({"eva1", "eva2", "eva4"} & set(scene.seats(application_id))) == 1


def test_an_entry_of_the_register_that_points_to_another_counts_as_that(scene: Scene) -> None:
    with arranging():
        standing, other = people.organisation(GHENT), people.organisation("Ghent Institute of Trams")
    works_for(scene, "eva1", f"{GHENT} (2019 to now)")
    works_for(scene, "eva2", "Ghent Institute of Trams (2019 to now)")
    with arranging():
        get(Organisation, other.id).same_as_id = standing.id
        # As who joined with an account of that organisation.
        get(Evaluator, scene.evaluator_id("eva3")).organisation_id = other.id
    db.session.rollback()

    belongs = {each.user_id: each.belongs for each in queries.pool(scene.call_id)}

    assert {belongs[scene.people[name]] for name in ("eva1", "eva2", "eva3")} == {frozenset({str(standing.id)})}


def test_two_of_one_organisation_by_hand_are_counted_and_told(browser: Browser, scene: Scene) -> None:
    for name in ("eva1", "eva2"):
        works_for(scene, name, f"{GHENT} (2019 to now) | Acme (2020 to now)")
    with_rules(scene, organisation_max=1)
    scene.declare_all()
    first = scene.application_ids[0]
    scene.give("eva1", first, "She knows the town")

    shown = queries.adjust_page(
        scene.actor("manager"), scene.slug, scene.references[0], AdjustInput(Deed.GIVE, "", handle(scene, "eva2"))
    )
    scene.give("eva2", first, "And he the trams")

    assert shown.what_if is not None
    # Two in common are one rule broken.
    assert [each for each in shown.what_if.after.broken if "organisation" in each] == ["one organisation"]
    assert not [each for each in shown.what_if.before.broken if "organisation" in each]
    assert "Too many of one organisation" in text_of(browser.get("manager", f"/calls/{scene.slug}/assignments"))


def test_the_hash_of_the_inputs_is_of_all_organisations_in_any_order(scene: Scene) -> None:
    values = RunInput("2022", None)

    def digest() -> bytes:
        return input_of(_read(scene.actor("manager"), scene.call_id, values).instance)

    before = digest()
    works_for(scene, "eva1", f"Acme (2019 to now) | {GHENT} (2019 to now)")
    one = digest()
    works_for(scene, "eva1", f"{GHENT} (2019 to now) | Acme (2019 to now)")

    assert before != one == digest()


def test_who_is_kept_out_by_a_rule_reads_that_rule_and_not_that_they_serve_elsewhere(
    browser: Browser, scene: Scene
) -> None:
    from_countries(scene, eva1="FI", eva2="FI", eva3="SE", eva4="DE", eva5="FR")
    with arranging():
        for name in scene.evaluators:
            levels = {"en": "native" if name in ("eva1", "eva2") else "reading"}
            get(Evaluator, scene.evaluator_id(name)).language_levels = levels
    with_rules(scene, country_max=1)
    scene.declare_all()
    scene.assign()
    seats = {
        reference: scene.seats(application_id)
        for reference, application_id in zip(scene.references, scene.application_ids, strict=True)
    }

    for reference, names in seats.items():
        out = ({"eva1", "eva2"} - set(names)).pop()
        seated = next(name for name in names if name not in ("eva1", "eva2"))
        text = text_of(
            browser.get("manager", f"/calls/{scene.slug}/assignments/{reference}/{handle(scene, seated)}/why")
        )
        who = f"Eva Evaluator {out[-1]}"
        assert f"{who} would be one too many from FI beside the others: at most 1 may sit together." in text
        assert f"With {who} in this seat" in text
        assert "another application" not in text


@pytest.mark.usefixtures("seated_world")
def test_the_word_of_the_run_is_told_to_decide_no_more_than_it_does(browser: Browser, scene: Scene) -> None:
    assert "the word “2022” decided, always the same way." in page_of_run(browser, scene)
    with_rules(scene, country_max=3)
    scene.release(scene.seats(scene.application_ids[0])[0], scene.application_ids[0], "Ill")
    scene.assign()

    text = page_of_run(browser, scene, last(scene).number)
    assert "decided as far as it tells them apart" in text and "always the same way" not in text
