"""What the panel said in meetings whose minutes are signed, for whoever decides the list after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Heard:
    """The order of tied applications by reference, what is recommended for each, and the meetings that said so."""

    order: tuple[str, ...] = ()
    recommended: Mapping[UUID, str] = field(default_factory=dict)
    # Address and title of each.
    meetings: tuple[tuple[str, str], ...] = ()


def settled(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """One order of everything the panel put before something else, as it was said one after the other; the last word counts.

    >>> settled([("A", "B"), ("C", "B"), ("B", "A")])
    ('B', 'A', 'C')
    """
    order: list[str] = []
    for first, second in pairs:
        if second not in order:
            order += [each for each in (first, second) if each not in order]
        elif first not in order or order.index(first) > order.index(second):
            if first in order:
                order.remove(first)
            order.insert(order.index(second), first)
    return tuple(order)
