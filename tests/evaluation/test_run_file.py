"""A run of the assignment taken along as a file, and checked again without the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from sqlalchemy import select

from grants.calls.models import Call
from grants.calls.rules.assigning import AssignmentRules
from grants.cli import build_cli
from grants.core import encoding, text
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.evaluation import matching, rules, services
from grants.evaluation.models import AssignmentRun, Evaluator
from grants.evaluation.rules import EvaluatorInput, RunInput
from grants.evaluation.states import RunStatus
from grants.identity.policy import Role
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_groups import instances as grouped
from tests.evaluation.test_matching import instances as plain
from tests.evaluation.test_seating import more
from tests.evaluation.test_views import text_of
from tests.factories import identity as people

Told = dict[str, Any]
NOBODY = "00000000-0000-0000-0000-000000000001"


def read_back(instance: matching.Instance) -> matching.Instance:
    return matching.instance_of(json.loads(rules.spelled(matching.canonical(instance))))


@given(plain() | grouped())
def test_an_input_read_back_is_the_same_and_has_the_same_answer(instance: matching.Instance) -> None:
    back = read_back(instance)

    assert matching.canonical(back) == matching.canonical(instance)
    first, again = matching.assign(instance), matching.assign(back)
    assert type(first) is type(again)
    if isinstance(first, matching.Matched) and isinstance(again, matching.Matched):
        assert (first.pairs, first.total, first.bound) == (again.pairs, again.total, again.bound)


def taken(browser: Browser, scene: Scene, number: int = 1) -> Told:
    """The file of a run."""
    answer = browser.get("manager", f"/calls/{scene.slug}/assignments/runs/{number}/run.json")
    assert answer.status_code == 200, answer.text
    told: Told = json.loads(answer.data)
    return told


def says(scene: Scene, **settings: Any) -> None:
    """The call has these rules for its assignment."""
    with arranging():
        row = get(Call, scene.call_id)
        content: Any = deepcopy(row.content)
        value = encoding.encode(AssignmentRules(750, 250, **settings))
        content["fields"]["evaluation.assignment"] = {**content["fields"]["evaluation.criteria"], "value": value}
        row.content = content
    db.session.rollback()


def verify(path: Path) -> Result:
    def never(*_: Any) -> Any:
        raise AssertionError("no settings are read and no program is made")

    return CliRunner().invoke(build_cli(never, never), ["assignment", "verify", str(path)], catch_exceptions=False)


def test_a_run_leaves_as_a_file_that_anybody_can_check(browser: Browser, seated: Scene, tmp_path: Path) -> None:
    page = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/runs/1"))
    answer = browser.get("manager", f"/calls/{seated.slug}/assignments/runs/1/run.json")
    told = json.loads(answer.data)

    row = db.session.scalars(select(AssignmentRun)).one()
    assert rules.digest(told["input"]).hex() == told["input_sha256"] == row.input_sha256.hex()
    assert told["input_sha256"] in page and f"/calls/{seated.slug}/assignments/runs/1/run.json" in page
    assert "Worked out in" in page and row.milliseconds is not None and told["superseded_by"] is None
    assert len(told["seats"]) == 9 and [step["aim"] for step in told["prices"]] == ["total", "spread"]
    assert {seated.references[0] in one for one in told["names"]["applications"].values()} == {True, False}
    # The record names the very file that left.
    left = db.session.scalars(select(AuditEvent.reason).where(AuditEvent.verb == "assignment.export_run")).one()
    assert left == f"Run 1, a file with the SHA-256 {hashlib.sha256(answer.data).hexdigest()}."

    (tmp_path / "run.json").write_bytes(answer.data)
    done = verify(tmp_path / "run.json")
    assert done.exit_code == 0, done.output
    assert f"The inputs have the SHA-256 {told['input_sha256']}." in done.output
    assert f"The prices prove that no other choice is worth more than these seats, {row.objective}." in done.output
    assert "All 13 checks hold." in done.output
    assert browser.get("manager", f"/calls/{seated.slug}/assignments/runs/2/run.json").status_code == 404
    assert browser.get("eva1", f"/calls/{seated.slug}/assignments/runs/1/run.json").status_code == 403


def test_a_run_again_says_what_came_after_it_and_its_file_holds_the_seats_that_stood(
    browser: Browser, seated: Scene
) -> None:
    seated.assign()

    assert "Run 2 came after it." in " ".join(
        text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/runs/1")).replace("</a>", "").split()
    )
    first, again = taken(browser, seated), taken(browser, seated, 2)
    assert (first["superseded_by"], again["superseded_by"]) == (2, None)
    assert first["seats"] == again["seats"] == again["input"]["fixed"] and first["input"]["fixed"] == []
    assert all(one.holds for one in matching.check_run(again))


def test_a_file_names_who_and_what_the_run_was_given_and_nobody_and_nothing_that_came_since(
    browser: Browser, seated: Scene
) -> None:
    before = taken(browser, seated)["names"]
    more(seated, 2)
    with arranging():
        newcomer = people.user("Nora Newcomer", Role.EVALUATOR).id
    services.pool(seated.actor("manager"), seated.call_id, EvaluatorInput(newcomer, "FI", ("en",), (), 0, 3))

    told = taken(browser, seated)

    assert told["names"] == before
    assert (
        set(before["applications"]) == {one["id"] for one in told["input"]["applications"]}
        and len(before["applications"]) == 3
    )
    assert set(before["evaluators"]) == {one["id"] for one in told["input"]["evaluators"]}
    assert "Nora Newcomer" not in json.dumps(told)


def test_with_rules_the_page_and_the_file_say_what_prices_prove_and_what_a_search_found(
    browser: Browser, scene: Scene
) -> None:
    says(scene, country_max=1, floor=True)
    with arranging():
        for name, country in zip(scene.evaluators, ("FI", "FI", "SE", "DE", "FR"), strict=True):
            row = get(Evaluator, scene.evaluator_id(name))
            row.country_code = country
            row.language_levels = {"en": "native" if country == "FI" else "reading"}
    scene.declare_all()
    assert scene.assign().status is RunStatus.SOLVED

    page = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments/runs/1"))
    file = taken(browser, scene)

    assert "HiGHS" in file["solver"] and file["input"]["floor"] and file["input"]["groups"]["country_max"] == 1
    assert file["objective"] == file["bound"] < file["ideal"]
    assert "No other choice of people is worth more" not in page and "by a search to the end" in page
    assert (
        f"that without this no more than {text.grouped(file['ideal'])} is possible." in page
        and "By the search: at most" in page
    )
    listed = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments"))
    assert "Run 1: the best assignment that a search found" in listed and "which is proved" not in listed
    words = [one.words for one in matching.check_run(file) if one.holds]
    assert len(words) == len(matching.check_run(file)) and "The rules on who sits together are kept." in words
    assert f"The prices prove that without the rules no choice is worth more than {file['ideal']}." in words
    assert any("can be found again only by searching again" in one for one in words)


def test_whom_a_conflict_keeps_from_an_application_gets_no_file(browser: Browser, seated: Scene) -> None:
    services.declare_in_office(seated.actor("manager"), seated.application_ids[0], "We share a flat")
    path = f"/calls/{seated.slug}/assignments/runs/1"

    page = browser.get("manager", path)
    assert "You see a part of this run" in page.text and "run.json" not in page.text
    assert "The file of a run tells of every application of the call, so it is not given to you" in page.text
    refused = browser.get("manager", f"{path}/run.json")
    assert refused.status_code == 403 and "Somebody who sees the whole call can take it." in refused.text
    assert db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "assignment.export_run")).all() == []


def test_a_run_of_before_inputs_were_kept_says_so(browser: Browser, seated: Scene) -> None:
    kept = db.session.scalars(select(AssignmentRun)).one()
    held = {
        each.key: getattr(kept, each.key)
        for each in AssignmentRun.__table__.columns
        if each.key not in ("id", "number", "input", "milliseconds", "created_at", "version")
    }
    with arranging():
        db.session.add(AssignmentRun(number=2, **held))

    page = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/runs/2"))
    assert "made before the inputs of a run were kept, so there is no file of it" in page and "run.json" not in page
    answer = browser.get("manager", f"/calls/{seated.slug}/assignments/runs/2/run.json")
    assert answer.status_code == 422 and "Later runs have one." in answer.text


def test_where_no_assignment_exists_the_file_holds_the_input_alone(browser: Browser, scene: Scene) -> None:
    told = services.run(scene.actor("manager"), scene.call_id, RunInput("2022", None))
    assert told.status is RunStatus.INFEASIBLE

    file = taken(browser, scene)

    assert file["seats"] == [] and file["reasons"] and len(file["input"]["evaluators"]) == 5
    assert [one.holds for one in matching.check_run(file)] == [True, True]


def other_fit(told: Told) -> None:
    told["input"]["fits"][0][0] = (told["input"]["fits"][0][0] + 1) % 1000


def fit_and_hash(told: Told) -> None:
    other_fit(told)
    told["input_sha256"] = rules.digest(told["input"]).hex()


def seat_gone(told: Told) -> None:
    del told["seats"][0]


def seat_twice(told: Told) -> None:
    told["seats"][0] = told["seats"][1]


def seat_of_a_stranger(told: Told) -> None:
    told["seats"][0][1] = NOBODY


def closed_pair(told: Told) -> None:
    place = [one["id"] for one in told["input"]["evaluators"]].index(told["seats"][0][1])
    told["input"]["closed"][0] = [place]


def another_fixed(told: Told) -> None:
    application, free = told["seats"][0][0], {one["id"] for one in told["input"]["evaluators"]}
    free -= {evaluator for each, evaluator in told["seats"] if each == application}
    told["input"]["fixed"] = [[application, min(free)]]


def smaller_load(told: Told) -> None:
    for one in told["input"]["evaluators"]:
        one["load_max"] = 1


def one_country(told: Told) -> None:
    told["input"]["groups"]["country_max"] = 1
    for one in told["input"]["evaluators"]:
        one["country"] = "FI"


def other_worth(told: Told) -> None:
    told["objective"] += 1


def other_price(told: Told) -> None:
    key = min(told["prices"][0]["evaluators"])
    told["prices"][0]["evaluators"][key] += 7


def other_rank(told: Told) -> None:
    (people, *_) = told["explanations"].values()
    (one, *_) = people.values()
    one["rank"] += 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_fit, "The inputs were changed: their SHA-256 is"),
        (fit_and_hash, "Against it:"),
        (seat_gone, "has 2."),
        (seat_twice, "Nobody has two seats on one application.” Against it:"),
        (seat_of_a_stranger, "an application and an evaluator of the inputs.” Against it:"),
        (closed_pair, "No seat is of a pair that may not meet.” Against it:"),
        (another_fixed, "Every seat that was fixed stands.” Against it:"),
        (smaller_load, "as many applications as they take.” Against it:"),
        (one_country, "The rules on who sits together are kept.” Against it:"),
        (other_worth, "and the worst served application has"),
        (other_price, "The prices prove that no other choice is worth more than these seats"),
        (other_rank, "Fit and rank of 9 explained seats follow from the inputs.” Against it:"),
    ],
)
def test_a_changed_file_is_found(
    browser: Browser, seated: Scene, tmp_path: Path, change: Callable[[Told], None], words: str
) -> None:
    told = taken(browser, seated)
    change(told)
    (tmp_path / "run.json").write_text(json.dumps(told))

    done = verify(tmp_path / "run.json")

    assert done.exit_code == 1 and "not hold." in done.output
    assert any(words in line and ("Not so" in line or "changed" in line) for line in done.output.splitlines()), (
        done.output
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "another"}', "[" * 100_000])
def test_what_is_no_run_is_said_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)

    done = verify(tmp_path / "run.json")

    assert done.exit_code == 1 and "run.json is no run of the assignment" in done.output


def closed_longer(told: Told) -> None:
    told["input"]["closed"].append([])


def closed_shorter(told: Told) -> None:
    del told["input"]["closed"][-1]


def closed_by_parts(told: Told) -> None:
    told["input"]["closed"][0] = [0.5]


def fits_by_parts(told: Told) -> None:
    told["input"]["fits"][0][0] += 0.5


def fits_as_texts(told: Told) -> None:
    told["input"]["fits"][0][0] = str(told["input"]["fits"][0][0])


@pytest.mark.parametrize("change", [closed_longer, closed_shorter, closed_by_parts, fits_by_parts, fits_as_texts])
def test_inputs_of_another_shape_are_no_run(
    browser: Browser, seated: Scene, tmp_path: Path, change: Callable[[Told], None]
) -> None:
    told = taken(browser, seated)
    change(told)
    told["input_sha256"] = rules.digest(told["input"]).hex()
    (tmp_path / "run.json").write_text(json.dumps(told))

    done = verify(tmp_path / "run.json")

    assert done.exit_code == 1 and "run.json is no run of the assignment" in done.output


def test_prices_that_would_not_add_up_in_64_bits_are_no_prices(browser: Browser, seated: Scene) -> None:
    told = taken(browser, seated)
    told["prices"][0]["pool"] = 1 << 60

    with pytest.raises(matching.NotARun, match="is no price"):
        matching.check_run(told)
