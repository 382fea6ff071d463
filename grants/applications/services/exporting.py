"""The list of applications as a file: exactly what is filtered, in its order, with what it is and who took it out."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice

from grants.applications import queries
from grants.applications.queries.exporting import ExportLine
from grants.applications.rules.exporting import Cover, ListForm
from grants.applications.rules.listing import Listing, filter_words
from grants.core import acts, clock, jobs
from grants.core.acts import act
from grants.core.errors import Refused
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.core.text import CSV_MARK, csv_lines

LINES_TOGETHER = 500
Cells = Sequence[object]


class _Counting:
    """Passes rows on and keeps how many they were and what they ask for together; refuses more than fit.

    In a job it says how far it is of ``expected``; one more step is the keeping of the file.
    """

    def __init__(self, rows: Generator[ExportLine, None, None], form: ListForm, expected: int) -> None:
        self._rows, self._form, self._expected = rows, form, expected
        self.rows, self.cents = 0, 0

    def __iter__(self) -> Iterator[Cells]:
        for row in self._rows:
            self.rows += 1
            if self.rows > self._form.rows_max:
                self._rows.close()
                raise Refused(self._form.too_long)
            self.cents += row.requested.cents if row.requested else 0
            if self.rows % LINES_TOGETHER == 0:
                jobs.progress(min(self.rows, self._expected), self._expected + 1, "The rows are written")
            yield row.cells


def csv_file(actor: Actor, listing: Listing, *, bare: bool, expected: int = 0) -> tuple[io.BytesIO, Cover]:
    """The list as CSV: the lines of its cover, an empty one, the head, the rows; ``bare`` is head and rows alone.

    Raises :class:`Refused` for a list of more than 100,000 rows. What is counted on the cover are the rows of the file.
    """
    counted = _Counting(queries.export_rows(actor, listing), ListForm.CSV, expected)
    body, lines = io.BytesIO(), iter(counted)
    for piece in iter(lambda: csv_lines(islice(lines, LINES_TOGETHER)), ""):
        body.write(piece.encode())
    cover = _cover(actor, listing, counted)
    head: list[Cells] = [] if bare else [*cover.lines, ()]
    made = io.BytesIO()
    made.write(f"{CSV_MARK}{csv_lines([*head, queries.export_head(listing)])}".encode())
    made.write(body.getbuffer())
    made.seek(0)
    return made, cover


def workbook(actor: Actor, listing: Listing, *, expected: int = 0) -> tuple[io.BytesIO, Cover]:
    """The list as a workbook with its cover as the first sheet; amounts are numbers, text is never a formula.

    Raises :class:`Refused` for a list of more than 20,000 rows.
    """
    import xlsxwriter  # only where somebody takes a list out

    counted = _Counting(queries.export_rows(actor, listing), ListForm.XLSX, expected)
    head, made = queries.export_head(listing), io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(made, options) as book:
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        front, sheet = book.add_worksheet("About this list"), book.add_worksheet("Applications")
        front.set_column(0, 0, 24)
        front.set_column(1, 1, 80)
        sheet.set_column(0, len(head) - 1, 22)
        sheet.freeze_panes(1, 1)
        for row, cells in enumerate(chain([head], counted)):
            _row(sheet, row, cells, bold if row == 0 else None, money)
        cover = _cover(actor, listing, counted)
        for row, cells in enumerate(cover.lines):
            _row(front, row, cells, None, money)
    made.seek(0)
    return made, cover


def _row(sheet: object, row: int, cells: Cells, style: object, money: object) -> None:
    for place, cell in enumerate(cells):
        match cell:
            case None:
                continue
            case Money():
                sheet.write_number(row, place, Decimal(cell.cents).scaleb(-2), money)  # type: ignore[attr-defined]  # the library has no types
            case int():
                sheet.write_number(row, place, cell, style)  # type: ignore[attr-defined]  # as above
            case _:
                sheet.write_string(row, place, str(cell), style)  # type: ignore[attr-defined]  # as above


def _cover(actor: Actor, listing: Listing, counted: _Counting) -> Cover:
    calls = dict(queries.calls_seen(actor))
    return Cover(
        filter_words(listing, calls), listing.sorting.words, clock.now(), actor.name, counted.rows, Money(counted.cents)
    )


@act("application.export_list", needs=Permission.APPLICATION_READ, says="took a list of applications out as a file")
def export_list(actor: Actor, cover: Cover, form: str) -> None:
    """Put on the record that a list leaves the program; nothing leaves unless this is kept."""
    acts.reason(f"{cover.rows} rows as {form}. Filter: {cover.filter}. Order: {cover.order}.")
