"""What an order moves in the books where it pays interest we owe: outside the grant, so on accounts of its own (E17).

It waits on 2300 and is in transit on 1055; what comes back waits on 2300 again. No budget moves at any step.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.agreements.states import PaymentKind
from grants.core.db import among, db
from grants.ledger import rules as legs
from grants.ledger.accounts import Account
from grants.ledger.rules import Dimensions, Event, Legs
from grants.payments.models import PaymentOrder, PaymentRequest


def pays_interest(order: PaymentOrder) -> bool:
    """Whether an order pays interest for a payment that came late, and no grant."""
    return order.id in paying_interest([order])


def paying_interest(orders: Sequence[PaymentOrder]) -> set[UUID]:
    """Those of these orders, by id, that pay interest and no grant, in one statement."""
    found = set(
        db.session.scalars(
            select(PaymentRequest.id).where(
                among(PaymentRequest.id, {order.request_id for order in orders}),
                PaymentRequest.kind == PaymentKind.LATE_INTEREST.value,
            )
        )
    )
    return {order.id for order in orders if order.request_id in found}


def legs_of_interest(
    event: Event, order: PaymentOrder, dims: Dimensions, *, taken_from: Account = Account.BANK
) -> Legs:
    """The legs of one step of such an order; ``taken_from`` is where what came back lies."""
    amount = order.amount
    match event:
        case Event.ORDER_SENT | Event.ORDER_REISSUED:
            return legs.legs_e17_sent(amount, dims)
        case Event.ORDER_BOOKED:
            return legs.legs_e8_outside_budget(amount, dims)
        case Event.ORDER_REJECTED:
            return legs.legs_e17_rejected(amount, dims)
        case Event.PAYMENT_RETURNED:
            return legs.legs_e17_returned(amount, dims, from_account=taken_from)
        case _:
            raise ValueError(f"{event} is no step of an order.")
