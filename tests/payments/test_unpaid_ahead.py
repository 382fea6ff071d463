"""What of approved pre-financing was cancelled unpaid, and what becomes of the rest of it and of what the bank had sent back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Refused
from grants.core.money import ZERO, euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission
from grants.identity.policy import Role
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import OwnAccount, PaymentOrder, PaymentRequest
from grants.payments.rules import DecisionInput
from grants.payments.rules.offsets import OffsetInput
from grants.payments.services.booking import CameBack, book_returned
from tests import actors
from tests.payments import test_terminated as ending
from tests.payments.test_late_interest import balance, opened
from tests.payments.test_parts import authorised
from tests.payments.test_recoveries import right
from tests.payments.world import IN_FORCE, SEEN, World, nothing_held, owed_back, replace_account, report

pytestmark = pytest.mark.usefixtures("app")


def rest_alone(grant: World) -> UUID:
    """Of the 210 000 that were approved 190 000 are cancelled; costs cleared the rest, and it is paid for them."""
    request_id = opened(grant)
    services.open_for_report(actors.program(), report(grant, 1, euros(350_000)))
    interim = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "interim")).one()
    services.decide(actors.otto(), interim, DecisionInput(euros(350_000)))
    services.cancel_request(actors.otto(), request_id, reason="Not paid any more.")
    return request_id


def rejected(grant: World) -> tuple[UUID, UUID]:
    """The pre-financing left, and the bank sent it back."""
    request_id = opened(grant)
    order_id = authorised(request_id)
    with clock.at(IN_FORCE):
        ruth = actors.actor(actors.person("Ruth Accountant", Role.ACCOUNTING_OFFICER))
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    services.reject_by_bank(ruth, order_id, reason="AC04 closed", on=clock.today())
    return request_id, order_id


def test_the_rest_of_what_was_cancelled_is_paid_and_nothing_of_it_waits_any_more(grant: World) -> None:
    request_id = rest_alone(grant)
    order_id = authorised(request_id)
    waiting = queries.inbox(actors.fin(), Page(size=50)).rows.items
    assert f"{grant.reference}-1" not in {each.reference for each in waiting if each.request is not None}

    services.export(actors.carl(), (order_id,), control_total=euros(20_000))
    services.execute(actors.carl(), order_id, value_on=clock.today())

    right()
    assert get(PaymentRequest, request_id).state == "paid"
    # What is still payable is what the interim report opened, part by part.
    assert sum(each.cents for each in queries.standing(grant.grant_id, Account.PAYABLE).values()) == 300_000_00


def test_what_was_cancelled_is_a_part_of_the_figures_of_its_request(app: Flask, grant: World) -> None:
    rest_alone(grant)
    otto = actors.client_of(app, actors.otto())
    for figure in ("cancelled", "net", "to-order"):
        shown = otto.get(f"/grants/{grant.reference}/payments/{grant.reference}-1/amounts/{figure}").text
        assert "do not add up" not in shown and "190\u00a0000.00" in shown


def test_what_the_bank_sent_back_of_a_grant_that_ends_is_cancelled_and_the_balance_follows(grant: World) -> None:
    request_id, order_id = rejected(grant)
    with clock.at(ending.NOW):
        number = ending.proposed(grant)
    ending.confirmed(grant, number)
    with clock.at(datetime(2023, 9, 2, 9, tzinfo=UTC)):
        services.open_for_report(actors.program(), report(grant, 1, euros(100_000), final=True))
        balance_id = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "balance")).one()
        with pytest.raises(Refused, match="Cancel what was never paid on the page of"):
            services.decide(actors.otto(), balance_id, DecisionInput(euros(100_000)))

        services.cancel_request(actors.otto(), request_id, reason="The pilot ended, and its account is closed.")

        for each in (Account.RETURNED, Account.PREFINANCING, Account.RETENTION, Account.PAYABLE):
            assert balance(grant, each) == ZERO
        services.decide(actors.otto(), balance_id, DecisionInput(euros(100_000)))
    right()
    paid = get(PaymentRequest, balance_id)
    assert (get(PaymentRequest, request_id).state, paid.payable, paid.recoverable) == (
        "cancelled",
        euros(100_000),
        ZERO,
    )
    assert get(PaymentOrder, order_id).state == "bank_rejected"


def test_what_was_cancelled_after_it_came_back_is_issued_again_by_nobody(app: Flask, grant: World) -> None:
    request_id, order_id = rejected(grant)
    order = get(PaymentOrder, order_id).reference
    page = f"/finance/orders/{order}"
    fin, otto = actors.client_of(app, actors.fin()), actors.client_of(app, actors.otto())
    assert "Issue it again" in fin.get(page).text
    assert "that was never paid" in otto.get(f"/finance/requests/{grant.reference}-1").text

    services.cancel_request(actors.otto(), request_id, reason="The pilot ended.")

    with pytest.raises(Refused, match="was let go: what it was to pay was cancelled unpaid"):
        services.reissue(actors.fin(), order_id)
    shown = fin.get(page).text
    assert "Issue it again" not in shown and "so it is not issued again" in shown
    assert order not in {each.reference for each in queries.inbox(actors.fin(), Page(size=50)).rows.items}
    right()


# --------------------------------------------------------------- what came back of a grant that is to end


def ending_soon(grant: World) -> None:
    with clock.at(ending.NOW):
        number = ending.proposed(grant)
    ending.confirmed(grant, number)


AFTER_CONFIRMED = datetime(2023, 9, 2, 9, tzinfo=UTC)


@act("test_unpaid_ahead.return", needs=Permission.BUDGET_AUTHORISE, says="did a thing of the tests")
def _sent_back(actor: Actor, order_id: UUID) -> None:
    order = locked(PaymentOrder, order_id)
    account = db.session.scalars(select(OwnAccount.id)).one()
    acts.reason("The bank sent it back.")
    book_returned(CameBack(order, get(Grant, order.grant_id), "MS03", clock.today()), account)


def returned(order_id: UUID) -> None:
    """The bank had booked the order, and sends the money back."""
    _sent_back(actors.otto(), order_id)


def interim(accepted: int, grant: World) -> None:
    services.open_for_report(actors.program(), report(grant, 1, euros(accepted)))
    asked = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "interim")).one()
    services.decide(actors.otto(), asked, DecisionInput(euros(accepted)))
    leave(asked, 300_000)


def leave(request_id: UUID, amount: int) -> UUID:
    order_id = authorised(request_id)
    services.export(actors.carl(), (order_id,), control_total=euros(amount))
    services.execute(actors.carl(), order_id, value_on=clock.today())
    return order_id


def final(amount: int, grant: World) -> UUID:
    services.open_for_report(actors.program(), report(grant, 2, euros(amount - 350_000), final=True))
    return db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "balance")).one()


def test_what_came_back_is_cancelled_but_for_what_costs_cleared_and_the_grant_is_finished(grant: World) -> None:
    """The bank sent 210 000 back, an interim report cleared 50 000 of the 240 000, and then the grant ends."""
    request_id, order_id = rejected(grant)
    interim(350_000, grant)
    ending_soon(grant)
    with clock.at(AFTER_CONFIRMED):
        balance_id = final(400_000, grant)
        with pytest.raises(Refused, match="nothing more of it is pre-financed"):
            services.reissue(actors.fin(), order_id)
        with pytest.raises(Refused, match="Cancel what was never paid on the page of"):
            services.decide(actors.otto(), balance_id, DecisionInput(euros(400_000)))

        services.cancel_request(actors.otto(), request_id, reason="The grant ends.")

        assert balance(grant, Account.RETURNED) == balance(grant, Account.PREFINANCING) == ZERO
        assert balance(grant, Account.PAYABLE) == euros(20_000)
        with pytest.raises(Refused, match="was let go"):
            services.reissue(actors.fin(), order_id)
        with pytest.raises(Refused, match="nothing more of it is pre-financed"):
            services.prepare(actors.fin(), request_id)
        services.decide(actors.otto(), balance_id, DecisionInput(euros(400_000)))
        right()
        # The bank said that the account is closed: what is left goes to another one.
        with pytest.raises(Refused, match="The city enters another bank account"):
            services.prepare(actors.fin(), request_id)
        replace_account(grant)
        leave(request_id, 20_000)
        leave(balance_id, 80_000)
    right()
    assert get(PaymentRequest, request_id).state == "paid"
    assert balance(grant, Account.CONSUMED) == euros(400_000)
    nothing_held(grant)
    ending.ended(grant)
    assert [str(each) for each in services.closure_problems(grant.grant_id)] == []


def test_a_debt_is_set_off_against_what_came_back_after_the_balance(app: Flask, grant: World) -> None:
    """All that was paid ahead was found too much, and then the bank sends it back: nothing is paid, so nothing can be paid back."""
    with clock.at(IN_FORCE):
        ruth = actors.actor(actors.person("Ruth Accountant", Role.ACCOUNTING_OFFICER))
    request_id = opened(grant)
    order_id = authorised(request_id)
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    services.execute(actors.carl(), order_id, value_on=clock.today())
    ending_soon(grant)
    with clock.at(AFTER_CONFIRMED):
        services.open_for_report(actors.program(), report(grant, 1, euros(150_000), final=True))
        balance_id = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "balance")).one()
        services.decide(actors.otto(), balance_id, DecisionInput(euros(150_000)))
        debt = owed_back(grant.grant_id, date(2023, 10, 30))
        returned(order_id)
        with pytest.raises(Refused, match="is set off against it, and the rest is paid"):
            services.reissue(actors.fin(), order_id)
        choices = queries.offset_choices(actors.carl(), grant.grant_id)
        assert [(each.request_id, each.left) for each in choices] == [(request_id, euros(210_000))]

        services.set_off(actors.carl(), OffsetInput(debt.id, request_id, euros(60_000)))

        right()
        assert balance(grant, Account.RETURNED) == balance(grant, Account.RECOVERY_RECEIVABLE) == ZERO
        assert balance(grant, Account.PAYABLE) == euros(150_000)
        shown = actors.client_of(app, actors.fin()).get(f"/finance/orders/{get(PaymentOrder, order_id).reference}").text
        assert "Issue it again" not in shown and "is ordered on the page of its request" in shown
        leave(request_id, 150_000)
    right()
    assert ruth and balance(grant, Account.CONSUMED) == euros(150_000)
    assert get(PaymentRequest, request_id).state == "paid"
    nothing_held(grant)
    ending.ended(grant)
    assert [str(each) for each in services.closure_problems(grant.grant_id)] == []


def test_what_comes_back_after_the_rest_was_cancelled_is_cancelled_too(grant: World) -> None:
    """A part of it was paid, the rest cancelled; then the bank sends the part back."""
    with clock.at(IN_FORCE):
        actors.actor(actors.person("Ruth Accountant", Role.ACCOUNTING_OFFICER))
    request_id = opened(grant)
    order_id = services.prepare(actors.fin(), request_id, amount=euros(100_000)).id
    services.verify(actors.vera(), order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    services.export(actors.carl(), (order_id,), control_total=euros(100_000))
    services.execute(actors.carl(), order_id, value_on=clock.today())
    services.cancel_request(actors.otto(), request_id, reason="Not paid any more.")
    assert get(PaymentRequest, request_id).state == "paid"
    ending_soon(grant)
    with clock.at(AFTER_CONFIRMED):
        returned(order_id)
        services.cancel_request(actors.otto(), request_id, reason="The grant ends.")
    right()
    assert get(PaymentRequest, request_id).state == "cancelled"
    for each in (Account.RETURNED, Account.PREFINANCING, Account.RETENTION, Account.PAYABLE):
        assert balance(grant, each) == ZERO
