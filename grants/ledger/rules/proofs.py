"""What a check of the books says of one invariant, and the invariants that are about moments and about all grants at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from grants.core.errors import Problem
from grants.core.money import ZERO, Money, total
from grants.ledger.accounts import Account, Side
from grants.ledger.rules.balances import Balances
from grants.ledger.rules.values import Event

M = TypeVar("M", date, datetime, int)


@dataclass(frozen=True, slots=True)
class Checked:
    """One invariant: what was compared, of how many things, what is wrong; or why it does not apply (then of none)."""

    code: str
    words: str
    number: int = 0
    things: str = ""
    problems: tuple[Problem, ...] = ()
    not_applicable: str = ""

    def __str__(self) -> str:
        """One line for people.

        >>> str(Checked("I1", "Every entry balances.", 1200, "entries"))
        'I1   holds           1,200 entries. Every entry balances.'
        >>> str(Checked("I14", "The bank is the ledger.", not_applicable="No statements are read."))
        'I14  not applicable  The bank is the ledger. No statements are read.'
        """
        if self.not_applicable:
            return f"{self.code:<4} not applicable  {self.words} {self.not_applicable}"
        verdict = f"{len(self.problems)} wrong" if self.problems else "holds" if self.number else "nothing yet"
        return f"{self.code:<4} {verdict:<14}  {self.number:,} {self.things}. {self.words}"


# Cash of these is outside the maximum of a grant: interest either way, what the funder paid, charges, and what nobody
# knows yet. The rest of what left the bank was paid to grants.
OUTSIDE_GRANTS = (
    Account.INTEREST_RECEIVABLE,
    Account.INTEREST_PAYABLE,
    Account.INTEREST_IN_TRANSIT,
    Account.UNIDENTIFIED,
    Account.FUNDING_RECEIVED,
    Account.INTEREST_INCOME,
    Account.INTEREST_COSTS,
    Account.BANK_CHARGES,
)


def paid_to_grants(found: Balances) -> Money:
    """What left the bank for grants, less what came back of it."""
    outside = (found[each] if each.normal_side is Side.DEBIT else -found[each] for each in OUTSIDE_GRANTS)
    return found.cash_out - total(outside)


# What awards money to a grant, or takes an award back: the signature, amendments, transfers between partners, closure.
AWARDING = (Event.SIGNED, Event.AMENDED, Event.TRANSFERRED, Event.DECOMMITTED)

# What sets pre-financing off against accepted costs or the retention, and what opens it again at the balance.
CLEARING = (Event.INTERIM_AUTHORISED, Event.FINAL_ABOVE, Event.RETENTION_RELEASED)


def running_differences(steps: Iterable[tuple[M, int]]) -> list[tuple[M, int]]:
    """Where sums over moments stop being zero or change while they are not: each moment, and what is off from it on.

    >>> running_differences([(3, -5), (1, 5), (1, 0), (4, 2)])
    [(1, 5), (4, 2)]
    """
    sums: dict[M, int] = {}
    for moment, cents in steps:
        sums[moment] = sums.get(moment, 0) + cents
    found, off = [], 0
    for moment in sorted(sums):
        before, off = off, off + sums[moment]
        if off and off != before:
            found.append((moment, off))
    return found


def clearing_problems(place: str, *, granted: Money, cleared: Money, opened: Money) -> tuple[Problem, ...]:
    """I7 for one grant: nothing is cleared below zero, nor more than was granted, paid or retained.

    ``granted`` is pre-financing authorised (E6), ``cleared`` what accepted costs and the retention absorbed (E10, E11,
    E12), ``opened`` what the balance gave back to be cleared or recovered (E11b).

    >>> clearing_problems("G", granted=Money(240), cleared=Money(270), opened=Money(60))
    ()
    """
    if cleared < ZERO:
        return (Problem(place, f"I7: pre-financing cleared is {cleared}, below zero."),)
    if cleared - opened > granted:
        return (Problem(place, f"I7: {cleared - opened} of pre-financing is cleared; {granted} was paid or retained."),)
    return ()


def offset_problems(steps: Sequence[tuple[str, int]]) -> tuple[Problem, ...]:
    """I6 across grants: what one grant's debt took from another's payment is gone from 1220 when the act is done.

    ``steps`` are the moments since which 1220 does not net to zero, in words, and by how much.
    """
    return tuple(Problem(when, f"I6: offsets between grants do not cancel out: 1220 nets {Money(cents)}.") for when, cents in steps)  # fmt: skip
