"""Approved pre-financing that nobody was paid: a balance does not claim it back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grants.core import faults
from grants.core.errors import Refused
from grants.core.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class UnpaidAhead:
    """A request for pre-financing that is approved, what of it nobody was paid yet, and the orders that are to pay it."""

    reference: str
    left: Money
    orders: tuple[str, ...] = ()


def refuse_unpaid_ahead(unpaid: Sequence[UnpaidAhead], recoverable: Money, outstanding: Money) -> None:
    """Refuse a balance that claims money back while approved pre-financing is unpaid: it would claim what nobody had.

    ``outstanding`` is what of pre-financing no costs cleared. Where nothing is, what is unpaid is due for costs and can be neither
    cancelled nor claimed: the claim is set off against it afterwards.

    >>> refuse_unpaid_ahead([UnpaidAhead("PCP-2022-G-0001-1", Money(7))], Money(0), Money(7))
    >>> refuse_unpaid_ahead([UnpaidAhead("PCP-2022-G-0001-1", Money(7))], Money(3), Money(0))
    """
    faults.point("ceiling")
    if recoverable <= ZERO or outstanding <= ZERO or not unpaid:
        return
    first = unpaid[0]
    way_out = (
        f"Wait until the bank has booked {', '.join(first.orders)}; or cancel the order, and then the request on its page"
        if first.orders
        else "Cancel it on its page, or pay it unless a termination of the grant is confirmed"
    )
    raise Refused(
        f"The balance would claim {recoverable} back, but {first.left} of the pre-financing {first.reference} was approved and "
        f"never paid. {way_out}; then decide the balance."
    )


def cancellable(left: Money, retained: Money, outstanding: Money) -> tuple[Money, Money]:
    """What of unpaid pre-financing can be cancelled, and what of the retention falls away with it.

    What accepted costs cleared already is due for them, and stays to be paid.

    >>> [each.cents for each in cancellable(Money(210), Money(30), Money(240))]
    [210, 30]
    >>> [each.cents for each in cancellable(Money(210), Money(30), Money(190))]
    [190, 0]
    """
    amount = min(left, outstanding)
    return amount, retained if amount + retained <= outstanding else ZERO
