"""Balances, and what must hold of them: each function names what does not, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from grants.core.errors import Problem
from grants.core.money import ZERO, Money, total
from grants.ledger.accounts import CHART, Account, Floor, Ledger, Side
from grants.ledger.rules.values import Leg, Legs


def natural(account: Account, debits: int, credits: int) -> Money:
    """A balance in the account's own direction: positive on the side where it grows."""
    return Money(debits - credits if account.normal_side is Side.DEBIT else credits - debits)


@dataclass(frozen=True, slots=True)
class Balances:
    """Natural balances of every account for one call, one grant or the whole programme; absent means zero."""

    amounts: Mapping[Account, Money]

    def __getitem__(self, account: Account) -> Money:
        return self.amounts.get(account, ZERO)

    @classmethod
    def of(cls, legs: Iterable[Leg]) -> Balances:
        """The balances these legs add up to."""
        sums: dict[Account, Money] = {}
        for leg in legs:
            change = leg.amount if leg.grows else -leg.amount
            sums[leg.account] = sums.get(leg.account, ZERO) + change
        return cls(sums)

    @property
    def cash_out(self) -> Money:
        """Cash paid less cash received back."""
        return -self[Account.BANK]

    @property
    def gross_authorised(self) -> Money:
        """Everything authorised for payment and not come back: payable, in transit, returned to us, or paid."""
        return self.cash_out + self[Account.PAYABLE] + self[Account.IN_TRANSIT] + self[Account.RETURNED]

    @property
    def counted_to_ceiling(self) -> Money:
        """What counts against a payment ceiling: retained, and gross authorised net of returns (I8).

        Interest, either way, is outside the grant's maximum and does not count.
        """
        paid = self[Account.INTEREST_COSTS] - self[Account.INTEREST_PAYABLE] - self[Account.INTEREST_IN_TRANSIT]
        received = self[Account.INTEREST_INCOME] - self[Account.INTEREST_RECEIVABLE]
        return self.gross_authorised + self[Account.RETENTION] - paid + received


# The accounts that count against a payment ceiling: what was credited on them less what was debited is
# :attr:`Balances.counted_to_ceiling`.
COUNTED_TO_CEILING = (
    *(Account.BANK, Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED, Account.RETENTION),
    *(Account.INTEREST_COSTS, Account.INTEREST_PAYABLE, Account.INTEREST_IN_TRANSIT),
    *(Account.INTEREST_INCOME, Account.INTEREST_RECEIVABLE),
)


@dataclass(frozen=True, slots=True)
class FloorStep:
    """What one entry does to an account with a floor within one call or grant: the change, and what it takes away."""

    account: Account
    place: UUID
    change: Money
    taken: Money


def floor_steps(entries: Sequence[Legs]) -> tuple[FloorStep, ...]:
    """The steps of these entries, in their order, on the accounts and places that any of them lowers."""
    steps = [step for legs in entries for step in _steps_of(legs)]
    lowered = {(step.account, step.place) for step in steps if step.taken}
    return tuple(step for step in steps if (step.account, step.place) in lowered)


def _steps_of(legs: Legs) -> Iterator[FloorStep]:
    change: dict[tuple[Account, UUID], tuple[Money, Money]] = {}
    for leg in legs:
        floor = CHART[leg.account].floor
        place = None if floor is Floor.NONE else getattr(leg.dims, floor.value)
        if place is not None:
            moved, taken = change.get((leg.account, place), (ZERO, ZERO))
            step = (moved + leg.amount, taken) if leg.grows else (moved - leg.amount, taken + leg.amount)
            change[leg.account, place] = step
    return (FloorStep(account, place, moved, taken) for (account, place), (moved, taken) in change.items())


def stands_after(steps: Sequence[FloorStep], stands: Mapping[tuple[Account, UUID], Money]) -> tuple[Money, ...]:
    """The balance after each step, where ``stands`` is what there is after all of them; absent means zero."""
    now = dict(stands)
    found: list[Money] = []
    for step in reversed(steps):
        balance = now.get((step.account, step.place), ZERO)
        found.append(balance)
        now[step.account, step.place] = balance - step.change
    return tuple(reversed(found))


def budget_problems(place: str, found: Balances) -> tuple[Problem, ...]:
    """I3 for one call: what was authorised is available, reserved, committed, legally committed or consumed."""
    parts = (
        Account.AVAILABLE,
        Account.RESERVED,
        Account.COMMITTED,
        Account.LEGALLY_COMMITTED,
        Account.CONSUMED,
    )
    spread = total(found[account] for account in parts)
    if spread == found[Account.BUDGET_AUTHORISED]:
        return ()
    return (
        Problem(
            place,
            f"I3: authorised {found[Account.BUDGET_AUTHORISED]}, but its parts add up to {spread}.",
        ),
    )


def floor_problems(place: str, found: Balances, floor: Floor) -> tuple[Problem, ...]:
    """I3, I7 and their like: accounts that may not stand below zero within this dimension."""
    return tuple(
        Problem(place, f"{account.value} {account.label} stands at {found[account]}, below zero.")
        for account in sorted(Account)
        if CHART[account].floor is floor and found[account] < ZERO
    )


# What the general accounts hold beside the bank is what left it.
HELD = tuple(each for each in Account if each.ledger is Ledger.GENERAL and each is not Account.BANK)


def grant_problems(place: str, found: Balances) -> tuple[Problem, ...]:
    """I6 for one grant: cash out less cash back equals what the other general accounts hold."""
    holds = total(each if account.normal_side is Side.DEBIT else -each for account in HELD if (each := found[account]))
    if holds == found.cash_out:
        return ()
    return (Problem(place, f"I6: net cash out is {found.cash_out}, but the accounts of the grant hold {holds}."),)


def commitment_problems(place: str, found: Balances, *, maximum: Money, decommitted: Money) -> tuple[Problem, ...]:
    """I4 for one grant: open and consumed commitment is the signed maximum, with amendments, less what was decommitted."""
    carried = found[Account.LEGALLY_COMMITTED] + found[Account.CONSUMED]
    if carried == maximum - decommitted:
        return ()
    return (
        Problem(
            place,
            f"I4: open and consumed commitment is {carried}; the signed maximum is {maximum}, of which {decommitted} was decommitted.",
        ),
    )


def ceiling_problems(place: str, found: Balances, *, ceiling: Money) -> tuple[Problem, ...]:
    """I8 for one grant before its balance: nothing authorised, in transit, paid or retained above the ceiling."""
    if found.counted_to_ceiling <= ceiling:
        return ()
    return (
        Problem(place, f"I8: {found.counted_to_ceiling} is authorised, paid or retained; the ceiling is {ceiling}."),
    )


def final_problems(place: str, found: Balances, *, final: Money) -> tuple[Problem, ...]:
    """I9 for one grant after its balance: nothing is accepted above or below the final amount."""
    if found[Account.GRANT_COSTS] == final:
        return ()
    words = f"I9: the final amount is {final}, but {found[Account.GRANT_COSTS]} is booked as accepted."
    return (Problem(place, words),)


def order_problems(place: str, *, paid: Money, committed: Money, awarded: Money, budget: Money) -> tuple[Problem, ...]:
    """I5: paid net of returns and recoveries <= committed <= awarded (with amendments) <= the call's budget."""
    steps = (("paid", paid), ("committed", committed), ("awarded", awarded), ("the call's budget", budget))
    return tuple(
        Problem(place, f"I5: {lower} {less} is above {upper} {more}.")
        for (lower, less), (upper, more) in pairwise(steps)
        if less > more
    )


def closure_problems(place: str, found: Balances) -> tuple[Problem, ...]:
    """Why a grant cannot be closed yet: something is still payable, on its way, retained, to be cleared or to be recovered,
    received without a known reason, or held by the coordinator for its partners.

    What was offset against another grant stays on 1220 for good and cancels out across them, so it holds up nothing. A
    receipt that came in without a grant is cleared with one: below zero here it is settled.
    """
    must_be_zero = (
        Account.PAYABLE,
        Account.IN_TRANSIT,
        Account.RETURNED,
        Account.RETENTION,
        Account.PREFINANCING,
        Account.RECOVERY_RECEIVABLE,
        Account.INTEREST_RECEIVABLE,
        Account.INTEREST_PAYABLE,
        Account.INTEREST_IN_TRANSIT,
        Account.HELD_BY_COORDINATOR,
        *((Account.UNIDENTIFIED,) if found[Account.UNIDENTIFIED] > ZERO else ()),
    )
    return tuple(
        Problem(place, f"“{account.label}” still holds {found[account]}. Settle it before the closure.")
        for account in must_be_zero
        if found[account]
    )
