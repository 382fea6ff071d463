"""What the panel said in meetings whose minutes are signed, for whoever decides the list after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from grants.awards.rules.plan import shorten
from grants.core.errors import Invalid, Refused

NAMED_MAX = 5


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


def wrong_order(order: Sequence[str], listed: Collection[str]) -> dict[str, str]:
    """What is wrong with a typed order of ties, at its field: a line that names nobody of the list would be told as an order.

    >>> wrong_order(["A-1", "Oulu"], ["A-1", "A-2"])["panel_order"]
    'Oulu is not on the list. Write one reference a line as the list has it, such as A-1, or take the line out.'
    """
    strange = [shorten(each) for each in order if each not in listed]
    if not strange:
        return {}
    more = f" and {len(strange) - NAMED_MAX} more" if len(strange) > NAMED_MAX else ""
    named = f"{', '.join(strange[:NAMED_MAX])}{more} {'is' if len(strange) == 1 else 'are'} not on the list."
    such = f", such as {min(listed)}" if listed else ""
    line = "the line" if len(strange) == 1 else "the lines"
    return {"panel_order": f"{named} Write one reference a line as the list has it{such}, or take {line} out."}


def refuse_strange_order(order: Sequence[str], listed: Collection[str]) -> None:
    """Raise :class:`Invalid` where an order of ties names somebody who is not on the list."""
    if wrong := wrong_order(order, listed):
        raise Invalid("The list was not decided.", wrong)


def order_reason(order: Sequence[str], said: Sequence[str], listed: Collection[str], reason: str) -> str:
    """Why the order of ties is not that of the panel's signed minutes, or nothing where it is; :class:`Invalid` without one.

    ``listed`` are the references on the list: what else is named changes nothing.
    """
    theirs = among(said, listed)
    if among(order, listed) == theirs:
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
    if among(order, listed) != among(said, listed):
        raise Refused(
            "The panel’s signed minutes put tied applications in another order than this scenario has. Save the scenario "
            "again: it takes theirs."
        )


def refuse_later_minutes(said: Sequence[str], now: Sequence[str], tied: Collection[str]) -> None:
    """Raise :class:`Refused` where minutes signed since a list was decided put its ``tied`` in another order.

    What the list tells of the panel, or of whoever departed from it, is so no more.
    """
    if among(said, tied) != (theirs := among(now, tied)):
        raise Refused(
            "Minutes of the panel that were signed after this list was decided put tied applications in another order: "
            f"{', '.join(theirs) or 'none'}. Return the list with that reason, and have it decided again."
        )


def among(order: Sequence[str], listed: Collection[str]) -> tuple[str, ...]:
    """An order without what is not among these."""
    return tuple(each for each in order if each in listed)
