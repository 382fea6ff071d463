"""A bank's file comes in whole or not at all: nothing twice, no gap, and the page says what each line would execute."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from werkzeug.datastructures import FileStorage

from grants.core import files, jobs
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed
from grants.core.money import Money
from grants.core.paging import Page
from grants.identity.queries import actor_for
from grants.payments import services
from grants.payments.models import BankLine, BankStatement
from grants.payments.queries import bank_lines
from grants.payments.queries import statements as told
from grants.payments.queries.own_accounts import own_account_row
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.statements.ageing import Age, UnmatchedAsk
from grants.payments.rules.statements.values import BankFile, Direction
from grants.payments.services import bank_files
from grants.programmes.models import Programme
from tests import actors
from tests.payments.bank_statements import DAY, OWN_IBAN, Paper, credit, debit, file_of, paper
from tests.payments.world import World

TODAY = date(2027, 4, 20)
ACCOUNT = "PCP-K-01"


@pytest.fixture
def account(grant: World) -> str:
    """The programme's confirmed account."""
    programme = db.session.scalars(select(Programme.id)).one()
    given = OwnAccountInput(programme, "Pilot Cities Programme", OWN_IBAN, "BE", "Brussels", bic="COBADEFFXXX")
    reference = services.enter_own_account(actors.fin(), given)
    row = own_account_row(OWN_IBAN)
    assert row is not None
    services.confirm_own_account(actors.vera(), row.id, evidence="Letter of the bank")
    return reference


def received(data: bytes) -> files.Incoming:
    upload = FileStorage(io.BytesIO(data), filename="statement.xml")
    return files.receive(upload, look=bank_files.look)


def brought(*papers: Paper) -> told.ImportView:
    """What became of a file, after the worker read it."""
    data = file_of(*papers)
    made = services.import_statement(actors.carl(), received(data), BankFile(papers[0].kind))
    services.read_statement(actors.carl(), made.id)
    return told.bank_import(actors.carl(), made.reference)[0]


def lines() -> int:
    return db.session.scalar(select(func.count(BankLine.id))) or 0


def closing(*papers: Paper) -> Money:
    return papers[-1].opening + Money(sum(entry.signed.cents for entry in papers[-1].entries))


FIRST = paper(debit(), credit())
SECOND = paper(
    credit(70, bank_reference="B-5", booked_on=DAY + timedelta(1)),
    identifier="S-2",
    number="42",
    opening=closing(FIRST),
    from_on=DAY + timedelta(1),
    to_on=DAY + timedelta(1),
)


def test_a_statement_stands_with_its_balances_and_lines(account: str) -> None:
    found = brought(FIRST)

    assert (found.state.value, found.lines_new, found.lines_known) == ("imported", 2, 0)
    one = told.statement(actors.nuria(), account, 1)
    assert (one.name, one.opening, one.closing, one.lines) == ("41", FIRST.opening, closing(FIRST), 2)
    shown = bank_lines.statement_lines(actors.nuria(), account, 1, Page())
    assert [each.line for each in shown.items] == [debit(), credit()]


def test_the_same_bytes_are_the_same_import(account: str) -> None:
    first, again = brought(FIRST), brought(FIRST)

    assert first == again and lines() == 2


def test_the_same_statement_in_other_bytes_brings_nothing(account: str) -> None:
    brought(FIRST)
    again = brought(paper(*FIRST.entries, version="02"))

    assert (again.state.value, again.lines_new, lines()) == ("imported", 0, 2)
    assert db.session.scalar(select(func.count(BankStatement.id))) == 1


def test_overlapping_days_bring_each_line_once(account: str) -> None:
    brought(FIRST)
    both = paper(*FIRST.entries, *SECOND.entries, identifier="S-3", number="43", to_on=SECOND.to_on)
    found = brought(both)

    assert (found.state.value, found.lines_new, found.lines_known, lines()) == ("imported", 1, 2, 3)
    assert told.account_of(actors.nuria(), account).closing == closing(SECOND)


def test_a_notice_and_then_the_statement_give_one_line(account: str) -> None:
    brought(paper(debit(), kind="camt.054"))
    assert told.account_of(actors.nuria(), account).noticed == 1

    found = brought(FIRST)

    assert (found.lines_new, found.lines_known, lines()) == (1, 1, 2)
    assert told.account_of(actors.nuria(), account).noticed == 0
    assert len(bank_lines.statement_lines(actors.nuria(), account, 1, Page()).items) == 2


def test_a_gap_is_refused_and_named_and_the_file_may_come_again(account: str) -> None:
    third = paper(
        identifier="S-9", number="43", opening=closing(SECOND), from_on=DAY + timedelta(2), to_on=DAY + timedelta(2)
    )
    brought(FIRST)
    refused = brought(third)

    assert refused.state.value == "refused" and refused.problem is not None
    assert "a gap of EUR 0.70" in refused.problem and lines() == 2
    assert brought(SECOND).state.value == brought(third).state.value == "imported"


def test_several_statements_of_one_file_are_taken_or_refused_together(account: str) -> None:
    gap = paper(identifier="S-9", number="44", opening=Money(1), from_on=SECOND.to_on, to_on=SECOND.to_on)

    assert brought(FIRST, SECOND, gap).state.value == "refused" and lines() == 0
    assert brought(FIRST, SECOND).state.value == "imported" and lines() == 3


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            paper(debit(), iban="FR7630006000011234567890189"),
            "ends in 0189, which is none of the programme’s confirmed",
        ),
        (paper(debit(), closing=Money(5)), "does not add up"),
    ],
)
def test_what_cannot_be_proved_is_refused(account: str, one: Paper, words: str) -> None:
    found = brought(one)

    assert found.state.value == "refused" and found.problem is not None and words in found.problem
    assert lines() == 0


def test_only_the_accounting_officer_imports(account: str) -> None:
    for person in (actors.fin(), actors.vera(), actors.otto(), actors.nuria(), actors.ada()):
        with pytest.raises(NotAllowed):
            services.import_statement(person, received(file_of(FIRST)), BankFile.STATEMENT)


@pytest.mark.parametrize("data", [b"a;b\n1;2\n", b"<html/>", b"PK\x03\x04", b"<!DOCTYPE a><a/>"])
def test_what_is_no_file_of_a_bank_is_refused_when_it_is_brought(app: Flask, data: bytes) -> None:
    with pytest.raises(Invalid, match=r"“statement\.xml” cannot be imported"):
        received(data)


def test_a_line_is_never_changed_nor_taken_away(account: str) -> None:
    brought(FIRST)

    for statement in (
        "UPDATE bank_line SET amount = 1",
        "DELETE FROM bank_line",
        "UPDATE bank_statement SET closing = 1",
    ):
        with pytest.raises(DBAPIError), db.engine.connect() as connection:
            connection.exec_driver_sql("set transaction read write")
            connection.execute(text(statement))


def test_unmatched_lines_stand_by_age_and_filter(account: str) -> None:
    days = [0, 7, 8, 30, 31, 90, 91, 400]
    entries = [debit(100 + age, booked_on=TODAY - timedelta(age), bank_reference=f"B-{age}") for age in reversed(days)]
    came = credit(5, booked_on=TODAY, bank_reference="B-c")
    brought(paper(*entries, came, from_on=entries[0].booked_on, to_on=TODAY))
    anybody = actors.nuria()

    by_age = {
        each.age: (each.lines, each.debits.cents, each.credits.cents)
        for each in bank_lines.ages(anybody, UnmatchedAsk(), TODAY)
    }

    assert by_age == {
        Age.WEEK: (3, 207, 5), Age.MONTH: (2, 238, 0), Age.QUARTER: (2, 321, 0), Age.OLDER: (2, 691, 0),
    }  # fmt: skip
    for age, (number, _, _) in by_age.items():
        assert len(bank_lines.unmatched(anybody, UnmatchedAsk(age=age), TODAY, Page()).items) == number
    (only,) = bank_lines.unmatched(anybody, UnmatchedAsk(direction=Direction.CREDIT), TODAY, Page()).items
    assert only.line == came
    first = bank_lines.unmatched(anybody, UnmatchedAsk(), TODAY, Page(size=5))
    rest = bank_lines.unmatched(anybody, UnmatchedAsk(), TODAY, Page(size=5, after=first.next_key))
    assert [each.line.amount.cents for each in (*first.items, *rest.items)] == [
        500,
        191,
        190,
        131,
        130,
        108,
        107,
        100,
        5,
    ]


# ---------------------------------------------------------------------------------------------- pages


def test_by_pages_a_statement_is_imported_read_and_found(app: Flask, client: FlaskClient, account: str) -> None:
    carl, nuria, fin = (actors.client_of(app, who) for who in (actors.carl(), actors.nuria(), actors.fin()))
    empty = nuria.get("/finance/bank").text, nuria.get("/finance/unmatched").text

    def post(data: bytes) -> object:
        return carl.post(
            "/finance/bank", data={"file": (io.BytesIO(data), "may.xml")}, content_type="multipart/form-data"
        )

    wrong = post(b"<html/>")
    sent = post(file_of(paper(debit(), credit(remittance="<b>&</b>"))))
    place = sent.headers["Location"]
    waiting = nuria.get(place).text
    jobs.work_off(actor_of=actor_for)
    done, again = nuria.get(place).text, post(file_of(paper(debit(), credit(remittance="<b>&</b>"))))
    refused = fin.post(
        "/finance/bank", data={"file": (io.BytesIO(b"x"), "may.xml")}, content_type="multipart/form-data"
    )

    assert "No file of the bank came yet." in empty[0] and "No line here." in empty[1]
    assert wrong.status_code == 422 and "none of the bank files" in wrong.text
    assert sent.status_code == again.status_code == 303 and again.headers["Location"] == place
    assert refused.status_code == 403 and "Import a file" not in fin.get("/finance/bank").text
    assert "The file is being read" in waiting
    assert "Statements in it" in done and "/finance/bank/PCP-K-01/1" in done
    shown = nuria.get("/finance/bank/PCP-K-01/1").text
    assert "No order has its end-to-end id." in shown and "&lt;b&gt;&amp;&lt;/b&gt;" in shown
    assert "PCP-K-01" in nuria.get("/finance/bank/PCP-K-01").text
    assert "Gmina Lodz" in nuria.get("/finance/unmatched?age=0-7&direction=debit").text
    assert "0532" not in shown
    for address in ("/finance/bank/PCP-K-09", "/finance/bank/PCP-K-01/2", "/finance/bank-files/BANK-2027-9999"):
        assert nuria.get(address).status_code == 404


def test_a_refused_file_says_so_on_its_page(app: Flask, client: FlaskClient, account: str) -> None:
    found = brought(paper(debit(), closing=Money(5)))

    shown = actors.client_of(app, actors.nuria()).get(f"/finance/bank-files/{found.reference}").text

    assert "The file was refused, and nothing of it stands" in shown and "does not add up" in shown


def test_a_filter_nobody_offers_is_told_in_a_sentence(app: Flask, client: FlaskClient, account: str) -> None:
    shown = actors.client_of(app, actors.nuria()).get("/finance/unmatched?age=9-99")

    assert shown.status_code == 200 and "This list cannot be shown" in shown.text
