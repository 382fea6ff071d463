"""The chart of accounts: codes, names, which of the three ledgers each belongs to, and what may never fall below zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Side(StrEnum):
    """The two sides of a book."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class Ledger(StrEnum):
    """Three books in one journal; every entry balances in each of them by itself."""

    BUDGET = "budget"
    GENERAL = "general"
    MEMO = "memo"


class Account(StrEnum):
    """Every account by its code. The letter of the code names the ledger: B budget, M memo, none general."""

    BUDGET_AUTHORISED = "B000"
    AVAILABLE = "B100"
    RESERVED = "B200"
    COMMITTED = "B300"
    LEGALLY_COMMITTED = "B310"
    CONSUMED = "B400"
    BANK = "1000"
    IN_TRANSIT = "1050"
    INTEREST_IN_TRANSIT = "1055"
    PREFINANCING = "1100"
    RECOVERY_RECEIVABLE = "1200"
    INTEREST_RECEIVABLE = "1210"
    OFFSET_BETWEEN_GRANTS = "1220"
    PAYABLE = "2000"
    RETURNED = "2100"
    RETENTION = "2200"
    INTEREST_PAYABLE = "2300"
    UNIDENTIFIED = "2400"
    FUNDING_RECEIVED = "3000"
    INTEREST_INCOME = "4100"
    GRANT_COSTS = "5000"
    INTEREST_COSTS = "5100"
    BANK_CHARGES = "5200"
    WAIVED = "5300"
    MEMO_CONTRA = "M000"
    HELD_BY_COORDINATOR = "M100"
    DISTRIBUTED = "M200"

    @property
    def label(self) -> str:
        """What the account is called on pages and in exports."""
        return CHART[self].label

    @property
    def ledger(self) -> Ledger:
        """The book this account belongs to."""
        match self.value[0]:
            case "B":
                return Ledger.BUDGET
            case "M":
                return Ledger.MEMO
            case _:
                return Ledger.GENERAL

    @property
    def normal_side(self) -> Side:
        """The side on which this account grows: a balance is positive when it stands there."""
        return CHART[self].normal_side


class Floor(StrEnum):
    """Within which dimension an account may not fall below zero."""

    NONE = "none"
    CALL = "call_id"
    GRANT = "grant_id"


@dataclass(frozen=True, slots=True)
class About:
    """What the chart says of one account."""

    label: str
    normal_side: Side
    floor: Floor


_D, _C = Side.DEBIT, Side.CREDIT

CHART: Mapping[Account, About] = {
    Account.BUDGET_AUTHORISED: About("Call budget authorised", _C, Floor.CALL),
    Account.AVAILABLE: About("Available", _D, Floor.CALL),
    Account.RESERVED: About("Reserved by selection decision", _D, Floor.CALL),
    Account.COMMITTED: About("Budgetary commitment", _D, Floor.CALL),
    Account.LEGALLY_COMMITTED: About("Open legal commitment", _D, Floor.GRANT),
    Account.CONSUMED: About("Consumed", _D, Floor.GRANT),
    # The bank may stand below zero here: the funder's payments are booked outside this program for now.
    Account.BANK: About("Bank", _D, Floor.NONE),
    Account.IN_TRANSIT: About("Payments in transit", _C, Floor.GRANT),
    # Apart from what is paid of a grant: interest we owe is outside its maximum.
    Account.INTEREST_IN_TRANSIT: About("Late interest in transit", _C, Floor.GRANT),
    Account.PREFINANCING: About("Pre-financing granted, not yet cleared", _D, Floor.GRANT),
    Account.RECOVERY_RECEIVABLE: About("Recovery receivable", _D, Floor.GRANT),
    Account.INTEREST_RECEIVABLE: About("Interest receivable", _D, Floor.GRANT),
    # Stands on both sides by turns: it only carries an offset from one grant to another.
    Account.OFFSET_BETWEEN_GRANTS: About("Offset between grants", _D, Floor.NONE),
    Account.PAYABLE: About("Payable to beneficiary", _C, Floor.GRANT),
    Account.RETURNED: About("Returned payments", _C, Floor.GRANT),
    Account.RETENTION: About("Retention", _C, Floor.GRANT),
    Account.INTEREST_PAYABLE: About("Late interest payable", _C, Floor.GRANT),
    # A receipt without a grant is cleared with one, so the floor cannot be drawn by grant.
    Account.UNIDENTIFIED: About("Unidentified receipts", _C, Floor.NONE),
    Account.FUNDING_RECEIVED: About("Programme funding received", _C, Floor.NONE),
    Account.INTEREST_INCOME: About("Interest income", _C, Floor.NONE),
    Account.GRANT_COSTS: About("Grant contribution accepted", _D, Floor.GRANT),
    Account.INTEREST_COSTS: About("Late-payment interest", _D, Floor.NONE),
    Account.BANK_CHARGES: About("Bank charges and exchange", _D, Floor.NONE),
    Account.WAIVED: About("Waived debts", _D, Floor.NONE),
    Account.MEMO_CONTRA: About("Memo contra", _C, Floor.NONE),
    Account.HELD_BY_COORDINATOR: About("Held by coordinator", _D, Floor.GRANT),
    Account.DISTRIBUTED: About("Distributed to partner", _D, Floor.NONE),
}

assert set(CHART) == set(Account), "every account stands in the chart"


def floor_words(floor: Floor) -> str:
    """How a refusal names the dimension of a floor."""
    match floor:
        case Floor.CALL:
            return "this call"
        case Floor.GRANT:
            return "this grant"
        case Floor.NONE:
            return "the programme"
        case _:
            assert_never(floor)
