"""The small call, made once a run and cloned for every test of evaluation and awards; the clock stands after its deadline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from grants.core import clock
from tests.evaluation.scene import CLOSED, Browser, Scene, build
from tests.worlds import World, Worlds


@pytest.fixture(scope="session")
def small_world(worlds: Worlds) -> World[Scene]:
    """The small call: three eligible applications, a pool of five, nothing declared."""
    return worlds.of(build)


@pytest.fixture(scope="session")
def declared_world(worlds: Worlds, small_world: World[Scene]) -> World[None]:
    """The small call once everybody declared no conflict."""

    def declared() -> None:
        small_world.told().declare_all()

    with clock.at(CLOSED):
        return worlds.of(declared, like=small_world)


@pytest.fixture(scope="session")
def seated_world(worlds: Worlds, small_world: World[Scene], declared_world: World[None]) -> World[None]:
    """The small call once everybody declared no conflict and was assigned."""

    def seated() -> None:
        small_world.told().assign()

    with clock.at(CLOSED):
        return worlds.of(seated, like=declared_world)


@pytest.fixture
def scene(app: Flask, small_world: World[Scene]) -> Iterator[Scene]:
    """The small call after its deadline."""
    with clock.at(CLOSED):
        yield small_world.told()


@pytest.fixture
def seated(scene: Scene, seated_world: World[None]) -> Scene:
    """The small call after its deadline: everybody declared and was assigned."""
    return scene


@pytest.fixture
def browser(app: Flask, scene: Scene) -> Iterator[Browser]:
    """A browser without JavaScript that can be anybody of the small call."""
    app.config["WTF_CSRF_ENABLED"] = False
    yield Browser(app, scene)
