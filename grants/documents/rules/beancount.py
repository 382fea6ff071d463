"""The journal as Beancount text, so that anybody checks the books with ``bean-check`` and without this program.

Beancount forgives half a cent in a transaction and a cent in a balance unless it is told not to: both tolerances are set to
nothing here (docs/audit.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import assert_never

from grants.core import clock
from grants.ledger.accounts import Account, Ledger

CURRENCY = "EUR"

# Without these a wrong cent passes.
HEADER = (
    'option "title" "Journal"',
    f'option "operating_currency" "{CURRENCY}"',
    'option "inferred_tolerance_default" "*:0.00"',
    'option "tolerance_multiplier" "0"',
)


@dataclass(frozen=True, slots=True)
class Posted:
    """One leg: its account, the grant, call or programme it is kept under, cents (debits above zero), what it is about."""

    account: Account
    place: str
    cents: int
    about: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Transaction:
    """One entry with its legs in their order."""

    on: date
    title: str
    words: str
    about: tuple[tuple[str, str], ...]
    legs: tuple[Posted, ...]


def root(account: Account) -> str:
    """The tree of Beancount that an account stands in; budget and memo are books of their own, under Equity.

    >>> root(Account.BANK), root(Account.CONSUMED)
    ('Assets:1000-Bank', 'Equity:Budget:B400-Consumed')
    """
    leaf = f"{account.value}-{component(account.label)}"
    match account.ledger:
        case Ledger.BUDGET:
            return f"Equity:Budget:{leaf}"
        case Ledger.MEMO:
            return f"Equity:Memo:{leaf}"
        case Ledger.GENERAL:
            return f"{_TREES[account.value[0]]}:{leaf}"
    assert_never(account.ledger)


_TREES = {"1": "Assets", "2": "Liabilities", "3": "Income", "4": "Income", "5": "Expenses"}


def component(text: str) -> str:
    """Words as one part of an account's name: plain letters, digits and hyphens, a capital or a digit first.

    >>> component("Pre-financing granted, not yet cleared"), component("łódź"), component("?")
    ('Pre-financing-granted-not-yet-cleared', 'Odz', 'X')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    joined = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")
    return (joined[:1].upper() + joined[1:]) or "X"


def euros(cents: int) -> str:
    """An amount with two decimals, from whole cents.

    >>> euros(5), euros(-123456)
    ('0.05', '-1234.56')
    """
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def quoted(text: str) -> str:
    """A text of Beancount on one line.

    >>> print(quoted('He said "so"'))
    "He said \\"so\\""
    """
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@dataclass(slots=True)
class _Books:
    """What the text has said so far of each account: since when it is there, and what it holds."""

    since: dict[str, date] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, on: date, cents: int) -> None:
        self.since[name] = min(self.since.get(name, on), on)
        self.holds[name] = self.holds.get(name, 0) + cents


def lines(entries: Iterable[Transaction], notes: Sequence[str] = ()) -> Iterator[str]:
    """The whole text, line by line: options, every entry, then each account's opening and what it holds after the last day.

    An account holds what its grants and calls hold together; both are asserted, without tolerance.
    """
    yield from (f"; {note}" for note in notes)
    yield from HEADER
    books, last = _Books(), date.min
    for entry in entries:
        last = max(last, entry.on)
        yield ""
        yield f"{entry.on.isoformat()} * {quoted(entry.title)} {quoted(entry.words)}"
        yield from (f"  {key}: {quoted(value)}" for key, value in entry.about if value)
        for leg in entry.legs:
            whole = root(leg.account)
            name = f"{whole}:{component(leg.place)}"
            books.add(whole, entry.on, leg.cents)
            books.add(name, entry.on, leg.cents)
            yield f"  {name}  {euros(leg.cents)} {CURRENCY}"
            yield from (f"    {key}: {quoted(value)}" for key, value in leg.about if value)
    if not books.since:
        return
    yield ""
    yield from (f"{books.since[name].isoformat()} open {name} {CURRENCY}" for name in sorted(books.since))
    yield ""
    # A balance holds at the beginning of its day.
    after = clock.add_days(last, 1).isoformat()
    yield from (
        f"{after} balance {name}  {euros(cents)} ~ 0.00 {CURRENCY}" for name, cents in sorted(books.holds.items())
    )
