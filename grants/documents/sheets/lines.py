"""A statement's main table as CSV in the program's one dialect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grants.core.text import CSV_MARK, csv_line
from grants.documents.rules import Cell, Column, Figures


def table_csv(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A table as CSV, with the mark that spreadsheets look for."""
    written = bytearray(CSV_MARK.encode())
    written += csv_line([column.label for column in columns]).encode()
    for row in rows:
        written += csv_line(row).encode()
    return bytes(written)


def main_csv(figures: Figures) -> bytes:
    """The main table of a statement with its totals; its last column says of each row whether it is synthetic."""
    table = figures.tables[figures.main]
    return table_csv(table.columns, table.lines)
