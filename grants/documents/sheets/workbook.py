"""Figures as a workbook, written row by row: a cover sheet with scope, moment and hash, then a sheet for each table."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from grants.core.money import Money
from grants.documents.rules import Cell, ColumnKind, Figures, Table

_WIDTHS = {ColumnKind.TEXT: 26, ColumnKind.MONEY: 16, ColumnKind.DATE: 12, ColumnKind.NUMBER: 11}
_FORMATS = {
    ColumnKind.MONEY: {"num_format": "#,##0.00"},
    ColumnKind.DATE: {"num_format": "yyyy-mm-dd", "align": "left"},
    ColumnKind.TEXT: {},
    ColumnKind.NUMBER: {"num_format": "0"},
}
_Styles = Mapping[tuple[ColumnKind, bool], Any]


def xlsx(figures: Figures) -> bytes:
    """One workbook; numbers are numbers, days are days, text is never a formula. The same figures give the same bytes."""
    import xlsxwriter  # in workers only

    target = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="statement") as folder:
        # Rows leave for the disk as they are written: memory does not grow with them.
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(target, options) as book:
            # Everything in the file follows from the figures, so that a second run gives the same bytes.
            book.set_properties({"title": figures.title, "created": figures.as_of.replace(tzinfo=None)})
            styles = {
                (kind, bold): book.add_format({**_FORMATS[kind], **({"bold": True, "top": 1} if bold else {})})
                for kind in ColumnKind
                for bold in (False, True)
            }
            head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
            _cover(book.add_worksheet("Summary"), figures, styles, head)
            for place, table in enumerate(figures.tables, 1):
                _sheet(book.add_worksheet(f"{place} {table.title}"[:31]), table, styles, head)
    return target.getvalue()


def _cover(sheet: Any, figures: Figures, styles: _Styles, head: Any) -> None:
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 1, 70)
    lines: list[tuple[str, Cell]] = [
        ("Statement", figures.title),
        *figures.head,
        *figures.summary,
        *(("Note", note) for note in figures.notes),
    ]
    for row, (label, value) in enumerate(lines):
        sheet.write_string(row, 0, label, head if row == 0 else None)
        _write(sheet, row, 1, value, styles, bold=False)


def _sheet(sheet: Any, table: Table, styles: _Styles, head: Any) -> None:
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, _WIDTHS[column.kind])
        sheet.write_string(0, place, column.label, head)
    sheet.freeze_panes(1, 1)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    last = len(table.rows) if table.totals is not None else None
    for row, values in enumerate(table.lines):
        for place, value in enumerate(values):
            _write(sheet, row + 1, place, value, styles, bold=row == last)


def _write(sheet: Any, row: int, place: int, cell: Cell, styles: _Styles, *, bold: bool) -> None:
    match cell:
        case None:
            if bold:
                sheet.write_blank(row, place, None, styles[ColumnKind.TEXT, bold])
        case Money():
            sheet.write_number(row, place, Decimal(cell.cents).scaleb(-2), styles[ColumnKind.MONEY, bold])
        case date():
            sheet.write_datetime(row, place, cell, styles[ColumnKind.DATE, bold])
        case int():
            sheet.write_number(row, place, cell, styles[ColumnKind.NUMBER, bold])
        case str():
            sheet.write_string(row, place, cell, styles[ColumnKind.TEXT, bold])
