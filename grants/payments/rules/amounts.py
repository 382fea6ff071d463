"""How each figure of a grant's money is made up: its parts with their signs, the rule in words, and where the rule stands. Pure.

The parts are taken from the functions that work the figure out, so they sum to it; a figure that is a balance of the books
is made up of what each kind of event moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from grants.core.errors import Problem
from grants.core.money import ZERO, Money, total
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Event
from grants.payments.rules.decisions import Limits, room
from grants.payments.rules.expected import sum_of


class Figure(StrEnum):
    """A figure of a grant's money; the word is the end of the address at which it is explained."""

    MAXIMUM = "granted"
    PAID = "paid"
    ON_THE_WAY = "on-the-way"
    RETAINED = "retained"
    OPEN = "open"
    COUNTED = "counted"
    CEILING = "ceiling"
    ROOM = "room"
    ACCEPTED = "accepted"
    PREFINANCING = "pre-financing"
    OWED = "owed"

    @property
    def heading(self) -> str:
        """What the figure is called where it is shown."""
        return _TITLES[self]

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts of which it is the balance; none where it is worked out of other figures."""
        return _ACCOUNTS.get(self, ())


_TITLES: Mapping[Figure, str] = {
    Figure.MAXIMUM: "Maximum grant",
    Figure.PAID: "Paid",
    Figure.ON_THE_WAY: "On the way",
    Figure.RETAINED: "Retained",
    Figure.OPEN: "Still open",
    Figure.COUNTED: "Counted to the ceiling",
    Figure.CEILING: "Ceiling before the balance",
    Figure.ROOM: "Room before the balance",
    Figure.ACCEPTED: "Accepted",
    Figure.PREFINANCING: "Pre-financing not cleared",
    Figure.OWED: "Owed back",
}
_ACCOUNTS: Mapping[Figure, tuple[Account, ...]] = {
    Figure.PAID: (Account.CONSUMED,),
    Figure.ON_THE_WAY: (Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED),
    Figure.RETAINED: (Account.RETENTION,),
    Figure.ACCEPTED: (Account.GRANT_COSTS,),
    Figure.PREFINANCING: (Account.PREFINANCING,),
    Figure.OWED: (Account.RECOVERY_RECEIVABLE,),
}
_RULES: Mapping[Figure, str] = {
    Figure.MAXIMUM: "What the agreement allows every partner at most, together.",
    Figure.PAID: "What the bank booked as paid, less what it returned and what the city paid back.",
    Figure.ON_THE_WAY: "What is approved and not booked by the bank yet, with what came back from it and is sent again.",
    Figure.RETAINED: "Kept out of the pre-financing, and released with the balance.",
    Figure.OPEN: "The maximum, less what is paid, on its way or retained.",
    Figure.COUNTED: "Everything paid, approved or retained counts to the ceiling; interest, either way, does not.",
    Figure.CEILING: "What may be paid or retained before the balance; the rest of the maximum comes with the balance.",
    Figure.ROOM: "The ceiling before the balance, less everything that counts to it; never below nought.",
    Figure.ACCEPTED: "What of the reported costs is accepted and booked as the grant's contribution.",
    Figure.PREFINANCING: "Pre-financing paid or retained that no accepted costs cover yet.",
    Figure.OWED: "What is claimed back and neither received, set off nor waived.",
}


_AGREED = frozenset({Figure.MAXIMUM, Figure.CEILING, Figure.COUNTED, Figure.ROOM})
_SOURCE = "The grant agreement says how much it is at most, and how much of it before the balance."


class Place(StrEnum):
    """What a part of a figure leads to: another figure, the entries it sums, or the thing it is taken from."""

    GRANT_FIGURE = "grant_figure"
    REQUEST_FIGURE = "request_figure"
    DEBT_FIGURE = "debt_figure"
    PARTNER_FIGURE = "partner_figure"
    ENTRIES = "entries"
    REPORT = "report"
    ORDER = "order"
    DEBT = "debt"
    PASSED_ON = "passed_on"


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a part leads: the kind of place, and what it is called there; ``of`` is the grant of a debt."""

    place: Place
    name: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One part of a figure, with its sign: what it leads to, and how it came about where that is to be said."""

    label: str
    amount: Money
    leads: Lead | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A figure, what it is made up of, by which rule, and where that rule or decision stands."""

    heading: str
    amount: Money
    lines: tuple[Line, ...]
    rule: str
    source: str = ""

    @property
    def problem(self) -> Problem | None:
        """That the parts are not the figure; None where they are."""
        parts = total(each.amount for each in self.lines)
        if parts == self.amount:
            return None
        return Problem(self.heading, f"The parts add up to {parts}, the figure is {self.amount}.")


def made_of(heading: str, amount: Money, lines: Iterable[Line], rule: str, source: str = "") -> Explanation:
    """An explanation without the parts that are nothing."""
    return Explanation(heading, amount, tuple(each for each in lines if each.amount), rule, source)


@dataclass(frozen=True, slots=True)
class Footing:
    """What figures are worked out of: the books of a grant, what its agreement allows, and the maxima by partner.

    ``moved`` is what each kind of event moved on each account, in the account's own direction.
    """

    found: Balances
    limits: Limits
    partners: tuple[tuple[str, Money], ...]
    moved: Mapping[tuple[Account, Event], Money]
    ended: bool = False


def explain(figure: Figure, footing: Footing) -> Explanation:
    """What a figure is made up of.

    >>> held = Footing(Balances({Account.RETENTION: Money(5)}), Limits(Money(9), Money(8), Money(7), Money(5)), (), {})
    >>> [(line.label, line.amount.cents) for line in explain(Figure.ROOM, held).lines]
    [('Ceiling before the balance', 8), ('Counted to the ceiling', -5)]
    """
    match figure:
        case Figure.MAXIMUM:
            return _made(figure, footing.limits.maximum, [Line(name, each) for name, each in footing.partners])
        case Figure.CEILING:
            return _ceiling(footing.limits)
        case Figure.OPEN:
            return _open(footing)
        case Figure.COUNTED:
            return _counted(footing)
        case Figure.ROOM:
            return _room(footing)
        case Figure.PAID | Figure.ON_THE_WAY | Figure.RETAINED | Figure.ACCEPTED | Figure.PREFINANCING | Figure.OWED:
            return _made(figure, amount_of(figure, footing.found), _by_event(figure, footing))
        case _:
            assert_never(figure)


def amount_of(figure: Figure, found: Balances) -> Money:
    """A figure that is a balance of the books."""
    return sum_of(found, *figure.accounts)


def _made(figure: Figure, amount: Money, lines: Iterable[Line]) -> Explanation:
    return made_of(figure.heading, amount, lines, _RULES[figure], _SOURCE if figure in _AGREED else "")


def _leads(figure: Figure) -> Lead:
    return Lead(Place.GRANT_FIGURE, figure.value)


def _ceiling(limits: Limits) -> Explanation:
    kept = limits.interim_ceiling - limits.maximum
    lines = [
        Line(Figure.MAXIMUM.heading, limits.maximum, _leads(Figure.MAXIMUM)),
        Line("Not before the balance, as the agreement says", kept),
    ]
    return _made(Figure.CEILING, limits.interim_ceiling, lines)


def _open(footing: Footing) -> Explanation:
    """Of a grant that ended nothing is open: what was not used is with the call again."""
    limits, found = footing.limits, footing.found
    used = (Figure.PAID, Figure.ON_THE_WAY, Figure.RETAINED)
    lines = [Line(Figure.MAXIMUM.heading, limits.maximum, _leads(Figure.MAXIMUM))]
    lines += [Line(each.heading, -amount_of(each, found), _leads(each)) for each in used]
    left = total(each.amount for each in lines)
    if footing.ended:
        lines.append(Line("Gone back to the call", -left))
    return _made(Figure.OPEN, ZERO if footing.ended else left, lines)


def _counted(footing: Footing) -> Explanation:
    found = footing.found
    paid_interest = found[Account.INTEREST_COSTS] - found[Account.INTEREST_PAYABLE] - found[Account.INTEREST_IN_TRANSIT]
    received = found[Account.INTEREST_INCOME] - found[Account.INTEREST_RECEIVABLE]
    lines = [
        Line("Left the bank, less what came back", found.cash_out),
        Line(Figure.ON_THE_WAY.heading, amount_of(Figure.ON_THE_WAY, found), _leads(Figure.ON_THE_WAY)),
        Line(Figure.RETAINED.heading, found[Account.RETENTION], _leads(Figure.RETAINED)),
        Line("Interest we paid", -paid_interest),
        Line("Interest we received", received),
    ]
    return _made(Figure.COUNTED, found.counted_to_ceiling, lines)


def _room(footing: Footing) -> Explanation:
    limits, counted = footing.limits, footing.found.counted_to_ceiling
    left = ZERO if footing.ended else room(footing.found, limits)
    lines = [
        Line(Figure.CEILING.heading, limits.interim_ceiling, _leads(Figure.CEILING)),
        Line(Figure.COUNTED.heading, -counted, _leads(Figure.COUNTED)),
    ]
    if over := left - total(each.amount for each in lines):
        lines.append(Line("Nothing is left: the grant ended" if footing.ended else "Above the ceiling", over))
    return _made(Figure.ROOM, left, lines)


def _by_event(figure: Figure, footing: Footing) -> list[Line]:
    sums: dict[Event, Money] = {}
    for (account, event), amount in footing.moved.items():
        if account in figure.accounts:
            sums[event] = sums.get(event, ZERO) + amount
    order = list(Event)
    return [Line(event.label, sums[event], Lead(Place.ENTRIES, event.value)) for event in sorted(sums, key=order.index)]
