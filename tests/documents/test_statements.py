"""The call's financial overview: page, PDF, XLSX and CSV say what the ledger says, and say it again byte for byte."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import openpyxl
import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import event

from grants.core import clock, files, jobs
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, NotFound
from grants.core.money import Money, plain, total
from grants.core.text import csv_line, csv_lines
from grants.documents import catalogue, queries, services
from grants.documents.forms import StatementForm
from grants.documents.rules import Column, Figures, Format, Wanted, read_moment, with_totals
from grants.documents.sheets.lines import table_csv
from grants.identity import queries as identity
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from tests import actors
from tests.agreements.conftest import actor
from tests.documents.conftest import total_of
from tests.html import check_page, texts

NAME = "call-financial-overview"
pytestmark = pytest.mark.usefixtures("demo_app")


def real_call() -> str:
    return "PCP-2022-C-0001"


def overview(as_of: datetime | None = None) -> Figures:
    return queries.call_overview(real_call(), as_of or clock.now())


def produced(form: Format, as_of: datetime) -> bytes:
    return catalogue.rendered(overview(as_of), form).data


def test_the_budget_and_its_parts_are_those_of_the_ledger() -> None:
    figures = overview()
    call_id = queries.scope_of([figures.scope_kind], real_call()).id

    amounts = [value for _, value in figures.summary]
    assert amounts[0] == ledger.balance(Account.BUDGET_AUTHORISED, call_id=call_id)
    assert amounts[0] == total(amounts[1:])


def test_the_grants_sum_to_the_ledgers_balances() -> None:
    figures = overview()
    call_id = queries.scope_of([figures.scope_kind], real_call()).id

    for found in figures.tables[:2]:
        assert total_of(found, "Paid") == ledger.balance(Account.CONSUMED, call_id=call_id)


def test_two_runs_of_one_moment_are_the_same_bytes() -> None:
    moment = datetime(2024, 9, 1, 10, tzinfo=UTC)

    for form in Format:
        assert produced(form, moment) == produced(form, moment)


def test_an_earlier_moment_shows_what_was_known_then() -> None:
    early, late = overview(datetime(2023, 4, 1, tzinfo=UTC)), overview(datetime(2024, 9, 1, tzinfo=UTC))

    assert early.tables[0].rows == ()
    assert len(late.tables[0].rows) == 25
    assert early.sha256 != late.sha256


def test_the_workbook_holds_numbers_that_sum_to_the_figures() -> None:
    figures = overview()
    book = openpyxl.load_workbook(io.BytesIO(catalogue.rendered(figures, Format.XLSX).data))
    sheet = book["1 Grants"]
    labels = [cell.value for cell in sheet[1]]
    paid = labels.index("Paid")
    rows = list(sheet.iter_rows(min_row=2, values_only=True))

    cents = [int(Decimal(str(row[paid])) * 100) for row in rows]
    assert figures.tables[0].totals is not None
    assert Money(sum(cents[:-1])) == Money(cents[-1]) == figures.tables[0].totals[paid]


def test_the_csv_opens_with_its_mark_and_sums_to_the_figures() -> None:
    figures = overview()
    data = catalogue.rendered(figures, Format.CSV).data
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=","))
    paid = rows[0].index("Paid")

    assert data.startswith(b"\xef\xbb\xbf")
    cents = [int(row[paid].replace(".", "")) for row in rows[1:]]
    assert sum(cents[:-1]) == cents[-1]


def test_the_pdf_shows_the_totals_the_moment_and_the_hash_on_every_page() -> None:
    figures = overview()
    reader = PdfReader(io.BytesIO(catalogue.rendered(figures, Format.PDF).data))
    words = [page.extract_text() for page in reader.pages]

    paid = total_of(figures.tables[0], "Paid")
    assert isinstance(paid, Money)
    assert plain(paid).replace("\u00a0", " ") in "\n".join(words).replace("\u00a0", " ")
    assert words and all(figures.sha256[:16] in text for text in words)
    assert f"Page 1 of {len(words)}" in words[0]
    assert reader.metadata is not None
    assert reader.metadata.title == figures.title


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "＝1", "\n=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert next(csv.reader(io.StringIO(csv_line([text]), newline=""))) == ["'" + text]


@pytest.mark.parametrize("text", ["Roof;=cmd|'/C calc'!A0;", "a;-1", 'a;"=1+1"', "a; b;@x"])
def test_text_is_no_formula_where_semicolons_part_the_cells_either(text: str) -> None:
    for line in (csv_line([text, "x"]), csv_lines([[text, "x"]])):
        cells = next(csv.reader(io.StringIO(line, newline=""), delimiter=";"))
        assert not [cell for cell in cells if cell.lstrip('"')[:1] in "=+-@" and cell.lstrip('"')]
    assert csv_line(["a; b"]) == "a; b\r\n"


def test_negative_amounts_stay_numbers_in_csv() -> None:
    table = with_totals("T", [Column("A")], [])

    assert table_csv(table.columns, [(Money(-123_45),)]).decode("utf-8-sig").splitlines()[1] == "-123.45"


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2027-03-01", "2027-03-01T12:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_moment_without_time_or_zone_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_moment(text)


def test_a_statement_asked_for_is_made_by_a_job_and_found_again(demo_app: Flask) -> None:
    asked = services.request(actor("initiator"), Wanted(NAME, real_call()))
    run = queries.run(actor("initiator"), asked.reference, catalogue.TITLES)
    assert run.built_at is None
    jobs.work_off(actor_of=identity.actor_for)

    client = demo_app.test_client()
    actors.sign_in(client, actor("initiator").user_id)
    response = client.get(f"/finance/statements/{asked.reference}")
    page = check_page(response)
    figures = queries.figures(actor("initiator"), asked.reference)
    assert figures is not None
    shown = " ".join(texts(page, "td")) + " ".join(texts(page, "dd"))
    paid = total_of(figures.tables[0], "Paid")
    assert isinstance(paid, Money)
    assert plain(paid).replace("\u00a0", " ") in shown
    kept = {file.role: file for file in files.listed(services.FILE_KIND, asked.id)}
    for form in Format:
        answer = client.get(f"/finance/statements/{asked.reference}.{form.value}", buffered=True)
        assert answer.status_code == 200
        assert answer.data == files.path(kept[form.value]).read_bytes()
        assert answer.data == catalogue.rendered(overview(run.as_of), form).data


def test_a_statement_is_built_once(demo_app: Flask) -> None:
    asked = services.request(actor("initiator"), Wanted(NAME, real_call()))
    jobs.work_off(actor_of=identity.actor_for)
    services.build(actor("initiator"), asked.id)

    assert len(files.listed(services.FILE_KIND, asked.id)) == len(Format)


def test_a_moment_ahead_is_refused() -> None:
    with pytest.raises(Invalid, match="lies ahead"):
        services.request(actor("initiator"), Wanted(NAME, real_call(), clock.now() + timedelta(hours=1)))


def test_an_unknown_name_or_scope_is_not_found() -> None:
    with pytest.raises(NotFound, match="There are: call-financial-overview"):
        services.request(actor("initiator"), Wanted("nothing", real_call()))
    with pytest.raises(NotFound):
        services.request(actor("initiator"), Wanted(NAME, "PCP-1999-C-0001"))


@pytest.mark.parametrize("key", ["irina", "elena", "administrator"])
def test_who_may_not_read_statements_gets_none(demo_app: Flask, key: str) -> None:
    # Who leads an application may ask for the statement of the own grant, and for no other.
    with pytest.raises(NotFound if key == "irina" else NotAllowed):
        services.request(actor(key), Wanted(NAME, real_call()))
    assert queries.runs(actor(key), catalogue.TITLES).items == ()


def test_the_list_of_statements_takes_as_many_statements_of_sql_however_long_it_is(demo_app: Flask) -> None:
    client = actors.client_of(demo_app, actor("initiator"))

    def asked() -> int:
        seen: list[str] = []

        def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            assert client.get("/finance/statements").status_code == 200
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    services.request(actor("initiator"), Wanted(NAME, real_call()))
    asked()
    few = asked()
    for _ in range(5):
        services.request(actor("initiator"), Wanted(NAME, real_call()))

    assert asked() == few


@pytest.mark.parametrize("typed", ["32 March", "32 March 2026", "yesterday"])
def test_a_day_that_cannot_be_read_is_answered_in_the_words_of_people(app: Flask, typed: str) -> None:
    with app.test_request_context("/", method="POST", data={"as_of": typed}), pytest.raises(Invalid) as refused:
        StatementForm().to_input()

    assert "for example 15 November 2022" in refused.value.problems["as_of"]
    assert "zone" not in refused.value.problems["as_of"]
