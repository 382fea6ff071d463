"""Eight panels fund the last project at one moment: one does, and a budget is never spent twice.

`make soak` lets them run a thousand rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from tests.conftest import cloned, running, settings_for
from tests.servers import Cluster
from tests.soak.awarding import Awarding
from tests.soak.racing import PROCESSES, Racers
from tests.soak.telling import Tally

ROUNDS = 4


@pytest.fixture
def empty(postgres: Cluster, template: str, tmp_path: Path) -> Iterator[tuple[Config, Flask]]:
    """The program on a database without the small call of the other tests here."""
    with cloned(postgres, template) as name:
        settings = settings_for(postgres, name, tmp_path)
        with running(settings) as app:
            yield settings, app


def test_eight_panels_fund_the_last_project_at_one_moment_and_one_does(empty: tuple[Config, Flask]) -> None:
    tally = Tally()

    with Racers(empty[0]) as racers:
        Awarding(racers, tally).rounds(ROUNDS)

    assert (tally["winners"], tally["refusals"]) == (2 * ROUNDS, 2 * ROUNDS * (PROCESSES - 1))
