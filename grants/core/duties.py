"""What a person must do next: the pure value every stage offers and /home sorts and shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# So many duties of one kind, each about a call of its own, are told one by one.
DUTIES_MAX = 50


@dataclass(frozen=True, slots=True)
class Duty:
    """One row of \u201cWhat you must do next\u201d.

    ``what`` is a sentence with the verb first, ``why`` says what waits for it, ``button`` is the
    deed on the button; ``endpoint`` and ``values`` name the page. ``due_at`` sorts; None comes last.
    A group (\u201c12 applications to check\u201d) opened by one page is one row, and its number stands in ``what``.
    """

    what: str
    why: str
    button: str
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None


def with_the_rest(
    duties: Sequence[Duty],
    every: int,
    what: str,
    of: tuple[str, str] = ("call", "calls"),
    endpoint: str = "calls.index",
) -> list[Duty]:
    """The duties told one by one, and one that says how many more there are of ``every``, with the way to them.

    ``of`` is what each is about, one and several of it; ``endpoint`` is the page that lists these.

    >>> [duty.what for duty in with_the_rest([Duty("Confirm A", "", "", "")], 3, "Confirm lists")]
    ['Confirm A', 'Confirm lists: 2 more calls']
    """
    rest = every - len(duties)
    if rest <= 0:
        return list(duties)
    told = f"{what}: {rest} more {of[rest > 1]}"
    why = f"The {of[1]} that come first stand here one by one; the next ones come up as these are done."
    return [*duties, Duty(told, why, f"Open the {of[1]}", endpoint)]


def every(rows: Sequence[Any]) -> int:
    """How many rows there are without the limit, by their column ``every`` (``EVERY`` of ``core/together``)."""
    return rows[0].every if rows else 0
