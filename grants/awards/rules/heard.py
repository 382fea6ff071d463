"""What the panel said in meetings whose minutes are signed, for whoever decides the list after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from grants.core.errors import Invalid, Refused


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


def order_reason(order: Sequence[str], said: Sequence[str], listed: Collection[str], reason: str) -> str:
    """Why the order of ties is not that of the panel's signed minutes, or nothing where it is; :class:`Invalid` without one.

    ``listed`` are the references on the list: what else is named changes nothing.
    """
    theirs = _of(said, listed)
    if _of(order, listed) == theirs:
        return ""
    if reason:
        return reason
    heard = (
        f"The panel’s signed minutes say {', '.join(theirs)}" if theirs else "No signed minutes of the panel say one"
    )
    raise Invalid(
        "The list was not decided.",
        {"order_reason": f"{heard}. Write why the order of ties is this one, or take theirs."},
    )


def refuse_old_order(order: Sequence[str], said: Sequence[str], listed: Collection[str]) -> None:
    """Refuse a scenario whose order of ties is not the panel's any more; raises :class:`Refused`."""
    if _of(order, listed) != _of(said, listed):
        raise Refused(
            "The panel’s signed minutes put tied applications in another order than this scenario has. Save the scenario "
            "again: it takes theirs."
        )


def _of(order: Sequence[str], listed: Collection[str]) -> tuple[str, ...]:
    return tuple(each for each in order if each in listed)
