"""What was paid too much comes back: established by the authoriser, booked by the accounting officer, or waived."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, Problems, Refused
from grants.core.money import ZERO, euros
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentRequest, Recovery, RecoveryReceipt
from grants.payments.rules import DecisionInput, ReceiptInput, RecoveryInput
from grants.payments.states import RecoveryState
from tests import actors
from tests.html import check_page
from tests.payments.test_services import decided, pay
from tests.payments.test_views import send
from tests.payments.world import IN_FORCE, World, nothing_held, report, world
from tests.worlds import World as Made
from tests.worlds import Worlds

pytestmark = pytest.mark.usefixtures("app")

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
WHY = RecoveryInput("The city was told on 3 July and agreed.", date(2024, 9, 15))


@pytest.fixture(scope="session")
def overpaid_world(worlds: Worlds, in_force_world: Made[World]) -> Made[World]:
    """210 000 is paid and 30 000 retained; the final amount is 150 000, so 60 000 was paid too much."""

    def overpaid() -> World:
        found = in_force_world.told()
        pay(decided(found))
        opened = services.open_for_report(actors.program(), report(found, 1, euros(150_000), final=True))
        assert opened is not None
        services.decide(actors.otto(), opened.id, DecisionInput(euros(150_000)))
        assert get(PaymentRequest, opened.id).recoverable == euros(60_000)
        return found

    with clock.at(NOW):
        return worlds.of(overpaid, like=in_force_world)


@pytest.fixture
def overpaid(app: Flask, overpaid_world: Made[World]) -> World:
    """60 000 was paid too much."""
    return overpaid_world.told()


def established(found: World) -> UUID:
    with clock.at(NOW):
        return services.establish(actors.otto(), found.grant_id, WHY).id


def receipt(amount: int, reference: str = "STMT-77/1") -> ReceiptInput:
    return ReceiptInput(euros(amount), date(2024, 8, 9), reference)


def balance(found: World, account: Account) -> object:
    return books.balance(account, grant_id=found.grant_id)


def right() -> None:
    db.session.rollback()
    assert (books.verify(), queries.verify()) == ((), ())


def test_what_was_paid_too_much_is_established_once_with_reason_and_day(overpaid: World) -> None:
    for given in (RecoveryInput(" ", WHY.due_on), RecoveryInput("x", date(2024, 8, 1))):
        with clock.at(NOW), pytest.raises(Invalid):
            services.establish(actors.otto(), overpaid.grant_id, given)

    row = get(Recovery, established(overpaid))

    assert (row.reference, row.amount, row.state) == ("PCP-2022-G-0001-D1", euros(60_000), "established")
    assert (balance(overpaid, Account.RECOVERY_RECEIVABLE), balance(overpaid, Account.PREFINANCING)) == (
        euros(60_000),
        ZERO,
    )
    right()
    with pytest.raises(Refused, match="established already, as PCP-2022-G-0001-D1"):
        established(overpaid)


def test_nothing_is_recovered_before_a_balance_says_so(app: Flask) -> None:
    with clock.at(IN_FORCE):
        found = world()
        pay(decided(found))

        with pytest.raises(Refused, match="Nothing is to be recovered"):
            services.establish(actors.otto(), found.grant_id, RecoveryInput("x", date(2024, 9, 15)))


def test_what_comes_back_opens_the_commitment_again_and_the_grant_is_closed_after(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        with pytest.raises(Problems, match="closed yet"):
            services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")
        first = services.book_receipt(actors.carl(), recovery_id, receipt(20_000))
        right()
        last = services.book_receipt(actors.carl(), recovery_id, receipt(40_000, "STMT-77/2"))
        right()
        nothing_held(overpaid)
        back = services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")

    assert (first.state, first.owed, last.state, last.owed) == (
        RecoveryState.ESTABLISHED,
        euros(40_000),
        RecoveryState.PAID,
        ZERO,
    )
    assert back == euros(450_000)
    assert balance(overpaid, Account.CONSUMED) == euros(150_000) == get(Grant, overpaid.grant_id).final_amount
    assert get(Grant, overpaid.grant_id).state == GrantState.CLOSED.value
    right()


def test_what_is_still_owed_is_waived_with_a_reason_and_the_grant_is_closed_after(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        services.book_receipt(actors.carl(), recovery_id, receipt(20_000))
        with pytest.raises(Invalid, match="reason is missing"):
            services.waive(actors.otto(), recovery_id, reason=" ")
        services.waive(actors.otto(), recovery_id, reason="The city is insolvent; decision 12.")
        nothing_held(overpaid)
        services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")

    row = get(Recovery, recovery_id)
    assert (row.state, row.waived) == ("waived", euros(40_000))
    assert balance(overpaid, Account.WAIVED) == euros(40_000)
    assert balance(overpaid, Account.CONSUMED) == euros(190_000)
    right()
    with clock.at(LATER), pytest.raises(Refused):
        services.book_receipt(actors.carl(), recovery_id, receipt(1, "STMT-77/3"))


def test_what_comes_above_the_debt_is_kept_as_an_unidentified_receipt_of_the_grant(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        made = services.book_receipt(actors.carl(), recovery_id, receipt(60_001))

    assert (made.state, made.owed) == (RecoveryState.PAID, ZERO)
    assert balance(overpaid, Account.RECOVERY_RECEIVABLE) == ZERO
    assert balance(overpaid, Account.UNIDENTIFIED) == euros(1)
    (row,) = db.session.scalars(select(RecoveryReceipt))
    assert (row.amount, row.above) == (euros(60_000), euros(1))
    right()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (ReceiptInput(ZERO, date(2024, 8, 9), "A"), "amount"),
        (ReceiptInput(euros(1), date(2024, 7, 31), "A"), "value_on"),
        (ReceiptInput(euros(1), date(2024, 8, 12), "A"), "value_on"),
        (ReceiptInput(euros(1), date(2024, 8, 9), " "), "bank_reference"),
    ],
)
def test_a_receipt_that_cannot_be_is_refused_beside_its_field(overpaid: World, given: ReceiptInput, field: str) -> None:
    recovery_id = established(overpaid)

    with clock.at(LATER), pytest.raises(Invalid) as refusal:
        services.book_receipt(actors.carl(), recovery_id, given)
    assert list(refusal.value.problems) == [field]
    assert balance(overpaid, Account.RECOVERY_RECEIVABLE) == euros(60_000)


def test_one_line_of_the_bank_statement_is_booked_once(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        services.book_receipt(actors.carl(), recovery_id, receipt(10))
        with pytest.raises(Invalid, match="booked already"):
            services.book_receipt(actors.carl(), recovery_id, receipt(10))


def test_each_step_has_its_own_person_and_asks_for_the_password(overpaid: World) -> None:
    for person in (actors.carl(), actors.fin(), actors.ana(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.establish(person, overpaid.grant_id, WHY)
    recovery_id = established(overpaid)
    for person in (actors.otto(), actors.ana(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.book_receipt(person, recovery_id, receipt(1))
    for person in (actors.carl(), actors.ana(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.waive(person, recovery_id, reason="x")
    for deed, name in (
        (lambda who: services.establish(who, overpaid.grant_id, WHY), actors.otto),
        (lambda who: services.book_receipt(who, recovery_id, receipt(1)), actors.carl),
        (lambda who: services.waive(who, recovery_id, reason="x"), actors.otto),
    ):
        user_id = name().user_id
        assert user_id is not None
        with pytest.raises(NeedsFreshSignIn):
            deed(identity.actor_for(user_id))


def test_everybody_concerned_is_told_what_is_theirs_to_do(overpaid: World) -> None:
    def deeds(person: Actor) -> list[str]:
        return [duty.what for duty in queries.duties(person, NOW) if duty.endpoint == "payments.recovery"]

    assert deeds(actors.otto()) == ["Establish the recovery from WARM"]
    assert (deeds(actors.carl()), deeds(actors.ana())) == ([], [])
    established(overpaid)
    assert deeds(actors.otto()) == []
    assert deeds(actors.carl()) == ["Book what WARM pays back"]
    assert deeds(actors.ana()) == ["Pay back what WARM was paid too much"]
    assert deeds(actors.marek()) == []


def test_the_pages_lead_from_too_much_to_paid_back(app: Flask, client: FlaskClient, overpaid: World) -> None:
    grant = f"/grants/{overpaid.reference}"
    otto, carl, ana = actors.otto(), actors.carl(), actors.ana()
    with clock.at(NOW):
        assert "is to be paid back" in get_page(app, ana, f"{grant}/payments")
        assert "Establish the recovery" in get_page(app, otto, f"{grant}/recovery")
        assert "establishes it next" in get_page(app, ana, f"{grant}/recovery")
        typed = send(app, otto, f"{grant}/recovery/establish", 422, reason="Told and agreed.", due_on="1 August 2024")
        assert "Told and agreed." in typed and "after today" in typed
        send(app, otto, f"{grant}/recovery/establish", reason="Told and agreed.", due_on="15 September 2024")
    with clock.at(LATER):
        assert "Book the receipt" in get_page(app, carl, f"{grant}/recovery")
        assert "Book the receipt" not in get_page(app, ana, f"{grant}/recovery")
        seen = {"version": "1", "value_on": "9 August 2024"}
        send(app, carl, f"{grant}/recovery/book", amount="20 000", bank_reference="STMT-77/1", **seen)
        send(app, otto, f"{grant}/recovery/waive", version="1", reason="Decision 12.")
        late = send(app, carl, f"{grant}/recovery/book", 409, amount="1", bank_reference="STMT-77/2", **seen)
        assert "waived recovery" in late and "nothing more is to be done" in late
        shown = get_page(app, ana, f"{grant}/recovery")
        assert "Decision 12." in shown and "STMT-77/1" in shown
        assert "40\u00a0000.00" in shown


def get_page(app: Flask, actor: Actor, address: str) -> str:
    answer = actors.client_of(app, actor).get(address)
    check_page(answer)
    return answer.text
