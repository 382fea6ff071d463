"""Payments that the bank rejects or returns: booked back to the cent, told to the city, and issued again by four people."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError
from werkzeug.datastructures import FileStorage

from grants.agreements import services as agreeing
from grants.agreements.models import Grant
from grants.agreements.rules import HoldInput
from grants.agreements.states import HoldReason
from grants.core import clock, files
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import BankStatus, PaymentBatch, PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.rules.hands import Acting
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.statements.claims import Claim
from grants.payments.rules.statements.values import BankFile
from grants.payments.services import bank_files
from grants.payments.states import Explained, Step
from tests import actors
from tests.agreements.accounts import document
from tests.documents.conftest import column, table, total_of
from tests.documents.stated import stated
from tests.documents.stated import statement as statement_of
from tests.payments.bank_statements import report
from tests.payments.test_bank_booking import (
    PAID_ON,
    TOLD,
    booked,
    brought,
    came,
    lines,
    on_account,
    open_lines,
    order,
    paid,
    right,
    sent,
    sent_world,
    statement,
)
from tests.payments.test_services import balance
from tests.payments.world import SEEN, World, replace_account

__all__ = ["order", "sent_world"]

pytestmark = pytest.mark.usefixtures("app")


def reported(order: PaymentOrder, *told: tuple[str, str, str], status: str = "PART") -> UUID:
    """A status report on the file of this order, read and applied."""
    assert order.batch_id is not None
    message = get(PaymentBatch, order.batch_id).message_id
    data = report(told, status=status).replace(b"PCP-2027-B-0001", message.encode())
    data = data.replace(b">150000.00<", f">{order.amount.cents // 100}.00<".encode())
    with clock.at(TOLD):
        upload = FileStorage(io.BytesIO(data), filename="report.xml")
        made = services.import_statement(actors.carl(), files.receive(upload, look=bank_files.look), BankFile.REPORT)
        services.read_statement(actors.carl(), made.id)
        services.apply_report(actors.carl(), made.id)
        services.apply_report(actors.carl(), made.id)
    db.session.rollback()
    return made.id


def named(order: PaymentOrder) -> str:
    assert order.end_to_end_id is not None
    return order.end_to_end_id


def now(order: PaymentOrder) -> PaymentOrder:
    db.session.rollback()
    return get(PaymentOrder, order.id)


def mails(template: str) -> list[Job]:
    rows = db.session.scalars(select(Job).where(Job.function == "jobs.mail.send"))
    return [row for row in rows if template in str(row.arguments)]


def returned(order: PaymentOrder, number: int = 1, reason: str = "AC04") -> None:
    """The bank books it, and sends it back a day later."""
    end = Money(1_000_000_00)
    first = PAID_ON + timedelta(2 * (number - 1))
    after = first + timedelta(1)
    brought(
        statement(
            paid(order, bank_reference=f"P-{number}", booked_on=first, value_on=first),
            came(
                order.amount.cents,
                end_to_end_id=order.end_to_end_id,
                return_reason=reason,
                bank_reference=f"R-{number}",
                booked_on=after,
                value_on=after,
            ),
            identifier=f"S-{number}",
            number=str(40 + number),
            opening=end,
            from_on=first,
            to_on=after,
        )
    )


def test_a_rejected_order_comes_back_without_touching_the_budget(grant: World, order: PaymentOrder) -> None:
    reported(order, (named(order), "RJCT", "AC04"))

    order = now(order)
    assert (order.state, order.came_back_on) == ("bank_rejected", TOLD.date())
    assert order.bank_reason == "AC04: as the bank says"
    assert balance(grant, Account.IN_TRANSIT) == ZERO == balance(grant, Account.CONSUMED)
    assert balance(grant, Account.RETURNED) == order.amount
    (status,) = queries.statuses_of(order.id)
    assert (status.status, status.outcome.value) == ("RJCT", "rejected")
    right()


@pytest.mark.parametrize("word", ["ACSC", "ACCP", "ACTC"])
def test_a_word_that_the_bank_has_it_posts_nothing(grant: World, order: PaymentOrder, word: str) -> None:
    before = on_account(), balance(grant, Account.IN_TRANSIT)
    reported(order, (named(order), word, ""))
    assert now(order).state == "acknowledged" and (on_account(), balance(grant, Account.IN_TRANSIT)) == before

    brought(statement(paid(order)))

    assert now(order).state == "executed" and len(booked(order)) == 1
    right()


def test_a_whole_file_the_bank_refuses_rejects_each_of_its_orders(grant: World, order: PaymentOrder) -> None:
    reported(order, status="RJCT")

    assert now(order).state == "bank_rejected"
    right()


@pytest.mark.parametrize("code", ["AM05", "DU01", "DUPL"])
def test_what_the_bank_takes_for_a_second_one_is_not_rejected(grant: World, order: PaymentOrder, code: str) -> None:
    made = reported(order, (named(order), "RJCT", code))

    (status,) = queries.statuses_in(actors.nuria(), made)
    assert (now(order).state, status.outcome.value) == ("sent", "noted")
    assert "the first may be executed" in status.warning
    assert order.batch_id is not None
    with clock.at(TOLD):
        with pytest.raises(Refused, match="the first may be executed"):
            services.reject_by_bank(actors.carl(), order.id, reason=f"{code} twice", on=PAID_ON)
        with pytest.raises(Refused, match="the first may be executed"):
            services.reject_file_by_bank(actors.carl(), order.batch_id, reason=f"{code}: twice", on=PAID_ON)
    right()


def rejected_first(found: World) -> tuple[PaymentOrder, UUID]:
    """The bank says no, a new order stands for it, and then the statement says that the first was paid."""
    order = sent(found)
    reported(order, (named(order), "RJCT", "MS03"))
    with clock.at(TOLD):
        made = services.reissue(actors.fin(), order.id).id
        services.verify(actors.vera(), made, evidence=SEEN)
    brought(statement(paid(order)))
    return order, made


def test_what_a_line_says_was_paid_is_not_rejected(grant: World, order: PaymentOrder) -> None:
    # Of before it left, so that it is left to people.
    day = date(2024, 7, 31)
    brought(statement(paid(order, booked_on=day, value_on=day), from_on=day))
    assert order.batch_id is not None
    made = reported(order, (named(order), "RJCT", "MS03"))

    (status,) = queries.statuses_in(actors.nuria(), made)
    assert (now(order).state, status.outcome.value) == ("sent", "late")
    with clock.at(TOLD):
        for entered in (
            lambda: services.reject_by_bank(actors.carl(), order.id, reason="MS03", on=PAID_ON),
            lambda: services.reject_file_by_bank(actors.carl(), order.batch_id, reason="MS03", on=PAID_ON),
        ):
            with pytest.raises(Refused, match=f"Line {lines()[0].number} of the bank says that"):
                entered()


def test_a_line_that_pays_what_was_rejected_stops_what_issues_it_again(grant: World) -> None:
    order, made = rejected_first(grant)
    stopped = f"Line {lines()[0].number} of the bank says that {order.reference} was paid"
    with clock.at(TOLD), pytest.raises(Refused, match=stopped):
        services.authorise(actors.otto(), made, evidence=SEEN)
    with clock.at(TOLD):
        services.cancel(actors.otto(), made, reason="Paid after all.")
        with pytest.raises(Refused, match=stopped):
            services.reissue(actors.fin(), order.id)


def test_what_was_authorised_before_the_line_came_is_neither_built_nor_sent(grant: World, order: PaymentOrder) -> None:
    reported(order, (named(order), "RJCT", "MS03"))
    with clock.at(TOLD):
        made = services.reissue(actors.fin(), order.id).id
        services.verify(actors.vera(), made, evidence=SEEN)
        services.authorise(actors.otto(), made, evidence=SEEN)
        account = queries.payable_from_any((made,))
        built = services.build(actors.carl(), (made,), FileInput(account, FileLayout.XLSX, TOLD.date()))
        services.make_batch_file(actors.carl(), built.id)
    brought(statement(paid(order)))

    with clock.at(TOLD):
        with pytest.raises(Refused, match="so it is not issued again"):
            services.send(actors.carl(), built.id, count=1, control_total=order.amount)
        services.discard(actors.carl(), built.id, reason="Paid after all.")
        with pytest.raises(Refused, match="so it is not issued again"):
            services.build(actors.carl(), (made,), FileInput(account, FileLayout.XLSX, TOLD.date()))


def test_two_people_book_what_was_rejected_and_paid_after_all(grant: World) -> None:
    order, made = rejected_first(grant)
    (line,) = lines()
    wanted = Claim(Explained.ORDER, order.reference, "The bank carried it out.")
    with clock.at(TOLD):
        with pytest.raises(Refused, match="Cancel it first"):
            services.explain(actors.carl(), line.id, wanted)
        services.cancel(actors.otto(), made, reason="Paid after all.")
        services.confirm_claim(actors.vera(), services.explain(actors.carl(), line.id, wanted))

    order = now(order)
    assert (order.state, order.came_back_on, order.executed_by) == ("executed", None, actors.carl().user_id)
    assert get(PaymentRequest, order.request_id).state == "paid" and lines()[0].booked_as == "order"
    assert balance(grant, Account.RETURNED) == ZERO == balance(grant, Account.IN_TRANSIT)
    assert on_account() == -order.amount == -balance(grant, Account.CONSUMED)
    right()


def test_what_a_statement_takes_back_is_issued_again(grant: World) -> None:
    order, made = rejected_first(grant)
    brought(
        statement(
            paid(order),
            came(order.amount.cents, end_to_end_id=order.end_to_end_id, is_reversal=True),
            identifier="S-2",
            number="42",
        )
    )
    with clock.at(TOLD):
        services.authorise(actors.otto(), made, evidence=SEEN)
    assert now(order).state == "bank_rejected"


def test_whoever_signed_an_order_does_not_report_that_the_bank_refused_it(grant: World, order: PaymentOrder) -> None:
    assert order.batch_id is not None
    data = report([(named(order), "RJCT", "MS03")])
    data = data.replace(b"PCP-2027-B-0001", get(PaymentBatch, order.batch_id).message_id.encode())
    data = data.replace(b">150000.00<", f">{order.amount.cents // 100}.00<".encode())
    vera = replace(actors.carl(), user_id=actors.vera().user_id)
    with clock.at(TOLD):
        upload = FileStorage(io.BytesIO(data), filename="report.xml")
        made = services.import_statement(vera, files.receive(upload, look=bank_files.look), BankFile.REPORT)
        services.read_statement(vera, made.id)
        services.apply_report(vera, made.id)

    (status,) = queries.statuses_in(actors.nuria(), made.id)
    assert (now(order).state, status.outcome.value) == ("sent", "left")


def test_a_late_rejection_and_a_stranger_are_named_and_change_nothing(grant: World, order: PaymentOrder) -> None:
    brought(statement(paid(order)))
    made = reported(order, (named(order), "RJCT", "AC04"), ("STRANGER-1", "RJCT", "AC01"))

    told = {each.end_to_end_id: each.outcome.value for each in queries.statuses_in(actors.nuria(), made)}
    assert told == {named(order): "late", "STRANGER-1": "unknown"}
    assert now(order).state == "executed"
    right()


def test_a_report_on_no_file_of_ours_is_refused(grant: World) -> None:
    data = report([("A", "RJCT", "AC01")])
    with clock.at(TOLD):
        upload = FileStorage(io.BytesIO(data), filename="report.xml")
        made = services.import_statement(actors.carl(), files.receive(upload, look=bank_files.look), BankFile.REPORT)
        found = services.read_statement(actors.carl(), made.id)

    assert found.state.value == "refused"


def test_a_payment_that_comes_back_opens_its_request_and_its_commitment(grant: World, order: PaymentOrder) -> None:
    returned(order)

    order = now(order)
    assert (order.state, order.bank_reason) == ("returned", "AC04")
    assert get(PaymentRequest, order.request_id).state == "approved"
    assert on_account() == ZERO == balance(grant, Account.CONSUMED)
    assert balance(grant, Account.RETURNED) == order.amount
    assert [line.booked_as for line in lines()] == ["order", "return"] and open_lines() == []
    assert books.balance(Account.LEGALLY_COMMITTED, grant_id=grant.grant_id) == euros(600_000)
    right()


def test_statements_agree_on_a_payment_that_came_back_and_say_so(grant: World, order: PaymentOrder) -> None:
    returned(order)

    assert stated(grant, TOLD) == (ZERO, ZERO)
    assert column(table(statement_of(grant, TOLD), "Payment orders"), "State") == [
        f"Returned by the bank, {order.amount}"
    ]


def test_a_statement_says_that_the_bank_rejected_an_order(grant: World, order: PaymentOrder) -> None:
    reported(order, (named(order), "RJCT", "AC01"))

    assert stated(grant, TOLD) == (ZERO, ZERO)
    orders = table(statement_of(grant, TOLD), "Payment orders")
    assert (column(orders, "State"), total_of(orders, "Amount")) == ([f"Rejected by the bank, {order.amount}"], ZERO)


def test_what_only_a_notice_says_came_back_waits_for_the_statement(grant: World, order: PaymentOrder) -> None:
    brought(statement(paid(order)))
    given = {"end_to_end_id": order.end_to_end_id, "return_reason": "MS03", "bank_reference": "R-1"}
    back = came(order.amount.cents, **given)
    brought(statement(back, kind="camt.054", identifier="N-1"))

    (line,) = open_lines()
    assert now(order).state == "executed" and "Only a notice told of it" in line.words
    brought(statement(paid(order), back, identifier="S-2", number="42"))
    assert now(order).state == "returned" and [each.booked_as for each in lines()] == ["order", "return"]
    right()


@pytest.mark.parametrize("changed", [{"cents": 209_999_99}, {"end_to_end_id": "STRANGER-1"}])
def test_what_came_back_otherwise_waits_for_people(
    grant: World, order: PaymentOrder, changed: dict[str, object]
) -> None:
    brought(statement(paid(order)))
    cents = int(str(changed.get("cents", order.amount.cents)))
    given = {"end_to_end_id": order.end_to_end_id, "return_reason": "AC04", "bank_reference": "R-1"}
    one = came(cents, **{**given, **{key: value for key, value in changed.items() if key != "cents"}})
    brought(statement(paid(order), one, identifier="S-2", number="42"))

    assert now(order).state == "executed" and len(open_lines()) == 1
    line = lines()[-1]
    with clock.at(TOLD):
        wanted = Claim(Explained.RETURN, order.reference, "The bank said so.")
        if cents != order.amount.cents:
            with pytest.raises(Refused, match="comes back whole"):
                services.explain(actors.carl(), line.id, wanted)
            return
        services.confirm_claim(actors.vera(), services.explain(actors.carl(), line.id, wanted))
    assert now(order).state == "returned" and lines()[-1].booked_as == "return"
    right()


def test_a_return_taken_for_a_receipt_is_told_later(grant: World, order: PaymentOrder) -> None:
    brought(statement(paid(order), came(order.amount.cents)))
    line = lines()[-1]
    assert line.booked_as == "unidentified"
    with clock.at(TOLD):
        wanted = Claim(Explained.RETURN, order.reference, "The bank said so.")
        services.confirm_claim(actors.vera(), services.explain(actors.carl(), line.id, wanted))

    assert now(order).state == "returned" and books.balance(Account.UNIDENTIFIED) == ZERO
    assert balance(grant, Account.RETURNED) == order.amount
    right()


def again(order: PaymentOrder) -> PaymentOrder:
    """What came back is issued again, signed anew and sent."""
    with clock.at(TOLD):
        made = services.reissue(actors.fin(), order.id).id
        services.verify(actors.vera(), made, evidence=SEEN)
        services.authorise(actors.otto(), made, evidence=SEEN)
        services.export(actors.carl(), (made,), control_total=order.amount)
    db.session.rollback()
    return get(PaymentOrder, made)


def test_what_came_back_is_issued_again_to_another_account(grant: World, order: PaymentOrder) -> None:
    returned(order)
    with clock.at(TOLD):
        with pytest.raises(Refused, match="the account is closed"):
            services.reissue(actors.fin(), order.id)
        with pytest.raises(Refused, match="left to order"):
            services.prepare(actors.fin(), order.request_id, amount=order.amount)
        replace_account(grant)
        new = again(order)
        with pytest.raises(Refused, match="issued again already"):
            services.reissue(actors.fin(), order.id)

    assert (new.reissue_of, new.amount, new.state) == (order.id, order.amount, "sent")
    assert new.end_to_end_id != order.end_to_end_id and new.bank_account_id != order.bank_account_id
    assert balance(grant, Account.RETURNED) == ZERO and balance(grant, Account.IN_TRANSIT) == order.amount
    right()
    with clock.at(TOLD):
        services.execute(actors.carl(), new.id, value_on=TOLD.date())
    assert get(PaymentRequest, order.request_id).state == "paid"
    right()


def test_the_amount_of_what_is_issued_again_does_not_change_and_a_cancelled_one_is_issued_anew(
    grant: World, order: PaymentOrder
) -> None:
    reported(order, (named(order), "RJCT", "MS03"))
    with clock.at(TOLD):
        made = services.reissue(actors.fin(), order.id).id
        with pytest.raises(Refused, match="no other amount"):
            services.change(actors.fin(), made, amount=order.amount - Money(1), reason="Less")
        services.cancel(actors.fin(), made, reason="Not now.")
        assert services.reissue(actors.fin(), order.id).id != made
    right()


def test_of_a_suspended_grant_or_for_another_coordinator_nothing_is_issued_again(
    grant: World, order: PaymentOrder
) -> None:
    reported(order, (named(order), "RJCT", "MS03"))
    with clock.at(TOLD):
        words = HoldInput(None, HoldReason.BREACH, "The procurement was not open.", TOLD.date())
        number = agreeing.hold(actors.otto(), grant.grant_id, words, document())
        with pytest.raises(Refused, match="The grant is suspended"):
            services.reissue(actors.fin(), order.id)
        agreeing.lift_hold(actors.otto(), grant.grant_id, number, words="It was mended.")
        with arranging():
            get(Grant, grant.grant_id).coordinator_id = grant.agency_id
        with pytest.raises(Refused, match="was for another organisation"):
            services.reissue(actors.fin(), order.id)


def test_who_issues_again_in_the_role_of_somebody_else_signs_so(
    grant: World, order: PaymentOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported(order, (named(order), "RJCT", "MS03"))
    absent = actors.nuria().user_id
    assert absent is not None
    stood = Acting(Step.PREPARED, None, absent)
    monkeypatch.setattr("grants.payments.services.reissuing.standing_in", lambda *_: stood)
    with clock.at(TOLD):
        made = services.reissue(actors.fin(), order.id).id

    (signature,) = db.session.scalars(select(PaymentOrderSignature).where(PaymentOrderSignature.order_id == made)).all()
    assert signature.stand_in_for == absent


@pytest.mark.parametrize("times", [1, 3])
def test_paid_returned_and_issued_again_any_number_of_times_the_books_hold(
    grant: World, order: PaymentOrder, times: int
) -> None:
    for number in range(1, times + 1):
        with clock.at(TOLD + timedelta(days=10 * number)):
            services.execute(actors.carl(), order.id, value_on=clock.in_zone(clock.now()).date())
        brought_back(order, number)
        right()
        order = again_at(order, number)
        right()
    with clock.at(TOLD + timedelta(days=10 * times + 9)):
        services.execute(actors.carl(), order.id, value_on=clock.in_zone(clock.now()).date())

    assert get(PaymentRequest, order.request_id).state == "paid"
    assert on_account() == -order.amount == -balance(grant, Account.CONSUMED)
    assert balance(grant, Account.RETURNED) == ZERO == balance(grant, Account.IN_TRANSIT)
    right()


def brought_back(order: PaymentOrder, number: int) -> None:
    day = (TOLD + timedelta(days=10 * number)).date()
    opening = Money(1_000_000_00) + order.amount * (number - 1)
    given = {"end_to_end_id": order.end_to_end_id, "return_reason": "MS03", "booked_on": day, "value_on": day}
    told = statement(
        came(order.amount.cents, **{**given, "bank_reference": f"R-{number}"}),
        identifier=f"S-{number}",
        number=str(40 + number),
        opening=opening,
        from_on=day,
        to_on=day,
    )
    brought(told, at=TOLD + timedelta(days=10 * number, hours=2))
    assert now(order).state == "returned"


def again_at(order: PaymentOrder, number: int) -> PaymentOrder:
    with clock.at(TOLD + timedelta(days=10 * number + 1)):
        made = services.reissue(actors.fin(), order.id).id
        services.verify(actors.vera(), made, evidence=SEEN)
        services.authorise(actors.otto(), made, evidence=SEEN)
        services.export(actors.carl(), (made,), control_total=order.amount)
    db.session.rollback()
    return get(PaymentOrder, made)


def test_what_comes_back_after_the_grant_is_closed_is_booked_and_issued_again(
    grant: World, order: PaymentOrder
) -> None:
    brought(statement(paid(order)))
    with arranging():
        row = get(Grant, grant.grant_id)
        row.state, row.closed_at = "closed", TOLD
    given = {"end_to_end_id": order.end_to_end_id, "return_reason": "MS03", "bank_reference": "R-1"}
    brought(statement(paid(order), came(order.amount.cents, **given), identifier="S-2", number="42"))

    assert now(order).state == "returned" and balance(grant, Account.RETURNED) == order.amount
    assert again(order).state == "sent"


def test_by_hand_the_bank_rejects_an_order_or_a_whole_file(grant: World, order: PaymentOrder) -> None:
    assert order.batch_id is not None
    with clock.at(TOLD):
        with pytest.raises(NotAllowed):
            services.reject_by_bank(actors.fin(), order.id, reason="AC04", on=PAID_ON)
        with pytest.raises(Invalid):
            services.reject_by_bank(actors.carl(), order.id, reason=" ", on=PAID_ON)
        with pytest.raises(Refused, match="Enter the day the bank said so"):
            services.reject_by_bank(actors.carl(), order.id, reason="AC04", on=date(2024, 7, 1))
        services.reject_file_by_bank(actors.carl(), order.batch_id, reason="MS03: no", on=PAID_ON)
        with pytest.raises(Refused, match="does not wait for the bank"):
            services.reject_by_bank(actors.carl(), order.id, reason="AC04", on=PAID_ON)
        with pytest.raises(Refused, match="has no order of this file any more"):
            services.reject_file_by_bank(actors.carl(), order.batch_id, reason="MS03", on=PAID_ON)

    assert (now(order).state, now(order).bank_reason) == ("bank_rejected", "MS03: no")
    right()


def test_the_database_issues_nothing_again_twice_and_keeps_the_day_and_the_reason(
    grant: World, order: PaymentOrder
) -> None:
    reported(order, (named(order), "RJCT", "MS03"))
    with clock.at(TOLD):
        made = services.reissue(actors.fin(), order.id).id
    first = get(PaymentOrder, made)
    with pytest.raises(IntegrityError, match="uq_payment_order_reissue_of"), arranging():
        db.session.add(
            PaymentOrder(
                reference="PCP-2024-P-9999",
                request_id=first.request_id,
                grant_id=first.grant_id,
                payee_id=first.payee_id,
                bank_account_id=first.bank_account_id,
                amount=Money(1),
                due_on=first.due_on,
                state="prepared",
                prepared_by=first.prepared_by,
                reissue_of=order.id,
            )
        )
        db.session.flush()
    db.session.rollback()
    with pytest.raises(IntegrityError, match="came_back_has"), arranging():
        get(PaymentOrder, order.id).came_back_on = None
        db.session.flush()
    db.session.rollback()
    with pytest.raises(DBAPIError, match="nothing leads on"), arranging():
        get(PaymentOrder, order.id).state = "sent"
        db.session.flush()
    db.session.rollback()


def test_by_pages_a_payment_that_came_back_is_seen_told_and_issued_again(
    app: Flask, client: FlaskClient, grant: World, order: PaymentOrder
) -> None:
    returned(order, reason="MS03")
    fin, carl, nuria = (actors.client_of(app, who) for who in (actors.fin(), actors.carl(), actors.nuria()))
    here = f"/finance/orders/{order.reference}"
    with clock.at(TOLD):
        shown, inbox = nuria.get(here).text, fin.get("/finance/approvals").text
        made = fin.post(f"{here}/reissue", data={"version": str(now(order).version)})
        new = fin.get(made.headers["Location"]).text

    assert "The money came back" in shown and "the bank gives no reason" in shown
    assert order.reference in inbox and "issue it again" in inbox
    assert made.status_code == 303 and "It issues again" in new and order.reference in new
    assert "It is issued again as" in nuria.get(here).text
    assert "Issue it again" not in fin.get(here).text
    assert carl.get("/finance/approvals").status_code == 200


def test_by_pages_a_report_says_what_came_of_each_order(
    app: Flask, client: FlaskClient, grant: World, order: PaymentOrder
) -> None:
    reported(order, (named(order), "RJCT", "AC04"), ("STRANGER-1", "RJCT", "AC01"))
    nuria = actors.client_of(app, actors.nuria())
    (first, *_) = queries.statuses_of(order.id)

    page = nuria.get(f"/finance/bank-files/{first.import_reference}").text

    assert "Rejected and booked back" in page and "No order of the file has this identifier" in page
    assert "What the bank reported" in nuria.get(f"/finance/orders/{order.reference}").text
    assert len(db.session.scalars(select(BankStatus)).all()) == 2
