"""What a statement consists of: scope, moment, period, tables of typed cells, and the hash of its figures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from grants.core import clock
from grants.core.errors import Invalid
from grants.core.money import Money, plain

Cell = str | Money | date | int | None

SYNTHETIC = "Synthetic"
YES, NO = "yes", "no"


class ColumnKind(StrEnum):
    """How a column is aligned, written and summed."""

    TEXT = "text"
    MONEY = "money"
    DATE = "date"
    NUMBER = "number"


class Thing(StrEnum):
    """What the references in a column name, so that a page can lead to it."""

    CALL = "call"
    GRANT = "grant"
    REQUEST = "request"
    ORDER = "order"
    ENTRY = "entry"


class ScopeKind(StrEnum):
    """What a statement is about."""

    PROGRAMME = "programme"
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
class Period:
    """The days a statement tells of: ``starts_on`` and what follows, before ``ends_before``; None is open.

    >>> Period(date(2024, 1, 1), date(2024, 2, 1)).words
    '1 January 2024 to 31 January 2024'
    """

    starts_on: date | None = None
    ends_before: date | None = None

    def __post_init__(self) -> None:
        if self.starts_on and self.ends_before and self.starts_on >= self.ends_before:
            raise Invalid(
                "The period ends before it begins.",
                {"before_on": "Choose a day after the first day of the period; the day itself no longer counts."},
            )

    def __bool__(self) -> bool:
        return self.starts_on is not None or self.ends_before is not None

    @property
    def words(self) -> str:
        """The period as people read it, both days included."""
        first = clock.long_date(self.starts_on) if self.starts_on else "the beginning"
        last = clock.long_date(clock.add_days(self.ends_before, -1)) if self.ends_before else "the moment of the data"
        return f"{first} to {last}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``share`` is its part of the page's width.

    ``of`` says what its references name, ``accounts`` whose entries of the ledger lie behind its amounts.
    """

    label: str
    kind: ColumnKind = ColumnKind.TEXT
    share: int = 2
    of: Thing | None = None
    accounts: tuple[str, ...] = ()
    # A running balance is not summed under the line.
    sums: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """One table; money columns are summed in ``totals`` where there are any."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[Cell, ...] | None = None
    note: str = ""

    @property
    def lines(self) -> Iterator[tuple[Cell, ...]]:
        """The rows and, last, the totals."""
        yield from self.rows
        if self.totals is not None:
            yield self.totals


def unmarked(table: Table) -> Table:
    """The table without the column that marks what is synthetic: where nothing is, people need not read so on every line."""
    places = [place for place, column in enumerate(table.columns) if column.label != SYNTHETIC]
    if len(places) == len(table.columns):
        return table
    rows = tuple(tuple(row[place] for place in places) for row in table.rows)
    totals = None if table.totals is None else tuple(table.totals[place] for place in places)
    return Table(table.title, tuple(table.columns[place] for place in places), rows, totals, table.note)


@dataclass(frozen=True)
class Figures:
    """Everything a statement shows: the same for page, PDF, XLSX and CSV, and the same whenever it is run again.

    ``main`` is the place of the table that the CSV holds; ``behind`` names, line by line of the summary, the accounts
    whose entries lie behind it. ``synthetic`` says in words what of it is invented, and is empty where nothing is;
    ``nothing`` says so where nothing of what it is about was recorded by its moment.
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
    period: Period | None = None
    behind: tuple[tuple[str, ...], ...] = ()
    synthetic: str = ""
    nothing: str = ""

    @cached_property
    def sha256(self) -> str:
        """The hash of the figures: two runs with the same hash say the same."""
        return hashlib.sha256(_canonical(self)).hexdigest()

    @property
    def amounts(self) -> dict[tuple[str, str, int], Money]:
        """Every amount of the summary and the main table by its place: what the ledger says, whatever things are called."""
        found = {("summary", label, 0): value for label, value in self.summary if isinstance(value, Money)}
        table = self.tables[self.main]
        for place, column in enumerate(table.columns):
            if column.kind is ColumnKind.MONEY:
                cells = ((number, row[place]) for number, row in enumerate(table.rows))
                found |= {("main", column.label, number): cell for number, cell in cells if isinstance(cell, Money)}
        return found

    def contradicts(self, kept: Figures) -> bool:
        """Whether an amount that both state differs, or one of them has rows the other has not.

        A later edition of the program may add columns; what was stated must still be what is stated.
        """
        here, there = self.amounts, kept.amounts
        if len(self.tables[self.main].rows) != len(kept.tables[kept.main].rows):
            return True
        return any(here[place] != amount for place, amount in there.items() if place in here)

    @property
    def moment_words(self) -> str:
        """The moment as people read it, the same in every file."""
        local = clock.in_zone(self.as_of)
        return f"{clock.long_date(local.date())}, {local:%H:%M:%S} Brussels time"

    @property
    def head(self) -> tuple[tuple[str, str], ...]:
        """What a statement is about, before its figures: the same lines on page, cover sheet and first page."""
        about = [
            ("About", f"{self.scope_title} ({self.scope_reference})"),
            ("Programme", self.programme),
            *([("Period", self.period.words)] if self.period is not None else []),
            ("Data as of", self.moment_words),
            *([("Recorded by then", self.nothing)] if self.nothing else []),
            *([(SYNTHETIC, self.synthetic)] if self.synthetic else []),
            ("Hash of the figures", self.sha256),
        ]
        return tuple(about)

    @property
    def file_stem(self) -> str:
        """What the files are called: name, scope, period and moment."""
        days = ""
        if self.period:
            first, last = self.period.starts_on, self.period.ends_before
            days = f"_{first or 'beginning'}_before_{last or 'moment'}"
        return f"{self.name}_{self.scope_reference}{days}_{self.as_of:%Y%m%dT%H%M%SZ}"


def _canonical(figures: Figures) -> bytes:
    stated: dict[str, Any] = {
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
    # Said only where there is one, so that what was hashed before there were periods keeps its hash.
    if figures.period is not None:
        stated["period"] = [_spelled(figures.period.starts_on), _spelled(figures.period.ends_before)]
    if figures.synthetic:
        stated["synthetic"] = figures.synthetic
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
    period = figures.period
    return {
        "name": figures.name,
        "title": figures.title,
        "scope_kind": figures.scope_kind.value,
        "scope_reference": figures.scope_reference,
        "scope_title": figures.scope_title,
        "programme": figures.programme,
        "as_of": figures.as_of.isoformat(),
        "period": None if period is None else [_kept(period.starts_on), _kept(period.ends_before)],
        "summary": [[label, _kept(value)] for label, value in figures.summary],
        "behind": [list(accounts) for accounts in figures.behind],
        "tables": [
            {
                "title": table.title,
                "note": table.note,
                "columns": [_column_kept(column) for column in table.columns],
                "rows": [[_kept(cell) for cell in row] for row in table.rows],
                "totals": None if table.totals is None else [_kept(cell) for cell in table.totals],
            }
            for table in figures.tables
        ],
        "notes": list(figures.notes),
        "main": figures.main,
        "synthetic": figures.synthetic,
        "nothing": figures.nothing,
    }


def _column_kept(column: Column) -> list[Any]:
    of = column.of.value if column.of else None
    return [column.label, column.kind.value, column.share, of, list(column.accounts), column.sums]


def from_mapping(kept: Mapping[str, Any]) -> Figures:
    """What :func:`to_mapping` made, as figures again; what an earlier edition did not keep is left empty."""
    period = kept.get("period")
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
                tuple(_column_read(*column) for column in table["columns"]),
                tuple(tuple(_read(cell) for cell in row) for row in table["rows"]),
                None if table["totals"] is None else tuple(_read(cell) for cell in table["totals"]),
                table["note"],
            )
            for table in kept["tables"]
        ),
        notes=tuple(kept["notes"]),
        main=kept["main"],
        period=None if period is None else Period(*(_read(day) for day in period)),  # type: ignore[arg-type]  # days were kept
        behind=tuple(tuple(accounts) for accounts in kept.get("behind", ())),
        synthetic=kept.get("synthetic", ""),
        nothing=kept.get("nothing", ""),
    )


def _column_read(
    label: str, kind: str, share: int, of: str | None = None, accounts: Sequence[str] = (), sums: int = 1
) -> Column:
    return Column(label, ColumnKind(kind), share, Thing(of) if of else None, tuple(accounts), bool(sums))


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


def in_table(cell: Cell) -> str:
    """A cell where many stand beside each other, on the page and in the PDF: days are short.

    >>> in_table(date(2024, 9, 27))
    '27 Sep 2024'
    """
    return f"{cell.day} {cell:%b} {cell.year}" if isinstance(cell, date) else words(cell)


def with_totals(title: str, columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]], note: str = "") -> Table:
    """A table whose money columns are summed under the line; the line says that it is synthetic where one of its rows is, and nothing otherwise."""
    totals: list[Cell] = []
    for place, column in enumerate(columns):
        if column.kind is ColumnKind.MONEY and column.sums:
            cents = [row[place].cents for row in rows if isinstance(row[place], Money)]  # type: ignore[union-attr]  # asked just before
            totals.append(Money(sum(cents)))
        elif column.label == SYNTHETIC:
            totals.append(YES if any(row[place] == YES for row in rows) else None)
        else:
            totals.append("Total" if place == 0 else None)
    return Table(title, tuple(columns), tuple(rows), tuple(totals), note)
