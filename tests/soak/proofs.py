"""The proofs of `make soak` at their full length. Not part of `make test`, which takes a few rounds of each.

ROUNDS says how many rounds eight processes race, WALKS how many walks of fifty steps are gone, SEED which steps they take.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, seed
from hypothesis import settings as limits
from hypothesis.stateful import run_state_machine_as_test

from config import Config
from tests.core.test_faults import ALL
from tests.servers import TestValkey
from tests.soak import walking
from tests.soak.awarding import Awarding
from tests.soak.deadlines import Deadlines
from tests.soak.killed_payment import KilledPayment
from tests.soak.killing import Nursery
from tests.soak.paying import Paying
from tests.soak.pure import Pure
from tests.soak.racing import Racers
from tests.soak.telling import SEED, Tally, told

ROUNDS = int(os.environ.get("ROUNDS", "1000"))
WALKS, WALKS_A_SEED = int(os.environ.get("WALKS", "2000")), 20
# One deadline takes as long as eight payments, with the eight applications that are sent to it again.
ROUNDS_A_DEADLINE = 20
# A million random steps of the pure rules, each walk from books of its own.
PURE_WALKS, STEPS_A_PURE_WALK = 20, 50_000
LONG = limits(
    max_examples=WALKS_A_SEED,
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def racers(settings: Config, app: Flask) -> Iterator[Racers]:
    with Racers(settings) as racers:
        yield racers


def test_eight_processes_pay_sixty_per_cent_of_what_is_left(racers: Racers) -> None:
    tally = Tally()
    with told("payments raced by eight", tally):
        Paying(racers, tally).rounds(ROUNDS)


def test_eight_panels_fund_the_last_project(racers: Racers) -> None:
    tally = Tally()
    with told("awards raced by eight", tally):
        Awarding(racers, tally).rounds(ROUNDS)


def test_eight_arrive_at_the_second_of_a_deadline(racers: Racers) -> None:
    tally = Tally()
    with told("deadlines met by eight", tally):
        Deadlines(racers, tally).rounds(max(1, ROUNDS // ROUNDS_A_DEADLINE))


@pytest.fixture
def valkey() -> Iterator[TestValkey]:
    server = TestValkey()
    server.start()
    yield server
    server.stop()


def test_a_payment_is_killed_at_every_step(settings: Config, app: Flask, valkey: TestValkey, tmp_path: Path) -> None:
    tally = Tally()
    with (
        told(f"payment killed at every step, seed {SEED}", tally),
        Nursery(replace(settings, REDIS_URL=valkey.url)) as nursery,
    ):
        KilledPayment(nursery, tmp_path, tally, samples=None, chance=random.Random(SEED)).run()


def test_the_books_are_the_model_after_every_step_of_a_long_walk(app: Flask) -> None:
    walking.TALLY.clear()
    with told(f"payments walked at random, seed {SEED}", walking.TALLY):
        number = SEED
        while walking.TALLY["walks"] < WALKS:
            run_state_machine_as_test(seed(number)(type("Walk", (walking.Walk,), {})), settings=LONG)
            number += 1


def test_the_rules_are_the_reference_after_each_of_a_million_steps() -> None:
    tally = Tally({})
    with told(f"pure steps of the rules of money, seeds from {SEED}", tally):
        for number in range(PURE_WALKS):
            tally.update(Pure(SEED + number).run(STEPS_A_PURE_WALK))


def test_the_guards_were_attacked() -> None:
    """Written after the tests of faults, which run before this file with every error in every guard."""
    tally = Tally({"guards": len(ALL.attacked), "acts": len(ALL.relied), "errors raised": ALL.attacks})
    with told("guards attacked", tally):
        assert ALL.attacked
