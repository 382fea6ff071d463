"""Who stands in for somebody counts as that person wherever a step takes two people, not on orders and requests alone (0034)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.payments import services
from grants.payments.models import PaymentOrder, Recovery, SentElsewhere
from grants.payments.queries.own_accounts import own_account_row
from grants.payments.rules import ReceiptInput
from grants.payments.rules.outside import Fate
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.statements.claims import Claim
from grants.payments.states import Explained, SuspensionReason
from grants.programmes.models import Programme
from tests import actors
from tests.agreements.accounts import confirm, enter
from tests.factories import identity as factory
from tests.payments.test_accounts import OTHER_IBAN
from tests.payments.test_bank_booking import (
    PAID_ON,
    TOLD,
    booked,
    brought,
    came,
    lines,
    open_lines,
    owed,
    paid,
    sent,
    statement,
)
from tests.payments.test_circuit import prepared, stands_in, with_roles
from tests.payments.test_elsewhere import FILE, PROVER, lay
from tests.payments.test_reversals import raised
from tests.payments.test_services import authorised, decided
from tests.payments.world import IN_FORCE, World, replace_account

pytestmark = pytest.mark.usefixtures("app")

# Days after Sam stood in.
LATER = TOLD + timedelta(days=5)

# The step somebody else has to take, by whom it is tried.
Second = Callable[[Actor], object]


def stood_in_for(holder: Callable[[], Actor]) -> UUID:
    """Sam stands in for somebody from before the first step until soon after it; nobody holds their two roles at once."""
    with clock.at(IN_FORCE):
        sam_id = actors.person("Sam Deputy")
        stands_in(actors.actor(sam_id), holder(), days=(TOLD - IN_FORCE).days + 2)
    return sam_id


def holding(user_id: UUID, role: Role) -> Actor:
    """A person with a role given to them now."""
    with arranging():
        factory.role(user_id, role)
    return actors.actor(user_id)


def payee_account(grant: World) -> Second:
    enter(actors.fin(), grant.grant_id, OTHER_IBAN)
    return lambda sam: confirm(sam, grant.grant_id, grant.city_id)


def own_account(grant: World) -> Second:
    programme_id = db.session.scalars(select(Programme.id)).one()
    typed = OwnAccountInput(
        programme_id, "Pilot Cities Programme", "DE89370400440532013000", "BE", "Brussels", "COBADEFFXXX"
    )
    services.enter_own_account(actors.fin(), typed)
    found = own_account_row(typed.iban)
    assert found is not None
    return lambda sam: services.confirm_own_account(sam, found.id, evidence="The bank’s letter")


def suspension(grant: World) -> Second:
    order = get(PaymentOrder, prepared(grant))
    request_id = order.request_id
    services.suspend(
        actors.otto(), request_id, reason=SuspensionReason.MISSING_DOCUMENTS, notice="Send the letter of your bank."
    )
    return lambda sam: services.lift(sam, request_id, reason="The letter came.")


def reversal(grant: World) -> Second:
    proposed = services.propose_reversal(actors.carl(), raised(grant), reason="Typed twice.")
    return lambda sam: services.confirm_reversal(sam, proposed)


def sent_elsewhere(grant: World) -> Second:
    services.compare(PROVER)
    lay(FILE)
    services.compare(PROVER)
    sent_id = db.session.scalars(select(SentElsewhere.id)).one()
    services.propose(actors.carl(), sent_id, Fate.NEVER_RECEIVED, reason="The bank’s letter of today")
    return lambda sam: services.confirm(sam, sent_id)


def line_said(grant: World) -> Second:
    brought(statement(came(60_000_00)))
    (line,) = lines()
    claim = services.explain(actors.carl(), line.id, Claim(Explained.FUNDING, "101036519", "By phone."))
    return lambda sam: services.confirm_claim(sam, claim)


def line_of_order(grant: World) -> Second:
    order = sent(grant)
    brought(statement(paid(order, end_to_end_id="NOTPROVIDED")))
    (line,) = lines()
    return lambda sam: services.explain(sam, line.id, Claim(Explained.ORDER, order.reference, "By phone."))


def rejection(grant: World) -> Second:
    order = sent(grant)
    return lambda sam: services.reject_by_bank(sam, order.id, reason="AC04", on=PAID_ON)


def file_rejection(grant: World) -> Second:
    batch_id = sent(grant).batch_id
    assert batch_id is not None
    return lambda sam: services.reject_file_by_bank(sam, batch_id, reason="MS03", on=PAID_ON)


def receipt(grant: World) -> Second:
    debt = owed(grant)
    return lambda sam: services.book_receipt(sam, debt.id, ReceiptInput(debt.amount, PAID_ON, "BANK-1"))


@pytest.mark.parametrize(
    ("first", "holder", "role"),
    [
        (payee_account, actors.fin, Role.FINANCE_VERIFIER),
        (own_account, actors.fin, Role.FINANCE_VERIFIER),
        (suspension, actors.fin, Role.AUTHORISING_OFFICER),
        (reversal, actors.carl, Role.AUTHORISING_OFFICER),
        (sent_elsewhere, actors.carl, Role.AUTHORISING_OFFICER),
        (line_said, actors.carl, Role.FINANCE_VERIFIER),
        (line_of_order, actors.otto, Role.ACCOUNTING_OFFICER),
        (rejection, actors.otto, Role.ACCOUNTING_OFFICER),
        (file_rejection, actors.otto, Role.ACCOUNTING_OFFICER),
        (receipt, actors.otto, Role.ACCOUNTING_OFFICER),
    ],
)
def test_the_stand_in_of_who_took_the_first_step_does_not_take_the_second(
    grant: World, first: Callable[[World], Second], holder: Callable[[], Actor], role: Role
) -> None:
    sam_id = stood_in_for(holder)
    with clock.at(TOLD):
        second = first(grant)
    with clock.at(LATER):
        with pytest.raises(Refused, match="count as one person"):
            second(holding(sam_id, role))
        # Somebody else of the same role does: nothing but that Sam stood in stood in the way.
        second(with_roles("Ira Other", role))


def test_an_account_is_not_sent_to_by_the_stand_in_of_who_entered_it(grant: World) -> None:
    with clock.at(TOLD):
        ina = with_roles("Ina Initiator", Role.FINANCE_INITIATOR)
        replace_account(grant, entered_by=ina.user_id)
        order = get(PaymentOrder, authorised(decided(grant)))
        sam = stands_in(with_roles("Sam Deputy", Role.ACCOUNTING_OFFICER), ina)
        with pytest.raises(Refused, match="entered or confirmed the bank account of this order, and you stand in"):
            services.export(sam, (order.id,), control_total=order.amount)


def test_the_bank_s_lines_are_not_booked_by_who_stood_in_for_who_signed(grant: World) -> None:
    sam_id = stood_in_for(actors.otto)
    order = sent(grant)
    with clock.at(LATER):
        sam = holding(sam_id, Role.ACCOUNTING_OFFICER)
    brought(statement(paid(order)), by=sam, at=LATER)
    assert booked(order) == [] and len(open_lines()) == 1
    with pytest.raises(IntegrityError, match="by who stands in for them"), arranging():
        row = get(PaymentOrder, order.id)
        row.state, row.executed_by, row.value_on = "executed", sam_id, PAID_ON
    db.session.rollback()


def test_a_receipt_is_not_booked_from_a_file_by_who_stood_in_for_who_established_the_debt(grant: World) -> None:
    sam_id = stood_in_for(actors.otto)
    debt = owed(grant)
    with clock.at(LATER):
        sam = holding(sam_id, Role.ACCOUNTING_OFFICER)
    brought(statement(came(60_000_00, remittance=debt.reference)), by=sam, at=LATER)
    db.session.rollback()
    assert get(Recovery, debt.id).state == "issued"
