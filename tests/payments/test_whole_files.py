"""A payment file that the bank books in one sum: each of its orders paid once, and whatever differs left to people with the reason."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.money import Money, euros
from grants.core.paging import Page
from grants.payments import services
from grants.payments.models import BankLine, PaymentBatch, PaymentOrder
from grants.payments.queries import bank_lines
from grants.payments.rules.statements.ageing import UnmatchedAsk
from grants.payments.rules.statements.claims import Claim
from grants.payments.rules.statements.values import Line
from grants.payments.rules.statements.whole_files import FileCandidate, FileWhy, refuse_unfit_file, why_not, words
from grants.payments.states import Explained
from tests import actors
from tests.payments.bank_statements import debit
from tests.payments.test_bank_booking import (
    PAID_ON,
    TOLD,
    booked,
    brought,
    lines,
    on_account,
    open_lines,
    paid,
    right,
    statement,
)
from tests.payments.test_services import NOW, authorised, decided
from tests.payments.world import World
from tests.worlds import World as Made
from tests.worlds import Worlds

A, B = euros(100_000), euros(110_000)
WHOLE = A + B


@pytest.fixture(scope="session")
def file_world(worlds: Worlds, in_force_world: Made[World]) -> Made[list[UUID]]:
    """Two orders left in one file."""

    def file_sent() -> list[UUID]:
        with clock.at(NOW):
            request_id = decided(in_force_world.told())
            made = [authorised(request_id, A), authorised(request_id, B)]
            services.export(actors.carl(), tuple(made), control_total=WHOLE)
        return made

    return worlds.of(file_sent, like=in_force_world)


@pytest.fixture
def orders(grant: World, file_world: Made[list[UUID]]) -> list[UUID]:
    """The two orders of the file."""
    return file_world.told()


def batch(orders: list[UUID]) -> PaymentBatch:
    batch_id = get(PaymentOrder, orders[0]).batch_id
    assert batch_id is not None
    return get(PaymentBatch, batch_id)


def in_one_sum(orders: list[UUID], amount: Money = WHOLE, **values: object) -> Line:
    given = {
        "payment_id": f"{batch(orders).message_id}-1",
        "end_to_end_id": "",
        "booked_on": PAID_ON,
        "value_on": PAID_ON,
    }
    return debit(amount.cents, **{**given, **values})


def one_by_one(orders: list[UUID], **values: object) -> list[Line]:
    return [paid(get(PaymentOrder, each), bank_reference=f"N-{each}", **values) for each in orders]


def states(orders: list[UUID]) -> list[str]:
    db.session.rollback()
    return [get(PaymentOrder, each).state for each in orders]


def said(line: BankLine, named: str, explained: Explained = Explained.FILE) -> UUID:
    with clock.at(TOLD):
        return services.explain(actors.carl(), line.id, Claim(explained, named, "The bank said so on the phone."))


def confirmed(line: BankLine, named: str) -> None:
    claim = said(line, named)
    with clock.at(TOLD):
        services.confirm_claim(actors.vera(), claim)


def paid_once(orders: list[UUID]) -> None:
    """Each order is booked once, the account moved by their sum, and every check of the books agrees."""
    assert states(orders) == ["executed"] * len(orders)
    assert [len(booked(get(PaymentOrder, each))) for each in orders] == [1] * len(orders)
    assert on_account() == -WHOLE
    right()


# ---------------------------------------------------------------------------------------------- the rule

FILE = FileCandidate(UUID(int=1), "PCP-B-1", "MSG", UUID(int=2), 2, WHOLE, 2, WHOLE)
LINE = debit(WHOLE.cents, payment_id="MSG-1", end_to_end_id="", parts=2)


@pytest.mark.parametrize(
    ("line", "file", "why", "said"),
    [
        (LINE, FILE, None, ""),
        (replace(LINE, parts=1), FILE, None, ""),
        (replace(LINE, amount=WHOLE - Money(1)), FILE, FileWhy.SUM, "whose 2 orders sum to EUR 210"),
        (replace(LINE, parts=3), FILE, FileWhy.NUMBER, "which has 2 orders"),
        (LINE, replace(FILE, account_id=UUID(int=3)), FileWhy.ACCOUNT, "from another account"),
        (LINE, replace(FILE, has_line=True), FileWhy.LINE, "another line booked already"),
        (
            replace(LINE, amount=B),
            replace(FILE, waiting=1, waiting_total=B, rejected=1, rejected_total=A),
            FileWhy.REJECTED,
            "the bank rejected 1 order. What no line tells of yet is 1 order of EUR 110",
        ),
        (
            LINE,
            replace(FILE, waiting=1, waiting_total=B, by_hand=1, by_hand_total=A),
            FileWhy.BOOKED,
            "1 order is booked already. What no line tells of yet is 2 orders of EUR 210",
        ),
        (
            LINE,
            replace(FILE, waiting=0, waiting_total=Money(0), told=2),
            FileWhy.BOOKED,
            "2 orders are booked already. Nothing of it is left",
        ),
    ],
)
def test_only_the_whole_file_to_the_cent_is_booked_by_itself_and_the_rest_says_why(
    line: Line, file: FileCandidate, why: FileWhy | None, said: str
) -> None:
    assert why_not(line, UUID(int=2), file) is why
    assert why is None or said in words(why, file)


@pytest.mark.parametrize(
    ("line", "file", "refused"),
    [
        (replace(LINE, amount=WHOLE - Money(1)), FILE, "of the same sum only"),
        (replace(LINE, parts=3), FILE, "counts 3 payments"),
        (LINE, replace(FILE, account_id=UUID(int=3)), "from another account"),
        (LINE, replace(FILE, has_line=True), "books a file once"),
        (LINE, replace(FILE, waiting=0, waiting_total=Money(0), told=2), "Nothing of it is left"),
        (
            replace(LINE, payment_id=""),
            replace(FILE, waiting=1, waiting_total=B, rejected=1, rejected_total=A),
            "does not name the file",
        ),
    ],
)
def test_two_people_say_nothing_of_a_file_that_its_sum_does_not(line: Line, file: FileCandidate, refused: str) -> None:
    with pytest.raises(Refused, match=refused):
        refuse_unfit_file(line, UUID(int=2), file)


# ---------------------------------------------------------------------------------------------- booked by itself


def test_a_file_in_one_sum_that_comes_twice_pays_each_order_once(orders: list[UUID]) -> None:
    whole = statement(in_one_sum(orders))
    brought(whole)
    brought(whole)
    brought(statement(in_one_sum(orders), version="02"))

    (line,) = lines()
    assert (line.booked_as, line.batch_id) == ("file", batch(orders).id)
    paid_once(orders)


def test_a_notice_of_each_payment_before_the_statement_of_their_sum_is_the_same_money(orders: list[UUID]) -> None:
    brought(statement(*one_by_one(orders), kind="camt.054"))
    brought(statement(in_one_sum(orders)))
    brought(
        statement(in_one_sum(orders), debit(9_00, end_to_end_id="", bank_reference="B-9", payment_id=""), number="42")
    )

    *parts, fee = lines()
    assert [line.booked_as for line in parts] == ["order", "order"] and fee.amount == euros(9)
    assert all(line.statement_id is not None for line in parts)
    paid_once(orders)


def test_a_notice_of_each_payment_after_the_statement_of_their_sum_brings_nothing(orders: list[UUID]) -> None:
    brought(statement(in_one_sum(orders)))
    brought(statement(*one_by_one(orders), kind="camt.054"))

    (line,) = lines()
    assert line.booked_as == "file" and open_lines() == []
    paid_once(orders)


def test_a_statement_that_tells_of_a_payment_again_is_never_taken_for_its_file(orders: list[UUID]) -> None:
    brought(statement(in_one_sum(orders)))
    again = statement(one_by_one(orders)[0], number="42", identifier="S-2", opening=Money(1_000_000_00) - WHOLE)
    brought(again)

    (line,) = open_lines()
    assert "which another line booked already" in line.words
    paid_once(orders)


# ---------------------------------------------------------------------------------------------- left to people


def test_what_was_entered_by_hand_of_a_file_waits_and_two_people_book_the_rest(orders: list[UUID]) -> None:
    with clock.at(TOLD):
        services.execute(actors.carl(), orders[0], value_on=PAID_ON)
    brought(statement(in_one_sum(orders), in_one_sum(orders, bank_reference="B-9")))
    first, second = lines()
    reference = batch(orders).reference

    assert "1 order is booked already. What no line tells of yet is 2 orders" in open_lines()[0].words
    with pytest.raises(Refused, match="so it is nothing else"):
        said(first, "", Explained.SET_ASIDE)
    with pytest.raises(Invalid):
        said(first, "PCP-2024-B-9999")
    confirmed(first, reference)
    with pytest.raises(Refused, match="a bank books a file once"):
        said(second, reference)
    assert [line.booked_as for line in lines()] == ["file", None]
    paid_once(orders)


def test_what_the_bank_rejected_of_a_file_is_not_in_its_sum_nor_issued_again_before_people_said_so(
    orders: list[UUID],
) -> None:
    with clock.at(TOLD):
        services.reject_by_bank(actors.carl(), orders[0], reason="MS03", on=TOLD.date())
    brought(statement(in_one_sum(orders, B)))
    (line,) = lines()

    assert "the bank rejected 1 order" in open_lines()[0].words and states(orders) == ["bank_rejected", "sent"]
    with clock.at(TOLD), pytest.raises(Refused, match=f"Line {line.number}|line {line.number}"):
        services.reissue(actors.fin(), orders[0])
    confirmed(line, batch(orders).reference)
    assert states(orders) == ["bank_rejected", "executed"] and on_account() == -B
    with clock.at(TOLD):
        services.reissue(actors.fin(), orders[0])
    right()


def test_what_the_bank_rejected_and_paid_with_its_file_after_all_is_booked_by_two_people(orders: list[UUID]) -> None:
    with clock.at(TOLD):
        services.reject_by_bank(actors.carl(), orders[0], reason="MS03", on=TOLD.date())
    brought(statement(in_one_sum(orders)))
    confirmed(lines()[0], batch(orders).reference)

    assert lines()[0].booked_as == "file"
    paid_once(orders)


def test_a_sum_that_names_no_file_is_said_to_be_one_by_nobody_who_signed(orders: list[UUID]) -> None:
    brought(statement(in_one_sum(orders, payment_id="")))
    (line,) = lines()
    signer = replace(actors.carl(), user_id=actors.vera().user_id)

    with clock.at(TOLD), pytest.raises(Refused, match="must be somebody else"):
        services.explain(signer, line.id, Claim(Explained.FILE, batch(orders).reference, "I know."))
    confirmed(line, batch(orders).reference)
    paid_once(orders)


def test_whoever_is_in_conflict_with_an_order_of_a_file_reads_nothing_of_its_parts(
    grant: World, orders: list[UUID]
) -> None:
    brought(statement(in_one_sum(orders, A)))
    barred = replace(actors.nuria(), bars=frozenset({("application", grant.application_id)}))

    (seen,) = bank_lines.unmatched(barred, UnmatchedAsk(), PAID_ON, Page()).items
    assert batch(orders).reference not in seen.words and "210" not in seen.words
    assert "whose 2 orders sum to" in open_lines()[0].words


def test_by_pages_a_file_is_named_said_and_confirmed(app: Flask, client: FlaskClient, orders: list[UUID]) -> None:
    brought(statement(in_one_sum(orders, parts=1, payment_id="SUM-1"), in_one_sum(orders, A, bank_reference="B-9")))
    whole, part = lines()
    reference = batch(orders).reference
    carl, vera = (actors.client_of(app, who) for who in (actors.carl(), actors.vera()))
    here = f"/finance/bank-lines/{whole.number}"

    asked = carl.get(here).text
    named = carl.get(f"/finance/bank-lines/{part.number}").text
    given = {"explained": "file", "named": reference, "reason": "The bank books files in one sum."}
    wrong = carl.post(here + "/explain", data={**given, "named": "PCP-2024-B-9999"})
    sent = carl.post(here + "/explain", data=given)
    waits = vera.get(here).text
    done = vera.post(here + "/confirm", data={"version": "1"})

    assert "A whole payment file in one sum" in asked and f"/finance/batches/{reference}" in named
    assert wrong.status_code == 422 and "There is no payment file of this reference" in wrong.text
    assert sent.status_code == done.status_code == 303
    assert f"A whole payment file in one sum {reference}" in waits
    assert f"Booked as the payment file {reference}" in vera.get(here).text
    paid_once(orders)
