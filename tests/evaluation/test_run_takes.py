"""Whom a run of the assignment takes: all of a call or none of it, and nobody who is not there to assess."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.evaluation import queries, rules, services
from grants.evaluation.models import AssignmentRun, Evaluator
from grants.evaluation.rules import RunInput
from grants.evaluation.rules import runs as limits
from grants.evaluation.states import RunStatus
from tests.evaluation.scene import CLOSED, Browser, Scene
from tests.evaluation.test_views import text_of

TODAY = CLOSED.date()


@pytest.mark.parametrize(
    ("limit", "most", "words"),
    [
        ("RUN_APPLICATIONS_MAX", 2, "more than 2 applications in evaluation, and a run takes at most so many"),
        ("RUN_EVALUATORS_MAX", 4, "more than 4 evaluators in its pool, and a run takes at most so many"),
        ("RUN_PAIRS_MAX", 14, "3 applications and 5 evaluators make 15 pairs, and a run takes at most 14"),
    ],
)
@pytest.mark.usefixtures("declared_world")
def test_of_more_than_a_run_takes_none_is_left_out_unsaid(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, words: str
) -> None:
    monkeypatch.setattr(limits, limit, most)
    monkeypatch.setattr(rules, limit, most, raising=False)

    with pytest.raises(Refused, match=words):
        services.request_run(scene.actor("manager"), scene.call_id, RunInput("2022", None))
    with pytest.raises(Refused, match="Seats can be given by a file"):
        services.run(scene.actor("manager"), scene.call_id, RunInput("2022", None))
    db.session.rollback()
    assert db.session.query(AssignmentRun).count() == 0


def test_as_many_as_a_run_takes_are_read_and_one_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (rules.RUN_APPLICATIONS_MAX, rules.RUN_EVALUATORS_MAX) == (10_000, 2_000)
    monkeypatch.setattr(rules, "RUN_APPLICATIONS_MAX", 1)
    monkeypatch.setattr(rules, "RUN_EVALUATORS_MAX", 3)

    assert (len(queries.consortia(scene.call_id)), len(queries.pool(scene.call_id))) == (2, 4)


def there(scene: Scene, name: str, after: date | None = None, before: date | None = None) -> None:
    """An evaluator is available on these days."""
    with arranging():
        row = get(Evaluator, scene.evaluator_id(name))
        row.available_from, row.available_until = after, before


def seated(scene: Scene) -> set[str]:
    return {name for application_id in scene.application_ids for name in scene.seats(application_id)}


@pytest.mark.usefixtures("declared_world")
def test_who_is_away_until_the_eve_of_the_due_day_gets_no_seat_and_the_run_names_them(
    browser: Browser, scene: Scene
) -> None:
    due = datetime(2022, 12, 5, 22, tzinfo=UTC)
    there(scene, "eva1", after=date(2022, 12, 5))
    there(scene, "eva2", after=date(2022, 12, 4))

    told = services.run(scene.actor("manager"), scene.call_id, RunInput("2022", due))

    assert told.status is RunStatus.SOLVED and seated(scene) == {"eva2", "eva3", "eva4", "eva5"}
    page = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments/runs/1"))
    name = next(one.name for one in queries.pool(scene.call_id) if one.user_id == scene.people["eva1"])
    assert f"Not there to assess, and so without a new seat: {name}." in page


@pytest.mark.usefixtures("declared_world")
def test_without_a_due_day_who_is_away_now_gets_no_seat_and_the_form_says_so_before(
    browser: Browser, scene: Scene
) -> None:
    there(scene, "eva1", after=TODAY + timedelta(days=1))
    there(scene, "eva2", before=TODAY - timedelta(days=1))
    there(scene, "eva3", after=TODAY, before=TODAY)

    page = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments"))
    names = {one.user_id: one.name for one in queries.pool(scene.call_id)}
    first, second = sorted(names[scene.people[each]] for each in ("eva1", "eva2"))
    assert f"Not available today: {first}, {second}. Without a due day they get no seat." in page
    told = services.run(scene.actor("manager"), scene.call_id, RunInput("2022", None))

    assert told.status is RunStatus.SOLVED and seated(scene) == {"eva3", "eva4", "eva5"}


def test_by_hand_who_is_away_today_may_be_seated(scene: Scene) -> None:
    there(scene, "eva1", after=TODAY + timedelta(days=9))
    member = next(one for one in queries.pool(scene.call_id) if one.user_id == scene.people["eva1"])

    assert rules.why_absent(member, None, None) == ""
    assert "not today, and no day is set" in rules.why_absent(member, None, TODAY)
