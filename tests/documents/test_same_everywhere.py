"""Every figure of a statement is the same on its page, in PDF, XLSX and CSV; and every file is the same in every process."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from pypdf import PdfReader

from grants.core import jobs
from grants.core.db import db
from grants.core.money import Money
from grants.documents import catalogue, queries, services
from grants.documents.rules import Cell, Figures, Format, Table, Wanted, in_table, words
from grants.identity import queries as identity
from tests import actors
from tests.agreements.conftest import actor
from tests.html import check_page

CALL = "PCP-2022-C-0001"
NAME = "call-financial-overview"
MOMENT = datetime(2026, 6, 1, 10, tzinfo=UTC)
XHTML = "{http://www.w3.org/1999/xhtml}"
AMOUNT = re.compile(r"[−-]?[0-9]{1,3}(?:[\u00a0 ][0-9]{3})*\.[0-9]{2}")


def lines_of(table: Table) -> list[tuple[Cell, ...]]:
    return [*table.rows, *([table.totals] if table.totals else [])]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").strip()


def figures_of(run: str) -> Figures:
    found = queries.figures(actor("initiator"), run)
    assert found is not None
    return found


@pytest.fixture
def run(demo_app: Flask) -> str:
    asked = services.request(actor("initiator"), Wanted(NAME, CALL))
    jobs.work_off(actor_of=identity.actor_for)
    return asked.reference


def test_every_figure_of_a_statement_stands_on_its_page_and_in_each_of_its_files(demo_app: Flask, run: str) -> None:
    figures = figures_of(run)
    client = actors.client_of(demo_app, actor("initiator"))
    page = check_page(client.get(f"/finance/statements/{run}"))
    files = {form: client.get(f"/finance/statements/{run}.{form.value}", buffered=True).data for form in Format}

    assert len(figures.tables[0].rows) >= 2
    on_the_page = [
        [[plain("".join(cell.itertext())) for cell in row] for row in table.iter(XHTML + "tr")][1:]
        for table in page.iter(XHTML + "table")
    ]
    for table, shown in zip(figures.tables, on_the_page, strict=True):
        told = [["" if cell is None else plain(in_table(cell)) for cell in line] for line in lines_of(table)]
        assert [line for line in shown if line] == told, table.title

    book = openpyxl.load_workbook(io.BytesIO(files[Format.XLSX]))
    cover = {str(label): value for label, value in book["Summary"].iter_rows(max_col=2, values_only=True)}
    for label, value in figures.summary:
        assert isinstance(value, Money) and cents(cover[label]) == value.cents, label
    for table, sheet in zip(figures.tables, book.worksheets[1:], strict=True):
        in_sheet = list(sheet.iter_rows(min_row=2, max_col=len(table.columns), values_only=True))
        assert len(in_sheet) == len(lines_of(table))
        for line, written in zip(lines_of(table), in_sheet, strict=True):
            assert [
                cents(got) if isinstance(cell, Money) else got for cell, got in zip(line, written, strict=True)
            ] == [cell.cents if isinstance(cell, Money) else cell for cell in line]

    main = figures.tables[figures.main]
    rows = list(csv.reader(io.StringIO(files[Format.CSV].decode("utf-8-sig"), newline="")))
    assert rows[0] == [column.label for column in main.columns]
    for line, written_line in zip(lines_of(main), rows[1:], strict=True):
        assert [
            cents(got) if isinstance(cell, Money) else got for cell, got in zip(line, written_line, strict=True)
        ] == [cell.cents if isinstance(cell, Money) else "" if cell is None else str(cell) for cell in line]

    # As it is laid out: a number that ends one column is not read as the beginning of the amount in the next.
    pages = PdfReader(io.BytesIO(files[Format.PDF])).pages
    printed = "\n".join(found.extract_text(extraction_mode="layout") for found in pages)
    money = [value for _, value in figures.summary] + [
        cell for table in figures.tables for line in lines_of(table) for cell in line
    ]
    told_money = Counter(plain(words(value)).removeprefix("EUR ") for value in money if isinstance(value, Money))
    assert Counter(plain(found) for found in AMOUNT.findall(printed)) == told_money


def cents(value: object) -> int:
    return int(Decimal(str(value)) * 100)


def test_every_file_is_the_same_to_the_byte_in_another_process_whatever_its_hash_seed(
    demo_app: Flask, tmp_path: Path
) -> None:
    here = {form: catalogue.rendered(queries.call_overview(CALL, MOMENT), form) for form in Format}
    settings = {
        "GRANTS_HOME": str(tmp_path / "home"),
        "DATABASE_URL": db.engine.url.render_as_string(hide_password=False),
        "GRANTS_ENV": "test",
        "GRANTS_DEMO": "1",
        "LOG_LEVEL": "ERROR",
    }
    for seed in ("1", "4711"):
        out = tmp_path / seed
        options = ["--as-of", MOMENT.isoformat(), "--out", str(out)]
        done = subprocess.run(
            [sys.executable, "-c", "from wsgi import cli; cli()", "report", "run", NAME, "--scope", CALL, *options],
            env={**os.environ, **settings, "PYTHONHASHSEED": seed, "TZ": "Pacific/Auckland"},
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        for made in here.values():
            there = (out / made.name).read_bytes()
            assert hashlib.sha256(there).hexdigest() == hashlib.sha256(made.data).hexdigest(), (seed, made.name)


def test_the_page_keeps_saying_what_its_files_say_after_more_was_booked(demo_app: Flask, run: str) -> None:
    kept = figures_of(run)

    again = queries.call_overview(CALL, kept.as_of)

    assert (again.sha256, again) == (kept.sha256, kept)
