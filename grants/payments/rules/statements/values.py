"""What a bank says in its files (camt.053, camt.054, pain.002), as plain values; amounts are exact cents, days are the bank's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from grants.core.errors import Refused
from grants.core.money import Money

# The largest file that is read, and how many lines one may bring: a statement of 10,000 lines has about 15 MB.
BANK_FILE_BYTES_MAX = 50_000_000
LINES_MAX = 50_000
# How banks spell that they have nothing to say.
NOTHING_SAID = frozenset({"", "NOTPROVIDED", "NONREF", "NOREF"})


class BankFile(StrEnum):
    """What is read: messages by their name in ISO 20022, and a list of executed payments for who has no bank channel."""

    STATEMENT = "camt.053"
    NOTICE = "camt.054"
    REPORT = "pain.002"
    EXECUTIONS = "csv"

    @property
    def words(self) -> str:
        """Its name for people."""
        match self:
            case BankFile.STATEMENT:
                return "account statement"
            case BankFile.NOTICE:
                return "notice of bookings"
            case BankFile.REPORT:
                return "status report"
            case BankFile.EXECUTIONS:
                return "list of executed payments"


# What is an XML message of a bank, and read by a worker.
MESSAGES = frozenset({BankFile.STATEMENT, BankFile.NOTICE, BankFile.REPORT})


class Direction(StrEnum):
    """Whether money came (credit) or went (debit), seen from the holder of the account."""

    CREDIT = "credit"
    DEBIT = "debit"


@dataclass(frozen=True, slots=True)
class Line:
    """One movement of an account; of a batch with details, one of its parts.

    ``amount`` is above zero and ``direction`` says which way it went, of a reversal too. ``end_to_end_id``
    and ``return_reason`` of what came back are those of the payment that came back. ``parts`` is how
    many payments the bank says to have booked in this one line.
    """

    amount: Money
    direction: Direction
    booked_on: date
    value_on: date | None = None
    is_reversal: bool = False
    bank_reference: str = ""
    end_to_end_id: str = ""
    instruction_id: str = ""
    payment_id: str = ""
    transaction_code: str = ""
    return_reason: str = ""
    counterparty: str = ""
    counterparty_iban: str = ""
    remittance: str = ""
    parts: int = 1

    @property
    def signed(self) -> Money:
        """What it does to the balance."""
        return self.amount if self.direction is Direction.CREDIT else -self.amount


@dataclass(frozen=True, slots=True)
class Balance:
    """What stood on the account, below zero where it was overdrawn, at the end of a day (or its beginning)."""

    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account; a notice has no balances, and no days but those of its lines."""

    kind: BankFile
    identifier: str
    iban: str
    lines: tuple[Line, ...]
    number: str = ""
    from_on: date | None = None
    to_on: date | None = None
    opening: Balance | None = None
    closing: Balance | None = None
    # Lines the bank has announced and not booked; they are left out.
    announced: int = 0


@dataclass(frozen=True, slots=True)
class TransferStatus:
    """What a bank says of one transfer of a file it was sent: ``RJCT`` with a reason, ``ACSP``, ``ACSC``."""

    end_to_end_id: str
    instruction_id: str
    status: str
    reasons: tuple[str, ...] = ()
    bank_reference: str = ""
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class BlockStatus:
    """What a bank says of one payment block, and of transfers in it."""

    payment_id: str
    status: str
    reasons: tuple[str, ...]
    transfers: tuple[TransferStatus, ...]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What a bank says of a file it was sent, whole and in parts; what is not named stands as its whole does."""

    message_id: str
    original_message_id: str
    original_kind: str
    status: str
    reasons: tuple[str, ...]
    blocks: tuple[BlockStatus, ...]


_AMOUNT = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,2}))?")


def cents(text: str, currency: str, *, where: str) -> Money:
    """An amount as it stands in a bank's file: a point before the cents, none or two of them, euro only.

    Raises :class:`Refused` with the place.

    >>> cents("1000.5", "EUR", where="entry 1")
    Money(cents=100050, currency='EUR')
    """
    if currency != "EUR":
        raise Refused(f"{where} is in “{currency[:10]}”. Accounts are kept in euro: choose the file of a euro account.")
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise Refused(
            f"{where} has the amount “{text[:30]}”. An amount has a point and at most two decimals, as in 1000.50. "
            "Ask the bank for the file again."
        )
    return Money(int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")))


def said(text: str) -> str:
    """A reference of a bank's file; empty where the bank says that there is none."""
    stripped = " ".join(text.split())
    return "" if stripped.upper() in NOTHING_SAID else stripped
