"""A random walk of all acts on a grant's money: after every step the books are those of the model. `make soak` walks further."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.left_out import LEFT_OUT, verbs
from tests.soak.steps import ACTS_DONE, ACTS_REFUSED_TO_NOBODY, DONE, TALLY
from tests.soak.walking import Walk
from tests.soak.ways import DEEDS, WAYS, go

# The same walks each time: what they find is found by whoever breaks it. `make soak` draws others.
SHORT = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)


@pytest.mark.usefixtures("app")
def test_on_straight_ways_every_deed_is_done_and_the_books_are_the_model_after_each() -> None:
    for counted in (DONE, ACTS_DONE, ACTS_REFUSED_TO_NOBODY):
        counted.clear()
    for stage, steps in WAYS.values():
        go(stage, steps)

    assert sorted(DEEDS - {*DONE}) == []
    assert TALLY["crashes"] and TALLY["repeats"]
    # A new act is driven, or it is said why not.
    assert sorted(verbs() - {*ACTS_DONE}) == sorted(LEFT_OUT)
    # And each was refused to somebody without any role.
    assert sorted({*ACTS_DONE} - {*ACTS_REFUSED_TO_NOBODY}) == []


@pytest.mark.usefixtures("app")
def test_the_books_are_the_model_after_every_step_of_a_random_walk() -> None:
    run_state_machine_as_test(Walk, settings=SHORT)
