"""What a city reads at home after a verdict: how its application stands, since when, and what was ruled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from grants.applications.models import Application, EligibilityCheck
from grants.applications.states import ApplicationState, Verdict
from grants.awards import services
from grants.calls.rules import ResultsInput
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.permissions import Actor
from grants.identity.queries import actor_for
from grants.oversight import queries
from tests.awards.conftest import browser, evaluated, evaluated_world, scene, small_world
from tests.awards.publishing import publish, tell_all
from tests.awards.test_reserve import dropped, move_up
from tests.awards.test_services import decide
from tests.evaluation.scene import CLOSED, SCORES, Scene

__all__ = ["browser", "evaluated", "evaluated_world", "scene", "small_world"]

CONFIRMED = CLOSED + timedelta(days=20)
LOOKED = CONFIRMED + timedelta(days=3)


@pytest.fixture
def confirmed(evaluated: Scene) -> Scene:
    """Applications 0 and 2 are selected, 1 is on the reserve list."""
    scene = evaluated
    for number in (0, 1):
        declared(scene, number, Verdict.PASS)
    chosen = decide(scene)
    with clock.at(CONFIRMED):
        services.confirm(scene.actor("chair"), chosen)
    (row,) = queries.waiting(city(scene, 0))
    assert row.words == "With the evaluators and the panel."
    assert told(scene, 0) == [f"The programme declared {scene.references[0]} eligible and wrote to its team"]
    tell_all(scene)
    return scene


def city(scene: Scene, number: int) -> Actor:
    db.session.rollback()
    return actor_for(scene.leads[number], fresh=True)


def declared(scene: Scene, number: int, verdict: Verdict, reason: str | None = None) -> None:
    """The scene's applications came in eligible; here the desk's check stands too."""
    with arranging():
        application = get(Application, scene.application_ids[number])
        assert application.submission_id is not None
        db.session.add(
            EligibilityCheck(
                application_id=application.id, submission_id=application.submission_id, saves=1, verdict=verdict.value,
                reason=reason, decided_at=CLOSED + timedelta(days=2), decided_by=scene.people["manager"],
            )
        )  # fmt: skip
        if verdict is Verdict.FAIL:
            application.state = ApplicationState.INELIGIBLE.value


def told(scene: Scene, number: int) -> list[str]:
    return [f"{line.who} {line.sentence}" for line in queries.lately(city(scene, number)) if line.who_named is None]


def test_an_application_waits_by_its_state_since_the_last_change(confirmed: Scene) -> None:
    found = [queries.waiting(city(confirmed, number)) for number in (0, 1)]

    assert [[(row.words, row.days(LOOKED)) for row in rows] for rows in found] == [
        [("It is selected. The programme prepares the agreement.", 3)],
        [(f"On the reserve list since {clock.long_date(CONFIRMED.date())}.", 3)],
    ]


def test_a_move_its_team_does_not_know_moves_no_line(confirmed: Scene) -> None:
    """As of outcomes from before letters told: no letter says when this one reached its team."""
    with clock.at(LOOKED):
        dropped(confirmed, 0)
        services.confirm_move(confirmed.actor("chair"), move_up(confirmed).id)
        (line,) = [each for each in queries.lately(city(confirmed, 1)) if each.verb == "selection.confirm"]

    assert (line.at, "reserve list" in line.sentence) == (CONFIRMED, True)


def test_an_eligible_application_waits_for_the_evaluators(scene: Scene) -> None:
    (row,) = queries.waiting(city(scene, 0))

    assert row.words == "With the evaluators and the panel."


def test_a_verdict_is_told_with_its_outcome(confirmed: Scene) -> None:
    first, second = confirmed.references[:2]

    assert [told(confirmed, number) for number in (0, 1)] == [
        [
            f"The programme selected {first} for a grant of EUR 400\u00a0000.00 and told its team",
            f"The programme declared {first} eligible and wrote to its team",
        ],
        [
            f"The programme put {second} on the reserve list and told its team",
            f"The programme declared {second} eligible and wrote to its team",
        ],
    ]


def test_an_ineligible_application_waits_for_nobody_and_its_reason_is_told(scene: Scene) -> None:
    declared(scene, 0, Verdict.FAIL, "The letter of the mayor is missing.")

    assert queries.waiting(city(scene, 0)) == ()
    assert told(scene, 0) == [
        f"The programme declared {scene.references[0]} not eligible and wrote to its team: The letter of the mayor is missing."
    ]
    assert told(scene, 1) == []


def test_nothing_of_a_list_is_told_before_it_is_confirmed(scene: Scene) -> None:
    scene.evaluate(SCORES)
    chosen = decide(scene)

    lines = queries.lately(city(scene, 0))

    assert [line.sentence for line in lines if line.verb == "selection.confirm"] == []
    assert queries.waiting(city(scene, 0))[0].words == "With the evaluators and the panel."

    # Confirmed it is told by nothing yet; where no letter tells it, the publication does, and from that moment.
    with clock.at(CONFIRMED):
        services.confirm(scene.actor("chair"), chosen)
        assert [line for line in queries.lately(city(scene, 0)) if line.verb == "selection.confirm"] == []
    with clock.at(LOOKED):
        publish(scene, ResultsInput())
        (line,) = [each for each in queries.lately(city(scene, 0)) if each.verb == "selection.confirm"]
    assert line.at == LOOKED
