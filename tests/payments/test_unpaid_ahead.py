"""What of approved pre-financing was cancelled unpaid, and what becomes of the rest of it and of what the bank had sent back."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.money import ZERO, euros
from grants.core.paging import Page
from grants.identity.policy import Role
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.rules import DecisionInput
from tests import actors
from tests.payments import test_terminated as ending
from tests.payments.test_late_interest import balance, opened
from tests.payments.test_parts import authorised
from tests.payments.test_recoveries import right
from tests.payments.world import IN_FORCE, World, report

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

    with pytest.raises(Refused, match="was cancelled unpaid, so it is paid to nobody any more"):
        services.reissue(actors.fin(), order_id)
    shown = fin.get(page).text
    assert "Issue it again" not in shown and "so it is not issued again" in shown
    assert order not in {each.reference for each in queries.inbox(actors.fin(), Page(size=50)).rows.items}
    right()


def test_of_what_costs_cleared_nothing_that_came_back_is_cancelled(grant: World) -> None:
    """It is issued again whole, so no part of it can be left for the costs."""
    request_id, _ = rejected(grant)
    services.open_for_report(actors.program(), report(grant, 1, euros(350_000)))
    interim = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "interim")).one()
    services.decide(actors.otto(), interim, DecisionInput(euros(350_000)))

    with pytest.raises(Refused, match="is paid again whole or not at all"):
        services.cancel_request(actors.otto(), request_id, reason="Not paid any more.")
