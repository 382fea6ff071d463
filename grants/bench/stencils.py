"""Copies of rows that acts wrote: whatever differs from copy to copy is a hole in a stencil, everything else stays as it is.

A stencil is cut from the rows that appeared between two moments. Their ids, references, names and titles become holes,
wherever they stand: in foreign keys, in the audit's changes, in frozen content. Hashes over such text are worked out anew
for each copy. Nothing here knows what a row means.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from grants.agreements.rules import only_stated

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Machinery of the moment, what is counted or sealed afterwards, what a call has once, and drafts of what was said in the end.
LEFT_OUT = frozenset({
    "alembic_version", "application_total", "audit_seal", "audit_unsealed", "dossier_answer_version", "form_answer", "job", "ledger_month",
    "process_beat", "reference_counter", "removed_row", "results_publication", "security_event", "sign_in_attempt", "superseded_row", "user_session",
})  # fmt: skip

# Numbers that are counted on: the copy gets the next one.
COUNTED = {
    "submission": ("receipt_number",), "ledger_entry": ("number",), "assignment_run": ("number",),
    "selection_item": ("position", "rank"),
}  # fmt: skip

# What `grants ledger verify` holds against the record of acts.
RECORDED = frozenset(
    {
        *("late_interest", "ledger_entry", "payment_batch", "payment_cancellation", "payment_offset", "payment_order"),
        *("payment_request", "recovery", "recovery_receipt"),
    }
)

Connection = psycopg.Connection[Any]


def tables(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Every table that can be copied, with its columns in order; what the database computes itself is left out."""
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND is_generated = 'NEVER' "
        "ORDER BY table_name, ordinal_position"
    ):
        found.setdefault(table, []).append(column)
    return {table: tuple(columns) for table, columns in found.items() if table not in LEFT_OUT}


def keys(connection: Connection) -> dict[str, set[str]]:
    """The first column of every row's primary key, by table: what stands now."""
    found = {}
    for table, columns in tables(connection).items():
        statement = sql.SQL("SELECT {}::text FROM {}").format(sql.Identifier(columns[0]), sql.Identifier(table))
        found[table] = {row[0] for row in connection.execute(statement)}
    return found


@dataclass
class Counters:
    """What was counted so far: references by their series, numbers by their column."""

    last: dict[str, int] = field(default_factory=dict)

    def next(self, series: str) -> int:
        """The next number of a series."""
        self.last[series] = self.last.get(series, 0) + 1
        return self.last[series]


@dataclass(frozen=True)
class Derived:
    """A hash in the rows, and the text it was made of, cut the same way."""

    place: int
    pieces: tuple[str | int, ...]


@dataclass
class Stencil:
    """Rows with holes. ``holes`` are the words that stood there, in the order of their numbers."""

    holes: list[str]
    tables: dict[str, tuple[str | int, ...]]
    derived: list[Derived]
    counted: list[str]
    lowered: list[tuple[int, int]]
    ids: int
    named: int

    @property
    def names(self) -> tuple[str, ...]:
        """The words each copy is given anew, in the order they were named."""
        return tuple(self.holes[self.ids + len(self.counted) : self.ids + len(self.counted) + self.named])

    def stamp(self, values: Mapping[str, str], counters: Counters, chance: random.Random) -> Iterator[tuple[str, str]]:
        """One copy: each table with its lines."""
        return self.lines(self.fill(values, counters, chance))

    def fill(self, values: Mapping[str, str], counters: Counters, chance: random.Random) -> list[str]:
        """What stands in each hole of one copy. ``values`` gives it by the word that stood there; the rest is made up: new
        ids for ids, the next number for references and counted columns, a fresh hash for a hash."""
        filled = [values.get(word, "") for word in self.holes]
        for place in range(self.ids):
            filled[place] = filled[place] or _id(chance)
        for place, series in enumerate(self.counted, start=self.ids):
            filled[place] = filled[place] or _numbered(self.holes[place], series, counters)
        for place, reference in self.lowered:
            filled[place] = filled[reference].lower()
        for derived in self.derived:
            filled[derived.place] = hashlib.sha256(_joined(derived.pieces, filled).encode()).hexdigest()
        missing = [word for word, value in zip(self.holes, filled, strict=True) if not value]
        assert not missing, f"nothing was given for {missing}"
        return filled

    def lines(self, filled: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each table with its lines, as COPY reads them."""
        for table, pieces in self.tables.items():
            yield table, _joined(pieces, filled)


def _joined(pieces: Sequence[str | int], filled: Sequence[str]) -> str:
    return "".join([filled[piece] if isinstance(piece, int) else piece for piece in pieces])


def _id(chance: random.Random) -> str:
    text = f"{chance.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _numbered(word: str, series: str, counters: Counters) -> str:
    number = counters.next(series)
    return f"{series}-{number:04d}" if word.startswith(series) else str(number)


def cut(
    connection: Connection,
    fresh: Mapping[str, set[str]],
    *,
    names: Sequence[str],
    told: frozenset[str],
    shared: frozenset[str] = frozenset(),
) -> Stencil:
    """The stencil of these rows. ``names`` are the words each copy is given anew. Of the record a copy gets the acts
    ``told`` of it, by their verbs. Rows of the ``shared`` tables, and acts that touched them, are not copied: every copy
    belongs to the same ones."""
    rows = _rows(connection, fresh, told, shared)
    ids = sorted({word for table in rows.values() for row in table for word in _own_ids(row)})
    named = {row["reference"] for table in rows.values() for row in table if row.get("reference")}
    # A request is numbered within its grant: what goes on from another reference is not counted by itself.
    references = sorted(word for word in named if word.rpartition("-")[0] not in named)
    counted = [(word, word.rpartition("-")[0]) for word in references]
    marks: dict[tuple[str, str, str], str] = {}
    for table, numbers in COUNTED.items():
        # In their own order: what came first in the original comes first in each copy.
        for row in sorted(rows.get(table, ()), key=lambda row: int(row[numbers[0]])):
            for column in numbers:
                if row[column] is not None:
                    mark = marks[table, column, row["id"]] = f"<{table}.{column}:{row['id']}>"
                    counted.append((mark, f"{table}.{column}"))
    hashes = list(dict(_hashes(rows)).items())
    small = [word.lower() for word in references]
    # A word may be named twice: by the row it is of, and as one of what is given.
    given = [word for word in dict.fromkeys(names) if word not in ids and word not in references]
    holes = [*ids, *(word for word, _ in counted), *given, *(word for word, _ in hashes), *small]
    cutter = _Cutter(holes)
    columns = tables(connection)
    return Stencil(
        holes=holes,
        tables={
            table: cutter.cut("".join(_line(table, columns[table], row, marks) for row in found))
            for table, found in rows.items()
            if found
        },
        derived=[Derived(holes.index(word), cutter.cut(text)) for word, text in hashes],
        counted=[series for _, series in counted],
        lowered=[(holes.index(word.lower()), holes.index(word)) for word in references],
        ids=len(ids),
        named=len(given),
    )


class _Cutter:
    """Cuts a text at the holes, the longest word first."""

    def __init__(self, holes: Sequence[str]) -> None:
        self._places = {word: place for place, word in enumerate(holes)}
        words = sorted(self._places, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, words)))

    def cut(self, text: str) -> tuple[str | int, ...]:
        pieces: list[str | int] = []
        at = 0
        for found in self._pattern.finditer(text):
            if found.start() > at:
                pieces.append(text[at : found.start()])
            pieces.append(self._places[found.group()])
            at = found.end()
        return (*pieces, text[at:])


def _rows(
    connection: Connection, fresh: Mapping[str, set[str]], told: frozenset[str], shared: frozenset[str]
) -> dict[str, list[dict[str, Any]]]:
    """The rows as the database writes them, every column as text, without those that are not copied."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table, columns in tables(connection).items():
        if fresh.get(table) and table not in shared:
            listed = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
            statement = sql.SQL("SELECT {} FROM {} WHERE {}::text = ANY(%s) ORDER BY 1, 2").format(
                listed, sql.Identifier(table), sql.Identifier(columns[0])
            )
            found[table] = [
                dict(zip(columns, row, strict=True)) for row in connection.execute(statement, [list(fresh[table])])
            ]
    events = found.get("audit_event", [])
    left_out = {row["act_id"] for row in events if row["object_kind"] in shared or row["verb"] not in told}
    # Entries and payments are recorded for each copy, as the books are held against the record; by the one act, where that is not copied.
    found["audit_event"] = [row for row in events if row["act_id"] not in left_out or row["object_kind"] in RECORDED]
    found["act"] = [row for row in found.get("act", ()) if row["id"] not in left_out and row["verb"] in told]
    return found


def _own_ids(row: Mapping[str, Any]) -> Iterator[str]:
    found = row.get("id")
    if found is not None and UUID.fullmatch(found):
        yield found


def _line(table: str, columns: Sequence[str], row: Mapping[str, Any], marks: Mapping[tuple[str, str, str], str]) -> str:
    """One line as COPY reads it."""
    values = (marks.get((table, name, str(row.get("id"))), row[name]) for name in columns)
    return "\t".join("\\N" if value is None else _escaped(value) for value in values) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _hashes(rows: Mapping[str, list[dict[str, Any]]]) -> Iterator[tuple[str, str]]:
    """Every hash over text that has holes, with that text: legs of entries, and what was frozen."""
    legs: dict[str, list[dict[str, Any]]] = {}
    for leg in rows.get("ledger_leg", ()):
        legs.setdefault(leg["entry_id"], []).append(leg)
    for entry in rows.get("ledger_entry", ()):
        lines = sorted(legs[entry["id"]], key=lambda leg: int(leg["position"]))
        yield _proved(entry["legs_sha256"], ["\n".join(_spelled(leg) for leg in lines)])
    for table, column in (
        ("submission", "content"),
        ("report_version", "content"),
        ("agreement_signature", "document"),
        ("agreement_offer", "text"),
    ):
        for row in rows.get(table, ()):
            known = row.get("sha256") or row["document_sha256"]
            content = json.loads(row[column])
            yield _proved(known.removeprefix("\\x"), [_dumped(content), _dumped(only_stated(content))])


def _dumped(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _spelled(leg: Mapping[str, Any]) -> str:
    dims = ("fund_source_id", "call_id", "grant_id", "organisation_id", "category", "period", "document_id")
    # The account of the programme that moved is spelled where it is set, as ledger.rules spells it.
    own = (leg["own_account_id"],) if leg["own_account_id"] else ()
    return "|".join([leg["account"], leg["side"], leg["cents"], *(leg[name] or "" for name in dims), *own])


def _proved(known: str, spellings: Sequence[str]) -> tuple[str, str]:
    for text in spellings:
        if hashlib.sha256(text.encode()).hexdigest() == known:
            return known, text
    raise AssertionError(f"the hash {known[:12]} is not of this text")


class Loader:
    """Lines for each table, sent with COPY when there are enough of them."""

    def __init__(self, connection: Connection, *, bytes_together: int = 32_000_000) -> None:
        self._connection, self._together = connection, bytes_together
        self._columns = tables(connection)
        self._waiting: dict[str, list[str]] = {}
        self._bytes = 0

    def add(self, copies: Iterator[tuple[str, str]]) -> None:
        """Keep one copy's lines."""
        for table, lines in copies:
            self._waiting.setdefault(table, []).append(lines)
            self._bytes += len(lines)
        if self._bytes > self._together:
            self.send()

    def send(self) -> None:
        """Send what waits."""
        for table, lines in self._waiting.items():
            names = sql.SQL(", ").join(map(sql.Identifier, self._columns[table]))
            with self._connection.cursor().copy(
                sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
            ) as copy:
                for each in lines:
                    copy.write(each)
        self._waiting, self._bytes = {}, 0


def orphans(connection: Connection) -> list[str]:
    """Foreign keys that point to nothing: what the database did not look at while rows were loaded."""
    found = []
    for name, table, column, other, key in connection.execute(
        "SELECT c.conname, c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, b.attname "
        "FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] "
        "JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1] "
        "WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace"
    ).fetchall():
        count = connection.execute(
            sql.SQL(
                "SELECT count(*) FROM {t} x WHERE x.{c} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {o} y WHERE y.{k} = x.{c})"
            ).format(t=sql.Identifier(table), c=sql.Identifier(column), o=sql.Identifier(other), k=sql.Identifier(key))
        ).fetchone()
        if count and count[0]:
            found.append(f"{count[0]} rows of {table} point to nothing ({name}).")
    return found


Progress = Callable[[str], None]
