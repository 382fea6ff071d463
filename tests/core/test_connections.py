"""Connections are lent without asking the server, unless it said something or they rested long."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import _queries
from sqlalchemy import Integer, func, literal, literal_column, select
from sqlalchemy.exc import DataError, DBAPIError

from grants.core import connections
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Refused
from tests.conftest import Note
from tests.servers import Cluster
from tests.statements import statements


@pytest.fixture
def app(app: Flask) -> Flask:
    """With new connections: on one that stands between tests there is still prepared what earlier tests asked."""
    db.engine.dispose()
    return app


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
    monkeypatch.setattr(psycopg.Connection, "execute", lambda self, query, **rest: said.append((self, query)))

    assert db.session.connection().connection.driver_connection is driver
    assert said == [(driver, "")] * asked


def test_the_places_of_parameters_in_a_long_statement_are_found_once(app: Flask) -> None:
    ones = literal_column(" + ".join(["1"] * 2_000), Integer)
    before = _queries._query2pg.cache_info()

    assert [db.session.scalar(select(ones + literal(more))) for more in (1, 2)] == [2_001, 2_002]

    after = _queries._query2pg.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)


def test_a_statement_is_prepared_when_it_is_first_asked_and_planned_once_for_any_values(app: Flask) -> None:
    kept = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT note.id%%'"
    for times in (1, 2):
        db.session.execute(select(Note.id).where(Note.text == "any"))
        assert db.session.connection().exec_driver_sql(kept).one() == (times, 0)


def prepared_of(table: str) -> int:
    """How many statements about this table the server keeps for the connection of now."""
    found = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"
    return int(db.session.connection().exec_driver_sql(found, (f"%FROM {table}%",)).scalar_one())


def test_a_refused_act_leaves_prepared_what_was(app: Flask) -> None:
    before = backend()
    db.session.execute(select(Note.id).where(Note.text == "any"))

    with pytest.raises(Refused), arranging():
        db.session.add(Note(text="one"))
        db.session.flush()
        raise Refused("No.")

    assert prepared_of("note") == 1
    # What is asked again is not prepared a second time.
    db.session.execute(select(Note.id).where(Note.text == "any"))
    assert (prepared_of("note"), backend()) == (1, before)


def test_a_statement_that_failed_stays_on_no_server(app: Flask) -> None:
    for _ in range(2):
        with pytest.raises(DataError), arranging():
            db.session.execute(select(1 / (func.count(Note.id) - func.count(Note.id))))
        assert prepared_of("note") == 0


@pytest.mark.parametrize("in_an_act", [True, False])
@pytest.mark.parametrize("altered", ["ALTER TABLE kept ALTER held TYPE bigint", ""])
def test_a_statement_the_server_can_use_no_more_is_prepared_anew(
    app: Flask, postgres: Cluster, database: str, altered: str, in_an_act: bool
) -> None:
    with psycopg.connect(postgres.dsn(database), autocommit=True) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 1 AS held")
        owner.execute("GRANT SELECT ON kept TO PUBLIC")
        before = ask_kept()
        if altered:
            owner.execute(altered)
        else:
            driver: Any = db.session.connection().connection.driver_connection
            driver.pgconn.exec_(b"DEALLOCATE ALL")
        db.session.rollback()

    with pytest.raises(DBAPIError):
        ask_kept(in_an_act)
    db.session.rollback()

    assert [ask_kept(in_an_act) for _ in range(3)] == [before] * 3


def ask_kept(in_an_act: bool = False) -> tuple[int, int]:
    """What the table holds, and over which connection."""
    with arranging() if in_an_act else nullcontext():
        found = db.session.connection().exec_driver_sql("SELECT held FROM kept").scalar_one()
        return int(found), backend()


@pytest.mark.parametrize("said", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_what_the_server_is_told_to_forget_is_forgotten_here(app: Flask, said: str) -> None:
    db.session.execute(select(Note.id).where(Note.text == "any"))
    db.session.connection().exec_driver_sql(said)

    db.session.execute(select(Note.id).where(Note.text == "any"))

    assert prepared_of("note") == 1


def test_how_many_rows_are_wanted_stands_in_the_statement(app: Flask) -> None:
    with statements() as said:
        for most in (3, 4):
            db.session.execute(select(Note.id).order_by(Note.id).limit(most).offset(1))

    assert [each.partition("LIMIT")[2].split() for each in said] == [["3", "OFFSET", "1"], ["4", "OFFSET", "1"]]
