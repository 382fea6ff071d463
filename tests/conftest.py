"""Fixtures: one PostgreSQL for the session, one migrated template, a committed clone for each test that writes."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Mapped, mapped_column

from grants.core import triggers
from grants.core.db import DIGEST, Base, Row, db, remember_old_values
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
        Base.metadata.create_all(connection)
        triggers.install(connection)
        triggers.grant_program_role(connection, "grants_program")
    engine.dispose()
    return "template_tests"


@pytest.fixture
def database(postgres: TestPostgres, template: str) -> Iterator[str]:
    name = f"t_{uuid4().hex}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def app(postgres: TestPostgres, database: str) -> Iterator[Flask]:
    app = Flask("tests")
    app.config["SQLALCHEMY_DATABASE_URI"] = postgres.url(database, "grants_program")
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "connect_args": {"options": "-c default_transaction_read_only=on -c timezone=UTC"}
    }
    db.init_app(app)
    remember_old_values()
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
