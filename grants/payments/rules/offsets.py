"""How much of a debt may be set off against a payment. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.core import faults
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class OffsetInput:
    """Which debt is set off against which payment, and how much of both."""

    recovery_id: UUID
    request_id: UUID
    amount: Money


@dataclass(frozen=True, slots=True)
class OffsetView:
    """What was set off, as both documents show it: the payment, the debt, how much, and by whom."""

    request_reference: str
    recovery_reference: str
    # Where the debt is shown.
    debtor_grant: str
    number: int
    amount: Money
    offset_on: date
    offset_by: str


@dataclass(frozen=True, slots=True)
class SetOff:
    """What a request pays: gross, less what was set off or cancelled unpaid."""

    payable: Money
    offsets: tuple[OffsetView, ...]
    cancelled: Money = ZERO

    @property
    def net(self) -> Money:
        """What is paid by the bank; never below nought."""
        return self.payable - self.cancelled - total(each.amount for each in self.offsets)


@dataclass(frozen=True, slots=True)
class OffsetChoice:
    """A payment due to a city that its debt can be set off against."""

    request_id: UUID
    reference: str
    grant_reference: str
    left: Money

    @property
    def words(self) -> str:
        """``PCP-2022-G-0001-2 of PCP-2022-G-0001, EUR 40 000.00 left to pay``."""
        return f"{self.reference} of {self.grant_reference}, {self.left} left to pay"


def check_offset(amount: Money, *, owed: Money, left: Money) -> None:
    """Refuse what is above the debt, or above what of the payment is in no order: a net payment is never below nought."""
    faults.point("ceiling")
    said = ""
    if amount <= ZERO:
        said = "Enter an amount above zero."
    elif amount > owed:
        said = f"{owed} of the debt is still owed. Set off no more than that."
    elif amount > left:
        said = f"{left} of the payment is neither ordered nor set off. Set off no more than that, or cancel an order first."
    if said:
        raise Invalid("The debt cannot be set off like this.", {"amount": said})
