"""A list of executed payments as CSV: read in a named spelling, looked at first, and booked once beside typing and statements."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, Problems, Refused
from grants.core.money import Money, euros
from grants.payments import services
from grants.payments.models import BankImport, BankLine, OwnAccount, PaymentOrder
from grants.payments.rules.statements.executions import HEADS, Spelling, read_executions, template
from grants.payments.states import OwnAccountState
from tests import actors
from tests.payments.test_bank_booking import (
    PAID_ON,
    TOLD,
    booked,
    brought,
    lines,
    on_account,
    open_lines,
    own_account,
    paid,
    right,
    sent,
    statement,
)
from tests.payments.world import World

TODAY = date(2024, 8, 5)
HEAD = template(Spelling.COMMA).strip()


def listed(*rows: str) -> str:
    return "\n".join((HEAD, *rows))


def bring(text: str, by: actors.Actor | None = None) -> UUID:
    """The list is brought and a worker books what agrees."""
    who = by or actors.carl()
    with clock.at(TOLD):
        made = services.import_executions(who, own_account().id, text, Spelling.COMMA)
        services.book_lines(who, made.id)
    return made.id


# --- The rows


@pytest.mark.parametrize(
    ("typed", "comma", "point"),
    [
        ("1.234,56", 123456, None), ("1,234.56", None, 123456), ("1234,5", 123450, None), ("1234.5", None, 123450),
        ("1 234,56", 123456, None), ("1234", 123400, 123400), ("1.234", 123400, None), ("1,234", None, 123400),
        ("12.34,5", None, None), ("-5", None, None), ("0,00", None, None), ("1e3", None, None), ("\uff11", None, None),
    ],
)  # fmt: skip
def test_an_amount_is_read_in_the_named_spelling_only(typed: str, comma: int | None, point: int | None) -> None:
    for spelling, cents in ((Spelling.COMMA, comma), (Spelling.POINT, point)):
        text = template(spelling) + spelling.parts.join(("O-1", f'"{typed}"', "2024-08-02", "B1"))
        found = read_executions(text, spelling, TODAY)
        assert [each.amount for each in found.rows] == ([] if cents is None else [Money(cents)])
        assert len(found.problems) == (1 if cents is None else 0)


def test_every_row_that_cannot_be_read_says_why_by_its_number() -> None:
    text = listed(
        "O-1;5,00;31.07.2024;B1", "O-2;5,00;07/31/2024;B2", ";5,00;2024-07-31;B3", "O-4;5,00;2024-08-06;B4", "O-5;5,00",
        "O-1;6,00;2024-07-31;B5", "O-6;5,00;2024-02-30;B6", "",
    )  # fmt: skip
    found = read_executions(text, Spelling.COMMA, TODAY)
    assert [each.value_on for each in found.rows] == [date(2024, 7, 31)] * 2
    assert [each.row for each in found.problems] == [3, 4, 5, 6, 7, 8]
    said = " ".join(str(each) for each in found.problems)
    for words in ("is no day", "name the order", "after today", "2 cells", "stands in row 2 already"):
        assert words in said


@pytest.mark.parametrize("text", ["", "a;b;c;d\n1;2;3;4", HEAD, template(Spelling.POINT) + "O-1,5.00,2024-08-02,B"])
def test_what_is_no_list_in_this_spelling_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(Invalid, match=r"The first row must be|has no row"):
        read_executions(text, Spelling.COMMA, TODAY)


def test_a_mark_that_is_not_closed_is_refused_with_words() -> None:
    """Python's reader takes no cell of more than 131 072 characters."""
    with pytest.raises(Invalid, match="quotation mark is opened and not closed"):
        read_executions(listed('"' + "x" * 140_000), Spelling.COMMA, TODAY)


def test_the_template_opens_in_its_own_spelling() -> None:
    assert template(Spelling.COMMA) == ";".join(HEADS) + "\r\n"
    assert (
        template(Spelling.POINT)
        == '"Order or end-to-end id"'.strip('"') + ',"Amount, EUR",Value date,Bank reference\r\n'
    )


# --- The booking


def test_a_row_that_agrees_is_booked_like_a_line_and_one_that_does_not_waits(grant: World) -> None:
    order = sent(grant, euros(100_000))
    other = sent(grant, euros(50_000), order.request_id)
    bring(
        listed(
            f"{order.reference};100.000,00;2024-08-02;B1",
            f"{other.end_to_end_id};50.000,01;2024-08-02;B2",
            "X-9;1,00;2024-08-02;B3",
        )
    )

    assert get(PaymentOrder, order.id).state == "executed" and len(booked(order)) == 1
    assert get(PaymentOrder, order.id).value_on == PAID_ON
    assert get(PaymentOrder, other.id).state == "sent"
    assert sorted(each.line.amount.cents for each in open_lines()) == [100, 5_000_001]
    brought_as = db.session.scalars(select(BankImport)).one()
    assert (brought_as.kind, brought_as.lines_new, brought_as.lines_known) == ("csv", 3, 0)
    right()


def test_a_statement_that_tells_of_it_later_does_not_book_it_again(grant: World) -> None:
    order = sent(grant)
    bring(listed(f"{order.reference};210.000,00;2024-08-02;B1"))
    # The bank gives another reference and another booking day.
    brought(statement(paid(order, bank_reference="OTHER", value_on=PAID_ON)))

    (line,) = lines()
    assert line.statement_id is not None and line.booked_as == "order"
    assert len(booked(order)) == 1 and on_account() == -euros(210_000)
    right()


def test_a_list_after_the_statement_adds_nothing(grant: World) -> None:
    order = sent(grant)
    brought(statement(paid(order)))
    import_id = bring(listed(f"{order.end_to_end_id};210.000,00;2024-08-01;B9"))

    assert len(lines()) == 1 and len(booked(order)) == 1
    row = get(BankImport, import_id)
    assert (row.lines_new, row.lines_known) == (0, 1)
    right()


def test_what_was_entered_by_hand_is_met_by_the_list(grant: World) -> None:
    order = sent(grant)
    with clock.at(TOLD):
        services.execute(actors.carl(), order.id, value_on=PAID_ON)
    bring(listed(f"{order.reference};210.000,00;2024-08-02;B1"))

    (line,) = lines()
    assert line.order_id == order.id and len(booked(order)) == 1
    right()


def test_the_same_list_again_is_the_same_import_and_another_with_the_same_row_adds_nothing(grant: World) -> None:
    order = sent(grant)
    text = listed(f"{order.reference};210.000,00;2024-08-02;B1")
    first = bring(text)
    assert bring(text) == first
    bring(listed(f"{order.end_to_end_id};210.000,00;2024-08-02;B2", "X-9;1,00;2024-08-02;B3"))
    assert [line.amount.cents for line in lines()] == [21_000_000, 100] and len(booked(order)) == 1
    right()


def test_a_list_is_taken_whole_by_who_may_from_a_confirmed_account(grant: World) -> None:
    order = sent(grant)
    text = listed(f"{order.reference};210.000,00;2024-08-02;B1")
    with clock.at(TOLD):
        own = own_account().id
        with pytest.raises(Problems, match="row cannot be read"):
            services.import_executions(actors.carl(), own, text + "\nO;x;2024-08-02;B", Spelling.COMMA)
        for person in (actors.fin(), actors.otto(), actors.nuria(), actors.ana()):
            with pytest.raises(NotAllowed):
                services.import_executions(person, own, text, Spelling.COMMA)
        carl = actors.carl().user_id
        assert carl is not None
        stale = actors.actor(carl, fresh=False)
        with pytest.raises(NeedsFreshSignIn):
            services.import_executions(stale, own, text, Spelling.COMMA)
        fin = actors.fin().user_id
        with arranging():
            row = db.session.get_one(OwnAccount, own)
            row.closed_by, row.closed_at, row.close_reason = fin, TOLD, "Of the test"
            row.state = OwnAccountState.CLOSED.value
        with pytest.raises(Refused, match="confirmed account"):
            services.import_executions(actors.carl(), own, text, Spelling.COMMA)
    assert db.session.scalars(select(BankLine)).all() == []


# --- The page


def test_the_page_looks_first_keeps_what_was_typed_and_brings_what_was_looked_at(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    order = sent(grant)
    carl, place = actors.client_of(app, actors.carl()), "/finance/executions"
    assert "executed payments" in carl.get("/finance/bank").text
    empty = carl.get(f"{place}/template-comma.csv")
    assert empty.data.decode("utf-8-sig") == template(Spelling.COMMA)
    assert carl.get(f"{place}/template-dot.csv").status_code == 404

    typed = {
        "own_account": own_account().reference,
        "spelling": "comma",
        "text": listed(f"{order.reference};2.10;2024-08-02;B1"),
    }
    wrong = carl.post(f"{place}/look", data=typed)
    assert wrong.status_code == 422 and "Row 2" in wrong.text and "2.10;2024-08-02" in wrong.text
    right_text = listed(f"{order.reference};210.000,00;2024-08-02;B1")
    whole = {**typed, "text": "", "file": (BytesIO(right_text.encode()), "paid.csv")}
    looked = carl.post(f"{place}/look", data=whole)
    assert looked.status_code == 200 and f"It executes order {order.reference}" in looked.text
    assert "Bring these rows" in looked.text and right_text.splitlines()[1] in looked.text
    assert lines() == []
    # What was not looked at is shown first.
    unseen = carl.post(f"{place}/bring", data={**typed, "text": right_text})
    assert unseen.status_code == 422 and "another than the one you looked at" in unseen.text and lines() == []
    seen = unseen.text.split('name="looked"')[1].split('value="')[1].split('"')[0]
    made = carl.post(f"{place}/bring", data={**typed, "text": right_text.replace("\n", "\r\n"), "looked": seen})
    assert made.status_code == 303, made.text
    assert "list of executed payments" in carl.get(made.headers["Location"]).text
    bad = carl.post(f"{place}/look", data={**typed, "file": (BytesIO(b"PK\x03\x04\xff"), "paid.xlsx")})
    assert bad.status_code == 422 and "no text in UTF-8" in bad.text
    assert actors.client_of(app, actors.fin()).get(place).status_code == 403
