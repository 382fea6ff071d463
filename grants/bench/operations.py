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
    # Where ``typed`` alone is sent, if not the form to where it goes: what a script of the page does while one types.
    to: Callable[[int], str] | None = None
    # Whoever does it the n-th time; for deeds that each person can do once.
    person: Callable[[int], str] | None = None


@dataclass(frozen=True)
class Mix:
    """A share of the mixed load: out of a hundred, so many times one of these."""

    share: int
    operations: Sequence[Operation] = field(default_factory=tuple)


@dataclass(frozen=True)
class Rush:
    """Many people who do the same thing at about the same time, each with a browser of their own.

    With ``every_seconds``, or where each does it once, it is an open loop: deeds are due at set moments, whether the server
    keeps up or not, and time is counted from when a deed was due. Otherwise it is a closed loop: the next comes when the
    last is answered. ``spread_seconds`` is the time over which people begin. Deeds are numbered through all people, then
    again: of ten people, the second deed of number 3 is number 13.
    """

    name: str
    operation: Operation
    people: int
    # What nine and a half of ten must not take longer than.
    p95_ms_max: float
    times: int = 1
    every_seconds: float = 0.0
    spread_seconds: float = 0.0
    # Done before the person of that place signs in.
    before: Callable[[int], None] = lambda place: None
    # Looked at once all is over: what is wrong with what stands then, in one sentence.
    holds: Callable[[], str | None] = lambda: None
    # Opened afterwards, by anybody: each must be right.
    proofs: Callable[[], Sequence[Operation]] = lambda: ()
    # What everybody opens again after every fifth deed of their own, measured by itself.
    opened: Operation | None = None

    @property
    def is_open(self) -> bool:
        """Whether deeds are due at set moments."""
        return self.every_seconds > 0 or self.times == 1


class Product(Protocol):
    """What the runner needs to know of a product."""

    name: str

    def sign_in(self, browser: Browser, who: str) -> None:
        """Make the browser that person's; raises :class:`Wrong`."""

    def operations(self) -> Sequence[Operation]:
        """What is measured one after the other."""

    def mixed(self) -> Sequence[Mix]:
        """What is measured with many clients at once."""

    def rushes(self) -> Sequence[Rush]:
        """What is measured last, at the largest size."""


def at(path: str) -> Callable[[int], str]:
    """The same address every time."""
    return lambda number: path
