"""Lists as files: read as Polish, German and Greek spreadsheets and as openpyxl read them, nothing run, nothing renumbered."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.agreements.models import Grant
from grants.core.acts import arranging
from grants.core.db import get
from grants.core.money import Money
from grants.core.text import Dialect, csv_lines
from grants.payments import services
from grants.programmes.models import FundSource
from grants.web import downloads
from tests import actors
from tests.payments.world import World

# How spreadsheets of three countries read a number: what groups, what is the point.
LANGUAGES = {"pl": ("\u00a0", ","), "de": (".", ","), "el": (".", ",")}
ODD = (
    "=HYPERLINK(\"http://example.org\")", "+1", "-1", "@SUM(A1)", "\t=1", "a;=1+1", "a,=1+1", "Łódź; Gdańsk", "Αθήνα",
    "0017", "12.5", "1/2", "3E5", "98765432109876543210", "2024-05-02", "10:30", "PCP-2022-G-0001",
)  # fmt: skip


def opened(text: str, language: str) -> list[list[object]]:
    """The cells as a spreadsheet of that country takes them: a number where it finds one, else text."""
    group, point = LANGUAGES[language]
    return [
        [_taken(cell, group, point) for cell in row]
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";")
    ]


def _taken(cell: str, group: str, point: str) -> object:
    plain = cell.replace(group, "").replace(point, ".")
    try:
        return date.fromisoformat(cell)
    except ValueError:
        try:
            return Decimal(plain)
        except ArithmeticError:
            return cell


@pytest.mark.parametrize("language", LANGUAGES)
def test_spreadsheets_take_amounts_for_numbers_days_for_days_and_text_for_text(language: str) -> None:
    rows: list[Sequence[object]] = [(text, Money(-150), Money(123_456_789), date(2024, 5, 2), 7) for text in ODD]

    told = opened(csv_lines(rows, Dialect.SPREADSHEET), language)

    for text, row in zip(ODD, told, strict=True):
        kept, *figures = row
        assert figures == [Decimal("-1.50"), Decimal("1234567.89"), date(2024, 5, 2), Decimal(7)]
        assert isinstance(kept, str), "what is text stays text"
        assert kept.replace("'", "") == text
        assert kept[:1] not in "=+-@\t\r"


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("separator", [",", ";"])
def test_no_cell_runs_whichever_separator_a_spreadsheet_was_told(dialect: Dialect, separator: str) -> None:
    text = csv_lines([[each, "next"] for each in ODD], dialect)

    cells = [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")] == []


def test_a_workbook_types_its_cells_and_runs_none() -> None:
    rows = [(text, Money(-150), date(2024, 5, 2), 7, None, datetime(2024, 5, 2, 9, tzinfo=UTC)) for text in ODD]

    made = downloads.workbook("odd", ("text", "amount", "day", "count", "nothing", "moment"), rows)

    sheet = openpyxl.load_workbook(io.BytesIO(made)).active
    head, *told = sheet.iter_rows()
    assert [cell.value for cell in head] == ["text", "amount", "day", "count", "nothing", "moment"]
    assert [row[0].value for row in told] == list(ODD)
    assert {row[0].data_type for row in told} == {"s"}, "no formula, no number"
    assert {(row[1].value, row[1].data_type) for row in told} == {(-1.5, "n")}
    assert {row[2].value for row in told} == {datetime(2024, 5, 2)}
    assert {row[2].number_format for row in told} == {"yyyy-mm-dd"}
    assert {(row[3].value, row[4].value, row[5].value) for row in told} == {(7, None, "2024-05-02T09:00:00+00:00")}


def taken(client: FlaskClient, address: str) -> list[list[object]]:
    """The list for spreadsheets and as a workbook, which say the same; the rows of the workbook."""
    stem, _, query = address.partition("?")
    sheet = client.get(f"{stem}.xlsx?{query}")
    assert sheet.status_code == 200, address
    assert (
        sheet.headers["Content-Disposition"].startswith("attachment")
        and ".xlsx" in sheet.headers["Content-Disposition"]
    )
    book = openpyxl.load_workbook(io.BytesIO(sheet.data)).active
    rows = [[cell.value for cell in row] for row in book.iter_rows()]
    text = client.get(f"{stem}.csv?{query}&for=spreadsheet").data.decode()
    assert text.startswith("\ufeff")
    told = opened(text, "de")
    assert len(told) == len(rows)
    for as_text, as_cells in zip(told, rows, strict=True):
        assert [_plain(cell) for cell in as_text] == [_plain(cell) for cell in as_cells]
    program = client.get(f"{stem}.csv?{query}").data.decode().removeprefix("\ufeff")
    assert len(list(csv.reader(io.StringIO(program)))) == len(rows)
    return rows


def _plain(cell: object) -> object:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.date()
        case int() | float():
            return Decimal(str(cell))
        case str():
            return cell.lstrip("'")
    return cell


LISTS = (
    "/finance/ledger?account=B310&call=PCP-2022-C-0001",
    "/finance/ledger",
    "/grants",
    "/finance/approvals",
    "/grants/PCP-2022-G-0001/payments",
    "/finance/bank/PCP-K-90/statements",
    "/finance/unmatched",
    "/finance/ageing",
    "/finance/ageing?what=recoveries&step=over_90",
    "/finance/forecast?months=3",
    "/finance/balances",
    "/finance/held",
    "/parent-grants/{fund}/money",
    "/grants/PCP-2022-G-0001/budget",
    "/grants/PCP-2022-G-0001/budget?by=category",
    "/grants/PCP-2022-G-0001/budget/lines",
)
# Nothing is in them in this world.
EMPTY = ("bank", "unmatched", "ageing", "held", "category", "budget/lines")


@pytest.mark.parametrize("demo", [False, True], ids=["in use", "demo"])
@pytest.mark.parametrize("address", LISTS)
def test_every_list_is_taken_out_and_in_a_demo_each_row_says_so(
    app: Flask, grant: World, address: str, demo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.open_prefinancing(actors.program(), grant.grant_id)
    monkeypatch.setitem(app.config, "GRANTS_DEMO", demo)

    row = get(Grant, grant.grant_id)
    places = {"fund": get(FundSource, row.fund_source_id).number}
    head, *rows = taken(actors.client_of(app, actors.nuria()), address.format(**places))

    assert (head[-1] == "synthetic") == demo
    assert not demo or {row[-1] for row in rows} <= {"yes"}
    assert rows or any(each in address for each in EMPTY)


def test_a_grant_named_like_a_formula_is_text_in_every_file(app: Flask, grant: World) -> None:
    with arranging():
        row = get(Grant, grant.grant_id)
        row.acronym, row.title = "=1+1", "-1,50"
    client = actors.client_of(app, actors.nuria())

    (_, listed) = taken(client, "/grants")

    assert listed[:3] == ["PCP-2022-G-0001", "=1+1", "-1,50"]
    assert ";'=1+1;'-1,50;" in client.get("/grants.csv?for=spreadsheet").data.decode()


def test_the_city_takes_out_its_payments_without_names_of_the_circuit(app: Flask, grant: World) -> None:
    services.open_prefinancing(actors.program(), grant.grant_id)

    (head, row) = taken(actors.client_of(app, actors.ana()), "/grants/PCP-2022-G-0001/payments")

    told = dict(zip(head, row, strict=True))
    assert (told["kind"], told["requested_eur"], told["state"]) == ("request", 240_000, "submitted")
    assert actors.client_of(app, actors.eva()).get("/grants/PCP-2022-G-0001/payments.csv").status_code == 403
    assert actors.client_of(app, actors.ana()).get("/finance/approvals.csv").status_code == 403


def test_a_purpose_nobody_knows_and_a_filter_nobody_reads_are_refused(app: Flask, grant: World) -> None:
    client = actors.client_of(app, actors.nuria())

    refused = client.get("/grants.csv?for=lotus")
    assert refused.status_code == 422 and "There is no file for “lotus”" in refused.get_data(as_text=True)
    assert client.get("/grants.csv?state=nonsense").status_code == 422
    for address in ("finance/unmatched.csv?age=x", "finance/ageing.csv?step=x", "finance/ageing.csv?call=x"):
        assert client.get(f"/{address}").status_code == 422, address
    for address in (
        "finance/forecast.csv?grant=x",
        "finance/balances.csv?on=x",
        "grants/PCP-2022-G-0001/budget.csv?by=x",
    ):
        assert client.get(f"/{address}").status_code == 422, address


def test_a_page_links_its_list_narrowed_as_it_is(app: Flask, grant: World) -> None:
    page = actors.client_of(app, actors.nuria()).get("/finance/ledger?account=1000&event=E7&event=E8&size=20&after=x")

    assert '/finance/ledger.csv?account=1000&amp;event=E7&amp;event=E8&amp;for=spreadsheet"' in page.get_data(
        as_text=True
    )
