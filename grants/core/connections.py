"""How connections to the database are lent: looked at without a word to the server where that is enough, and read-only.

A connection that rested a moment ago is lent as it is. What the server says to one that rests (that it is ended, above
all) waits at its socket, so a look there, which costs no journey, finds a server that was restarted. Only what has rested
for long, behind a firewall that may have forgotten it, is asked whether it still answers.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import Any

from psycopg import Connection, OperationalError
from sqlalchemy.exc import InvalidatePoolError

# A connection that rested longer is asked before it is lent.
SECONDS_TRUSTED = 30.0
_RESTS_SINCE = "rests_since"


def write_next(connection: Connection[Any]) -> None:
    """Let the next transaction of this connection write, and say so with its first word; given back, it only reads again."""
    connection.read_only = False


def _rest(connection: Connection[Any] | None, record: Any) -> None:
    """A connection is given back."""
    if connection is None:
        return
    record.info[_RESTS_SINCE] = time.monotonic()
    if not connection.closed:
        connection.read_only = None


def _look(connection: Connection[Any], record: Any, proxy: Any) -> None:
    """Before a connection is lent: where it is found ended, all of the pool are made anew."""
    since = record.info.get(_RESTS_SINCE)
    # A new one has never rested.
    if since is None or (time.monotonic() - since < SECONDS_TRUSTED and not _was_told_something(connection)):
        return
    record.info.pop(_RESTS_SINCE)
    try:
        connection.autocommit = True
        connection.execute("")
        connection.autocommit = False
    except OperationalError as error:
        raise InvalidatePoolError from error


def _was_told_something(connection: Connection[Any]) -> bool:
    if connection.closed:
        return True
    looking = select.poll()
    looking.register(connection.fileno(), select.POLLIN)
    return bool(looking.poll(0))


# For the pool of an engine.
EVENTS: Sequence[tuple[Any, str]] = ((_rest, "checkin"), (_look, "checkout"))
