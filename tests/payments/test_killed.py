"""A payment whose process is killed at steps of every act: nothing is lost, nothing is done twice, nothing is half done.

`make soak` kills it at every step.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from tests.servers import TestValkey
from tests.soak.killed_payment import KilledPayment
from tests.soak.killing import Nursery
from tests.soak.telling import Tally

STEPS_AN_ACT = 3


@pytest.fixture
def valkey() -> Iterator[TestValkey]:
    server = TestValkey()
    server.start()
    yield server
    server.stop()


def test_a_payment_killed_at_steps_of_every_act_is_made_once(
    settings: Config, app: Flask, valkey: TestValkey, tmp_path: Path
) -> None:
    tally = Tally()

    with Nursery(replace(settings, REDIS_URL=valkey.url)) as nursery:
        KilledPayment(nursery, tmp_path, tally, samples=STEPS_AN_ACT, chance=random.Random(1)).run()

    assert (tally["acts"], tally["kills"]) == (14, 14 * (STEPS_AN_ACT + 2))
