"""Databases that stand: lent to one test after another, and laid back in between to what they were.

To copy a database for a test and to drop it again costs the server some fifty milliseconds, and what it reads and plans
anew for each connection to a new one twice as much: more than most tests ask of it. So a test that asks for the program
alone is lent a database whose connections stand. Afterwards every table is looked at (how many rows it has, and which
transaction wrote last to it), and those that changed get back the rows they had. Where anything else is no longer as it
was (the schema, a transaction or a lock somebody left), the database is dropped, and the next test gets a copy. Settings
that a test gives a connection of the program for longer than a transaction would stay with it: no test does.

A test that asks for the settings or the name of its database has one of its own, as before: it may do with it what it likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
from psycopg import sql

from tests import programs
from tests.servers import Cluster

# So many stand at once for one process: a file of tests starts from one or two worlds.
STANDING_MAX = 4
# What was deleted stays in the files of its table: after so many tests a copy is quicker again.
LENDINGS_MAX = 100


class Standing:
    """One database like a template, and the rows it has to have."""

    def __init__(self, postgres: Cluster, template: str) -> None:
        self.name = f"s_{uuid4().hex}"
        self.lendings = 0
        self._postgres = postgres
        postgres.clone(template, self.name)
        self._line = psycopg.connect(postgres.dsn(self.name), autocommit=True, options=_OPTIONS, prepare_threshold=0)
        self._tables = [_Table(*row) for row in self._line.execute(_TABLES)]
        self._look = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT count(*), min(age(xmin)) FROM {}").format(sql.Identifier(table.name))
            for table in self._tables
        )
        looked = zip(self._tables, self._line.execute(self._look).fetchall(), strict=True)
        self._counts = {table.name: count for table, (count, _) in looked}
        # Most tables of most worlds are empty: to read them all took longer than to copy the database.
        self._rows = {table.name: self._read(table) for table in self._tables if self._counts[table.name]}
        self._numbers = self._line.execute(_NUMBERS).fetchall()
        self._line.execute(_WATCH, prepare=False)
        self._last = self._transaction()
        programs.stand(self.name)

    def lay_back(self) -> bool:
        """Give every table the rows it had; answers whether the database may be lent again."""
        if self.lendings >= LENDINGS_MAX or self._line.execute(_IS_OTHERWISE).fetchone() != (False,):
            return False
        with self._line.transaction():
            since = self._line.execute("SELECT age(%s::xid)", [self._last]).fetchall()[0][0]
            for table, (count, youngest) in zip(self._tables, self._line.execute(self._look), strict=True):
                # A row is as old as the transaction that wrote it: what came after the last laying back is younger.
                if count != self._counts[table.name] or (youngest is not None and youngest < since):
                    self._write(table, count, since)
            for name, number, was_used in self._numbers:
                self._line.execute("SELECT setval(%s::regclass, %s, %s)", (name, number, was_used))
            self._last = self._transaction()
        return True

    def end(self) -> None:
        """Drop it, and every connection to it."""
        programs.fall(self.name)
        self._line.close()
        self._postgres.drop(self.name)

    def _transaction(self) -> str:
        return str(self._line.execute("SELECT pg_current_xact_id()::xid::text").fetchall()[0][0])

    def _read(self, table: _Table) -> bytes:
        with self._line.cursor().copy(table.copied("TO STDOUT")) as copy:
            return b"".join(bytes(part) for part in copy)

    def _write(self, table: _Table, count: int, since: int) -> None:
        name = sql.Identifier(table.name)
        gone = self._line.execute(sql.SQL("DELETE FROM {} WHERE age(xmin) < %s").format(name), [since]).rowcount
        # Where a test only added rows, all that were there before are there now.
        if count - gone != self._counts[table.name]:
            self._line.execute(sql.SQL("DELETE FROM {}").format(name))
            with self._line.cursor().copy(table.copied("FROM STDIN")) as copy:
                copy.write(self._rows.get(table.name, b""))


@dataclass(frozen=True)
class _Table:
    name: str
    columns: list[str]

    def copied(self, direction: str) -> sql.Composed:
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(self.name), columns, sql.SQL(direction))


class Databases:
    """Those that stand for this process, by what they are like."""

    def __init__(self, postgres: Cluster) -> None:
        self._postgres = postgres
        self._standing: dict[str, Standing] = {}

    @contextmanager
    def lent(self, template: str) -> Iterator[str]:
        """The name of a database like ``template``, for one test."""
        found = self._standing.pop(template, None) or Standing(self._postgres, template)
        found.lendings += 1
        is_as_it_was = False
        try:
            yield found.name
            is_as_it_was = found.lay_back()
        finally:
            if is_as_it_was:
                self._standing[template] = found
            else:
                found.end()
            while len(self._standing) > STANDING_MAX:
                self._standing.pop(next(iter(self._standing))).end()

    def end(self) -> None:
        """Drop them all."""
        while self._standing:
            self._standing.popitem()[1].end()


# What is computed from other columns is computed again.
_TABLES = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname
"""
_NUMBERS = """
SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value), last_value IS NOT NULL
FROM pg_sequences
"""
# Whoever changes the schema, its rights or its triggers leaves a row.
_WATCH = """
CREATE SCHEMA standing;
CREATE TABLE standing.changed (moment TIMESTAMPTZ);
CREATE FUNCTION standing.tell() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN INSERT INTO standing.changed VALUES (clock_timestamp()); END';
CREATE EVENT TRIGGER standing_tell ON ddl_command_end EXECUTE FUNCTION standing.tell();
TRUNCATE standing.changed
"""
_IS_OTHERWISE = """
SELECT EXISTS (SELECT FROM standing.changed) OR EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
) OR EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""
# The owner's connection, with which no trigger and no key of another table speaks; and what it asks again is planned once.
_OPTIONS = "-c session_replication_role=replica -c plan_cache_mode=force_generic_plan -c lock_timeout=5s"
