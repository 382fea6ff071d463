"""Connections are lent without asking the server, unless it said something or they rested long."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import _queries
from sqlalchemy import Integer, literal, literal_column, select

from grants.core import connections
from grants.core.db import db
from tests.conftest import Note
from tests.servers import Cluster


def backend() -> int:
    """The server's process of the connection the session uses now."""
    driver: Any = db.session.connection().connection.driver_connection
    return int(driver.info.backend_pid)


def test_a_connection_the_server_ended_is_replaced_before_it_is_lent(
    app: Flask, postgres: Cluster, database: str
) -> None:
    before = backend()
    db.session.rollback()
    with psycopg.connect(postgres.dsn(database), autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 1000)", [before])

    assert db.session.scalars(select(Note.id)).all() == []
    assert backend() != before


@pytest.mark.parametrize(("trusted", "asked"), [(30.0, 0), (0.0, 1)])
def test_a_connection_is_asked_only_after_it_rested_long(
    app: Flask, monkeypatch: pytest.MonkeyPatch, trusted: float, asked: int
) -> None:
    monkeypatch.setattr(connections, "SECONDS_TRUSTED", trusted)
    driver = db.session.connection().connection.driver_connection
    db.session.rollback()
    said: list[Any] = []
    monkeypatch.setattr(psycopg.Connection, "execute", lambda self, query, *rest: said.append((self, query)))

    assert db.session.connection().connection.driver_connection is driver
    assert said == [(driver, "")] * asked


def test_the_places_of_parameters_in_a_long_statement_are_found_once(app: Flask) -> None:
    ones = literal_column(" + ".join(["1"] * 2_000), Integer)
    before = _queries._query2pg.cache_info()

    assert [db.session.scalar(select(ones + literal(more))) for more in (1, 2)] == [2_001, 2_002]

    after = _queries._query2pg.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)
