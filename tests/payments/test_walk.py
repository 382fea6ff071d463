"""A random walk of the acts of payments: after every step the books are those of the model. `make soak` walks further."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.walking import Walk

SHORT = settings(
    max_examples=5, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.usefixtures("app")
def test_the_books_are_the_model_after_every_step_of_a_random_walk() -> None:
    run_state_machine_as_test(Walk, settings=SHORT)
