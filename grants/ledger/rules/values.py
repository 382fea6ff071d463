"""An entry before it is posted: its event, its legs and what they are about; balanced by itself in each ledger."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from grants.core.money import ZERO, Money
from grants.ledger.accounts import Account, Ledger, Side


class Event(StrEnum):
    """What happened; each has its own builder of legs below."""

    BUDGET_SET = "E1"
    RESERVED = "E2"
    RESERVE_RELEASED = "E3"
    COMMITTED = "E4"
    SIGNED = "E5"
    PREFINANCING_AUTHORISED = "E6"
    ORDER_SENT = "E7"
    ORDER_BOOKED = "E8"
    ORDER_REJECTED = "E9a"
    PAYMENT_RETURNED = "E9b"
    ORDER_REISSUED = "E9c"
    INTERIM_AUTHORISED = "E10"
    FINAL_ABOVE = "E11"
    FINAL_BELOW = "E11b"
    RETENTION_RELEASED = "E12"
    RECOVERY_ORDERED = "E13"
    RECOVERY_RECEIVED = "E14"
    OFFSET = "E15"
    WAIVED = "E16"
    LATE_INTEREST = "E17"
    RECOVERY_INTEREST = "E18"
    AMENDED = "E19"
    TRANSFERRED = "E20"
    DECOMMITTED = "E21"
    RECEIPT_UNIDENTIFIED = "E22"
    DISTRIBUTED = "E23"
    REVERSED = "E24"
    FUNDING_RECEIVED = "E25"
    BANK_CHARGED = "E26"
    APPROVED_CANCELLED = "E27"

    @property
    def label(self) -> str:
        """The event in words, for pages and exports."""
        return _TITLES[self]


_TITLES: Mapping[Event, str] = {
    Event.BUDGET_SET: "Call budget set",
    Event.RESERVED: "Reserved by selection decision",
    Event.RESERVE_RELEASED: "Reserve released",
    Event.COMMITTED: "Budgetary commitment",
    Event.SIGNED: "Grant agreement signed",
    Event.PREFINANCING_AUTHORISED: "Pre-financing authorised",
    Event.ORDER_SENT: "Payment order sent",
    Event.ORDER_BOOKED: "Payment booked by the bank",
    Event.ORDER_REJECTED: "Payment rejected by the bank",
    Event.PAYMENT_RETURNED: "Payment returned by the bank",
    Event.ORDER_REISSUED: "Payment order issued again",
    Event.INTERIM_AUTHORISED: "Interim payment authorised",
    Event.FINAL_ABOVE: "Final amount above accepted so far",
    Event.FINAL_BELOW: "Final amount below accepted so far",
    Event.RETENTION_RELEASED: "Retention released",
    Event.RECOVERY_ORDERED: "Recovery order",
    Event.RECOVERY_RECEIVED: "Recovery received",
    Event.OFFSET: "Offset against a payment due",
    Event.WAIVED: "Debt waived",
    Event.LATE_INTEREST: "Late-payment interest",
    Event.RECOVERY_INTEREST: "Interest on late recovery",
    Event.AMENDED: "Grant amended",
    Event.TRANSFERRED: "Transfer between partners",
    Event.DECOMMITTED: "Decommitted at closure",
    Event.RECEIPT_UNIDENTIFIED: "Unidentified receipt",
    Event.DISTRIBUTED: "Distribution by the coordinator",
    Event.REVERSED: "Reversal",
    Event.FUNDING_RECEIVED: "Programme funding received",
    Event.BANK_CHARGED: "Bank charge",
    Event.APPROVED_CANCELLED: "Approved pre-financing cancelled unpaid",
}


@dataclass(frozen=True, slots=True)
class Dimensions:
    """What a leg is about: ids without foreign keys, since the ledger knows no grants."""

    fund_source_id: UUID | None = None
    call_id: UUID | None = None
    grant_id: UUID | None = None
    organisation_id: UUID | None = None
    category: str | None = None
    period: str | None = None
    document_id: UUID | None = None
    # Which account of the programme moved; on the leg of the bank only.
    own_account_id: UUID | None = None

    def of(self, organisation_id: UUID | None) -> Dimensions:
        """The same dimensions for one organisation."""
        return replace(self, organisation_id=organisation_id)

    @property
    def off_the_bank(self) -> Dimensions:
        """The same dimensions for a leg on another account than the bank's."""
        return self if self.own_account_id is None else replace(self, own_account_id=None)

    def part(self, organisation_id: UUID | None, category: str | None) -> Dimensions:
        """The same dimensions for one organisation and one category of its costs."""
        return replace(self, organisation_id=organisation_id, category=category)


NO_DIMENSIONS = Dimensions()

DIMENSIONS = tuple(field.name for field in fields(Dimensions))

# Dimensions that came when entries stood already: a digest spells them where they are set and says nothing where they are not.
SPELLED_WHEN_SET = ("own_account_id",)


@dataclass(frozen=True, slots=True)
class Leg:
    """One line of an entry: an account, a side, an amount above zero, and what it is about."""

    account: Account
    side: Side
    amount: Money
    dims: Dimensions = NO_DIMENSIONS

    def __post_init__(self) -> None:
        if self.amount <= ZERO:
            raise ValueError(f"A leg on {self.account} has {self.amount}; it must be above zero.")

    @property
    def debit_cents(self) -> int:
        """The cents on the debit side, or zero."""
        return self.amount.cents if self.side is Side.DEBIT else 0

    @property
    def credit_cents(self) -> int:
        """The cents on the credit side, or zero."""
        return self.amount.cents if self.side is Side.CREDIT else 0

    @property
    def grows(self) -> bool:
        """Whether this leg raises the balance of its account."""
        return self.side is self.account.normal_side


# A partner and its part of an amount.
Share = tuple[UUID | None, Money]

# Whose costs an amount is for, and of which category where costs are accepted by category.
PartKey = tuple[UUID | None, str | None]

# An amount by partner and category; a correction may take from one what it gives to another.
Parts = Mapping[PartKey, Money]

Legs = tuple[Leg, ...]

# A leg to be, which falls away when its amount is zero; Dr and Cr as bookkeepers write them.
Line = tuple[Side, Account, Money, Dimensions]


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry that is to be written: what happened, the fact that is booked, the day it counts from, words, legs.

    ``source_key`` names the fact for ever (``payment_order:<id>:sent``), so that it is booked once, however often and
    from wherever it is told.
    """

    event: Event
    source_key: str
    effective_on: date
    description: str
    legs: Legs


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment of the books: what was recorded before an instant, and took effect up to a day (that day included)."""

    recorded_before: datetime | None = None
    effective_to: date | None = None


NOW = AsOf()


class Unbalanced(ValueError):
    """A programmer's error: the legs of an entry do not balance."""


def refuse_unbalanced(legs: Sequence[Leg]) -> None:
    """Raise :class:`Unbalanced` unless there are two legs or more and each ledger balances by itself (I1)."""
    if len(legs) < 2:
        raise Unbalanced(f"An entry has at least two legs, not {len(legs)}.")
    for ledger, difference in differences(legs).items():
        if difference:
            raise Unbalanced(f"The {ledger} ledger of this entry is off by {Money(difference)}.")


class WithoutFund(ValueError):
    """A programmer's error: a leg does not say from which parent grant its money is."""


# What moves before anybody knows for which call or grant: the bank, what came in unidentified, what the bank charges.
BEFORE_A_FUND = (Account.BANK, Account.UNIDENTIFIED, Account.BANK_CHARGES)


def refuse_without_fund(legs: Iterable[Leg]) -> None:
    """Raise :class:`WithoutFund` unless every leg names its parent grant, or lies where none can be known yet."""
    for leg in legs:
        of_a_place = leg.dims.call_id or leg.dims.grant_id
        if leg.dims.fund_source_id is None and (of_a_place or leg.account not in BEFORE_A_FUND):
            raise WithoutFund(f"The leg on {leg.account} {leg.account.label} names no parent grant.")


def differences(legs: Iterable[Leg]) -> dict[Ledger, int]:
    """Debit less credit in cents for each ledger touched; all zero when balanced."""
    result: dict[Ledger, int] = defaultdict(int)
    for leg in legs:
        result[leg.account.ledger] += leg.debit_cents - leg.credit_cents
    return dict(result)


def mirrored(legs: Iterable[Leg]) -> Legs:
    """The mirror image of an entry (E24): every leg on its other side."""
    return tuple(Leg(leg.account, leg.side.other, leg.amount, leg.dims) for leg in legs)


def digest(legs: Iterable[Leg]) -> str:
    """SHA-256 over the legs in order; the entry carries it, so that the audit chain covers its legs too."""
    return hashlib.sha256("\n".join(_spelled(leg) for leg in legs).encode()).hexdigest()


def _spelled(leg: Leg) -> str:
    always = [getattr(leg.dims, name) for name in DIMENSIONS if name not in SPELLED_WHEN_SET]
    when_set = [value for name in SPELLED_WHEN_SET if (value := getattr(leg.dims, name)) is not None]
    said = ["" if value is None else str(value) for value in (*always, *when_set)]
    return "|".join([leg.account, leg.side, str(leg.amount.cents), *said])


def reference(number: int, effective_on: date) -> str:
    """``E-2024-0412``: what people call an entry.

    >>> reference(412, date(2024, 5, 17))
    'E-2024-0412'
    """
    return f"E-{effective_on.year}-{number:04d}"


def number_of(ref: str) -> int | None:
    """The entry number in a reference, or None where it is not one."""
    parts = ref.split("-")
    if len(parts) == 3 and parts[0] == "E" and parts[1].isdecimal() and parts[2].isdecimal() and len(parts[2]) < 19:
        return int(parts[2])
    return None
