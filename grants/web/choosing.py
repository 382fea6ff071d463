"""What the address of a list chooses from a closed set; nonsense is told in a sentence, with what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from flask import request

from grants.core.errors import no_such

Item = TypeVar("Item")

# What an address says that takes no choice.
EVERY = "all"


def chosen(
    name: str,
    noun: str,
    known: Mapping[str, Item],
    problems: list[str],
    *,
    otherwise: Item | None = None,
    words: Mapping[str, str] | None = None,
) -> Item | None:
    """What the address chooses by that name; ``otherwise`` where it names none, None for :data:`EVERY` and for nothing.

    A name nobody offered is added to the problems; what is offered is told by ``words``, as the page calls it.
    """
    given = request.args.get(name)
    if given is None:
        return otherwise
    if given in ("", EVERY):
        return None
    if given not in known:
        problems.append(no_such(noun, given, [(words or {}).get(each, each) for each in known]))
        return None
    return known[given]
