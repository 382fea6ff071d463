"""The small call of the evaluation tests serves the awards too, most often once every consensus is agreed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from grants.awards import queries, services
from grants.awards.rules import DecisionInput
from grants.core import clock
from tests.awards.agreeing import offered, offered_world, prepared, prepared_world, signed, signed_world
from tests.documents.certificates import PASSWORD, key_file
from tests.evaluation.conftest import browser, declared_world, scene, seated_world, small_world
from tests.evaluation.scene import CLOSED, SCORES, Scene
from tests.worlds import World, Worlds

__all__ = [
    "browser",
    "declared_world",
    "offered",
    "offered_world",
    "prepared",
    "prepared_world",
    "scene",
    "seated_world",
    "signed",
    "signed_world",
    "small_world",
]


@pytest.fixture(scope="session")
def evaluated_world(worlds: Worlds, small_world: World[Scene]) -> World[None]:
    """All three applications have an agreed consensus; 1,000,000 is there for 3 x 400,000."""

    def evaluated() -> None:
        small_world.told().evaluate(SCORES)

    with clock.at(CLOSED):
        return worlds.of(evaluated, like=small_world)


@pytest.fixture(scope="session")
def decided_world(worlds: Worlds, small_world: World[Scene], evaluated_world: World[None]) -> World[None]:
    """A confirmed list: two are selected, one is on the reserve list."""

    def decided() -> None:
        scene = small_world.told()
        shown = queries.ranking_page(scene.actor("manager"), scene.slug)
        services.decide(scene.actor("manager"), scene.call_id, DecisionInput(shown.list_hash, "As ranked."))
        view = queries.selection_of(scene.actor("manager"), scene.slug, 1)
        services.confirm(scene.actor("chair"), view.id)

    with clock.at(CLOSED):
        return worlds.of(decided, like=evaluated_world)


@pytest.fixture
def evaluated(scene: Scene, evaluated_world: World[None]) -> Scene:
    """The small call after its deadline: all three applications have an agreed consensus."""
    return scene


@pytest.fixture
def certificate(app: Flask, tmp_path: Path) -> Iterator[Path]:
    """The files of a certificate of the programme, configured."""
    key, password = tmp_path / "programme.p12", tmp_path / "password"
    key.write_bytes(key_file("The Programme"))
    password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    app.config |= {"PROGRAMME_SIGNING_KEY": str(key), "PROGRAMME_SIGNING_PASSWORD_FILE": str(password)}
    yield password
    app.config |= {"PROGRAMME_SIGNING_KEY": "", "PROGRAMME_SIGNING_PASSWORD_FILE": ""}
