"""Approved pre-financing that nobody was paid: a balance does not claim it back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Refused
from grants.core.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class UnpaidAhead:
    """A request for pre-financing that is approved, what of it nobody was paid yet, and the orders that are to pay it.

    ``at_bank`` are those of them that have left; ``is_stopped`` says that nothing more of its grant is pre-financed.
    """

    reference: str
    left: Money
    orders: tuple[str, ...] = ()
    at_bank: tuple[str, ...] = ()
    is_stopped: bool = False

    @property
    def way_out(self) -> str:
        """What is done with it before the balance, as a sentence without its end.

        >>> UnpaidAhead("PCP-2022-G-0001-1", Money(7), ("P-1",), is_stopped=True).way_out
        'Cancel P-1, then what was never paid on the page of PCP-2022-G-0001-1'
        """
        if self.at_bank:
            return f"Wait until the bank has booked {', '.join(self.at_bank)}"
        if self.is_stopped:
            first = f"{', '.join(self.orders)}, then " if self.orders else ""
            return f"Cancel {first}what was never paid on the page of {self.reference}"
        if self.orders:
            return f"Wait until the bank has booked {', '.join(self.orders)}, or cancel it"
        return "Pay it, or cancel it on its page"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What of approved pre-financing falls on a partner whose part ends, and is not paid; ``until`` is the first day without it.

    Not ``is_confirmed``: its end is proposed, and the payment goes on as before.
    """

    request_id: UUID
    reference: str
    organisation_id: UUID
    name: str
    until: date
    amount: Money
    is_confirmed: bool

    @property
    def words(self) -> str:
        """Why the payment stops, or will, and what is done.

        >>> from uuid import UUID
        >>> HeldBack(UUID(int=1), "G-1-1", UUID(int=2), "Agency", date(2023, 10, 1), Money(700), True).words[:67]
        'Agency takes no part from 1 October 2023 on, so the EUR 7.00 of thi'
        """
        day = clock.long_date(self.until)
        if not self.is_confirmed:
            return (
                f"It is proposed that {self.name} takes no part from {day} on. Once that is confirmed, what of this pre-financing "
                f"falls on it and is not paid by then, {self.amount} now, is held back and cancelled here."
            )
        return (
            f"{self.name} takes no part from {day} on, so the {self.amount} of this pre-financing that falls on it is not paid ahead. "
            f"Cancel it on the page of {self.reference}, an order of it first; the rest is then ordered and paid as before."
        )


def refuse_held_back(found: Sequence[HeldBack]) -> None:
    """Whose part ends is paid nothing ahead any more, though it was approved: that is cancelled before the rest is paid."""
    faults.point("ceiling")
    for each in found:
        if each.is_confirmed:
            raise Refused(each.words)


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
    raise Refused(
        f"The balance would claim {recoverable} back, but {first.left} of the pre-financing {first.reference} was approved and "
        f"never paid. {first.way_out}; then decide the balance."
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
