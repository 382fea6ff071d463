"""How robust a selection is: in how many likely worlds each application would be selected. Advice; it changes nothing.

Each order simulated by the model behind the advice (a Monte Carlo draw) ranks the applications anew; the rules of the call select from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from grants.awards.ranking.portfolio import select
from grants.awards.ranking.rows import Candidate, Limits
from grants.core.errors import Refused

ORDERS = 1_000
# Where each order may take the solver for seconds, a long list is looked at in fewer of them.
ORDERS_FEWER, FEWER_FROM = 100, 150


@dataclass(frozen=True, slots=True)
class Robustness:
    """Of how many simulated orders each application is selected in how many; ``unproven`` ones were too hard and count for nothing."""

    orders: int
    unproven: int
    selected: Mapping[UUID, int]


def orders_for(limits: Limits, many: int) -> int:
    """In how many simulated orders a list of that many is looked at.

    >>> from grants.calls.rules import SelectionRules
    >>> from grants.core.money import Money
    >>> orders_for(Limits(Money(1)), 900), orders_for(Limits(Money(1), SelectionRules(countries_min=2)), 900)
    (1000, 100)
    """
    return ORDERS_FEWER if limits.rules.has_minima and many >= FEWER_FROM else ORDERS


def robustness(
    orders: Iterable[Sequence[str]],
    candidates: Iterable[Candidate],
    limits: Limits,
    say: Callable[[int], None] = lambda done: None,
) -> Robustness:
    """Select by the rules from each of these orders, which name every candidate by its id; others they name are passed by."""
    by_id = {str(one.application_id): one for one in candidates}
    counts: Counter[UUID] = Counter(dict.fromkeys((one.application_id for one in by_id.values()), 0))
    # Few applications have few orders, which come again and again; the solver answers each once.
    known: dict[tuple[str, ...], tuple[UUID, ...] | None] = {}
    done = unproven = 0
    for done, order in enumerate(orders, 1):
        keys = tuple(key for key in order if key in by_id)
        assert len(keys) == len(by_id), "a simulated order names every candidate"
        if keys not in known:
            known[keys] = _selected([by_id[key] for key in keys], limits)
        selected = known[keys]
        if selected is None:
            unproven += 1
        else:
            counts.update(selected)
        say(done)
    return Robustness(done - unproven, unproven, counts)


def _selected(ranked: Sequence[Candidate], limits: Limits) -> tuple[UUID, ...] | None:
    """What is selected from one order; None where that was too hard."""
    if limits.rules.is_plain and not limits.exclusive:
        return tuple(_by_money(ranked, limits))
    try:
        return tuple(
            select([replace(one, rank=place, after=0) for place, one in enumerate(ranked, 1)], limits).selected
        )
    except Refused:
        return None


def _by_money(ranked: Sequence[Candidate], limits: Limits) -> list[UUID]:
    """The same where rank and budget alone decide, without the words for each row."""
    left, taken = limits.budget.cents, []
    for one in ranked:
        if one.amount.cents <= left:
            left -= one.amount.cents
            taken.append(one.application_id)
        elif not limits.rules.fund_what_fits:
            break
    return taken
