"""A debt is set off against a payment to the same city: no cash moves, both documents show it, and never more than either."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, Refused
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.documents.catalogue import named
from grants.documents.rules import Period
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight import queries as oversight
from grants.payments import services
from grants.payments.models import PaymentOffset, PaymentOrder, PaymentRequest, Recovery
from grants.payments.rules import DecisionInput, ReceiptInput, RecoveryInput
from grants.payments.rules.offsets import OffsetInput
from grants.payments.states import RecoveryOrigin
from tests import actors
from tests.documents.conftest import FORECAST
from tests.documents.stated import stated
from tests.payments.test_services import decided, pay
from tests.payments.test_views import send
from tests.payments.world import IN_FORCE, World, report, world
from tests.soak.racing import PROCESSES, Racers
from tests.worlds import World as Made
from tests.worlds import Worlds

pytestmark = pytest.mark.usefixtures("app")

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
DUE = date(2024, 9, 15)


def with_balance(number: int) -> tuple[World, UUID]:
    """210 000 is paid, the final amount is 300 000: 90 000 is payable. Of the city's costs 10 000 is rejected after it."""
    with clock.at(IN_FORCE):
        found = world(number)
        pay(decided(found))
    with clock.at(NOW):
        opened = services.open_for_report(actors.program(), report(found, number, euros(300_000), final=True))
        assert opened is not None
        services.decide(actors.otto(), opened.id, DecisionInput(euros(300_000)))
        why = RecoveryInput("Invoices were rejected.", RecoveryOrigin.REJECTED_COSTS, found.city_id, euros(10_000))
        made = services.propose_recovery(actors.fin(), found.grant_id, why)
        services.inform(actors.fin(), made.id, days=30)
        services.observe(actors.ana(), made.id, words="We agree.")
        services.confirm_recovery(actors.otto(), made.id, words="Agreed.")
        services.issue(actors.carl(), made.id, due_on=DUE)
    return found, opened.id


def two() -> tuple[World, UUID, World, UUID]:
    """Two grants of one city; each has a balance to pay and owes 10 000."""
    with clock.at(IN_FORCE):
        for person in (actors.olga, actors.eva):
            person()
    one, first = with_balance(1)
    other, second = with_balance(2)
    return one, first, other, second


@pytest.fixture(scope="session")
def owing_world(worlds: Worlds) -> Made[tuple[World, UUID, World, UUID]]:
    return worlds.of(two)


@pytest.fixture
def owing(app: Flask, owing_world: Made[tuple[World, UUID, World, UUID]]) -> tuple[World, UUID, World, UUID]:
    return owing_world.told()


def debt_of(found: World) -> Recovery:
    return db.session.scalars(select(Recovery).where(Recovery.grant_id == found.grant_id)).one()


def balance(found: World, account: Account) -> Money:
    return books.balance(account, grant_id=found.grant_id)


def set_off(debt: World, request_id: UUID, amount: Money, who: Actor | None = None) -> None:
    with clock.at(NOW):
        services.set_off(who or actors.carl(), OffsetInput(debt_of(debt).id, request_id, amount))


def right() -> None:
    db.session.rollback()
    assert oversight.verify_ledger() == ()


def test_of_the_same_grant_a_debt_is_set_off_and_the_rest_is_ordered_and_paid(
    owing: tuple[World, UUID, World, UUID],
) -> None:
    found, request_id, *_ = owing
    cash = balance(found, Account.BANK)
    set_off(found, request_id, euros(4_000))
    assert debt_of(found).state == "part_paid"
    right()
    set_off(found, request_id, euros(6_000))

    assert debt_of(found).state == "paid"
    assert (balance(found, Account.RECOVERY_RECEIVABLE), balance(found, Account.PAYABLE)) == (ZERO, euros(80_000))
    assert balance(found, Account.BANK) == cash
    right()
    with clock.at(NOW):
        with pytest.raises(Refused):
            services.prepare(actors.fin(), request_id, amount=euros(80_001))
        pay(request_id)
    order = db.session.scalars(select(PaymentOrder).where(PaymentOrder.request_id == request_id)).one()
    assert (order.amount, order.state, get(PaymentRequest, request_id).state) == (euros(80_000), "executed", "paid")
    # As if it had been paid whole and paid back: 300 000 was due of it, 10 000 is not.
    assert balance(found, Account.CONSUMED) == euros(290_000)
    right()


def test_across_grants_each_still_balances_and_the_commitments_follow_as_if_cash_had_moved(
    owing: tuple[World, UUID, World, UUID],
) -> None:
    debtor, _, payer, request_id = owing
    before = {each: balance(each, Account.CONSUMED) for each in (debtor, payer)}
    set_off(debtor, request_id, euros(10_000))

    assert balance(debtor, Account.RECOVERY_RECEIVABLE) == ZERO
    assert (
        balance(debtor, Account.OFFSET_BETWEEN_GRANTS)
        == euros(10_000)
        == -balance(payer, Account.OFFSET_BETWEEN_GRANTS)
    )
    assert balance(debtor, Account.CONSUMED) == before[debtor] - euros(10_000)
    assert balance(payer, Account.CONSUMED) == before[payer] + euros(10_000)
    right()
    with clock.at(NOW):
        pay(request_id)
    assert balance(payer, Account.CONSUMED) == euros(300_000)
    right()


def of_agency(found: World, account: Account) -> Money:
    return books.balance(account, grant_id=found.grant_id, organisation_id=found.agency_id)


def test_across_grants_what_is_held_for_partners_follows_in_both(owing: tuple[World, UUID, World, UUID]) -> None:
    debtor, _, payer, request_id = owing
    before = {each: of_agency(each, Account.HELD_BY_COORDINATOR) for each in (debtor, payer)}
    consumed = {each: of_agency(each, Account.CONSUMED) for each in (debtor, payer)}
    set_off(debtor, request_id, euros(10_000))
    for each in (debtor, payer):
        moved = of_agency(each, Account.CONSUMED) - consumed[each]
        assert of_agency(each, Account.HELD_BY_COORDINATOR) - before[each] == moved
    assert of_agency(payer, Account.HELD_BY_COORDINATOR) > before[payer]
    right()


def test_across_grants_what_is_held_follows_also_for_a_closed_debtor(owing: tuple[World, UUID, World, UUID]) -> None:
    debtor, _, payer, request_id = owing
    with arranging():
        row = get(Grant, debtor.grant_id)
        row.state, row.closed_at = GrantState.CLOSED.value, NOW
    held = of_agency(payer, Account.HELD_BY_COORDINATOR)
    consumed = balance(debtor, Account.CONSUMED)
    set_off(debtor, request_id, euros(10_000))
    assert balance(debtor, Account.CONSUMED) == consumed
    assert of_agency(payer, Account.HELD_BY_COORDINATOR) > held
    db.session.rollback()
    assert not [each for each in oversight.verify_ledger() if "E23" in str(each)]


def test_of_the_same_grant_first_what_is_due_to_who_owes_is_taken(owing: tuple[World, UUID, World, UUID]) -> None:
    """The city owes 10 000 and is due more: neither its commitment nor the agency's moves."""
    found, request_id, *_ = owing
    due, consumed = of_agency(found, Account.PAYABLE), of_agency(found, Account.CONSUMED)
    assert due > ZERO
    set_off(found, request_id, euros(10_000))
    assert (of_agency(found, Account.PAYABLE), of_agency(found, Account.CONSUMED)) == (due, consumed)
    right()


def test_of_the_same_grant_what_others_are_due_counts_as_paid_to_them(owing: tuple[World, UUID, World, UUID]) -> None:
    """The agency owes 40 000 and is due less: what is taken of the city is consumed, and the agency's opens again."""
    found, request_id, *_ = owing
    set_off(found, request_id, euros(10_000))
    with clock.at(NOW):
        why = RecoveryInput("Invoices were rejected.", RecoveryOrigin.REJECTED_COSTS, found.agency_id, euros(40_000))
        made = services.propose_recovery(actors.fin(), found.grant_id, why)
        services.inform(actors.fin(), made.id, days=30)
        services.observe(actors.ana(), made.id, words="We agree.")
        services.confirm_recovery(actors.otto(), made.id, words="Agreed.")
        services.issue(actors.carl(), made.id, due_on=DUE)
    due, consumed = of_agency(found, Account.PAYABLE), of_agency(found, Account.CONSUMED)
    whole = balance(found, Account.CONSUMED)
    assert ZERO < due < euros(40_000)
    with clock.at(NOW):
        services.set_off(actors.carl(), OffsetInput(made.id, request_id, euros(40_000)))

    others = euros(40_000) - due
    assert of_agency(found, Account.PAYABLE) == ZERO
    assert of_agency(found, Account.CONSUMED) == consumed - others
    assert balance(found, Account.CONSUMED) == whole
    right()
    with clock.at(NOW):
        pay(request_id)
    # Whole: 300 000 was due, of which 50 000 is not.
    assert balance(found, Account.CONSUMED) == euros(250_000)
    right()


def test_nothing_is_set_off_above_the_debt_or_above_what_no_order_holds(owing: tuple[World, UUID, World, UUID]) -> None:
    found, _, payer, request_id = owing
    with clock.at(NOW):
        order_id = services.prepare(actors.fin(), request_id, amount=euros(80_000)).id
        with pytest.raises(Invalid, match="cannot be set off") as refusal:
            services.set_off(actors.carl(), OffsetInput(debt_of(found).id, request_id, euros(10_001)))
        assert "10 000.00 of the debt" in str(refusal.value.problems).replace("\\xa0", " ").replace("\u00a0", " ")
        set_off(payer, request_id, euros(10_000))
        with pytest.raises(Invalid) as refusal:
            services.set_off(actors.carl(), OffsetInput(debt_of(found).id, request_id, euros(1)))
        assert "neither ordered nor set off" in str(refusal.value.problems)
        services.cancel(actors.fin(), order_id, reason="Set off instead.")
        services.set_off(actors.carl(), OffsetInput(debt_of(found).id, request_id, euros(10_000)))
    assert get(PaymentRequest, request_id).state == "approved"
    right()


def test_a_payment_that_is_set_off_whole_is_paid_without_an_order(owing: tuple[World, UUID, World, UUID]) -> None:
    one, _, other, _ = owing
    with clock.at(IN_FORCE):
        third = world(3)
        request_id = decided(third, euros(50_000))
    assert get(PaymentRequest, request_id).payable == euros(20_000)
    set_off(one, request_id, euros(10_000))
    assert get(PaymentRequest, request_id).state == "partly_approved"
    set_off(other, request_id, euros(10_000))

    assert get(PaymentRequest, request_id).state == "paid"
    assert (balance(third, Account.PAYABLE), balance(third, Account.CONSUMED)) == (ZERO, euros(20_000))
    right()


def test_who_may_set_off_and_what_against(owing: tuple[World, UUID, World, UUID]) -> None:
    found, request_id, *_ = owing
    for person in (actors.fin(), actors.otto(), actors.ana(), actors.nuria()):
        with pytest.raises(NotAllowed):
            set_off(found, request_id, euros(1), person)
    carl = actors.carl().user_id
    assert carl is not None
    with pytest.raises(NeedsFreshSignIn):
        set_off(found, request_id, euros(1), identity.actor_for(carl))
    for amount in (ZERO, -euros(1)):
        with pytest.raises(Invalid):
            set_off(found, request_id, amount)
    prefinancing = db.session.scalars(
        select(PaymentRequest.id).where(PaymentRequest.grant_id == found.grant_id, PaymentRequest.id != request_id)
    ).one()
    with pytest.raises(Refused, match="nothing to pay"):
        set_off(found, prefinancing, euros(1))
    assert balance(found, Account.RECOVERY_RECEIVABLE) == euros(10_000)


def test_both_documents_show_gross_offset_and_net(
    app: Flask, client: FlaskClient, owing: tuple[World, UUID, World, UUID]
) -> None:
    debtor, _, _, request_id = owing
    reference = get(PaymentRequest, request_id).reference
    debt = f"/grants/{debtor.reference}/recovery/1"
    with clock.at(IN_FORCE):
        carl, fin = actors.carl(), actors.fin()
    with clock.at(NOW):
        page = actors.client_of(app, carl).get(debt).text
        assert reference in page and "Set it off" in page
        asked = {"payment": str(request_id), "version": str(debt_of(debtor).version)}
        typed = send(app, carl, f"{debt}/set-off", 422, amount="99 000", **asked)
        assert "of the debt is still owed" in typed
        send(app, carl, f"{debt}/set-off", amount="10 000", **asked)
        order = services.prepare(fin, request_id).reference
        db.session.rollback()
        shown = actors.client_of(app, carl)
        for address in (f"/finance/requests/{reference}", f"/finance/orders/{order}"):
            text = shown.get(address).text
            assert debt_of(debtor).reference in text and "To be paid, net" in text and "80\u00a0000.00" in text
        assert reference in shown.get(debt).text
    right()


def crosswise(actor: Actor, given: OffsetInput) -> None:
    with clock.at(NOW):
        services.set_off(actor, given)


@pytest.fixture
def racers(settings: Config, app: Flask) -> Iterator[Racers]:
    with Racers(settings) as racers:
        yield racers


def test_offsets_crosswise_between_two_grants_wait_for_each_other_and_stop_at_the_debt(racers: Racers) -> None:
    one, first, other, second = two()
    carl = actors.carl()
    ways = [OffsetInput(debt_of(one).id, second, euros(5_000)), OffsetInput(debt_of(other).id, first, euros(5_000))]
    racers.race(crosswise, [(carl, ways[number % 2]) for number in range(PROCESSES)])

    assert [each.amount for each in db.session.scalars(select(PaymentOffset))] == [euros(5_000)] * 4
    assert (balance(one, Account.RECOVERY_RECEIVABLE), balance(other, Account.RECOVERY_RECEIVABLE)) == (ZERO, ZERO)
    right()


def test_statements_of_both_grants_agree_on_what_was_set_off_across_them(
    owing: tuple[World, UUID, World, UUID],
) -> None:
    """210 000 is paid of each: as if 10 000 had gone out of one and come back to the other, which the bank never saw."""
    debtor, within, payer, request_id = owing
    set_off(debtor, request_id, euros(10_000))

    assert stated(debtor, NOW) == (euros(200_000), euros(210_000))
    assert stated(payer, NOW) == (euros(220_000), euros(210_000))
    set_off(payer, within, euros(4_000))
    assert stated(debtor, NOW) == (euros(204_000), euros(210_000))
    later = NOW + timedelta(minutes=1)
    with clock.at(later):
        services.keep_forecast(actors.fin())
    forecast = named(FORECAST).figures("PCP", later + timedelta(minutes=1), Period())
    assert dict(forecast.summary)["Paid"] == euros(420_000)


def test_statements_agree_on_what_was_set_off_for_a_closed_grant(owing: tuple[World, UUID, World, UUID]) -> None:
    debtor, _, payer, request_id = owing
    with arranging():
        row = get(Grant, debtor.grant_id)
        row.state, row.closed_at = GrantState.CLOSED.value, NOW
    set_off(debtor, request_id, euros(4_000))
    with clock.at(NOW):
        services.book_receipt(actors.carl(), debt_of(debtor).id, ReceiptInput(euros(6_000), NOW.date(), "BACK-1"))

    # What comes back for a closed grant opens nothing again.
    assert stated(debtor, NOW) == (euros(210_000), euros(204_000))
    assert stated(payer, NOW) == (euros(214_000), euros(210_000))
