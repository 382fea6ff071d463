"""What a long check reads: one moment of the database, with room to sort in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import IsolationLevel
from sqlalchemy import func, select

from grants.core.db import db

# A check looks at every row once, sorts and sums them: far more than a page's statement may take for itself. Compiling takes
# longer than it saves, and a plan for any values is worse than one for these: each is asked once.
_SETTINGS = {"work_mem": "96MB", "jit": "off", "plan_cache_mode": "force_custom_plan"}


@contextmanager
def one_moment() -> Iterator[None]:
    """Let every statement inside see what stood when the first began, whatever is written meanwhile; nothing is written here.

    Within an act, which has begun its own transaction, its statements see what they would see there.
    """
    connection: Any = db.session.connection().connection.driver_connection
    own = bool(connection.autocommit)
    if own:
        connection.autocommit, connection.read_only = False, True
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        # For this transaction alone: between statements that are committed one by one it would be forgotten at once.
        db.session.execute(select(*(func.set_config(name, value, True) for name, value in _SETTINGS.items())))
        yield
    finally:
        if own and not connection.closed:
            connection.rollback()
            connection.autocommit, connection.read_only, connection.isolation_level = True, None, None
