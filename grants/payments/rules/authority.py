"""How much a person may authorise on one order and on one day, and who may authorise what is above it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money

# So many people are named who can do what somebody cannot.
NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """How much one person may authorise; None where nothing is set. ``name`` is theirs, empty for the person asked about."""

    user_id: UUID
    per_order: Money | None = None
    per_day: Money | None = None
    name: str = ""

    @property
    def words(self) -> str:
        """The limit in words.

        >>> Limit(UUID(int=1), Money(100)).words
        'EUR 1.00 for one order'
        """
        parts = [f"{self.per_order} for one order"] if self.per_order else []
        parts += [f"{self.per_day} on one day"] if self.per_day else []
        return ", ".join(parts) or "no limit"


@dataclass(frozen=True, slots=True)
class Used:
    """A limit, and what was authorised under it today already."""

    limit: Limit
    today: Money = ZERO


@dataclass(frozen=True, slots=True)
class Authoriser:
    """Somebody who may authorise, in one call or (None) in every one, up to an amount an order or (None) any."""

    user_id: UUID
    name: str
    call_id: UUID | None = None
    per_order: Money | None = None


def above_limit(amount: Money, used: Iterable[Used]) -> str | None:
    """Why an amount is above one of these limits, in a sentence; None where it is not.

    >>> above_limit(Money(200), [Used(Limit(UUID(int=1), Money(100)))])
    'EUR 2.00 is above your limit of EUR 1.00 for one order.'
    """
    for each in used:
        whose = f"the limit of {each.limit.name}, for whom you stand in," if each.limit.name else "your limit"
        if each.limit.per_order is not None and amount > each.limit.per_order:
            return f"{amount} is above {whose} of {each.limit.per_order} for one order."
        if each.limit.per_day is not None and each.today + amount > each.limit.per_day:
            return f"With the {each.today} authorised today, {amount} more is above {whose} of {each.limit.per_day} on one day."
    return None


def who_can(
    amount: Money, authorisers: Sequence[Authoriser], call_id: UUID, but_not: Iterable[UUID | None] = ()
) -> str:
    """Who may authorise this amount, in a sentence; people who signed the order already are left out.

    >>> who_can(Money(200), [], UUID(int=1))
    'Nobody else may: ask two administrators to set another limit, or make smaller orders.'
    """
    out = set(but_not)
    names = [
        each.name
        for each in authorisers
        if each.user_id not in out
        and each.call_id in {None, call_id}
        and (each.per_order is None or amount <= each.per_order)
    ]
    names = list(dict.fromkeys(names))
    if not names:
        return "Nobody else may: ask two administrators to set another limit, or make smaller orders."
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"{' or '.join(names[:NAMED_MAX])}{more} can authorise it."


def refuse_above_limit(amount: Money, used: Iterable[Used], can: str) -> None:
    """Nobody authorises above what they may; the sentence says who can."""
    faults.point("ceiling")
    why = above_limit(amount, used)
    if why is not None:
        raise Refused(f"{why} {can}")


def check_limit(per_order: Money | None, per_day: Money | None) -> None:
    """A limit is above zero, and a day holds at least one order."""
    problems = {}
    for name, amount in (("per_order", per_order), ("per_day", per_day)):
        if amount is not None and amount <= ZERO:
            problems[name] = "Enter an amount above zero, or leave it empty for no limit."
    if not problems and per_order is not None and per_day is not None and per_day < per_order:
        problems["per_day"] = f"A day cannot be less than one order: enter {per_order} or more, or leave it empty."
    if problems:
        raise Invalid("The limit cannot be right.", problems)
