"""A grant whose pre-financing is on its way to the bank: requested by Ana, decided by Otto, prepared by Fin, verified by Vera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from grants.core import clock
from grants.core.db import db
from grants.core.money import euros
from grants.payments import services as payments
from grants.payments.rules import DecisionInput
from tests import actors
from tests.payments.world import IN_FORCE, SEEN, World, world
from tests.worlds import World as Made
from tests.worlds import Worlds

DAY = datetime(2023, 5, 3, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """The ids and references a test needs."""

    world: World
    request_id: UUID
    order_id: UUID
    order: str


def verified() -> Scene:
    with clock.at(IN_FORCE):
        for person in (actors.vera, actors.nuria, actors.pia, actors.eva, actors.ada, actors.fin):
            person()
        found = world()
    with clock.at(DAY.replace(hour=8)):
        opened = payments.open_prefinancing(actors.program(), found.grant_id)
        assert opened is not None
    with clock.at(DAY.replace(hour=9)):
        payments.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))
    with clock.at(DAY.replace(hour=10)):
        order = payments.prepare(actors.fin(), opened.id)
    with clock.at(DAY.replace(hour=11)):
        payments.verify(actors.vera(), order.id, evidence=SEEN)
    return Scene(found, opened.id, order.id, order.reference)


@pytest.fixture(scope="session")
def verified_world(worlds: Worlds) -> Made[Scene]:
    return worlds.of(verified)


@pytest.fixture
def scene(app: Flask, client: FlaskClient, verified_world: Made[Scene]) -> Scene:
    return verified_world.told()


@pytest.fixture
def paid(scene: Scene) -> Scene:
    """The order of the scene left and was booked by the bank."""
    with clock.at(DAY.replace(hour=12)):
        payments.authorise(actors.otto(), scene.order_id, evidence=SEEN)
    with clock.at(DAY.replace(hour=13)):
        payments.export(actors.carl(), (scene.order_id,), control_total=euros(210_000))
    with clock.at(DAY.replace(hour=14)):
        payments.execute(actors.carl(), scene.order_id, value_on=DAY.date())
    return scene


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to the database inside the block."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
