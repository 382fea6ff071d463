"""One way to hand out a file, stored or made of a list: as an attachment, under its own name, never run by the browser."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask import Response, current_app, request, send_file

from grants.core import clock, files
from grants.core.errors import Invalid
from grants.core.file_types import MEDIA, FileType
from grants.core.files import FileView
from grants.core.money import Money
from grants.core.text import CSV_MARK, Dialect, csv_lines

# Shown as plain data where a browser might otherwise run or render what somebody uploaded.
_OPAQUE = "application/octet-stream"
_SAFE = (
    "application/pdf",
    "application/json",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.",
    "image/jpeg",
    "image/png",
    "text/csv",
    "text/plain",
)


def send(file: FileView) -> Response:
    """The file itself, once its bytes are known to be those its SHA-256, which is the ETag, names. The view has asked before whether this person may have it."""
    response = send_file(
        files.genuine(file),
        mimetype=file.media_type if file.media_type.startswith(_SAFE) else _OPAQUE,
        as_attachment=True,
        download_name=file.name,
        etag=file.sha256,
        conditional=True,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def hand_over(made: bytes, kind: FileType, name: str) -> Response:
    """A file made at this moment for whoever asked, as an attachment."""
    response = send_file(io.BytesIO(made), mimetype=MEDIA[kind], as_attachment=True, download_name=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


class ListFile(StrEnum):
    """What a list may be taken out as."""

    CSV = "csv"
    XLSX = "xlsx"


# How an address asks for the second dialect of CSV.
FOR_SPREADSHEETS = "spreadsheet"
# So many rows leave at once; what a list has beyond them is said in its last row.
LIST_ROWS_MAX = 5_000
CUT_OFF = "There are more rows than one file holds. Narrow the list to get the rest."
# Said of every row where the installation is a demo.
SYNTHETIC = "synthetic"

Row = Sequence[object]


def bounded(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[Row]:
    """The rows, and in the place of those that one file does not hold that there are more."""
    for number, row in enumerate(rows):
        if number == LIST_ROWS_MAX:
            yield (CUT_OFF, *(None,) * (len(columns) - 1))
            return
        yield row


def list_file(name: str, columns: Sequence[str], rows: Iterable[Row], kind: str) -> Response:
    """A list as a file: CSV for programs, CSV for spreadsheets with ``?for=spreadsheet``, or a workbook.

    In a demo every row says that it is invented. The caller bounds the rows. Raises :class:`Invalid` for another purpose.
    """
    dialect = _dialect()
    head, lines = list(columns), iter(rows)
    if current_app.config["GRANTS_DEMO"]:
        head, lines = [*head, SYNTHETIC], ((*row, "yes") for row in lines)
    if ListFile(kind) is ListFile.XLSX:
        return hand_over(workbook(name, head, lines), FileType.XLSX, f"{name}.xlsx")
    made = (CSV_MARK + csv_lines([head, *lines], dialect)).encode()
    return hand_over(made, FileType.CSV, f"{name}.csv")


def _dialect() -> Dialect:
    match request.args.get("for", ""):
        case "":
            return Dialect.PROGRAM
        case "spreadsheet":
            return Dialect.SPREADSHEET
        case other:
            raise Invalid(
                f"There is no file for “{other}”. Leave “for” out of the address, or write for={FOR_SPREADSHEETS}."
            )


# Wide enough for most of what stands in a column, in the widths of a workbook.
_WIDTH, _WIDTH_OF_TEXT = 14, 28


def workbook(name: str, columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """One sheet: amounts and counts are numbers, days are days, and text is text, whatever it begins with."""
    import xlsxwriter  # only where somebody takes a list out

    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": name, "created": clock.now().replace(tzinfo=None, microsecond=0)})
        sheet = book.add_worksheet(name[:31])
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {
            Money: book.add_format({"num_format": "#,##0.00"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, bold)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(columns) - 1, _WIDTH)
        number = 0
        for number, row in enumerate(rows, 1):
            for place, cell in enumerate(row):
                _write(sheet, number, place, cell, formats)
                if number == 1 and isinstance(cell, str):
                    sheet.set_column(place, place, _WIDTH_OF_TEXT)
        if number:
            sheet.autofilter(0, 0, number, len(columns) - 1)
    return target.getvalue()


def _write(sheet: Any, row: int, place: int, cell: object, formats: dict[type, Any]) -> None:
    match cell:
        case None:
            return
        case Money():
            sheet.write_number(row, place, Decimal(cell.cents).scaleb(-2), formats[Money])
        case datetime():
            sheet.write_string(row, place, clock.as_utc(cell).isoformat())
        case date():
            sheet.write_datetime(row, place, cell, formats[date])
        case int():
            sheet.write_number(row, place, cell)
        case _:
            sheet.write_string(row, place, str(cell))
