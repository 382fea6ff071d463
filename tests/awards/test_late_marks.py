"""A mark that was given, and a move of the panel, leave the score for a conflict; for another reason the application waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from grants.core import clock
from grants.core.errors import Refused
from grants.evaluation import services as evaluation
from grants.evaluation.rules import SHIFT_TAINTED, Answered, ShiftInput
from grants.evaluation.states import Declared
from tests.awards.test_late_rulings import confirm_conflict
from tests.awards.test_utter import ALL_SEVEN, ALL_TEN, move, propose, waiting
from tests.evaluation.scene import CLOSED, Scene, build, declares
from tests.evaluation.utter import UTTER
from tests.worlds import World, Worlds

WAITS = "2 of 3 assessments are submitted: one that was in left with its seat."


@pytest.fixture(scope="session")
def three_world(worlds: Worlds) -> World[Scene]:
    """A call that asks for three sheets and is content with two: all of the first application are in."""

    def made() -> Scene:
        file = UTTER.replace("evaluators_per_application: 2", "evaluators_per_application: 3")
        scene = build(file=file, applications=1, evaluators=4)
        scene.declare_all()
        scene.assign()
        about = scene.application_ids[0]
        for name, halves in zip(scene.seats(about), (ALL_TEN, ALL_SEVEN, ALL_SEVEN), strict=True):
            evaluation.submit(scene.actor(name), about, scene.sheet(*halves))
        return scene

    with clock.at(CLOSED):
        return worlds.of(made)


@pytest.fixture
def three(app: Flask, three_world: World[Scene]) -> Iterator[Scene]:
    with clock.at(CLOSED):
        yield three_world.told()


@pytest.mark.parametrize("how", ["void", "recuse"])
def test_a_sheet_that_is_in_leaves_no_score_behind_until_another_is_in_its_place(three: Scene, how: str) -> None:
    about = three.application_ids[0]
    name = three.seats(about)[0]
    assert three.official(about).halves is not None
    if how == "void":
        three.release(name, about, "Its marks are too high for us.")
    else:
        evaluation.recuse(three.actor(name), about, "I have no time any more.")

    found = three.official(about)

    assert (found.halves, found.missing) == (None, WAITS)
    (spare,) = set(three.evaluators) - {name, *three.seats(about)}
    three.give(spare, about, "The next best.")
    assert three.official(about).missing == "2 of 3 assessments are submitted."
    evaluation.submit(three.actor(spare), about, three.sheet(*ALL_TEN))
    assert three.official(about).basis == "Mean of 3 assessments, each criterion"


def test_a_sheet_of_somebody_in_conflict_leaves_the_score(three: Scene) -> None:
    about = three.application_ids[0]
    name = three.seats(about)[0]
    declares(three.actor(name), three.call_id, (Answered(about, Declared.CONFLICT, "A cousin"),))

    assert three.official(about).basis == "Mean of 2 assessments, each criterion"


def test_a_move_proposed_by_somebody_in_conflict_is_not_confirmed_and_comes_back(three: Scene) -> None:
    about = three.application_ids[0]
    row = propose(three, 0, 10)
    confirm_conflict(three, "chair", about)

    with pytest.raises(Refused, match="Return it"):
        evaluation.confirm_shift(three.actor("officer"), row.id, row.version)

    evaluation.return_shift(three.actor("officer"), row.id, "A conflict came to light.", row.version)
    assert three.official(about).shift_half == 0


@pytest.mark.parametrize("name", ["chair", "officer"])
def test_a_move_that_somebody_in_conflict_stands_behind_counts_for_nothing_until_decided_anew(
    three: Scene, name: str
) -> None:
    about = three.application_ids[0]
    move(three, 0, 10)
    assert three.official(about).shift_half == 10
    if name == "chair":
        confirm_conflict(three, "chair", about)
    else:
        evaluation.declare_in_office(three.actor("officer"), about, "My sister leads it.")

    found = three.official(about)

    assert (found.halves, found.missing, found.shift_half) == (None, SHIFT_TAINTED, 0)
    other = "manager" if name == "chair" else "chair"
    evaluation.propose_shift(three.actor(other), about, ShiftInput(10, "It serves two islands all the same."))
    assert waiting(about).shift_half == 10
    assert three.official(about).missing == SHIFT_TAINTED
