"""What a database says about itself before the program starts: whether it is empty, migrated, a demo."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

DEMO_MARK = "pilot-grants demo"
DEMO_UNFINISHED = "pilot-grants demo, loading"


def connect(address: str) -> psycopg.Connection[Any]:
    """A plain connection to a SQLAlchemy address that commits each statement."""
    return psycopg.connect(address.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True)


def is_empty(address: str) -> bool:
    """Whether nobody has an account yet."""
    return not scalar(address, "user_account", "SELECT count(*) FROM user_account")


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


def scalar(address: str, table: str, statement: str) -> Any:
    """One value, or None where the table is not there yet."""
    with connect(address) as connection:
        there = connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
        if there is None or there[0] is None:
            return None
        found = connection.execute(statement.encode()).fetchone()
    return None if found is None else found[0]
