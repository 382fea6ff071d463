"""The grant in force that tests of payments start from, made once a run."""

from __future__ import annotations

import pytest
from flask import Flask

from grants.core import clock
from tests import actors
from tests.keyed import keys_in_forms
from tests.payments.world import IN_FORCE, World, world
from tests.worlds import World as Made
from tests.worlds import Worlds

__all__ = ["keys_in_forms"]


def in_force() -> World:
    with clock.at(IN_FORCE):
        for person in (actors.vera, actors.nuria, actors.pia, actors.eva, actors.ada):
            person()
        return world()


@pytest.fixture(scope="session")
def in_force_world(worlds: Worlds) -> Made[World]:
    return worlds.of(in_force)


@pytest.fixture
def grant(app: Flask, in_force_world: Made[World]) -> World:
    """The grant in force, and everybody who pays it."""
    return in_force_world.told()
