"""What of a budget may be moved without an amendment, counted over the whole life of a grant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from grants.agreements.rules.amendable import Move
from grants.agreements.rules.maxima import Held, lowering_problem, packages_problem, raising_problem
from grants.agreements.rules.moving import moved, units_problem
from grants.agreements.rules.revising import asked_for
from grants.agreements.states import TransferLevel
from grants.budgets.rules import BudgetContent, percent
from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, Rounding


@dataclass(frozen=True, slots=True)
class TransferInput:
    """A move as typed: how much of the costs planned there goes where, and why."""

    from_organisation_id: UUID
    from_category: str
    to_organisation_id: UUID
    to_category: str
    amount: Money
    reason: str


class Reach(StrEnum):
    """What a move of this size takes: nothing, a notice, or an amendment."""

    FREE = "free"
    NOTIFY = "notify"
    AMENDMENT = "amendment"


@dataclass(frozen=True, slots=True)
class Flexibility:
    """How much of a grant's budget may be moved in its whole life, and how much was, back-moves counted as well.

    Up to ``free`` freely, up to ``notify`` with a notice to the programme, above that by an amendment. Both are shares of the
    ``maximum`` that the agreement named when it was signed: an amendment of the maximum moves neither.
    """

    maximum: Money
    free: Money
    notify: Money
    used: Money = ZERO

    def reach(self, amount: Money) -> Reach:
        """What one more move of this size takes.

        >>> Flexibility(Money(100), free=Money(10), notify=Money(20), used=Money(8)).reach(Money(3)).value
        'notify'
        """
        after = self.used + amount
        if after <= self.free:
            return Reach.FREE
        return Reach.NOTIFY if after <= self.notify else Reach.AMENDMENT

    @property
    def left(self) -> Money:
        """What may still be moved without an amendment."""
        return max(self.notify - self.used, ZERO)

    def part(self, amount: Money) -> str:
        """Of the maximum grant as it was signed, in per cent, rounded down to a tenth.

        >>> Flexibility(Money(1000), Money(100), Money(200)).part(Money(124)).replace(chr(160), " ")
        '12.4 %'
        """
        return percent(Fraction(amount.cents * 1000 // self.maximum.cents, 1000))

    @property
    def filled(self) -> int:
        """How much of the bar is filled, in whole per cent of what may be moved at all."""
        return min(100, self.used.cents * 100 // self.notify.cents) if self.notify else 100

    @property
    def words(self) -> str:
        """``used 12.4 % of 20 %``"""
        return f"used {self.part(self.used)} of {self.part(self.notify)}"


def flexibility_of(maximum: Money, free: Fraction | None, notify: Fraction | None) -> tuple[Money, Money] | None:
    """The call's percentages of the maximum grant, rounded down; None where the call lays down none.

    Where only one is given, everything up to it is of that kind.
    """
    if free is None and notify is None:
        return None
    low = maximum.share((free or Fraction(0)) / 100, rounding=Rounding.DOWN)
    high = maximum.share((notify or Fraction(0)) / 100, rounding=Rounding.DOWN)
    return low, max(low, high)


@dataclass(frozen=True, slots=True)
class TransferView:
    """One move as its page shows it."""

    number: int
    giver: str
    from_category: str
    taker: str
    to_category: str
    amount: Money
    maximum_moved: Money
    level: TransferLevel
    reason: str
    cumulative_after: Money
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move makes of the budget and of the maxima."""

    budget: BudgetContent
    maximum_moved: Money
    level: TransferLevel


def transfer(
    given: TransferInput,
    budget: BudgetContent,
    flexibility: Flexibility,
    maxima: Mapping[UUID, Money],
    held: Mapping[UUID, Held],
    names: Mapping[UUID, str],
    departed: Collection[UUID] = (),
) -> Moved:
    """The move worked out, or what stands in its way; raises :class:`Invalid` with a sentence for each field.

    What of the giver's maximum goes with the costs is what its budget asks less for: flat rate and funding rate applied.
    """
    faults.point("ceiling")
    problems = _problems(given, budget, maxima)
    if problems:
        raise Invalid("This cannot be moved.", problems)
    level = _level(given.amount, flexibility)
    after = moved(budget, (_move(given),))
    asked, now = asked_for(budget), asked_for(after)
    giver, taker = given.from_organisation_id, given.to_organisation_id
    gone = max(asked.get(giver, ZERO) - now.get(giver, ZERO), ZERO) if giver != taker else ZERO
    if wrong := lowering_problem(
        names.get(giver, "the partner"), maxima[giver], maxima[giver] - gone, held.get(giver, Held())
    ):
        raise Invalid("This cannot be moved.", {"amount": wrong})
    room = maxima[taker] + gone
    if wrong := raising_problem(names.get(taker, "The partner"), maxima[taker], room, gone=taker in departed):
        raise Invalid("This cannot be moved.", {"taker": wrong})
    if now.get(taker, ZERO) > room and now.get(taker, ZERO) > asked.get(taker, ZERO):
        raise Invalid(
            "This cannot be moved.",
            {
                "amount": f"The budget of {names.get(taker, 'the partner')} would ask for {now[taker]}, and its maximum is {room} then. "
                "Move less; a higher maximum takes an amendment."
            },
        )
    return Moved(after, gone, level)


def refuse_fixed_packages(codes: Sequence[str]) -> None:
    """Refuse to move budget where lump sums that follow from it are declared or accepted."""
    faults.point("ceiling")
    if words := packages_problem(codes):
        raise Refused(words)


def _move(given: TransferInput) -> Move:
    return Move(
        given.amount, given.from_organisation_id, given.from_category, given.to_organisation_id, given.to_category
    )


def _problems(given: TransferInput, budget: BudgetContent, maxima: Mapping[UUID, Money]) -> dict[str, str]:
    problems = {}
    entered = {each.code for each in budget.rules.entered}
    giver, taker = given.from_organisation_id, given.to_organisation_id
    if giver not in maxima or given.from_category not in entered:
        problems["giver"] = "Choose a partner and a category of the budget."
    if taker not in maxima or given.to_category not in entered:
        problems["taker"] = "Choose a partner and a category of the budget."
    if (giver, given.from_category) == (taker, given.to_category):
        problems["taker"] = "It would stay where it is. Choose another partner or category."
    planned = sum(
        cell.amount.cents
        for cell in budget.cells
        if (cell.organisation_id, cell.category) == (giver, given.from_category)
    )
    if given.amount <= ZERO:
        problems["amount"] = "Enter an amount above zero."
    elif given.amount.cents > planned:
        problems["amount"] = f"Only {Money(planned)} is planned there. Move that or less."
    elif words := units_problem(budget, _move(given), Money(planned)):
        problems["amount"] = words
    if not given.reason.strip():
        problems["reason"] = "Say why; the programme reads it."
    return problems


def _level(amount: Money, flexibility: Flexibility) -> TransferLevel:
    reach = flexibility.reach(amount)
    if reach is Reach.AMENDMENT:
        raise Refused(
            f"With this, {flexibility.used + amount} would have been moved in this grant, and without an amendment it is at most "
            f"{flexibility.notify} ({flexibility.part(flexibility.notify)} of the maximum grant of {flexibility.maximum} it was signed for); every move counts, back-moves too. "
            f"Move at most {flexibility.left}, or ask for an amendment."
        )
    return TransferLevel.FREE if reach is Reach.FREE else TransferLevel.NOTIFY
