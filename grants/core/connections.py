"""How connections to the database are lent: looked at without a word to the server where that is enough, and to read.

What is read needs no transaction: each statement sees what stands when it begins, within one or without, and two words to
the server are saved for every page. An act begins one by :func:`write_next`, a list that is streamed by :func:`hold_next`.

A connection that rested a moment ago is lent as it is. What the server says to one that rests (that it is ended, above
all) waits at its socket, so a look there, which costs no journey, finds a server that was restarted. Only what has rested
for long, behind a firewall that may have forgotten it, is asked whether it still answers.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from psycopg import Connection, OperationalError, _queries
from psycopg._preparing import Prepare, PrepareManager
from psycopg._queries import PostgresQuery
from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult
from sqlalchemy.exc import InvalidatePoolError

# A connection that rested longer is asked before it is lent.
SECONDS_TRUSTED = 30.0
_RESTS_SINCE = "rests_since"
# To plan a long statement takes PostgreSQL longer than to answer it. Left to itself it plans one seven times on each
# connection before it keeps a plan, and some for ever; so it is prepared when it is first asked, and planned once, for any
# values. What a plan hangs at stands in the statement: known values (``core/db.OneOf``) and how many rows are wanted.
PREPARED_FROM, PREPARED_MAX = 0, 200
PLANNED_ONCE = "-c plan_cache_mode=force_generic_plan"
# Where the parameters of a statement stand psycopg finds once and remembers, but not of statements longer than this, since
# most programs put long ones together anew each time, nor of those with more parameters. Ours are the same each time, and
# the longest are asked most. As many are remembered as SQLAlchemy remembers statements; psycopg would remember 128.
_queries.MAX_CACHED_STATEMENT_LENGTH, _queries.MAX_CACHED_STATEMENT_PARAMS = 100_000, 500
_queries._query2pg = lru_cache(500)(_queries._query2pg.__wrapped__)

# How the server says that a prepared statement cannot be used any more: its result would be of other types, or it is gone.
PLAN_IS_GONE = frozenset({b"0A000", b"26000"})
# What psycopg forgets everything at, but for a rollback.
FORGETS = re.compile(rb"(?:DROP|ALTER|DISCARD ALL|DEALLOCATE ALL)\b").match


class _Kept(PrepareManager):
    """What is prepared on a connection, kept when a transaction is rolled back.

    PostgreSQL keeps it too. Psycopg forgets all of it, and has the server forget it, since a table made in that transaction
    would be gone: then every page after a refused act is planned anew. The program makes no tables.

    What the server keeps no more, or can use no more since a table was altered under it, is prepared anew all the same.
    """

    _one_failed = False

    def maybe_add_to_cache(self, query: PostgresQuery, prep: Prepare, name: bytes) -> Any:
        key = super().maybe_add_to_cache(query, prep, name)
        # Psycopg looks at no answer to what was prepared before, so one that can only fail would for good.
        return self.key(query) if prep is Prepare.YES else key

    def validate(self, key: Any, prep: Prepare, name: bytes, results: Sequence[PGresult]) -> None:
        if prep is not Prepare.YES:
            super().validate(key, prep, name, results)
            self._one_failed |= prep is Prepare.SHOULD and key not in self._names
        elif any(each.error_field(DiagnosticField.SQLSTATE) in PLAN_IS_GONE for each in results):
            # The others stand as badly. Each is prepared under a name of its own, and a rollback rids the server of these.
            self._names.clear()
            self._counts.clear()
            self._one_failed = True

    def _should_discard(self, prep: Prepare, results: Sequence[PGresult], *rest: Any) -> bool:
        # The server was told to forget, or what plans hang at was altered, here itself: nothing is kept.
        self._one_failed |= any(FORGETS(each.command_status or b"") is not None for each in results)
        return super()._should_discard(prep, results, *rest)

    def clear(self) -> bool:
        # What failed when it was first asked may stand on the server under a name that is forgotten here.
        if not self._one_failed:
            return False
        self._one_failed = False
        if not super().clear():
            # Psycopg remembers none, so has the server forget none; the one that failed it never remembered.
            self._to_flush.append(None)
        return True


def write_next(connection: Connection[Any]) -> None:
    """Let what follows be a transaction that may write, said with its first word; given back, the connection only reads."""
    connection.autocommit = False
    connection.read_only = False


def hold_next(connection: Connection[Any]) -> None:
    """Let what follows be a transaction, if none has begun: the server keeps a streamed result no longer than that."""
    if connection.autocommit:
        connection.autocommit = False


def _begin(connection: Connection[Any], record: Any) -> None:
    """A connection is new."""
    connection.autocommit = True
    connection._prepared = _Kept()
    connection.prepare_threshold, connection.prepared_max = PREPARED_FROM, PREPARED_MAX


def _rest(connection: Connection[Any] | None, record: Any) -> None:
    """A connection is given back."""
    if connection is None:
        return
    record.info[_RESTS_SINCE] = time.monotonic()
    if not connection.closed:
        connection.autocommit, connection.read_only = True, None


def _look(connection: Connection[Any], record: Any, proxy: Any) -> None:
    """Before a connection is lent: where it is found ended, all of the pool are made anew."""
    since = record.info.get(_RESTS_SINCE)
    # A new one has never rested.
    if since is None or (time.monotonic() - since < SECONDS_TRUSTED and not _was_told_something(connection)):
        return
    record.info.pop(_RESTS_SINCE)
    try:
        connection.execute("", prepare=False)
    except OperationalError as error:
        raise InvalidatePoolError from error


def _was_told_something(connection: Connection[Any]) -> bool:
    if connection.closed:
        return True
    looking = select.poll()
    looking.register(connection.fileno(), select.POLLIN)
    return bool(looking.poll(0))


# For the pool of an engine.
EVENTS: Sequence[tuple[Any, str]] = ((_begin, "connect"), (_rest, "checkin"), (_look, "checkout"))
