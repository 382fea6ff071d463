"""What may be established as a debt and booked as paid back, and how a recovery is shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money, total
from grants.payments.states import RecoveryState


@dataclass(frozen=True, slots=True)
class RecoveryInput:
    """What the authoriser establishes: why the money is owed back, and until when it is to be paid."""

    reason: str
    due_on: date


@dataclass(frozen=True, slots=True)
class ReceiptInput:
    """What the accounting officer reads off the bank statement."""

    amount: Money
    value_on: date
    bank_reference: str
    # The account it came to; where the programme has one only, none is asked for.
    own_account_id: UUID | None = None


def check_recovery(given: RecoveryInput, today: date) -> None:
    """Refuse a recovery without a reason, or due before the city could pay."""
    problems = {}
    if not given.reason.strip():
        problems["reason"] = "Say why it is owed back and what the city answered; it reads this."
    if given.due_on <= today:
        problems["due_on"] = f"Enter a day after today, {clock.long_date(today)}, so that the city can pay in time."
    if problems:
        raise Invalid("The recovery cannot be established like this.", problems)


def check_receipt(given: ReceiptInput, established_on: date, today: date) -> None:
    """Refuse a receipt of nothing, without the bank's reference, or on a day that cannot be; more than is owed is real."""
    faults.point("ceiling")
    problems = {}
    if given.amount <= ZERO:
        problems["amount"] = "Enter an amount above zero."
    if not established_on <= given.value_on <= today:
        problems["value_on"] = (
            f"The recovery stands since {clock.long_date(established_on)}. Enter the day the bank booked the money, from that day to today."
        )
    if not given.bank_reference.strip():
        problems["bank_reference"] = (
            "Enter the reference on the bank statement, so that the receipt can be found again."
        )
    if problems:
        raise Invalid("The receipt cannot be booked like this.", problems)


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Money that came back."""

    amount: Money
    value_on: date
    bank_reference: str
    booked_by: str
    above: Money = ZERO


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """One recovery with what came back."""

    id: UUID
    version: int
    reference: str
    state: RecoveryState
    grant_id: UUID
    grant_reference: str
    acronym: str
    payee: str
    request_reference: str
    amount: Money
    reason: str
    due_on: date
    established_at: datetime
    established_by: str
    receipts: tuple[ReceiptView, ...]
    waived: Money | None
    waived_at: datetime | None
    waived_by: str | None
    waive_reason: str | None

    @property
    def received(self) -> Money:
        """What came back so far."""
        return total(each.amount for each in self.receipts)

    @property
    def owed(self) -> Money:
        """What is still owed."""
        return self.amount - self.received - (self.waived or ZERO)

    @property
    def due_at(self) -> datetime:
        """The last moment of its due day."""
        return clock.end_of_day(self.due_on)


@dataclass(frozen=True, slots=True)
class RecoverySummary:
    """What an act on a recovery answers."""

    id: UUID
    reference: str
    state: RecoveryState
    owed: Money
