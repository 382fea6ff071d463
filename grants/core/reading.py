"""What a long check reads: one moment of the database, with room to sort in, by two connections where that is quicker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from flask import current_app
from psycopg import IsolationLevel, sql
from sqlalchemy import func, select

from grants.core.db import db

T = TypeVar("T")
U = TypeVar("U")

# A check looks at every row once, sorts and sums them: far more than a page's statement may take for itself. Compiling takes
# longer than it saves, and a plan for any values is worse than one for these: each is asked once.
_SETTINGS = {"work_mem": "96MB", "jit": "off", "plan_cache_mode": "force_custom_plan"}


@contextmanager
def one_moment() -> Iterator[None]:
    """Let every statement inside see what stood when the first began, whatever is written meanwhile; nothing is written here.

    Within an act, which has begun its own transaction, its statements see what they would see there.
    """
    with _held():
        yield


def at_once(first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
    """Both readings of this moment, the second on a connection of its own, while the first goes on here.

    The server then works with two processes, and this program beside them. Within an act one comes after the other: what
    it has written is seen on its own connection alone.
    """
    if not _is_own():
        return first(), second()
    moment = db.session.scalar(select(func.pg_export_snapshot()))
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy is no app in another thread

    def beside() -> U:
        # A context of its own has a session of its own.
        with app.app_context(), _held(moment):
            return second()

    with ThreadPoolExecutor(max_workers=1) as pool:
        other = pool.submit(copy_context().run, beside)
        return first(), other.result()


@contextmanager
def _held(moment: str | None = None) -> Iterator[None]:
    """A transaction that only reads what stands now, or what stood at the moment another connection told."""
    connection = _driver()
    own = bool(connection.autocommit)
    if own:
        connection.autocommit, connection.read_only = False, True
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        if moment is not None:
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(moment), prepare=False)
        # For this transaction alone: between statements that are committed one by one it would be forgotten at once.
        db.session.execute(select(*(func.set_config(name, value, True) for name, value in _SETTINGS.items())))
        yield
    finally:
        if own and not connection.closed:
            connection.rollback()
            connection.autocommit, connection.read_only, connection.isolation_level = True, None, None


def _is_own() -> bool:
    """Whether this connection reads within :func:`one_moment`, and not within an act."""
    connection = _driver()
    return connection.isolation_level is IsolationLevel.REPEATABLE_READ and bool(connection.read_only)


def _driver() -> Any:
    """The connection as psycopg knows it."""
    return db.session.connection().connection.driver_connection
