"""What came back is let go: nobody issues it again, and what it was to pay is payable again, to be cancelled, set off or ordered."""

from __future__ import annotations

from collections.abc import Sequence

from grants.agreements.models import Grant
from grants.core import acts
from grants.core.db import get
from grants.ledger.accounts import Account
from grants.ledger.rules import Dimensions
from grants.payments import queries
from grants.payments.models import PaymentOrder
from grants.payments.rules import Amounts
from grants.payments.services.orders import refuse_left_before
from grants.payments.services.requests import dims_of


def let_go(grant: Grant, orders: Sequence[PaymentOrder]) -> list[tuple[Amounts, Dimensions]]:
    """Let go orders of one request that came back, with those they issued again; returns by whose costs each was.

    Refused where the bank paid one after all, or says so. Whoever asks books it: no money moves but from the account of
    returned payments to what is payable.
    """
    # The bank may have paid all the same.
    refuse_left_before(orders, itself=True)
    if not orders:
        return []
    moved = queries.moved_for(orders[0].request_id, Account.RETURNED)
    found = [(moved[each.id], dims_of(grant, each)) for each in orders]
    for each in orders:
        earlier: PaymentOrder | None = each
        while earlier is not None:
            earlier.let_go_on = acts.today()
            earlier = get(PaymentOrder, earlier.reissue_of) if earlier.reissue_of else None
    return found


def together(parts: Sequence[tuple[Amounts, Dimensions]]) -> Amounts:
    """The parts of all of them, by partner and category."""
    found = {}
    for of_order, _ in parts:
        for key, amount in of_order.items():
            found[key] = found[key] + amount if key in found else amount
    return found


__all__ = ["let_go", "together"]
