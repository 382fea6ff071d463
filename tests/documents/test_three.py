"""The three statements over the same books: each says what the ledger says, and what the others say, to the cent."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from flask import Flask
from pypdf import PdfReader

from grants.agreements.models import Grant
from grants.awards.models import Selection, SelectionItem
from grants.awards.states import AmountBasis
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.money import ZERO, Money, euros, total
from grants.documents import services
from grants.documents.catalogue import CATALOGUE, rendered
from grants.documents.rules import Figures, Format, Wanted
from grants.identity.models import Organisation
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import AsOf
from grants.payments import services as payments
from grants.payments.models import PaymentOrder
from tests import actors
from tests.documents.conftest import (
    AS_OF,
    BACK,
    BALANCE,
    FORECAST,
    OVERVIEW,
    PAID,
    REGISTER,
    SENT,
    STATEMENT,
    Books,
    column,
    drawn,
    table,
    total_of,
)
from tests.payments.world import IN_FORCE, forge
from tests.servers import Cluster


def summary(figures: Figures) -> dict[str, object]:
    return dict(figures.summary)


def register_of(books: Books, first: date | None = None, before: date | None = None, **changes: object) -> Figures:
    return drawn(replace(books.wanted(REGISTER), from_on=first, before_on=before, **changes))  # type: ignore[arg-type]  # fields of Wanted


# --- The grant statement -----------------------------------------------------------------------------------------------


def test_the_statement_of_a_grant_says_what_was_committed_paid_paid_back_and_is_owed(books: Books) -> None:
    found = drawn(books.wanted(STATEMENT))

    assert summary(found) == {
        "Committed": euros(600_000),
        "Accepted costs": euros(150_000),
        "Pre-financing granted, not yet cleared": ZERO,
        "Retained": ZERO,
        "Payable": ZERO,
        "In transit": ZERO,
        "To be paid back": euros(40_000),
        "Paid": euros(190_000),
        "Open: committed and not paid": euros(410_000),
    }
    assert [row[:3] for row in table(found, "Beneficiaries").rows] == [
        ("Municipality of Northbridge", "PL", "Coordinator"),
        ("Energy Agency of Northbridge", "PL", "Partner"),
    ]
    assert total_of(table(found, "Beneficiaries"), "Paid") == euros(190_000)
    assert table(found, "Recoveries").rows == (
        (
            "PCP-2022-G-0001-D1",
            BALANCE.date(),
            date(2024, 9, 15),
            euros(60_000),
            euros(20_000),
            ZERO,
            ZERO,
            euros(40_000),
        ),
    )


def test_every_account_of_the_statement_runs_up_to_its_balance_in_the_ledger(books: Books) -> None:
    journal = table(drawn(books.wanted(STATEMENT)), "Entries of the ledger")
    known = AsOf(recorded_before=AS_OF, effective_to=AS_OF.date())
    balances = ledger.of(grant_id=books.overpaid.grant_id, as_of=known)

    last = dict(zip(column(journal, "Account"), column(journal, "Balance"), strict=True))

    assert {code: balances[Account(str(code))] for code in last} == last
    assert {account.value for account in Account if balances[account]} <= set(last)
    assert total_of(journal, "Balance") is None


def test_what_was_committed_before_the_signature_explains_where_its_account_begins(books: Books) -> None:
    found = drawn(books.wanted(STATEMENT))
    journal, earlier = table(found, "Entries of the ledger"), table(found, "Booked before the signature")

    begins = next(row for row in journal.rows if row[0] == Account.COMMITTED.value)
    committed = next(row for row in earlier.rows if row[0] == Account.COMMITTED.value)
    assert begins[-2] == -euros(600_000) and committed[6] == euros(600_000)
    assert total_of(earlier, "Debit") == total_of(earlier, "Credit")
    assert ("Taken up by the signature", euros(600_000)) in [row[:2] for row in table(found, "Agrees with").rows]


def test_a_moment_before_anything_was_booked_is_said_to_hold_nothing(books: Books) -> None:
    found = drawn(replace(books.wanted(STATEMENT), as_of=IN_FORCE - timedelta(days=400)))

    assert "Nothing of this grant was in the ledger" in found.nothing
    assert ("Recorded by then", found.nothing) in found.head
    assert table(found, "Beneficiaries").rows == ()
    (_, totals) = rendered(found, Format.CSV).data.decode().splitlines()
    assert totals == "Total,,,,,,0.00,0.00,,"
    assert drawn(books.wanted(STATEMENT)).nothing == ""


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_a_line_of_totals_is_synthetic_where_one_of_its_rows_is(books: Books, name: str) -> None:
    main = (found := drawn(books.wanted(name))).tables[found.main]

    assert "yes" in column(main, "Synthetic")
    assert total_of(main, "Synthetic") == "yes"


@pytest.mark.parametrize(
    ("moment", "orders", "state", "paid"),
    [
        (IN_FORCE + timedelta(hours=1), [], None, ZERO),
        (PAID + timedelta(hours=1), ["Executed"], "Approved", euros(210_000)),
        (BACK + timedelta(hours=1), ["Executed"], "Approved", euros(190_000)),
    ],
)
def test_an_earlier_moment_shows_what_was_known_then(
    books: Books, moment: datetime, orders: list[str], state: str | None, paid: Money
) -> None:
    found = drawn(replace(books.wanted(STATEMENT), as_of=moment))

    assert column(table(found, "Payment orders"), "State") == orders
    assert column(table(found, "Payment requests"), "State")[:1] == ([state] if state else [])
    assert summary(found)["Paid"] == paid


def test_an_order_that_left_and_is_not_booked_is_in_transit_on_its_own_day(books: Books) -> None:
    found = drawn(replace(books.wanted(STATEMENT), scope_reference=books.running.reference))
    orders = table(found, "Payment orders")

    assert column(orders, "State") == ["Executed", "In transit"]
    assert column(orders, "Sent") == [PAID.date(), SENT.date()]
    assert column(orders, "Executed") == [PAID.date(), None]
    assert summary(found)["In transit"] == column(orders, "Amount")[1]


# --- The register ------------------------------------------------------------------------------------------------------


def test_the_register_lists_what_the_bank_moved_with_the_order_behind_it(books: Books) -> None:
    found = register_of(books)
    lines = table(found, "Disbursements")
    orders = db.session.query(PaymentOrder).filter(PaymentOrder.state == "executed").order_by(PaymentOrder.reference)

    assert column(lines, "Order") == [*(row.reference for row in orders), None]
    assert column(lines, "Amount") == [euros(210_000), euros(210_000), euros(-20_000)]
    assert column(lines, "Kind") == ["Pre-financing", "Pre-financing", "Paid back"]
    assert column(lines, "Executed") == [PAID.date(), PAID.date(), BACK.date()]
    assert column(lines, "Bank list or reference")[-1] == "STMT-77/1"
    assert summary(found)["Control total: net of what came back"] == euros(400_000)
    assert [row[0] for row in table(found, "By month and kind").rows] == ["June 2023", "September 2024"]


def test_the_days_of_a_register_are_half_open(books: Books) -> None:
    day, next_day = PAID.date(), PAID.date() + timedelta(days=1)

    assert len(table(register_of(books, day, next_day), "Disbursements").rows) == 2
    assert table(register_of(books, None, day), "Disbursements").rows == ()
    assert len(table(register_of(books, next_day), "Disbursements").rows) == 1


def test_periods_that_follow_each_other_add_up_to_the_whole(books: Books) -> None:
    cuts = [None, PAID.date(), PAID.date() + timedelta(days=1), BACK.date(), None]
    parts = [register_of(books, first, before) for first, before in itertools.pairwise(cuts)]

    control = "Control total: net of what came back"
    assert total(summary(part)[control] for part in parts) == summary(register_of(books))[control]  # type: ignore[misc]  # amounts


def test_what_is_booked_later_enters_only_a_later_moment(books: Books) -> None:
    before = register_of(books)
    with clock.at(AS_OF + timedelta(hours=1)):
        order = db.session.query(PaymentOrder).filter(PaymentOrder.state == "sent").one()
        from grants.payments import services as payments

        payments.execute(actors.carl(), order.id, value_on=SENT.date())

    assert register_of(books) == before
    later = register_of(books, as_of=AS_OF + timedelta(hours=2))
    assert len(table(later, "Disbursements").rows) == len(table(before, "Disbursements").rows) + 1


# --- All of them -------------------------------------------------------------------------------------------------------


def test_paid_is_the_same_in_overview_statement_register_and_ledger(books: Books) -> None:
    overview = drawn(books.wanted(OVERVIEW))
    statement = drawn(books.wanted(STATEMENT))
    register = register_of(books, scope_reference="PCP-2022-C-0001")
    known = AsOf(recorded_before=AS_OF, effective_to=AS_OF.date())

    assert {
        column(table(overview, "Grants"), "Paid")[0],
        summary(overview)["Paid"],
        summary(statement)["Paid"],
        total_of(table(statement, "Beneficiaries"), "Paid"),
        total_of(table(register, "Disbursements"), "Amount"),
        total_of(table(register, "By grant"), "Net"),
        total_of(table(register, "By kind"), "Net"),
        total_of(table(register, "By month and kind"), "Net"),
        -ledger.balance(Account.BANK, grant_id=books.overpaid.grant_id, as_of=known),
    } == {euros(190_000)}


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_a_statement_whose_figures_disagree_is_refused_and_says_which(
    postgres: Cluster, database: str, books: Books, name: str
) -> None:
    drawn(books.wanted(name))
    grant_id = books.overpaid.grant_id
    forge(postgres, database, f"UPDATE payment_order SET amount = amount - 1 WHERE grant_id = '{grant_id}'")

    with pytest.raises(Refused, match=r"The statement was not made: .* payment orders executed, less receipts"):
        drawn(books.wanted(name))


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_all_files_hold_every_row_of_every_table(books: Books, name: str) -> None:
    found = drawn(books.wanted(name))

    book = openpyxl.load_workbook(io.BytesIO(rendered(found, Format.XLSX).data))
    for shown, sheet in zip(found.tables, book.worksheets[1:], strict=True):
        assert sheet.max_row == 1 + len(list(shown.lines)), shown.title
        assert sheet.freeze_panes == "B2"
    main = found.tables[found.main]
    lines = list(csv.reader(io.StringIO(rendered(found, Format.CSV).data.decode("utf-8-sig"), newline="")))
    assert len(lines) == 1 + len(list(main.lines))
    assert lines[0][-1] == "Synthetic" and {line[-1] for line in lines[1:]} == {"yes"}
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(rendered(found, Format.PDF).data)).pages]
    for number, text in enumerate(pages, 1):
        assert "holds synthetic data" in text
        assert f"Page {number} of {len(pages)}" in text
        assert found.sha256[:16] in text


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_a_statement_with_nothing_invented_says_nothing_of_it(books: Books, app: Flask, name: str) -> None:
    app.config["GRANTS_DEMO"] = False
    from grants.calls.models import Call

    with arranging():
        for call in db.session.query(Call):
            call.synthetic = False
        for organisation in db.session.query(Organisation):
            organisation.synthetic = False

    found = drawn(books.wanted(name))

    assert found.synthetic == ""
    text = PdfReader(io.BytesIO(rendered(found, Format.PDF).data)).pages[0].extract_text()
    assert "ynthetic" not in text
    lines = rendered(found, Format.CSV).data.decode().splitlines()
    assert lines[1].endswith(",no") and lines[-1].startswith("Total,") and lines[-1].endswith(",")


@pytest.mark.parametrize("basis", AmountBasis)
def test_an_amount_is_said_to_be_invented_where_it_was_selected_so_whatever_its_note_says(
    books: Books, app: Flask, basis: AmountBasis
) -> None:
    """Amounts that were published carry a note as well: the one that says so."""
    app.config["GRANTS_DEMO"] = False
    grant = get(Grant, books.overpaid.grant_id)
    selection = Selection(
        call_id=grant.call_id, number=1, kind="published_outcome", state="confirmed", budget=euros(600_000),
        used=euros(600_000), rules={}, line_words="", list_sha256=bytes(32), reason="For a test.",
        source_url="https://example.eu", decided_by=actors.otto().user_id, decided_at=AS_OF,
        confirmed_by=actors.pia().user_id, confirmed_at=AS_OF,
    )  # fmt: skip
    with arranging():
        get(Grant, grant.id).amount_note = "A note."
        db.session.add(selection)
        db.session.flush()
        db.session.add(
            SelectionItem(
                selection_id=selection.id, application_id=grant.application_id, position=1, outcome="selected",
                amount=euros(600_000), amount_basis=basis.value, tie_words="", threshold_words="", straddles=False,
                missing=ZERO,
            )
        )  # fmt: skip

    found = drawn(books.wanted(STATEMENT)).synthetic

    told = "One grant carries an amount that was not published." in found
    assert told is (basis is AmountBasis.SYNTHETIC), found


def test_a_period_is_refused_where_a_statement_has_none(books: Books) -> None:
    with clock.at(AS_OF), pytest.raises(Invalid, match="takes no period"):
        services.request(actors.nuria(), replace(books.wanted(STATEMENT), from_on=date(2024, 1, 1)))


def test_a_statement_of_something_else_is_not_there(books: Books) -> None:
    with pytest.raises(NotFound, match="There is no grant with the reference PCP-2022-C-0001"):
        services.request(actors.nuria(), Wanted(STATEMENT, "PCP-2022-C-0001"))
    with pytest.raises(NotFound, match="There is no call or programme"):
        services.request(actors.nuria(), Wanted(REGISTER, books.overpaid.reference))


def test_a_register_of_another_time_zone_counts_days_in_brussels(books: Books) -> None:
    late = datetime(2023, 6, 11, 22, 30, tzinfo=UTC)

    assert table(register_of(books, as_of=late), "Disbursements").rows == ()


# --- The forecast ------------------------------------------------------------------------------------------------------


def test_the_forecast_is_the_one_kept_last_and_its_parts_are_the_ceiling_in_every_file(books: Books) -> None:
    found = drawn(books.wanted(FORECAST))

    parts = ("Paid", "Due", "Forecast", "Reserved, not signed", "Comes back at closing", "Free")
    said = {label: amount for label, amount in summary(found).items() if isinstance(amount, Money)}
    assert sum(said[label].cents for label in parts) == said["Ceiling"].cents == euros(2_000_000).cents
    assert said["Due"] == euros(300_000) and said["Paid"] == euros(400_000)
    main = found.tables[found.main]
    assert {label: total_of(main, label) for label in ("Ceiling", *parts)} == said
    for label in ("Ceiling", *parts):
        cells = (amount.cents for amount in column(main, label) if isinstance(amount, Money))
        assert sum(cells) == said[label].cents
    lines = list(csv.reader(io.StringIO(rendered(found, Format.CSV).data.decode("utf-8-sig"), newline="")))
    assert lines[-1][2:-1] == [f"{said[label].cents // 100}.00" for label in ("Ceiling", *parts)]


def test_what_is_forecast_later_does_not_change_what_was_kept_and_before_it_there_was_none(books: Books) -> None:
    before = drawn(books.wanted(FORECAST))
    with clock.at(AS_OF + timedelta(days=3)):
        payments.keep_forecast(actors.fin())

    assert drawn(books.wanted(FORECAST)).sha256 == before.sha256
    none = drawn(replace(books.wanted(FORECAST), as_of=IN_FORCE))
    assert "No forecast was kept by then" in none.nothing
    assert none.tables[none.main].rows == ()
