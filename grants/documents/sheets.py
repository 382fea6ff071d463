"""Figures as XLSX and CSV. Loaded in workers only: pandas and xlsxwriter are imported inside the functions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from grants.core.money import Money
from grants.core.text import CSV_MARK, csv_line
from grants.documents.rules import Cell, Column, ColumnKind, Figures, Table

_WIDTHS = {ColumnKind.TEXT: 28, ColumnKind.MONEY: 18, ColumnKind.DATE: 14, ColumnKind.NUMBER: 12}


def xlsx(figures: Figures) -> bytes:
    """One workbook: a cover sheet with scope, moment and hash, then a sheet for each table; numbers are numbers."""
    import pandas  # 1.3 s and 60 MB: in workers only

    target = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with pandas.ExcelWriter(target, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        book = writer.book
        # Everything in the file follows from the figures, so that a second run gives the same bytes.
        book.set_properties({"title": figures.title, "created": figures.as_of.replace(tzinfo=None)})
        styles = {
            ColumnKind.MONEY: book.add_format({"num_format": "#,##0.00"}),
            ColumnKind.DATE: book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
            ColumnKind.TEXT: book.add_format({}),
            ColumnKind.NUMBER: book.add_format({"num_format": "0"}),
        }
        bold = book.add_format({"bold": True})
        _cover(book.add_worksheet("Summary"), figures, bold, styles)
        for place, table in enumerate(figures.tables, 1):
            _sheet(writer, f"{place} {table.title}"[:31], table, styles)
    return target.getvalue()


def _cover(sheet: Any, figures: Figures, bold: Any, styles: dict[ColumnKind, Any]) -> None:
    sheet.set_column(0, 0, 36)
    sheet.set_column(1, 1, 60)
    lines: list[tuple[str, Cell]] = [
        ("Statement", figures.title),
        ("About", f"{figures.scope_title} ({figures.scope_reference})"),
        ("Programme", figures.programme),
        ("Data as of", figures.moment_words),
        ("Hash of the figures", figures.sha256),
        *figures.summary,
        *(("Note", note) for note in figures.notes),
    ]
    for row, (label, value) in enumerate(lines):
        sheet.write_string(row, 0, label, bold)
        _write(sheet, row, 1, value, styles)


def _sheet(writer: Any, name: str, table: Table, styles: dict[ColumnKind, Any]) -> None:
    import pandas  # in workers only

    frame = pandas.DataFrame(
        [[_typed(cell) for cell in row] for row in table.rows], columns=[column.label for column in table.columns]
    )
    frame.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
    sheet = writer.sheets[name]
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, _WIDTHS[column.kind], styles[column.kind])
    for row, values in enumerate([*table.rows, *([table.totals] if table.totals else [])], 1):
        for place, value in enumerate(values):
            _write(sheet, row, place, value, styles)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _typed(cell: Cell) -> Any:
    return Decimal(cell.cents).scaleb(-2) if isinstance(cell, Money) else cell


def _write(sheet: Any, row: int, place: int, cell: Cell, styles: dict[ColumnKind, Any]) -> None:
    match cell:
        case None:
            sheet.write_blank(row, place, None)
        case Money():
            sheet.write_number(row, place, _typed(cell), styles[ColumnKind.MONEY])
        case date():
            sheet.write_datetime(row, place, cell, styles[ColumnKind.DATE])
        case int():
            sheet.write_number(row, place, cell, styles[ColumnKind.NUMBER])
        case str():
            sheet.write_string(row, place, cell)


def table_csv(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> bytes:
    """A table as CSV in the program's one dialect, with the mark that spreadsheets look for."""
    lines = [csv_line([column.label for column in columns]), *(csv_line(row) for row in rows)]
    return (CSV_MARK + "".join(lines)).encode()


def main_csv(figures: Figures) -> bytes:
    """The main table of a statement with its totals."""
    table = figures.tables[figures.main]
    rows = [*table.rows, *([table.totals] if table.totals else [])]
    return table_csv(table.columns, rows)
