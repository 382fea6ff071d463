"""The small call, built once and cloned for every test of evaluation and awards; the clock stands after its deadline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from flask import Flask

from config import Config
from grants.app import create_app
from grants.core import clock
from grants.core.db import db
from tests.evaluation.scene import CLOSED, Browser, Scene, build
from tests.servers import TestPostgres


@pytest.fixture(scope="session")
def small_call(postgres: TestPostgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Scene]:
    """A database with the small call in it, to be cloned: three eligible applications, a pool of five, nothing declared."""
    name = f"template_{uuid4().hex}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    home: Path = tmp_path_factory.mktemp("small_call")
    settings = Config(GRANTS_HOME=str(home), DATABASE_URL=postgres.url(name, "grants_program"), GRANTS_ENV="test")
    app = create_app(settings)
    with app.app_context():
        made = build()
        db.session.remove()
        db.engine.dispose()
    return name, made


@pytest.fixture
def database(postgres: TestPostgres, small_call: tuple[str, Scene]) -> Iterator[str]:
    """A clone of the small call for this test alone."""
    name = f"t_{uuid4().hex}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {small_call[0]}".encode())
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


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
