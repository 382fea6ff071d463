"""The small call of the evaluation tests serves the awards too, most often once every consensus is agreed."""

from __future__ import annotations

import pytest

from grants.core import clock
from tests.evaluation.conftest import browser, scene, small_world
from tests.evaluation.scene import CLOSED, SCORES, Scene
from tests.worlds import World, Worlds

__all__ = ["browser", "scene", "small_world"]


@pytest.fixture(scope="session")
def evaluated_world(worlds: Worlds, small_world: World[Scene]) -> World[None]:
    """All three applications have an agreed consensus; 1,000,000 is there for 3 x 400,000."""

    def evaluated() -> None:
        small_world.told().evaluate(SCORES)

    with clock.at(CLOSED):
        return worlds.of(evaluated, like=small_world)


@pytest.fixture
def evaluated(scene: Scene, evaluated_world: World[None]) -> Scene:
    """The small call after its deadline: all three applications have an agreed consensus."""
    return scene
