"""Who of the reserve list is next when money of a confirmed list is free again: in the frozen order, within the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grants.awards.ranking.rows import Candidate, Limits, Unit, Walk, minimum_words, units_of
from grants.core.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class Freed:
    """What a confirmed list holds now: who still has money, what came free, what of that was given on, what the call has free."""

    holding: tuple[Candidate, ...]
    freed: Money
    moved: Money
    left_at_line: Money
    free: Money

    @property
    def available(self) -> Money:
        """What the next may ask for: nothing once all that came free, or was added, is given on; else with what was left.

        >>> Freed((), Money(400), Money(300), Money(50), Money(150)).available
        Money(cents=150, currency='EUR')
        >>> Freed((), Money(400), Money(400), Money(50), Money(50)).available
        Money(cents=0, currency='EUR')
        >>> Freed((), Money(0), Money(0), Money(50), Money(1_050)).available
        Money(cents=1050, currency='EUR')
        """
        came = self.freed - self.moved + self.added
        return min(came + self.left_at_line, self.free) if came > ZERO else ZERO

    @property
    def added(self) -> Money:
        """What the call has free beyond the list: its budget was raised, or a grant took less than was reserved for it.

        >>> Freed((), Money(400), Money(300), Money(50), Money(170)).added
        Money(cents=20, currency='EUR')
        """
        return max(self.free - self.left_at_line - (self.freed - self.moved), ZERO)


@dataclass(frozen=True, slots=True)
class Next:
    """The next of the reserve list, with the words for it."""

    candidate: Candidate
    words: str


def next_of(reserve: Sequence[Candidate], freed: Freed, limits: Limits) -> Next | None:
    """The first of the reserve list that fits in what is free and keeps the rules; None where nobody does.

    Where a minimum of the list is no longer reached, the first that helps with it comes before the others.
    Of tied ones that fit alone but not together nobody is next: the panel, or a draw, decides.
    """
    if freed.available <= ZERO:
        return None
    budget = total(one.amount for one in freed.holding) + freed.available
    walk = Walk(replace(limits, budget=budget))
    for one in freed.holding:
        walk.take(Unit.of(0, (one,)))
    fitting = []
    passed: list[tuple[tuple[int, int], str]] = []
    for unit in units_of(reserve):
        breaches = walk.breaches(unit)
        if breaches:
            first = unit.members[0]
            named = f"after rank {first.rank}, {first.reference}," if first.after else f"rank {first.rank}"
            named += ":" if len(unit.members) > 1 else ""
            passed.append((first.place, f"{named} {'; '.join(breaches.values())}"))
        else:
            fitting.append(unit)
    if not fitting:
        return None
    needed = [unit for unit in fitting if walk.brings(unit)]
    unit = (needed or fitting)[0]
    words = f"{freed.available} is free"
    if needed and needed[0] is not fitting[0]:
        words += (
            f"; {' and '.join(minimum_words(each, limits.rules) for each in walk.brings(unit))} must be reached again"
        )
    above = [said for place, said in passed if place < unit.members[0].place]
    if above:
        words += f"; passed over: {', '.join(above)}"
    if len(unit.members) > 1:
        others = ", ".join(each.reference for each in unit.members[1:])
        words += f"; it shares its rank with {others}, and there is enough for all of them: they come one after the other, by reference"
    return Next(unit.members[0], words + ".")
