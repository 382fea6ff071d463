"""What a database says about itself before the program starts: whether it is empty, migrated, a demo."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from grants.core.triggers import OWNS_TABLES

DEMO_MARK = "pilot-grants demo"
DEMO_UNFINISHED = "pilot-grants demo, loading"


def connect(address: str) -> psycopg.Connection[Any]:
    """A plain connection to a SQLAlchemy address that commits each statement."""
    return psycopg.connect(address.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True)


def is_empty(address: str) -> bool:
    """Whether nobody has an account yet."""
    return not scalar(address, "user_account", "SELECT count(*) FROM user_account")


def held(address: str) -> frozenset[str]:
    """The tables and views of the schema that :func:`empty_schema` drops, whoever made them."""
    with connect(address) as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p', 'v', 'm', 'f')"
        ).fetchall()
    return frozenset(name for (name,) in found)


def migration(address: str) -> str:
    """Where the tables stand; empty where there are none."""
    return str(scalar(address, "alembic_version", "SELECT max(version_num) FROM alembic_version") or "")


def demo_mark(address: str) -> str:
    """What the database's comment says about a demo; a comment, because only the owner can change it."""
    with connect(address) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    return (found and found[0]) or ""


def set_demo_mark(owner_address: str, mark: str) -> None:
    """Mark the database as a demo, or as one being loaded."""
    with connect(owner_address) as connection:
        name = connection.info.dbname
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))


def empty_schema(owner_address: str) -> None:
    """Drop every table, as the database's owner; the caller has made sure that nobody misses them."""
    with connect(owner_address) as connection, connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '20s'")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")


def owns_tables(address: str) -> bool:
    """Whether no right binds whoever signs in there; :class:`OSError` where the database does not answer."""
    try:
        return bool(scalar(address, "user_account", f"SELECT {OWNS_TABLES}"))
    except psycopg.OperationalError as error:
        raise ConnectionError(str(error).strip().splitlines()[0]) from error


def scalar(address: str, table: str, statement: str) -> Any:
    """One value, or None where the table is not there yet."""
    with connect(address) as connection:
        there = connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
        if there is None or there[0] is None:
            return None
        found = connection.execute(statement.encode()).fetchone()
    return None if found is None else found[0]
