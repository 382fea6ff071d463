"""The closing checklist of a grant: what must be settled before it is closed, and what is only told beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from grants.core.errors import Problem
from grants.core.money import ZERO, Money
from grants.core.permissions import Permission
from grants.ledger import rules as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances


class ClosingState(StrEnum):
    """A line is settled, holds the closure up, or is only told: nothing waits for it."""

    DONE = "done"
    OPEN = "open"
    NOTED = "noted"

    @property
    def words(self) -> str:
        """In a word or two."""
        match self:
            case ClosingState.DONE:
                return "Settled"
            case ClosingState.OPEN:
                return "Open"
            case ClosingState.NOTED:
                return "To know"


@dataclass(frozen=True, slots=True)
class ClosingLine:
    """One line of the checklist: what it is, how it stands in a sentence, and the page that shows it.

    ``place`` names it in a refusal. ``for_city`` lines stand on the shorter list of the city too. The page is linked for
    whoever may open it: has the permission that it ``needs``.
    """

    place: str
    label: str
    state: ClosingState
    words: str
    endpoint: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    for_city: bool = False
    needs: Permission | None = None


def problems_of(lines: Iterable[ClosingLine]) -> tuple[Problem, ...]:
    """Why a grant cannot be closed yet; empty where nothing is open."""
    return tuple(Problem(each.place, each.words) for each in lines if each.state is ClosingState.OPEN)


def for_the_city(lines: Iterable[ClosingLine]) -> tuple[ClosingLine, ...]:
    """The shorter list."""
    return tuple(each for each in lines if each.for_city)


def kept(lines: Iterable[ClosingLine]) -> list[dict[str, Any]]:
    """The list as it is kept with the closure: all that had to be settled, not what was told beside it."""
    return [
        {"label": each.label, "state": each.state.value, "words": each.words, "for_city": each.for_city}
        for each in lines
        if each.state is not ClosingState.NOTED
    ]


def as_kept(stored: Sequence[Mapping[str, Any]]) -> tuple[ClosingLine, ...]:
    """The list a grant was closed with, to be shown.

    >>> line = ClosingLine("Reports", "Reports", ClosingState.DONE, "All are accepted.", for_city=True)
    >>> as_kept(kept([line]))[0].words
    'All are accepted.'
    """
    return tuple(
        ClosingLine("", each["label"], ClosingState(each["state"]), each["words"], for_city=bool(each["for_city"]))
        for each in stored
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Accounts of the ledger that must stand at zero for a grant to be closed, as one line of its checklist."""

    label: str
    accounts: tuple[Account, ...]
    settled: str
    for_city: bool = False


# Every account that holds a closure up stands in one of these, but what the coordinator holds for partners: that can be
# waived partner by partner. A test holds that.
HELD: tuple[Held, ...] = (
    Held(
        "Money on its way",
        (Account.PAYABLE, Account.IN_TRANSIT),
        "Nothing is still payable or in transit.",
        for_city=True,
    ),
    Held("Returned payments", (Account.RETURNED,), "No payment came back and waits to be issued again."),
    Held("Money retained", (Account.RETENTION,), "Nothing is retained any more.", for_city=True),
    Held("Pre-financing", (Account.PREFINANCING,), "All pre-financing is cleared.", for_city=True),
    Held(
        "Recoveries",
        (Account.RECOVERY_RECEIVABLE, Account.INTEREST_RECEIVABLE),
        "Nothing is to be paid back.",
        for_city=True,
    ),
    Held("Interest for late payment", (Account.INTEREST_PAYABLE, Account.INTEREST_IN_TRANSIT), "No interest is owed."),
    Held("Unidentified receipts", (Account.UNIDENTIFIED,), "No receipt of this grant is without a known reason."),
)


def held_line(held: Held, stands: Balances, grant_reference: str) -> ClosingLine:
    """One of these as a line: settled, or what each account still holds."""
    found = [problem.message for problem in ledger.closure_problems("Ledger", _only(stands, held.accounts))]
    return ClosingLine(
        "Ledger",
        held.label,
        ClosingState.OPEN if found else ClosingState.DONE,
        " ".join(found) or held.settled,
        "payments.ledger",
        {"grant": grant_reference, "account": held.accounts[0].value},
        for_city=held.for_city,
        needs=Permission.LEDGER_READ,
    )


def _only(stands: Balances, accounts: Sequence[Account]) -> Balances:
    wanted: dict[Account, Money] = {account: stands[account] for account in accounts if stands[account] != ZERO}
    return Balances(wanted)


def counted(number: int, one: str, many: str) -> str:
    """``1 order is`` or ``3 orders are``, for the sentences of this list.

    >>> counted(1, "order is", "orders are"), counted(3, "order is", "orders are")
    ('1 order is', '3 orders are')
    """
    return f"{number} {one if number == 1 else many}"
