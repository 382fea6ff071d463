"""What every test may use: a real PostgreSQL, a fresh database for each test that writes, the whole program on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine
from sqlalchemy.orm import Mapped, mapped_column

from config import Config
from grants import demo
from grants.app import create_app
from grants.cli import alembic_config
from grants.core import triggers
from grants.core.db import DIGEST, Row, db
from tests.servers import TestPostgres


class Note(Row):
    """A table of the tests alone, for acts to write."""

    __tablename__ = "note"

    text: Mapped[str]
    secret: Mapped[str | None] = mapped_column(info=DIGEST)
    pointer: Mapped[UUID | None]


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestPostgres]:
    server = TestPostgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def template(postgres: TestPostgres) -> str:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE grants_program LOGIN")
        connection.execute("CREATE DATABASE template_tests")
    engine = create_engine(postgres.url("template_tests", "grants_owner"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        Note.__table__.create(connection)
        triggers.grant_program_role(connection, "grants_program")
    engine.dispose()
    return "template_tests"


@contextmanager
def cloned(postgres: TestPostgres, template: str) -> Iterator[str]:
    """A database like ``template``, there until the block ends."""
    name = f"t_{uuid4().hex}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def database(postgres: TestPostgres, template: str) -> Iterator[str]:
    """The name of a database of this test alone."""
    with cloned(postgres, template) as name:
        yield name


def settings_for(postgres: TestPostgres, database: str, home: Path) -> Config:
    """Settings of the program on one database of the tests' server."""
    return Config(
        GRANTS_HOME=str(home),
        DATABASE_URL=postgres.url(database, "grants_program"),
        DATABASE_OWNER_URL=postgres.url(database, "grants_owner"),
        GRANTS_ENV="test",
        GRANTS_DEMO=True,
    )


@pytest.fixture
def settings(postgres: TestPostgres, database: str, tmp_path: Path) -> Config:
    return settings_for(postgres, database, tmp_path)


@contextmanager
def running(settings: Config) -> Iterator[Flask]:
    """The whole program with these settings, inside its application context."""
    app = create_app(settings)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(settings: Config) -> Iterator[Flask]:
    """The whole program on a database of this test alone, inside its application context."""
    with running(settings) as app:
        yield app


@dataclass(frozen=True)
class DemoTemplate:
    """A database the demo was loaded into, and the folder of its files; tests clone the one and read the other."""

    database: str
    home: Path


@pytest.fixture(scope="session")
def demo_template(postgres: TestPostgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> DemoTemplate:
    name, home = "template_demo", tmp_path_factory.mktemp("demo")
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    with running(settings_for(postgres, name, home)):
        demo.load(lambda done, total, note: None)
    return DemoTemplate(name, home)


@pytest.fixture
def demo_app(postgres: TestPostgres, demo_template: DemoTemplate) -> Iterator[Flask]:
    """The whole program with the demo loaded, on a database of this test alone."""
    with (
        cloned(postgres, demo_template.database) as name,
        running(settings_for(postgres, name, demo_template.home)) as app,
    ):
        app.config["WTF_CSRF_ENABLED"] = False
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript; forms send no CSRF token in tests, the CSRF tests switch it on."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()
