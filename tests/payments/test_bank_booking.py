"""What the bank tells is booked: payments by reference, amount and account together; receipts, or what is left to people."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.agreements.models import Grant
from grants.core import acts, clock, files
from grants.core.acts import act
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.money import ZERO, Money, euros, total
from grants.core.paging import Page
from grants.core.permissions import Permission
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.oversight.queries.books import check_ledger
from grants.payments import queries, services
from grants.payments.models import (
    BankLine,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    PaymentRequest,
    Recovery,
    RecoveryReceipt,
)
from grants.payments.queries import bank_lines
from grants.payments.queries import statements as told
from grants.payments.rules import DecisionInput, ReceiptInput
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.statements.ageing import UnmatchedAsk
from grants.payments.rules.statements.claims import Claim
from grants.payments.rules.statements.values import BankFile, Line
from grants.payments.services import bank_files
from grants.payments.services.booking import CameBack, book_returned
from grants.payments.services.locks import scope_of_order
from grants.payments.states import Explained
from tests import actors
from tests.payments.bank_statements import OWN_IBAN, Entry, Paper, credit, debit, file_of, paper
from tests.payments.test_services import NOW, authorised, decided, pay
from tests.payments.world import IN_FORCE, PAYING_IBAN, World, owed_back, report
from tests.statements import statements
from tests.worlds import World as Made
from tests.worlds import Worlds

pytestmark = pytest.mark.usefixtures("app")

# The bank books on the day after the file left, and tells on the day after that.
PAID_ON = date(2024, 8, 2)
TOLD = datetime(2024, 8, 5, 9, tzinfo=UTC)


def sent(found: World, amount: Money | None = None, request_id: UUID | None = None) -> PaymentOrder:
    """An order that left for the bank."""
    with clock.at(NOW):
        order_id = authorised(request_id or decided(found), amount)
        services.export(actors.carl(), (order_id,), control_total=get(PaymentOrder, order_id).amount)
    return get(PaymentOrder, order_id)


@pytest.fixture(scope="session")
def sent_world(worlds: Worlds, in_force_world: Made[World]) -> Made[UUID]:
    """An order over all that was decided left for the bank."""

    def order_sent() -> UUID:
        return sent(in_force_world.told()).id

    return worlds.of(order_sent, like=in_force_world)


@pytest.fixture
def order(grant: World, sent_world: Made[UUID]) -> PaymentOrder:
    """The order that left for the bank."""
    return get(PaymentOrder, sent_world.told())


def paid(order: PaymentOrder, *, cents: int | None = None, **values: object) -> Line:
    """The bank's line of an order, as it should be, but for what is given."""
    given = {"end_to_end_id": order.end_to_end_id, "booked_on": PAID_ON, "value_on": PAID_ON, **values}
    return debit(order.amount.cents if cents is None else cents, **given)


def came(cents: int, **values: object) -> Line:
    """Money that came in on that day."""
    return credit(cents, **{"booked_on": PAID_ON, "value_on": PAID_ON, **values})


def statement(*lines: Line | Entry, **values: object) -> Paper:
    return paper(*lines, **{"iban": PAYING_IBAN, "from_on": PAID_ON, "to_on": PAID_ON, **values})


def brought(*papers: Paper, by: actors.Actor | None = None, at: datetime = TOLD) -> UUID:
    """A file that came, was read, and whose lines were booked as far as they explain themselves."""
    who = by or actors.carl()
    with clock.at(at):
        upload = FileStorage(io.BytesIO(file_of(*papers)), filename="statement.xml")
        made = services.import_statement(who, files.receive(upload, look=bank_files.look), BankFile(papers[0].kind))
        services.read_statement(who, made.id)
        services.book_lines(who, made.id)
    return made.id


def lines() -> list[BankLine]:
    db.session.rollback()
    return list(db.session.scalars(select(BankLine).order_by(BankLine.number)))


def open_lines() -> list[bank_lines.LineView]:
    db.session.rollback()
    return list(bank_lines.unmatched(actors.nuria(), UnmatchedAsk(), PAID_ON, Page()).items)


def booked(order: PaymentOrder) -> list[LedgerEntry]:
    return list(
        db.session.scalars(select(LedgerEntry).where(LedgerEntry.source_key == f"payment_order:{order.id}:booked"))
    )


def own_account() -> OwnAccount:
    return db.session.scalars(select(OwnAccount)).one()


def on_account() -> Money:
    """What the ledger moved on the programme's account."""
    legs = db.session.scalars(
        select(LedgerLeg).where(LedgerLeg.account == "1000", LedgerLeg.own_account_id == own_account().id)
    )
    return total(leg.cents if leg.side == "debit" else -leg.cents for leg in legs)


def right() -> None:
    db.session.rollback()
    assert [problem for each in check_ledger() for problem in each.problems] == []


def test_a_line_with_reference_amount_and_account_of_an_order_is_booked_by_itself(
    grant: World, order: PaymentOrder
) -> None:
    brought(statement(paid(order)))

    db.session.rollback()
    order = get(PaymentOrder, order.id)
    (line,) = lines()
    (entry,) = booked(order)
    assert (order.state, order.value_on, order.executed_by) == ("executed", PAID_ON, actors.carl().user_id)
    assert (line.booked_as, line.order_id, line.entry_id) == ("order", order.id, entry.id)
    assert entry.effective_on == PAID_ON
    assert get(PaymentRequest, order.request_id).state == "paid"
    assert open_lines() == [] and on_account() == -order.amount
    right()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cents": 209_999_99}, "whose amount is EUR 210\xa0000.00"),
        ({"end_to_end_id": "PCP-2024-P-9999"}, "names another end-to-end id or none"),
        ({"end_to_end_id": "", "parts": 2}, "names another end-to-end id or none"),
        ({"is_reversal": True}, "takes back a booking"),
        ({"booked_on": date(2024, 7, 31), "value_on": date(2024, 7, 31)}, "end-to-end id, amount and account agree"),
    ],
)
def test_a_line_that_is_nearly_an_order_is_never_forced(
    grant: World, order: PaymentOrder, changed: dict[str, object], words: str
) -> None:
    brought(statement(paid(order, **changed), from_on=date(2024, 7, 31)))

    (line,) = open_lines()
    assert words in line.match.words and not line.is_booked
    assert get(PaymentOrder, order.id).state == "sent" and booked(order) == []
    right()


def test_whoever_is_in_conflict_with_a_payment_reads_nothing_of_its_line(grant: World, order: PaymentOrder) -> None:
    brought(statement(paid(order), came(4_00)))
    barred = replace(actors.nuria(), bars=frozenset({("application", grant.application_id)}))
    (line,) = [each for each in lines() if each.order_id == order.id]

    with pytest.raises(NotFound):
        bank_lines.line_page(barred, line.number)
    seen = bank_lines.statement_lines(barred, "PCP-K-90", 1, Page()).items
    assert [each.line.amount for each in seen] == [Money(4_00)]
    assert [each.line.amount for each in bank_lines.unmatched(barred, UnmatchedAsk(), PAID_ON, Page()).items] == [
        Money(4_00)
    ]
    assert bank_lines.line_page(actors.nuria(), line.number).view.booked_to == order.reference


def test_one_line_for_two_orders_is_never_forced(grant: World) -> None:
    first = sent(grant, euros(100_000))
    second = sent(grant, euros(110_000), first.request_id)
    brought(statement(paid(first, cents=210_000_00, end_to_end_id="")))

    assert "One line for several payments" in open_lines()[0].match.words
    assert {get(PaymentOrder, each.id).state for each in (first, second)} == {"sent"}


def test_a_line_of_another_account_is_never_forced(grant: World, order: PaymentOrder) -> None:
    with clock.at(NOW):
        programme = own_account().programme_id
        services.enter_own_account(actors.fin(), OwnAccountInput(programme, "Another", OWN_IBAN, "BE", "Brussels"))
        made = db.session.scalars(select(OwnAccount).where(OwnAccount.iban == OWN_IBAN)).one()
        services.confirm_own_account(actors.vera(), made.id, evidence="Letter of the bank")
    brought(statement(paid(order), iban=OWN_IBAN))

    assert "was to be paid from another account" in open_lines()[0].match.words


def test_what_was_entered_by_hand_is_met_by_the_statement_and_not_doubled(grant: World, order: PaymentOrder) -> None:
    with clock.at(TOLD):
        services.execute(actors.carl(), order.id, value_on=PAID_ON + timedelta(1))
    brought(statement(paid(order)))

    (line,) = lines()
    (entry,) = booked(order)
    assert (line.booked_as, line.order_id, line.entry_id) == ("order", order.id, entry.id)
    assert on_account() == -order.amount
    right()


def test_a_second_line_of_the_same_order_is_not_booked(grant: World, order: PaymentOrder) -> None:
    brought(statement(paid(order)))
    following = statement(
        paid(order, bank_reference="B-8", booked_on=date(2024, 8, 3), value_on=date(2024, 8, 3)),
        identifier="S-2",
        number="42",
        opening=Money(1_000_000_00) - order.amount,
        from_on=date(2024, 8, 3),
        to_on=date(2024, 8, 3),
    )
    brought(following)

    (line,) = open_lines()
    assert "which another line booked already" in line.match.words
    assert len(booked(order)) == 1 and on_account() == -order.amount
    right()


def test_a_statement_that_came_twice_or_overlaps_books_once(grant: World, order: PaymentOrder) -> None:
    whole = statement(paid(order))
    brought(whole)
    brought(whole)
    brought(statement(paid(order), version="02"))
    brought(statement(paid(order), came(5, bank_reference="B-9"), identifier="S-3", number="43"))

    assert [line.booked_as for line in lines()] == ["order", "unidentified"]
    assert len(booked(order)) == 1 and on_account() == Money(5) - order.amount
    right()


def test_a_notice_books_and_the_statement_that_follows_does_not_book_again(grant: World, order: PaymentOrder) -> None:
    brought(statement(paid(order), kind="camt.054"))
    assert get(PaymentOrder, order.id).state == "executed"
    brought(statement(paid(order)))

    (line,) = lines()
    assert line.statement_id is not None and len(booked(order)) == 1
    right()


def test_a_file_that_the_bank_books_in_one_sum_pays_each_of_its_orders(grant: World) -> None:
    with clock.at(NOW):
        request_id = decided(grant)
        orders = [authorised(request_id, euros(100_000)), authorised(request_id, euros(110_000))]
        made = services.export(actors.carl(), tuple(orders), control_total=euros(210_000))
    message = get(PaymentBatch, made.id).message_id
    of_file = {"payment_id": f"{message}-1", "end_to_end_id": "", "booked_on": PAID_ON, "value_on": PAID_ON}
    wrong = statement(debit(209_999_99, **of_file), debit(1, **{**of_file, "bank_reference": "B-8"}))
    brought(wrong)
    assert {get(PaymentOrder, each).state for each in orders} == {"sent"} and len(open_lines()) == 2

    brought(
        statement(
            debit(210_000_00, **{**of_file, "bank_reference": "B-9"}),
            identifier="S-2",
            number="42",
            opening=Money(1_000_000_00 - 210_000_00),
        )
    )

    db.session.rollback()
    line = lines()[-1]
    assert (line.booked_as, line.batch_id, line.entry_id) == ("file", made.id, None)
    assert {get(PaymentOrder, each).state for each in orders} == {"executed"}
    assert get(PaymentRequest, request_id).state == "paid" and on_account() == euros(-210_000)
    right()


def test_money_that_came_stands_unidentified_and_open(grant: World) -> None:
    brought(statement(came(70_00)))

    (line,) = open_lines()
    assert line.line.amount == euros(70) and line.booked_as == "unidentified"
    assert books.balance(Account.UNIDENTIFIED) == euros(70) == on_account()
    right()


def test_who_signed_for_an_order_books_nothing_of_it(grant: World, order: PaymentOrder) -> None:
    fin = actors.fin()
    assert fin.user_id is not None
    both = actors.give(fin.user_id, Role.ACCOUNTING_OFFICER, "programme", own_account().programme_id)
    brought(statement(paid(order)), by=both)

    assert booked(order) == [] and len(open_lines()) == 1
    imported = told.imports(actors.carl(), Page()).items[0]
    with clock.at(TOLD):
        services.book_lines(actors.carl(), imported.id)
    assert len(booked(order)) == 1


# ---------------------------------------------------------------------------------------------- recoveries


def owed(found: World) -> Recovery:
    """A recovery of 60 000, established on the first of August."""
    with clock.at(IN_FORCE):
        pay(decided(found))
    with clock.at(NOW):
        asked = services.open_for_report(actors.program(), report(found, 1, euros(150_000), final=True))
        assert asked is not None
        services.decide(actors.otto(), asked.id, DecisionInput(euros(150_000)))
        made = owed_back(found.grant_id, date(2024, 9, 15))
    return get(Recovery, made.id)


def test_a_receipt_that_names_its_recovery_is_booked_and_what_is_above_it_kept(grant: World) -> None:
    debt = owed(grant)
    brought(statement(came(20_000_00, remittance=f"Repayment {debt.reference}, thank you")))
    assert lines()[0].booked_as == "recovery" and open_lines() == []
    assert get(Recovery, debt.id).state == "part_paid"
    right()

    second = came(40_000_01, remittance=debt.reference.lower(), bank_reference="B-9")
    brought(statement(came(20_000_00, remittance=f"Repayment {debt.reference}, thank you"), second, number="42"))

    assert get(Recovery, debt.id).state == "paid"
    assert books.balance(Account.UNIDENTIFIED, grant_id=grant.grant_id) == Money(1)
    assert [line.booked_as for line in lines()] == ["recovery", "recovery"]
    right()


@act(
    "test_world.return_payment",
    needs=Permission.PAYMENT_ORDER_EXECUTE,
    scope=scope_of_order,
    says="sent a payment back",
)
def _returned(actor: actors.Actor, order_id: UUID) -> None:
    acts.reason("AC04")
    order = get(PaymentOrder, order_id)
    book_returned(CameBack(order, get(Grant, order.grant_id), "AC04", NOW.date()), own_account().id)


def test_what_the_bank_returned_is_not_paid_back_and_money_that_names_the_debt_waits_for_people(grant: World) -> None:
    """The debt of 60 000 stands on money that nobody has any more: a statement that pays it is booked all the same."""
    debt = owed(grant)
    with clock.at(NOW):
        _returned(actors.carl(), db.session.scalars(select(PaymentOrder.id)).one())
        with pytest.raises(Refused, match="cannot come back of it: the bank returned the rest"):
            services.book_receipt(actors.carl(), debt.id, ReceiptInput(euros(20_000), NOW.date(), "B-7"))
    brought(statement(came(20_000_00, remittance=debt.reference)))

    (line,) = lines()
    assert line.booked_as == "unidentified" and unidentified() == euros(20_000)
    assert get(Recovery, debt.id).state == "issued"
    right()


def test_a_receipt_of_a_notice_waits_for_the_statement(grant: World) -> None:
    debt = owed(grant)
    back = came(20_000_00, remittance=debt.reference)
    brought(statement(back, kind="camt.054"))
    assert lines()[0].booked_as is None and unidentified() == ZERO
    brought(statement(back))

    (line,) = lines()
    assert (line.booked_as, line.recovery_id) == ("recovery", debt.id)
    right()


def test_whoever_is_in_conflict_reads_no_open_line_that_names_a_recovery_of_the_grant(grant: World) -> None:
    debt = owed(grant)
    brought(
        statement(
            came(20_000_00, remittance=f"Back for {debt.reference}, thanks"),
            came(4_00, remittance=f"{debt.reference}7", bank_reference="B-8"),
            kind="camt.054",
        )
    )
    barred = replace(actors.nuria(), bars=frozenset({("application", grant.application_id)}))

    seen = bank_lines.unmatched(barred, UnmatchedAsk(), PAID_ON, Page()).items
    assert [each.line.amount for each in seen] == [Money(4_00)] and len(open_lines()) == 2


def test_a_receipt_entered_by_hand_is_met_by_the_statement_and_not_doubled(grant: World) -> None:
    debt = owed(grant)
    with clock.at(TOLD):
        services.book_receipt(actors.carl(), debt.id, ReceiptInput(euros(20_000), PAID_ON, "B-2"))
    brought(statement(came(20_000_00, remittance=debt.reference)))

    assert lines()[0].booked_as == "recovery"
    assert len(db.session.scalars(select(RecoveryReceipt)).all()) == 1
    right()


def test_a_receipt_without_a_reference_is_told_later_by_two_people(grant: World) -> None:
    debt = owed(grant)
    brought(statement(came(60_000_00)))
    (line,) = lines()
    with clock.at(TOLD):
        claim = services.explain(actors.carl(), line.id, Claim(Explained.RECOVERY, debt.reference, "The city wrote."))
        with pytest.raises(NotAllowed):
            services.confirm_claim(actors.carl(), claim)
        with pytest.raises(Conflict, match="said already"):
            services.explain(actors.carl(), line.id, Claim(Explained.FUNDING, "101036519", "Or this."))
        services.confirm_claim(actors.vera(), claim)
        with pytest.raises(Refused, match="is confirmed; it cannot confirm"):
            services.confirm_claim(actors.otto(), claim)

    (line,) = lines()
    assert (line.booked_as, line.identified_as, line.recovery_id) == ("unidentified", "recovery", debt.id)
    assert get(Recovery, debt.id).state == "paid" and open_lines() == []
    assert books.balance(Account.RECOVERY_RECEIVABLE, grant_id=grant.grant_id) == ZERO == unidentified()
    right()


def unidentified() -> Money:
    return books.balance(Account.UNIDENTIFIED)


# ---------------------------------------------------------------------------------------------- people say what a line is


def said(line: BankLine, explained: Explained, named: str = "") -> UUID:
    with clock.at(TOLD):
        return services.explain(actors.carl(), line.id, Claim(explained, named, "The bank said so on the phone."))


def confirmed(line: BankLine, explained: Explained, named: str = "") -> None:
    claim = said(line, explained, named)
    with clock.at(TOLD):
        services.confirm_claim(actors.vera(), claim)


def test_two_people_book_funding_charges_and_set_the_rest_aside(grant: World) -> None:
    brought(
        statement(
            came(500_000_00),
            debit(12_50, bank_reference="B-7", end_to_end_id="", booked_on=PAID_ON, value_on=PAID_ON),
            debit(3_00, bank_reference="B-8", end_to_end_id="", booked_on=PAID_ON, value_on=PAID_ON),
        )
    )
    funding, charge, other = lines()
    confirmed(funding, Explained.FUNDING, "101036519")
    confirmed(charge, Explained.CHARGE)
    confirmed(other, Explained.SET_ASIDE)

    assert [(each.booked_as, each.identified_as) for each in lines()] == [
        ("unidentified", "funding"), ("charge", None), ("set_aside", None),
    ]  # fmt: skip
    assert open_lines() == [] and unidentified() == ZERO
    assert books.balance(Account.FUNDING_RECEIVED) == euros(500_000)
    assert books.balance(Account.BANK_CHARGES) == Money(12_50)
    proof = told.statement_proof(actors.nuria(), "PCP-K-90", 1)
    assert (proof.difference, proof.open_lines) == (Money(-3_00), ZERO)
    assert (proof.set_aside, proof.unexplained) == (Money(-3_00), ZERO)
    right()


def test_a_person_matches_a_line_to_an_order_of_the_same_amount_only(grant: World, order: PaymentOrder) -> None:
    brought(
        statement(
            paid(order, end_to_end_id="UNKNOWN-1"),
            paid(order, cents=1, end_to_end_id="UNKNOWN-2", bank_reference="B-8"),
        )
    )
    same, less = lines()
    with pytest.raises(Refused, match="same amount only"):
        said(less, Explained.ORDER, order.reference)
    with pytest.raises(Invalid):
        said(same, Explained.ORDER, "PCP-2024-P-9999")
    with pytest.raises(Refused, match="cannot be that"):
        said(same, Explained.FUNDING, "101036519")
    confirmed(same, Explained.ORDER, order.reference)

    db.session.rollback()
    assert get(PaymentOrder, order.id).executed_by == actors.carl().user_id
    assert [line.booked_as for line in lines()] == ["order", None] and len(booked(order)) == 1
    right()


def test_a_line_that_names_an_order_is_no_other_and_nothing_else(grant: World) -> None:
    first = sent(grant, euros(100_000))
    second = sent(grant, euros(100_000), first.request_id)
    early = date(2024, 7, 31)
    brought(statement(paid(first, booked_on=early, value_on=early), from_on=early))
    (line,) = lines()
    with pytest.raises(Refused, match=f"names {first.reference} by its end-to-end id, so it is not {second.reference}"):
        said(line, Explained.ORDER, second.reference)
    for explained in (Explained.CHARGE, Explained.SET_ASIDE):
        with pytest.raises(Refused, match="so it is nothing else"):
            said(line, explained)


def test_what_came_back_is_of_its_own_order_and_account_and_said_by_nobody_who_signed(grant: World) -> None:
    first = sent(grant, euros(100_000))
    second = sent(grant, euros(100_000), first.request_id)
    later = {"booked_on": date(2024, 8, 3), "value_on": date(2024, 8, 3), "bank_reference": "R-1"}
    brought(
        statement(
            paid(first),
            paid(second, bank_reference="B-8"),
            came(100_000_00, end_to_end_id=first.end_to_end_id, parts=1, **later),
            came(100_000_00, end_to_end_id=first.end_to_end_id, **{**later, "bank_reference": "R-2"}),
            came(100_000_00, return_reason="MS03", **{**later, "bank_reference": "R-3"}),
            to_on=date(2024, 8, 3),
        )
    )
    *_, named, free = lines()
    with pytest.raises(Refused, match="so it is not"):
        said(named, Explained.RETURN, second.reference)
    signer = replace(actors.carl(), user_id=actors.vera().user_id)
    with clock.at(TOLD), pytest.raises(Refused, match="must be somebody else"):
        services.explain(signer, free.id, Claim(Explained.RETURN, second.reference, "It came back."))
    with clock.at(NOW):
        programme = own_account().programme_id
        services.enter_own_account(actors.fin(), OwnAccountInput(programme, "Another", OWN_IBAN, "BE", "Brussels"))
        made = db.session.scalars(select(OwnAccount).where(OwnAccount.iban == OWN_IBAN)).one()
        services.confirm_own_account(actors.vera(), made.id, evidence="Letter of the bank")
    brought(statement(came(100_000_00, return_reason="MS03", **later), iban=OWN_IBAN, to_on=date(2024, 8, 3)))
    with pytest.raises(Refused, match="from another account"):
        said(lines()[-1], Explained.RETURN, second.reference)


def test_a_line_without_our_id_is_linked_to_what_was_executed_by_hand(grant: World, order: PaymentOrder) -> None:
    with clock.at(TOLD):
        services.execute(actors.carl(), order.id, value_on=PAID_ON)
    brought(statement(paid(order, end_to_end_id=""), paid(order, end_to_end_id="", bank_reference="B-8")))
    line, second = lines()
    confirmed(line, Explained.ORDER, order.reference)

    (entry,) = booked(order)
    assert (lines()[0].booked_as, lines()[0].entry_id) == ("order", entry.id) and on_account() == -order.amount
    with pytest.raises(Refused, match="Another line booked"):
        said(second, Explained.ORDER, order.reference)
    right()


def test_what_somebody_said_is_refused_with_a_reason_or_taken_back(grant: World) -> None:
    brought(statement(came(5)))
    (line,) = lines()
    claim = said(line, Explained.FUNDING, "101036519")
    with clock.at(TOLD):
        with pytest.raises(Invalid):
            services.refuse_claim(actors.otto(), claim, reason=" ")
        services.refuse_claim(actors.otto(), claim, reason="The funder paid nothing this month.")
    claim = said(line, Explained.FUNDING, "101036519")
    with clock.at(TOLD):
        services.withdraw_claim(actors.carl(), claim)

    assert len(open_lines()) == 1 and unidentified() == Money(5)


def test_the_balance_of_each_statement_is_held_against_the_ledger(grant: World, order: PaymentOrder) -> None:
    with clock.at(TOLD):
        services.execute(actors.carl(), order.id, value_on=PAID_ON)
    brought(statement(came(70_00), debit(9_00, bank_reference="B-7", booked_on=PAID_ON, end_to_end_id="")))

    proof = told.statement_proof(actors.nuria(), "PCP-K-90", 1)

    assert proof.closing == Money(1_000_000_00 + 61_00)
    assert proof.reached == Money(1_000_000_00 + 70_00) - order.amount
    assert (proof.open_lines, proof.untold, proof.unexplained) == (Money(-9_00), -order.amount, ZERO)
    right()


# ---------------------------------------------------------------------------------------------- pages


def test_by_pages_a_line_is_found_said_and_confirmed(
    app: Flask, client: FlaskClient, grant: World, order: PaymentOrder
) -> None:
    brought(statement(paid(order), came(70_00)))
    carl, vera, nuria = (actors.client_of(app, who) for who in (actors.carl(), actors.vera(), actors.nuria()))
    waits = nuria.get("/finance/unmatched").text
    number = lines()[1].number
    here = f"/finance/bank-lines/{number}"
    given = {"explained": "funding", "fund": "101036519", "reason": "The funder announced it."}

    wrong = carl.post(f"{here}/explain", data={**given, "reason": ""})
    sent_ = carl.post(f"{here}/explain", data=given)
    mine, theirs = carl.get(here).text, vera.get(here).text
    done = vera.post(f"{here}/confirm", data={"version": "1"})

    assert "booked as an unidentified receipt" in waits.lower() and here in waits
    assert wrong.status_code == 422, wrong.text[-1800:]
    assert "Say how you know" in wrong.text
    assert sent_.status_code == done.status_code == 303
    assert "You said this" in mine and "Confirm and book" in theirs and "Confirm and book" not in mine
    shown = nuria.get(here).text
    assert "Confirmed" in shown and "told later: funding received" in shown
    stands = nuria.get("/finance/bank/PCP-K-90/1").text
    assert (
        "The bank and the ledger say the same." in stands
        and f"Booked as the payment of order {order.reference}" in stands
    )
    assert nuria.get("/finance/bank-lines/999999").status_code == 404
    assert carl.get(f"/finance/orders/{order.reference}").status_code == 200


def test_the_page_of_a_line_asks_little_of_a_receipt_and_of_a_confirmed_charge(app: Flask, grant: World) -> None:
    fee = debit(12_50, bank_reference="B-7", end_to_end_id="", booked_on=PAID_ON, value_on=PAID_ON)
    brought(statement(came(70_00), fee))
    receipt, charge = lines()
    confirmed(charge, Explained.CHARGE)
    said(receipt, Explained.FUNDING, "101036519")
    carl = actors.client_of(app, actors.carl())

    for line in (receipt, charge):
        here = f"/finance/bank-lines/{line.number}"
        carl.get(here)
        with statements() as asked:
            assert carl.get(here).status_code == 200
        assert len(asked) <= 8


def test_what_was_typed_of_a_line_stays_where_the_password_is_old_or_somebody_was_faster(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    brought(statement(came(70_00)))
    carl, here = actors.client_of(app, actors.carl()), f"/finance/bank-lines/{lines()[0].number}/explain"
    given = {"explained": "funding", "fund": "101036519", "reason": "The funder announced it."}

    with clock.at(clock.now() + timedelta(minutes=11)):
        old = carl.post(here, data=given)
    first, second = carl.post(here, data=given), carl.post(here, data={**given, "reason": "Seen in the portal."})

    assert old.status_code == 422 and "Nothing was done yet" in old.text
    assert "The funder announced it.</textarea>" in old.text
    assert (first.status_code, second.status_code) == (303, 409)
    assert "You had typed" in second.text and "Seen in the portal." in second.text


def test_lines_that_wait_are_duties_of_who_explains_and_then_of_who_confirms(app: Flask, grant: World) -> None:
    brought(statement(came(70_00), came(80_00, bank_reference="B-9")))

    def told_to(who: actors.Actor) -> list[str]:
        return [each.what for each in queries.duties(who, TOLD) if each.endpoint.startswith("payments.")]

    assert "Say what 2 lines of the bank are" in told_to(actors.carl())
    services.explain(actors.carl(), lines()[0].id, Claim(Explained.FUNDING, "101036519", "The funder announced it."))

    assert "Say what 1 line of the bank is" in told_to(actors.carl())
    assert "Confirm what a line of the bank is" in told_to(actors.vera())
    assert "Confirm what a line of the bank is" not in told_to(actors.carl())
    assert not [each for each in told_to(actors.ana()) if "bank" in each]
