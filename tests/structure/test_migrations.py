"""The migrated schema is that of the models, to the last trigger; migrations are numbered, one head, and go both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError

from grants.app import stage_modules
from grants.cli import alembic_config
from grants.core import triggers
from grants.core.db import Base
from tests.servers import Cluster

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
HEAD = VERSIONS.parent / "HEAD"

# What a schema is, as the database itself tells it; names and texts, never numbers.
QUESTIONS = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity, identity_generation
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal""",
    "functions": """
        SELECT proname, regexp_replace(prosrc, '\\s+', ' ', 'g') FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace""",
}
# Alembic's own, and the table of the tests.
LEFT_OUT = {"alembic_version", "note"}
# Somewhere among the thousands of statements of all migrations.
STOPS_AT = 1_000


@pytest.fixture
def empty(postgres: Cluster, template: str) -> Iterator[str]:
    name = f"m_{uuid4().hex}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def schema(connection: Connection) -> dict[str, set[tuple[object, ...]]]:
    return {
        kind: {tuple(row) for row in connection.exec_driver_sql(sql.replace("%", "%%")) if str(row[0]) not in LEFT_OUT}
        for kind, sql in QUESTIONS.items()
    }


def from_models(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    triggers.install(connection)
    for module in stage_modules("triggers"):
        module.install(connection)


def test_a_migration_that_stops_half_way_leaves_nothing_and_then_goes_through(
    postgres: Cluster, template: str, empty: str
) -> None:
    engine, told = create_engine(postgres.url(empty, "grants_owner")), count(1)

    def stop(connection: Connection, cursor: object, statement: str, *more: object) -> None:
        if next(told) == STOPS_AT:
            raise RuntimeError("the power went in the middle of a migration")

    event.listen(engine, "before_cursor_execute", stop)
    with pytest.raises(RuntimeError, match="in the middle"), engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == [], "all of it or nothing: one transaction"

    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        found = schema(connection)
    engine.dispose()
    known = create_engine(postgres.url(template, "grants_owner"))
    with known.connect() as connection:
        assert found == schema(connection)
    known.dispose()


def test_the_migrated_schema_is_that_of_the_models(postgres: Cluster, empty: str) -> None:
    engine = create_engine(postgres.url(empty, "grants_owner"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        migrated = schema(connection)
        command.downgrade(alembic_config(connection), "base")
        connection.exec_driver_sql("DROP TABLE alembic_version")
        from_models(connection)
        modelled = schema(connection)
    engine.dispose()

    for kind in QUESTIONS:
        assert migrated[kind] == modelled[kind], kind


# What the tables of before cannot hold, or would tell; rows without what they point to, which nobody looks at.
HELD = """
INSERT INTO consensus_answer (id, created_at, version, version_id, user_id, answer, words, answered_at)
SELECT gen_random_uuid(), now(), 1, '{0}', '{0}', 'approve', '', now() FROM generate_series(1, 2);
INSERT INTO application (id, created_at, version, call_id, call_version, call_version_read, reference, title, state,
  state_since, origin, source_url, coordinator_id, search_text, search_words, title_key, lead_key, told_state, told_since)
VALUES ('{0}', now(), 1, '{0}', 1, 1, 'A', 'A', 'selected',
  now(), 'published_outcome', 'x', '{0}', 'a', 'a', 'a', 'a', 'under_evaluation', now())
"""


def test_going_down_leaves_nothing_and_is_refused_where_something_would_be_lost_or_told(
    postgres: Cluster, empty: str
) -> None:
    engine = create_engine(postgres.url(empty, "grants_owner"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(HELD.format(uuid4()))
        with pytest.raises(DBAPIError, match="1 outcome would be read by"), connection.begin_nested():
            command.downgrade(alembic_config(connection), "0077")
        connection.exec_driver_sql("DELETE FROM application")
        with pytest.raises(DBAPIError, match="1 is repeated: restore the backup"), connection.begin_nested():
            command.downgrade(alembic_config(connection), "0076")
        connection.exec_driver_sql("DELETE FROM consensus_answer")
        command.downgrade(alembic_config(connection), "base")
        tables = inspect(connection).get_table_names()
        functions = connection.exec_driver_sql(QUESTIONS["functions"].replace("%", "%%")).all()
    engine.dispose()

    assert (tables, functions) == (["alembic_version"], [])


# A mailing that was returned, with what the record keeps of that; one that was sent; and an award that is withheld.
BEFORE_TWO = """
INSERT INTO letter_mailing (id, created_at, version, call_id, number, state, prepared_by, prepared_at, returned_by, return_reason)
VALUES ('{0}', now(), 1, '{0}', 1, 'returned', '{0}', '2027-03-01 09:00Z', '{1}', 'No.');
INSERT INTO letter_mailing (id, created_at, version, call_id, number, state, prepared_by, prepared_at, returned_by, return_reason)
VALUES ('{1}', now(), 1, '{0}', 2, 'returned', '{0}', '2027-03-05 09:00Z', '{1}', 'Of before the record.');
INSERT INTO audit_event (id, act_id, recorded_at, verb, object_kind, object_id, changes)
VALUES ('{0}', '{0}', '2027-03-02 10:00Z', 'letter_mailing.return', 'letter_mailing', '{0}', '{{}}');
INSERT INTO award_withheld (id, created_at, version, application_id, ground, reason, withheld_by, withheld_at)
VALUES ('{0}', now(), 1, '{0}', 'law', 'A court.', '{0}', '2020-03-01 09:00Z')
"""


def test_what_was_withheld_and_returned_before_keeps_its_moments(postgres: Cluster, empty: str) -> None:
    one, two = sorted(str(uuid4()) for _ in range(2))
    engine = create_engine(postgres.url(empty, "grants_owner"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0082")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(BEFORE_TWO.format(one, two))
    # With every guard of the tables, and of rows that stand, as where an operator upgrades.
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0084")
        returned = (
            connection.exec_driver_sql(
                "SELECT (returned_at AT TIME ZONE 'UTC')::text FROM letter_mailing ORDER BY number"
            )
            .scalars()
            .all()
        )
        waits = connection.exec_driver_sql("SELECT confirm_by > now(), confirmed_by FROM award_withheld").all()
        with pytest.raises(DBAPIError, match="was written once"), connection.begin_nested():
            connection.exec_driver_sql("UPDATE award_withheld SET confirm_by = now()")
        command.downgrade(alembic_config(connection), "0082")
        kept = connection.exec_driver_sql("SELECT count(*) FROM award_withheld").scalar_one()
    engine.dispose()

    assert returned == ["2027-03-02 10:00:00", "2027-03-05 09:00:00"]
    assert ([tuple(row) for row in waits], kept) == ([(True, None)], 1)


# What a newer program wrote, and why the one before it cannot go on from there.
ANSWERED = """
INSERT INTO consensus_answer (id, created_at, version, version_id, user_id, answer, words, answered_at)
VALUES ('{0}', now(), 1, '{0}', '{0}', '%s', 'x', now())
"""
NEWER = (
    (ANSWERED % "closed", "0083", "kept with a version"),
    (ANSWERED % "reopened", "0083", "kept with a version"),
    (
        """
        INSERT INTO panel_event (id, created_at, version, meeting_id, number, kind, at, by_id, item_id, text, before, reason)
        VALUES ('{0}', now(), 1, '{0}', 1, 'scored', now(), '{0}', '{0}', 'x', 'x', 'x')
        """,
        "0083",
        "no score in the log",
    ),
    (
        """
        INSERT INTO award_withheld (id, created_at, version, application_id, ground, reason, withheld_by, withheld_at,
          confirm_by, confirmed_by, confirmed_at)
        VALUES ('{0}', now(), 1, '{0}', 'law', 'A court.', '{0}', now(), now(), '{1}', now())
        """,
        "0084",
        "who confirmed",
    ),
)


def test_going_down_says_what_the_older_program_could_not_hold(postgres: Cluster, empty: str) -> None:
    engine = create_engine(postgres.url(empty, "grants_owner"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0084")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for rows, last, why in NEWER:
            told = connection.begin_nested()
            connection.exec_driver_sql(rows.format(uuid4(), uuid4()))
            with pytest.raises(DBAPIError, match=why), connection.begin_nested():
                command.downgrade(alembic_config(connection), f"{int(last) - 1:04d}")
            told.rollback()
        command.downgrade(alembic_config(connection), "0082")
    engine.dispose()


def test_migrations_are_numbered_without_gap_and_end_at_the_head() -> None:
    files = sorted(VERSIONS.glob("*.py"))
    numbers = [path.name[:4] for path in files]

    assert [path.name for path in files if not re.fullmatch(r"\d{4}_[a-z_]+\.py", path.name)] == []
    assert numbers == [f"{number:04d}" for number in range(1, len(files) + 1)]
    assert HEAD.read_text().strip() == numbers[-1]
