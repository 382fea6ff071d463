"""What a generated statement consists of: scope, moment, tables of typed cells, and the hash of its figures. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from grants.core import clock
from grants.core.errors import Invalid
from grants.core.money import Money, plain

Cell = str | Money | date | int | None


class ColumnKind(StrEnum):
    """How a column is aligned, written and summed."""

    TEXT = "text"
    MONEY = "money"
    DATE = "date"
    NUMBER = "number"


class ScopeKind(StrEnum):
    """What a statement is about."""

    CALL = "call"
    GRANT = "grant"


class Format(StrEnum):
    """The files of one statement; all hold the same figures."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """The type the file is served with."""
        return {
            Format.PDF: "application/pdf",
            Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format.CSV: "text/csv",
        }[self]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``share`` is its part of the page's width."""

    label: str
    kind: ColumnKind = ColumnKind.TEXT
    share: int = 2


@dataclass(frozen=True, slots=True)
class Table:
    """One table; money columns are summed in ``totals`` where there are any."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[Cell, ...] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a statement shows: the same for page, PDF, XLSX and CSV, and the same whenever it is run again.

    ``main`` is the place of the table that the CSV holds.
    """

    name: str
    title: str
    scope_kind: ScopeKind
    scope_reference: str
    scope_title: str
    programme: str
    as_of: datetime
    summary: tuple[tuple[str, Cell], ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    main: int = 0

    @property
    def sha256(self) -> str:
        """The hash of the figures: two runs with the same hash say the same."""
        return hashlib.sha256(_canonical(self)).hexdigest()

    @property
    def amounts(self) -> tuple[Money, ...]:
        """Every amount of the summary and the main table: what the ledger says, whatever things are called."""
        cells = [value for _, value in self.summary]
        cells += [cell for row in self.tables[self.main].rows for cell in row]
        return tuple(cell for cell in cells if isinstance(cell, Money))

    @property
    def moment_words(self) -> str:
        """The moment as people read it, the same in every file."""
        local = clock.in_zone(self.as_of)
        return f"{clock.long_date(local.date())}, {local:%H:%M:%S} Brussels time"

    @property
    def file_stem(self) -> str:
        """What the files are called: name, scope and moment."""
        return f"{self.name}_{self.scope_reference}_{self.as_of:%Y%m%dT%H%M%SZ}"


def _canonical(figures: Figures) -> bytes:
    stated = {
        "name": figures.name,
        "scope": [figures.scope_kind.value, figures.scope_reference],
        "as_of": figures.as_of.isoformat(),
        "summary": [[label, _spelled(value)] for label, value in figures.summary],
        "tables": [
            {
                "title": table.title,
                "columns": [column.label for column in table.columns],
                "rows": [[_spelled(cell) for cell in row] for row in table.rows],
                "totals": [_spelled(cell) for cell in table.totals or ()],
            }
            for table in figures.tables
        ],
    }
    return json.dumps(stated, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _spelled(cell: Cell) -> str | int | None:
    match cell:
        case Money():
            return f"{cell.cents}c"
        case date():
            return cell.isoformat()
        case _:
            return cell


def to_mapping(figures: Figures) -> dict[str, Any]:
    """The figures as plain JSON, to be kept; money and days are marked as such."""
    return {
        "name": figures.name,
        "title": figures.title,
        "scope_kind": figures.scope_kind.value,
        "scope_reference": figures.scope_reference,
        "scope_title": figures.scope_title,
        "programme": figures.programme,
        "as_of": figures.as_of.isoformat(),
        "summary": [[label, _kept(value)] for label, value in figures.summary],
        "tables": [
            {
                "title": table.title,
                "note": table.note,
                "columns": [[column.label, column.kind.value, column.share] for column in table.columns],
                "rows": [[_kept(cell) for cell in row] for row in table.rows],
                "totals": None if table.totals is None else [_kept(cell) for cell in table.totals],
            }
            for table in figures.tables
        ],
        "notes": list(figures.notes),
        "main": figures.main,
    }


def from_mapping(kept: Mapping[str, Any]) -> Figures:
    """What :func:`to_mapping` made, as figures again."""
    return Figures(
        name=kept["name"],
        title=kept["title"],
        scope_kind=ScopeKind(kept["scope_kind"]),
        scope_reference=kept["scope_reference"],
        scope_title=kept["scope_title"],
        programme=kept["programme"],
        as_of=datetime.fromisoformat(kept["as_of"]),
        summary=tuple((label, _read(value)) for label, value in kept["summary"]),
        tables=tuple(
            Table(
                table["title"],
                tuple(Column(label, ColumnKind(kind), share) for label, kind, share in table["columns"]),
                tuple(tuple(_read(cell) for cell in row) for row in table["rows"]),
                None if table["totals"] is None else tuple(_read(cell) for cell in table["totals"]),
                table["note"],
            )
            for table in kept["tables"]
        ),
        notes=tuple(kept["notes"]),
        main=kept["main"],
    )


def _kept(cell: Cell) -> Any:
    match cell:
        case Money():
            return {"cents": cell.cents}
        case date():
            return {"day": cell.isoformat()}
        case _:
            return cell


def _read(kept: Any) -> Cell:
    match kept:
        case {"cents": int(cents)}:
            return Money(cents)
        case {"day": str(day)}:
            return date.fromisoformat(day)
        case None | int() | str():
            return kept
        case _:
            raise ValueError(f"{kept!r} is no cell of a statement")


def words(cell: Cell) -> str:
    """A cell as people read it, on the page and in the PDF."""
    match cell:
        case None:
            return "–"
        case Money():
            return plain(cell)
        case date():
            return clock.long_date(cell)
        case _:
            return str(cell)


def with_totals(title: str, columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]], note: str = "") -> Table:
    """A table whose money columns are summed under the line."""
    totals: list[Cell] = []
    for place, column in enumerate(columns):
        if column.kind is ColumnKind.MONEY:
            cents = [row[place].cents for row in rows if isinstance(row[place], Money)]  # type: ignore[union-attr]  # asked just before
            totals.append(Money(sum(cents)))
        else:
            totals.append("Total" if place == 0 else None)
    return Table(title, tuple(columns), tuple(rows), tuple(totals), note)


def read_moment(text: str) -> datetime:
    """``2027-03-01T12:00:00+01:00`` as an instant; raises :class:`Invalid` without a zone."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(
            f"“{text}” is not a moment. Write it like 2027-03-01T12:00:00+01:00.",
            {"as_of": "Write date and time with its zone, for example 2027-03-01T12:00:00+01:00."},
        ) from error
    if found.tzinfo is None:
        raise Invalid(
            f"“{text}” has no zone. Add one, for example +01:00.", {"as_of": "Add the zone, for example +01:00."}
        )
    return clock.as_utc(found)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: which statement, about what, as known when. No moment means now."""

    name: str
    scope_reference: str
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Produced:
    """One file of a statement as bytes."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RunView:
    """A statement that was asked for."""

    id: UUID
    reference: str
    name: str
    title: str
    scope_kind: ScopeKind
    scope_reference: str
    scope_title: str
    as_of: datetime
    requested_by_name: str
    requested_at: datetime
    built_at: datetime | None
    figures_sha256: str | None
    job_id: UUID


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What asking for a statement answers."""

    id: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt states; the same words stand on its page."""

    programme: str
    call: str
    reference: str
    title: str
    receipt_number: int
    version: int
    submitted_at: datetime
    submitted_by: str
    closes_at: datetime
    zone: str
    coordinator: str
    partners: tuple[str, ...]
    requested: str
    sha256: str
    # Of the submission, in the audit record.
    event_id: str
    # Heading, then question and answer: the application as it was sent.
    answers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    costs: Table | None = None
