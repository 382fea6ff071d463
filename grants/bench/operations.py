"""What is measured, as data: who does what at which address, and how one sees that the answer is right.

A product is a list of operations and a way to sign in. Another product's paths are measured by the same runner: write a
module like ``grants.bench.ours`` with a :class:`Product` of its own, whose checks read what that product's pages say. Name
an operation that does the same work the same: the names are what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from grants.bench.browsing import Answer, Browser, Form

# What is wrong with an answer, in one sentence; None when it is right.
Check = Callable[[Answer], str | None]
# How many do something at once under the mixed load.
CLIENTS = 8

Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Operation:
    """One thing a person does: a page opened, or a form sent.

    ``path`` gives the address of the n-th time, so that a deed is done to another thing each time. With ``sends``, the
    page of ``path`` is opened first, outside the clock, and its form with that ending is sent with the fields
    ``typed`` gives; that sending is what is measured.
    """

    name: str
    who: str
    path: Callable[[int], str]
    check: Check
    sends: str = ""
    typed: Callable[[int, Form], Fields] = lambda number, form: {}
    # How often it is measured, after how many times that do not count.
    times: int = 30
    warm: int = 3
    # How many rows the answer carries, for figures of rows a second.
    rows: int = 0
    # Whoever does it the n-th time; for deeds that each person can do once.
    person: Callable[[int], str] | None = None


@dataclass(frozen=True)
class Mix:
    """A share of the mixed load: out of a hundred, so many times one of these."""

    share: int
    operations: Sequence[Operation] = field(default_factory=tuple)


class Product(Protocol):
    """What the runner needs to know of a product."""

    name: str

    def sign_in(self, browser: Browser, who: str) -> None:
        """Make the browser that person's; raises :class:`Wrong`."""

    def operations(self) -> Sequence[Operation]:
        """What is measured one after the other."""

    def mixed(self) -> Sequence[Mix]:
        """What is measured with many clients at once."""


def at(path: str) -> Callable[[int], str]:
    """The same address every time."""
    return lambda number: path
