"""Costs line by line: what is read, refused, summed and converted; and costs that stand in two reports."""

from __future__ import annotations

import doctest
import io
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.budgets.rules import Cell
from grants.calls.states import EvidenceLevel
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotFound, Problems, Refused
from grants.core.money import Money, euros
from grants.core.paging import Page
from grants.identity.policy import Role
from grants.ledger.rules.proofs import Checked
from grants.oversight.queries.books import check_ledger
from grants.rates.states import RateKind
from grants.reporting import queries, services
from grants.reporting.models import CostLine, PeriodicReport
from grants.reporting.queries import lines as reads
from grants.reporting.rules import lines as rules
from grants.reporting.rules.lines import HEAD, LINES_MAX, LinesAsked, Verdict, as_text, from_text, read_lines
from grants.reporting.services import lines as acts_on_lines
from tests import actors
from tests.agreements.accounts import document
from tests.applications.pages import send, text_of
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.html import check_page
from tests.payments.conftest import in_force_world
from tests.payments.world import IN_FORCE, World, forge, world
from tests.reporting.lines_world import (
    BUDGET,
    ENDS_BEFORE,
    SENT,
    STARTS,
    accept,
    keep,
    lead,
    name_of,
    rates,
    report,
    row,
    sent,
)
from tests.servers import Cluster
from tests.shut import shuts
from tests.statements import statements
from tests.worlds import World as Made

__all__ = ["in_force_world"]
CITY = UUID(int=1)
ASKED = LinesAsked({"Łódź": CITY}, BUDGET, STARTS, ENDS_BEFORE, {"inv 7.pdf": "ab" * 32})


@pytest.fixture
def grant(app: Flask, in_force_world: Made[World]) -> Iterator[World]:
    found = in_force_world.told()
    with clock.at(SENT):
        yield found


def typed(**cells: str) -> list[tuple[str, ...]]:
    usual = {"partner": "lodz", "category": "A", "day": "3 July 2023", "amount": "10.00"}
    return [HEAD, tuple((usual | cells).get(column, "") for column in HEAD)]


def mistakes(**cells: str) -> list[tuple[str, str]]:
    return [(each.column, each.sentence) for each in read_lines(typed(**cells), ASKED).mistakes]


def test_the_examples_of_the_docstrings() -> None:
    assert doctest.testmod(rules).failed == 0


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "is_refused"),
    [("2023-05-31", True), ("2023-06-01", False), ("2024-05-31", False), ("2024-06-01", True)],
)
def test_a_cost_dated_a_day_before_or_after_the_period_is_refused(day: str, is_refused: bool) -> None:
    """Bad input 9."""
    found = mistakes(day=day)

    assert bool(found) is is_refused
    if found:
        assert found[0][0] == "day"
        assert "outside the period of this report, 1 June 2023 to 31 May 2024" in found[0][1]


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"partner": "Gdynia"}, "partner", "no partner whose costs you declare"),
        ({"category": "Z"}, "category", "A Personnel, B Subcontracting"),
        ({"day": "soon"}, "day", "soon"),
        ({"amount": "1e6"}, "amount", "is not an amount"),
        ({"amount": "0"}, "amount", "zero"),
        ({"amount": "-5"}, "amount", "A correction of an earlier cost says yes"),
        ({"correction": "maybe"}, "correction", "neither yes nor no"),
        ({"currency": "zloty"}, "currency", "three letters"),
        ({"invoice": "7"}, "supplier", "Enter who sent it"),
        ({"file": "inv 8.pdf"}, "file", "is no file of this report"),
        ({"what": "x" * 301}, "what", "longer than 300"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_at_its_column(cells: dict[str, str], column: str, words: str) -> None:
    found = mistakes(**cells)

    assert [each for each, _ in found] == [column]
    assert words in found[0][1]


def test_a_correction_may_be_below_zero_and_all_ways_of_writing_amounts_are_read() -> None:
    (line,) = read_lines(typed(amount="-1.234,50", correction="Yes", file="inv 7.pdf"), ASKED).lines

    assert (line.amount, line.is_correction, line.file_sha256) == (Money(-1_234_50), True, "ab" * 32)


def test_every_mistake_of_every_row_is_told_at_once_and_nothing_is_guessed() -> None:
    rows = [*typed(day="soon", amount="x"), typed(category="Q")[1], typed()[1]]

    found = read_lines(rows, ASKED)

    assert [(each.row, each.column) for each in found.mistakes] == [(2, "day"), (2, "amount"), (3, "category")]
    assert len(found.lines) == 1


def test_a_list_without_its_columns_or_too_long_is_refused_whole() -> None:
    assert (
        "Missing: day, amount. Not known: “tag”."
        in read_lines([("Partner", "category", "tag")], ASKED).mistakes[0].sentence
    )
    many = [typed()[0], *([typed()[1]] * (LINES_MAX + 1))]
    assert f"a report holds {LINES_MAX}" in read_lines(many, ASKED).mistakes[0].sentence
    assert read_lines([], ASKED).mistakes


def test_one_cost_typed_twice_is_told_and_two_parts_of_one_invoice_are_not() -> None:
    twice = [*typed(invoice="7", supplier="Print Ltd"), typed(invoice="7", supplier="PRINT LIMITED")[1]]
    parts = [*typed(invoice="7", supplier="Print Ltd"), typed(invoice="7", supplier="Print Ltd", amount="11")[1]]

    assert [each.row for each in read_lines(twice, ASKED).mistakes] == [3]
    assert read_lines(parts, ASKED).mistakes == ()


@given(st.lists(st.lists(st.text("aZłó 7;,.\"'", max_size=8), min_size=2, max_size=5), min_size=1, max_size=5))
def test_rows_come_out_of_the_box_as_they_went_in(rows: list[list[str]]) -> None:
    tidy = [[" ".join(cell.split()) for cell in each] for each in rows]

    assert from_text(as_text(rows)) == tidy


@given(st.text(max_size=30), st.text(max_size=30))
def test_keys_do_not_change_when_they_are_made_again(supplier: str, number: str) -> None:
    key = rules.supplier_key(supplier)
    assert rules.supplier_key(key) == key
    assert rules.invoice_key(rules.invoice_key(number)) == rules.invoice_key(number)


# --- keeping --------------------------------------------------------------------------------------------------------


def test_lines_are_kept_summed_and_said_beside_what_is_declared(app: Flask, grant: World) -> None:
    made = report(grant, 1)
    who = lead(grant)
    services.enter_costs(who, made, (Cell(grant.city_id, "A", euros(1_500)),))

    assert keep(grant, made, row(grant, "1000.00"), row(grant, "499.99", category="Personnel")) == 2
    client = actors.client_of(app, who)
    with statements() as asked:
        answer = client.get("/reports/PCP-2022-R-0001/lines")

    check_page(answer)
    assert len(asked) <= 10, asked
    assert "EUR 0.01 more declared than in lines" in text_of(answer)
    check_page(client.get("/reports/PCP-2022-R-0001"))
    assert client.get("/reports/PCP-2022-R-0001/lines.csv").get_data(as_text=True).count("499.99") == 2
    assert keep(grant, made, row(grant, "7.00")) == 1
    assert db.session.scalars(select(CostLine.cents)).all() == [700]


def test_a_report_of_totals_has_no_lines(app: Flask, grant: World) -> None:
    made = report(grant, 1, EvidenceLevel.TOTALS)

    with pytest.raises(Refused, match="totals by category"):
        keep(grant, made, row(grant))
    assert actors.client_of(app, lead(grant)).get("/reports/PCP-2022-R-0001/lines").status_code == 404


def test_lines_of_another_partner_stay_and_nobody_declares_for_it(grant: World) -> None:
    made = report(grant, 1)
    keep(grant, made, row(grant), row(grant, "50.00", partner=name_of(grant.agency_id)))
    partner = actors.give(
        actors.person("Agnes Agency", organisation_name="Energy Agency of Northbridge"),
        *(Role.APPLICATION_PARTNER, "application", grant.application_id),
    )

    kept = acts_on_lines.keep_lines(partner, made, [HEAD, row(grant, "60.00", partner=name_of(grant.agency_id))])
    with pytest.raises(Problems) as refusal:
        acts_on_lines.keep_lines(partner, made, [HEAD, row(grant)])

    assert kept == 1
    assert "no partner whose costs you declare" in str(refusal.value.found[0])
    assert db.session.scalars(select(CostLine.cents).order_by(CostLine.number)).all() == [100_000, 6_000]


def test_rows_made_from_an_older_list_are_not_kept_unseen(grant: World) -> None:
    made = report(grant, 1)
    keep(grant, made, row(grant))

    with pytest.raises(Conflict, match="Somebody saved lines"):
        acts_on_lines.keep_lines(lead(grant), made, [HEAD, row(grant, "5.00")], shown="")


def test_a_foreign_amount_is_divided_by_the_average_of_the_period_and_its_rate_is_kept(grant: World) -> None:
    made = report(grant, 1)
    months = [date(2023 + (month > 12), (month - 1) % 12 + 1, 1) for month in range(6, 18)]
    rates("PLN", RateKind.INFOREURO, **{f"d{day:%Y_%m_%d}": "4.00" if day.month % 2 else "5.00" for day in months})

    keep(grant, made, row(grant, "900.00", currency="PLN"))
    found = reads.lines_page(lead(grant), made, Page(), staff=False)

    assert [line.euros for line in found.lines.items] == [euros(200)]
    assert [(rate.currency, str(rate.shown), rate.days) for rate in found.rates] == [("PLN", "4.50000000", 12)]


def test_a_currency_without_rates_is_told_by_its_rows(grant: World) -> None:
    with pytest.raises(Problems, match="Nothing was saved") as refusal:
        keep(grant, report(grant, 1), row(grant), row(grant, currency="SEK"))

    assert str(refusal.value.found[0]).startswith("row 3")
    assert "No rate of SEK is known" in str(refusal.value.found[0])


def test_lines_that_are_missing_or_name_no_file_keep_a_report_from_being_sent(grant: World) -> None:
    made = report(grant, 1, EvidenceLevel.FILES)
    with pytest.raises(Problems) as refusal:
        sent(grant, made)
    assert "this call asks for every cost as a line" in str(refusal.value.found[0])
    with pytest.raises(Problems) as refusal:
        sent(grant, made, row(grant))
    assert "1 line names no file" in str(refusal.value.found[0])

    kept = acts_on_lines.add_evidence(lead(grant), made, document(PDF, "invoice.pdf"))
    sent(grant, made, row(grant, file="invoice.pdf"))
    assert db.session.scalars(select(CostLine.file_sha256)).one() == kept.sha256


def test_a_file_of_the_same_name_takes_its_lines_with_it(grant: World) -> None:
    made = report(grant, 1)
    who = lead(grant)
    acts_on_lines.add_evidence(who, made, document(PDF, "invoice.pdf"))
    keep(grant, made, row(grant, file="invoice.pdf"))
    before = queries.list_hash(made)

    again = acts_on_lines.add_evidence(who, made, document(PDF + b"\n%more", "invoice.pdf"))

    assert db.session.scalars(select(CostLine.file_sha256)).one() == again.sha256
    assert queries.list_hash(made) != before


def test_what_was_sent_is_frozen_with_its_lines_by_service_and_by_database(
    grant: World, postgres: Cluster, database: str
) -> None:
    made = report(grant, 1)
    sent(grant, made, row(grant))

    with pytest.raises(Refused, match="not with the city any more"):
        keep(grant, made, row(grant, "5.00"))
    with pytest.raises(Refused, match="not with the city any more"):
        acts_on_lines.add_evidence(lead(grant), made, document())
    with (
        psycopg.connect(postgres.dsn(database), autocommit=True) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match="do not change"),
    ):
        connection.execute("UPDATE cost_line SET cents = 1")


# --- the same cost twice --------------------------------------------------------------------------------------------


def two_grants(grant: World) -> tuple[World, World]:
    with clock.at(IN_FORCE):
        return grant, world(2)


@pytest.mark.parametrize(
    "same",
    [
        {"invoice": "FV 2023/0017", "supplier": "Łódzka Drukarnia Sp. z o.o."},
        {"file": "invoice.pdf"},
        {"worker": "Jan Kowalski"},
    ],
)
def test_the_same_invoice_file_or_day_of_work_in_two_grants_is_flagged_to_staff_and_not_told_to_the_city(
    app: Flask, grant: World, same: dict[str, str]
) -> None:
    """Bad input 10."""
    first, second = two_grants(grant)
    one, two = report(first, 1), report(second, 2)
    if "file" in same:
        for found, made in ((first, one), (second, two)):
            acts_on_lines.add_evidence(lead(found), made, document(PDF, "invoice.pdf"))
    other = same | (
        {"invoice": "fv-2023-17".replace("-17", "-0017"), "supplier": "DRUKARNIA LODZKA sp.z o.o."}
        if "invoice" in same
        else {}
    )
    sent(first, one, row(first, **same))
    sent(second, two, row(second, **other))

    staff = reads.doubles(actors.pia(), two, staff=True)
    city = reads.doubles(lead(second), two, staff=False)

    assert [(each.number, each.verdict) for each in staff] == [(1, None)]
    assert staff[0].where == f"line 1 of report PCP-2022-R-0001 of grant {first.reference}"
    assert city == ()
    page = text_of(actors.client_of(app, lead(second)).get("/reports/PCP-2022-R-0002/lines"))
    assert "elsewhere" not in page and first.reference not in page and "PCP-2022-R-0001" not in page


def test_who_may_not_read_the_other_grant_is_told_that_it_is_another_and_no_more(grant: World) -> None:
    first, second = two_grants(grant)
    same = {"invoice": "7", "supplier": "Print Ltd"}
    sent(first, report(first, 1), row(first, **same))
    two = report(second, 2)
    sent(second, two, row(second, **same))
    officer = actors.give(actors.person("Olga Officer"), Role.PROJECT_OFFICER, "call", second.call_id)

    (found,) = reads.doubles(officer, two, staff=True)

    assert (found.where, found.reference) == ("another grant that you may not read", "")


def test_a_cost_declared_in_an_earlier_report_of_the_same_grant_is_told_to_its_city(grant: World) -> None:
    same = {"invoice": "7", "supplier": "Print Ltd"}
    sent(grant, report(grant, 1), row(grant, **same))
    two = report(grant, 2)
    keep(grant, two, row(grant, **same))

    assert [each.where for each in reads.doubles(lead(grant), two, staff=False)] == ["line 1 of report PCP-2022-R-0001"]


def test_a_cost_that_stands_twice_is_accepted_only_once_a_person_decided_on_it(app: Flask, grant: World) -> None:
    first, second = two_grants(grant)
    same = {"invoice": "7", "supplier": "Print Ltd"}
    one, two = report(first, 1), report(second, 2)
    sent(first, one, row(first, **same))
    accept(first, one, euros(1_000))
    sent(second, two, row(second, **same))

    with pytest.raises(Problems, match="cannot be accepted") as refusal:
        accept(second, two, euros(1_000))
    assert "1 line is declared elsewhere too" in str(refusal.value.found[0])
    with pytest.raises(Invalid, match="reason"):
        acts_on_lines.judge_line(actors.pia(), two, 1, Verdict.OVERRIDE, reason=" ")
    with pytest.raises(NotFound):
        acts_on_lines.judge_line(actors.pia(), two, 2, Verdict.OVERRIDE, reason="Why.")
    client = actors.client_of(app, actors.pia())
    assert "Decide" in text_of(client.get("/reports/PCP-2022-R-0002/lines"))
    answer = send(client, "/reports/PCP-2022-R-0002/lines/1/decide", verdict="cut", reason="Paid by the first grant.")
    assert answer.status_code == 303
    with pytest.raises(Problems) as refusal:
        accept(second, two, euros(1_000))
    assert "Accept at most EUR 0.00" in str(refusal.value.found[0])
    acts_on_lines.judge_line(actors.pia(), two, 1, Verdict.OVERRIDE, reason="Half of the invoice each, seen.")
    accept(second, two, euros(1_000))

    (found,) = reads.doubles(actors.pia(), two, staff=True)
    assert (found.verdict, found.reason, found.decided_by) == (
        Verdict.OVERRIDE,
        "Half of the invoice each, seen.",
        "Pia Officer",
    )
    assert i20().problems == () and i20().number == 2


def i20() -> Checked:
    return next(each for each in check_ledger() if each.code == "I20")


def test_the_books_name_a_cost_accepted_twice_without_an_override(
    grant: World, postgres: Cluster, database: str
) -> None:
    """I20."""
    first, second = two_grants(grant)
    same = {"invoice": "7", "supplier": "Print Ltd"}
    one, two = report(first, 1), report(second, 2)
    sent(first, one, row(first, **same))
    accept(first, one, euros(1_000))
    sent(second, two, row(second, **same))
    acts_on_lines.judge_line(actors.pia(), two, 1, Verdict.OVERRIDE, reason="Half each.")
    accept(second, two, euros(1_000))
    assert i20().problems == ()

    with psycopg.connect(postgres.dsn(database), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM cost_verdict")

    assert [problem.place for problem in i20().problems] == ["PCP-2022-R-0001 line 1, PCP-2022-R-0002 line 1"]


def test_a_line_cut_elsewhere_is_no_double(grant: World) -> None:
    first, second = two_grants(grant)
    same = {"invoice": "7", "supplier": "Print Ltd"}
    one, two = report(first, 1), report(second, 2)
    sent(first, one, row(first, **same))
    sent(second, two, row(second, **same))
    acts_on_lines.judge_line(actors.pia(), one, 1, Verdict.CUT, reason="It belongs to the other grant.")

    assert reads.doubles(actors.pia(), two, staff=True) == ()
    accept(second, two, euros(1_000))


def test_nobody_of_the_city_decides_on_its_lines(grant: World) -> None:
    first, second = two_grants(grant)
    same = {"invoice": "7", "supplier": "Print Ltd"}
    sent(first, report(first, 1), row(first, **same))
    two = report(second, 2)
    sent(second, two, row(second, **same))
    ana = actors.give(actors.ana().user_id, Role.PROJECT_OFFICER, "call", second.call_id)

    with pytest.raises(Refused, match="cannot accept what it sends"):
        acts_on_lines.judge_line(ana, two, 1, Verdict.OVERRIDE, reason="I know it.")


# --- the pages ------------------------------------------------------------------------------------------------------

EDIT = "/reports/PCP-2022-R-0001/lines/edit"


def test_rows_are_looked_at_first_and_what_was_typed_stands_in_the_box(app: Flask, grant: World) -> None:
    report(grant, 1)
    client = actors.client_of(app, lead(grant))
    good, bad = as_text([HEAD, row(grant)]), as_text([HEAD, row(grant, day="soon", what="Paint & <brushes>")])

    wrong = send(client, EDIT, rows=bad, deed="keep")
    looked = send(client, EDIT, rows=good, deed="look")
    assert wrong.status_code == 422
    check_page(wrong)
    assert "Nothing was saved: 1 mistake" in text_of(wrong)
    assert "Paint & <brushes>" in text_of(wrong)
    assert looked.status_code == 200
    assert "1 line comes to EUR 1 000.00. Nothing is saved yet." in text_of(looked)
    assert db.session.scalars(select(CostLine)).all() == []
    kept = send(client, EDIT, rows=good, deed="keep")
    assert kept.status_code == 303
    assert "2023-07-03" in text_of(client.get(EDIT))


def test_a_workbook_and_a_csv_are_read_into_the_box(app: Flask, grant: World) -> None:
    report(grant, 1)
    client = actors.client_of(app, lead(grant))
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for place, column in enumerate(HEAD):
            sheet.write_string(0, place, column)
        sheet.write_row(1, 0, [name_of(grant.city_id), "A"])
        sheet.write_datetime(1, 2, datetime(2023, 7, 3), day)
        sheet.write_number(1, HEAD.index("amount"), 1250.5)
    csv = ";".join(HEAD) + "\n" + ";".join(row(grant, "1.250,50")) + "\n"

    for data, name in ((made.getvalue(), "costs.xlsx"), (csv.encode(), "costs.csv")):
        answer = send(client, EDIT, file=(io.BytesIO(data), name), rows="", deed="look")
        assert answer.status_code == 200, text_of(answer)
        assert "1 line comes to EUR 1 250.50" in text_of(answer)
        assert name_of(grant.city_id) in text_of(answer)
    broken = send(client, EDIT, file=(io.BytesIO(b"%PDF-1.7"), "costs.xlsx"), rows="kept", deed="look")
    assert broken.status_code == 422
    assert "kept" in text_of(broken)


def test_evidence_is_uploaded_and_opened_on_the_record(app: Flask, grant: World) -> None:
    report(grant, 1)
    client = actors.client_of(app, lead(grant))
    lines = "/reports/PCP-2022-R-0001/lines"

    sent_file = send(client, f"{lines}/evidence", page=lines, file=(io.BytesIO(PDF), "invoice.pdf"))
    assert sent_file.status_code == 303
    (kept,) = reads.lines_page(lead(grant), _report_id(), Page(), staff=False).files
    with client.get(f"{lines}/evidence/{kept.sha256[:16]}") as answer:
        assert answer.get_data() == PDF
    assert client.get(f"{lines}/evidence/{'0' * 16}").status_code == 404


@shuts(
    "reporting.lines",
    "reporting.lines_file",
    "reporting.import_lines",
    "reporting.open_evidence",
    "reporting.judge_line",
)
def test_the_lines_of_a_report_are_shut_to_who_is_in_conflict(app: Flask, grant: World) -> None:
    first, second = two_grants(grant)
    same = {"invoice": "7", "supplier": "Print Ltd"}
    one, two = report(first, 1), report(second, 2)
    acts_on_lines.add_evidence(lead(second), two, document(PDF, "invoice.pdf"))
    sent(first, one, row(first, **same))
    keep(second, two, row(second, **same))
    (kept,) = reads.lines_page(lead(second), two, Page(), staff=False).files
    base = "/reports/PCP-2022-R-0002/lines"
    places = (base, f"{base}.csv", f"{base}/evidence/{kept.sha256[:16]}", f"{base}/1/decide")
    ana = actors.client_of(app, lead(second))
    assert ana.get(f"{base}/edit").status_code == 200
    officer = actors.client_of(app, actors.pia())
    assert [_status(officer, each) for each in places] == [200, 200, 200, 200]

    with arranging():
        for who in (actors.pia(), actors.ana()):
            people.bar(who.user_id, "application", second.application_id)

    barred = actors.client_of(app, actors.pia())
    assert [_status(barred, each) for each in places] == [404, 404, 404, 404]
    assert actors.client_of(app, actors.ana()).get(f"{base}/edit").status_code == 404


def _status(client: FlaskClient, place: str) -> int:
    with client.get(place) as answer:
        return answer.status_code


def _report_id() -> UUID:
    return db.session.scalars(select(PeriodicReport.id)).one()


def test_three_thousand_lines_are_kept_and_shown_fast(
    app: Flask, grant: World, postgres: Cluster, database: str
) -> None:
    made = report(grant, 1)
    first = date(2023, 6, 1)
    rows = [
        row(grant, f"{number}.10", invoice=f"INV-{number}", supplier=f"Supplier {number % 90}", day=(first + timedelta(days=number % 360)).isoformat())
        for number in range(1, LINES_MAX + 1)
    ]  # fmt: skip
    begun = time.perf_counter()
    assert keep(grant, made, *rows) == LINES_MAX
    kept = time.perf_counter() - begun
    # The servers of tests count no rows by themselves; a server of a programme does, soon after so many came.
    forge(postgres, database, "ANALYZE cost_line, cost_list, periodic_report")
    client = actors.client_of(app, lead(grant))
    begun = time.perf_counter()
    with statements() as asked:
        answer = client.get("/reports/PCP-2022-R-0001/lines")
    shown = time.perf_counter() - begun

    check_page(answer)
    assert len(asked) <= 10, asked
    # Bad input 59: a page of 3,000 lines within two seconds; keeping them is one act of seconds.
    assert shown < 2, shown
    assert kept < 20, kept
