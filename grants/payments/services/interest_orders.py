"""What an order moves in the books where it pays interest we owe: outside the grant, so on accounts of its own (E17).

It waits on 2300 and is in transit on 1055; what comes back waits on 2300 again. No budget moves at any step.
"""

from __future__ import annotations

from grants.agreements.states import PaymentKind
from grants.core.db import get
from grants.ledger import rules as legs
from grants.ledger.accounts import Account
from grants.ledger.rules import Dimensions, Event, Legs
from grants.payments.models import PaymentOrder, PaymentRequest


def pays_interest(order: PaymentOrder) -> bool:
    """Whether an order pays interest for a payment that came late, and no grant."""
    return get(PaymentRequest, order.request_id).kind == PaymentKind.LATE_INTEREST.value


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
