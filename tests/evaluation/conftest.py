"""The small call, built once and cloned for every test of evaluation and awards; the clock stands after its deadline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

from config import Config
from grants.core import clock
from tests.conftest import cloned
from tests.evaluation.scene import CLOSED, Browser, Scene, build
from tests.programs import running
from tests.servers import Cluster


@pytest.fixture(scope="session")
def small_call(postgres: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Scene]:
    """A database with the small call in it, to be cloned: three eligible applications, a pool of five, nothing declared."""
    name = f"template_{uuid4().hex}"
    postgres.clone(template, name)
    home: Path = tmp_path_factory.mktemp("small_call")
    settings = Config(GRANTS_HOME=str(home), DATABASE_URL=postgres.url(name, "grants_program"), GRANTS_ENV="test")
    with running(settings):
        made = build()
    return name, made


@pytest.fixture
def database(postgres: Cluster, small_call: tuple[str, Scene]) -> Iterator[str]:
    """A clone of the small call for this test alone."""
    with cloned(postgres, small_call[0]) as name:
        yield name


@pytest.fixture
def scene(app: Flask, small_call: tuple[str, Scene]) -> Iterator[Scene]:
    """The small call after its deadline."""
    with clock.at(CLOSED):
        yield small_call[1]


@pytest.fixture
def browser(app: Flask, scene: Scene) -> Iterator[Browser]:
    """A browser without JavaScript that can be anybody of the small call."""
    app.config["WTF_CSRF_ENABLED"] = False
    yield Browser(app, scene)
