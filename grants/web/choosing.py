"""What the address of a list chooses from a closed set; nonsense is told in a sentence, with what there is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeVar

from flask import request

from grants.core import clock
from grants.core.errors import Invalid, no_such

Item = TypeVar("Item")

# What an address says that takes no choice.
NO_CHOICE = "all"


def chosen(
    name: str,
    noun: str,
    known: Mapping[str, Item],
    problems: list[str],
    *,
    otherwise: Item | None = None,
    words: Mapping[str, str] | None = None,
    where: str = "",
) -> Item | None:
    """What the address chooses by that name; ``otherwise`` where it names none, None for :data:`NO_CHOICE` and for nothing.

    A name nobody offered is added to the problems; what is offered is told by ``words``, as the page
    calls it, ``where`` by the place of the choice on it.
    """
    given = request.args.get(name)
    if given is None:
        return otherwise
    if given in ("", NO_CHOICE):
        return None
    if given not in known:
        problems.append(no_such(noun, given, [(words or {}).get(each, each) for each in known], where))
        return None
    return known[given]


def day_asked(args: Mapping[str, str], name: str, problems: dict[str, str]) -> date | None:
    """The day a filter names, None where it names none or nonsense; the sentence on nonsense goes to the problems."""
    typed = args.get(name, "").strip()
    if not typed:
        return None
    try:
        return clock.read_date(typed)
    except Invalid as error:
        problems[name] = str(error)
        return None
