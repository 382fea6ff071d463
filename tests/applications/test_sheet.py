"""The budget as a workbook: out, filled, in again; every fault at its cell, nothing typed online lost."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from grants.applications import queries, services
from grants.applications.rules import BudgetInput
from grants.budgets import offline
from grants.budgets.offline import amount_of, read, written
from grants.budgets.rules import BudgetRules, Category, Cell, Marks, Package, UnitCost
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.errors import Invalid
from grants.core.money import Money, euros
from tests import actors
from tests.applications.pages import forms, send, text_of
from tests.factories.applications import WHILE_OPEN, again, draft
from tests.html import check_page

A, B = Category("A", "Personnel"), Category("C", "Purchases")
INDIRECT = Category("E", "Indirect", entered=False)
PLAIN = BudgetRules((A, B, INDIRECT))
SLICED = BudgetRules((A, B), by_work_package=True, period_months=12, duration_months=24)
NORTH, SOUTH = UUID(int=1), UUID(int=2)
ROWS = ((NORTH, "Łódź (lead)"), (SOUTH, "Southport"))
PACKAGES = (Package("WP1", "First"), Package("WP2", "Second"))


def filled(
    rules: BudgetRules, change: Callable[[Any], None], cells: Sequence[Cell] = (), *, empty: bool = False
) -> bytes:
    """A workbook of ours after somebody changed it with a spreadsheet."""
    lines = () if empty else offline.lines_of(rules, ROWS, PACKAGES, cells)
    book = openpyxl.load_workbook(io.BytesIO(written("Budget", ("Note",), rules, lines)))
    change(book["Budget"])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def puts(**values: object) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        for where, value in values.items():
            sheet[where] = value

    return change


def says(
    data: bytes, rules: BudgetRules = PLAIN, marks: Marks = Marks.UNSAID
) -> tuple[dict[str, int], tuple[str, ...]]:
    found = read(data, rules, ROWS, PACKAGES, marks)
    return {
        each.where.removeprefix("Budget!"): each.cell.amount.cents for each in found.cells if each.cell.amount
    }, found.problems


def test_a_total_that_is_a_cent_off_its_amounts_is_refused_with_the_difference() -> None:
    _, problems = says(filled(PLAIN, puts(D2=100, E2=50.5, F2=150.51)))
    assert [words.replace("\u00a0", " ") for words in problems] == [
        "Budget!F2: the total says EUR 150.51, and its amounts are EUR 150.50, EUR 0.01 apart. Correct the amounts, or empty the "
        "total: it is worked out from them."
    ]
    for right in (150.50, "150,50", None, "=SUM(D2:E2)"):
        assert says(filled(PLAIN, puts(D2=100, E2=50.5, F2=right)))[1] == ()


@given(st.lists(st.integers(0, 10**12), min_size=8, max_size=8))
def test_what_is_written_is_read_back_to_the_cent(cents: list[int]) -> None:
    places = [
        (who, c.code, wp, period) for wp in ("WP1", "") for period in (1, 2) for who in (NORTH, SOUTH) for c in (A,)
    ]
    cells = [
        Cell(who, code, Money(amount), wp, period)
        for (who, code, wp, period), amount in zip(places, cents, strict=True)
    ]
    data = written("Budget", (), SLICED, offline.lines_of(SLICED, ROWS, PACKAGES, cells))

    found = read(data, SLICED, ROWS, PACKAGES, Marks.UNSAID)

    assert found.problems == ()
    assert {each.cell for each in found.cells if each.cell.amount} == {cell for cell in cells if cell.amount}


def test_three_european_spellings_and_numbers_are_read_alike() -> None:
    data = filled(PLAIN, puts(D2="1.234,50", E2="1 234,50", D3="1,234.50", E3=1234.5))

    assert says(data) == ({"D2": 123450, "E2": 123450, "D3": 123450, "E3": 123450}, ())


def test_units_are_written_in_a_column_paid_by_them_as_on_the_page() -> None:
    rules = BudgetRules((A, B, INDIRECT), unit_costs=(UnitCost("A", "trainee day", euros(350), decimals=1),))

    assert says(filled(rules, puts(D2="12,5 units", E2=10, F2=4385)), rules) == ({"D2": 437500, "E2": 1000}, ())
    _, problems = says(filled(rules, puts(D2="12.25 units", E2="3 units")), rules)
    assert [problem.split(": ")[0] for problem in problems] == ["Budget!D2", "Budget!E2"]
    notes = [row[0] for row in openpyxl.load_workbook(io.BytesIO(written("B", (), rules, ()))).worksheets[1].values]
    assert "Personnel, at EUR 350.00 per trainee day. Write euros, or units as in “12 units”." in notes


def test_every_fault_is_named_by_its_cell() -> None:
    data = filled(PLAIN, puts(D2="=1+1", E2="1.234", D3=True, E3=-4), [Cell(NORTH, "A", euros(5))])

    cells, problems = says(data)

    assert cells == {}
    assert [problem.split(": ")[0] for problem in problems] == ["Budget!D2", "Budget!E2", "Budget!D3", "Budget!E3"]
    assert "A formula is not read" in problems[0] and "two ways" in problems[1]
    assert says(filled(PLAIN, puts(E2="1.234")), marks=Marks.DOT)[0] == {"E2": 123400}


@pytest.mark.parametrize("value", [1.005, 1e30, "12 euros", "=A1", Decimal("0.001")])
def test_an_amount_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        amount_of(value, Marks.UNSAID)


def test_a_number_a_spreadsheet_worked_out_is_its_cent() -> None:
    assert amount_of(0.1 + 0.2, Marks.UNSAID) == Money(30)


def test_the_empty_workbook_is_read_by_the_names_people_write() -> None:
    data = filled(
        SLICED, puts(A2="lodz", B2="wp1", C2="months 13 to 24", D2=10, A3="Southport", C3=1, E3=20), empty=True
    )

    found = read(data, SLICED, ROWS, PACKAGES, Marks.UNSAID)

    assert found.problems == ()
    assert [each.cell for each in found.cells] == [
        Cell(NORTH, "A", euros(10), "WP1", 2),
        Cell(SOUTH, "C", euros(20), "", 1),
    ]


def test_a_work_package_in_a_budget_without_them_and_amounts_of_nobody_are_told_as_what_they_are() -> None:
    found = read(filled(PLAIN, puts(A2="Southport", B2="WP1", D2=1, D3=7), empty=True), PLAIN, ROWS, (), Marks.UNSAID)

    assert found.problems == (
        "Budget!B2: the amounts of this call do not stand by work package. Empty this cell.",
        "Budget!A3: this line has amounts and names no partner. Write whose they are.",
    )


def test_lines_of_nobody_are_named_and_one_amount_is_read_once() -> None:
    data = filled(
        SLICED,
        puts(A2="Nowhere", C2=1, D2=1, A3="Southport", B3="WP9", C3=1, D3=1, A4="Southport", C4=7, D4=1, A5="Southport", C5=1, D5=1, A6="Southport", C6=1, D6=2),
        empty=True,
    )  # fmt: skip

    cells, problems = says(data, SLICED)

    assert cells == {"D5": 100}
    assert [problem.split(": ")[0] for problem in problems] == ["Budget!A2", "Budget!B3", "Budget!C4", "Budget!D6"]


def test_another_workbook_is_refused() -> None:
    for data in (filled(PLAIN, puts(D1="Sundries")), b"PK\x03\x04", b""):
        with pytest.raises(Invalid):
            read(data, PLAIN, ROWS, PACKAGES, Marks.UNSAID)
    with pytest.raises(Invalid, match="No amount was found"):
        read(filled(PLAIN, puts(), empty=True), PLAIN, ROWS, PACKAGES, Marks.UNSAID)


def test_a_budget_goes_out_and_comes_in_with_its_difference_and_loses_nothing_typed(app: Flask, call: CallView) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    ana = actors.ana()
    reference = draft(call, ana)
    me = again(ana)
    view = queries.view(me, reference)
    first, second = call.content.budget_rules.entered[:2]
    (north,) = ana.organisation_ids
    page, client = f"/applications/{reference}/budget/sheet", actors.client_of(app, me)
    with clock.at(WHILE_OPEN):
        services.save_budget(me, view.id, BudgetInput((Cell(north, first.code, euros(10)),), None))
        book = openpyxl.load_workbook(io.BytesIO(client.get(f"/applications/{reference}/budget.xlsx").data))
        book["Budget"]["D2"], book["Budget"]["E2"], book["Budget"]["F2"] = 20, "1.234,50", "=1+1"
        made = io.BytesIO()
        book.save(made)
        seen = send(client, page, file=(io.BytesIO(made.getvalue()), "budget.xlsx"))
        words = text_of(seen)
        assert "Budget!F2: A formula is not read" in words and "1 234.50" in words.replace("\u00a0", " ")
        assert (
            queries.budget_of(me, reference).totals.total
            == euros(10) + queries.budget_of(me, reference).totals.rows[0].amounts[-1]
        )
        takes = next(values for action, values in forms(check_page(seen)) if action.endswith("/accept"))
        assert len(takes["take"]) == 2
        # Somebody types online between the look and the acceptance.
        services.save_budget(me, view.id, BudgetInput((Cell(north, first.code, euros(99)),), None))
        done = client.post(f"{page}/accept", data=takes, follow_redirects=True)
        assert "1 amount is taken over." in text_of(done)
        assert "somebody else stored EUR 99.00 meanwhile" in text_of(done)
        budget = queries.budget_of(me, reference)
        assert budget.amount(north, first.code) == euros(99)
        assert budget.amount(north, second.code) == Money(123450)
        assert client.post(f"{page}/accept", data={"take": "cell-x|1|2"}).status_code == 422
        assert send(client, page, file=(io.BytesIO(b"no"), "budget.xlsx")).status_code == 422


def test_everybody_downloads_the_empty_budget_with_its_limits(app: Flask, call: CallView) -> None:
    answer = app.test_client().get(f"/calls/{call.slug}/budget.xlsx")

    book = openpyxl.load_workbook(io.BytesIO(answer.data))

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert book["Budget"]["A1"].value == "Partner"
    told = "\n".join(str(row[0].value) for row in book["How to fill it in"].rows)
    assert "1 234,50 and 1.234,50" in told and "Award amounts of the call" in told
    assert "budget.xlsx" in app.test_client().get(f"/calls/{call.slug}").text
