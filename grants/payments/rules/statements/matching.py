"""Which payment order a bank line executes: the same end-to-end id, amount and account, or none; and what came nearest.

Nothing here guesses: a line that is nearly an order stays unmatched, with the order it is nearest to and the difference.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from grants.core.money import Money, total
from grants.payments.rules.statements.values import Direction, Line
from grants.payments.rules.statements.whole_files import FileCandidate, FileWhy, names, why_not, words

# Of an order the bank has, and has not booked.
OPEN_STATES = frozenset({"sent", "acknowledged"})
EXECUTED = "executed"
# How far off an amount may be and still be told as the nearest.
_NEAR_CENTS = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order as matching sees it."""

    id: UUID
    reference: str
    end_to_end_id: str
    amount: Money
    account_id: UUID
    state: str
    # Whether a line of the bank was booked as this order already.
    has_line: bool = False


class Why(StrEnum):
    """Why a line executes no order."""

    CREDIT = "credit"
    REVERSAL = "reversal"
    AMOUNT = "amount"
    REFERENCE = "reference"
    SEVERAL = "several"
    TWICE = "twice"
    ACCOUNT = "account"
    STATE = "state"
    FILE = "file"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """What a line is: the order it executes or the file it pays whole, or why neither and the orders it is nearest to.

    An order may be executed already: its booking was entered by hand, and the line is the bank's word on it.
    """

    order: Candidate | None
    why: Why | None = None
    nearest: tuple[Candidate, ...] = ()
    file: FileCandidate | None = None
    # The file it names and is not, with what differs.
    not_file: tuple[FileCandidate, FileWhy] | None = None

    @property
    def named_file(self) -> FileCandidate | None:
        """The file it names, whether it is that file or not."""
        return self.file or (self.not_file[0] if self.not_file else None)

    @property
    def words(self) -> str:
        """The same in a sentence."""
        return _said(self)


def match_lines(
    lines: Mapping[str, Line],
    account_id: UUID,
    orders: Sequence[Candidate],
    files: Sequence[FileCandidate] = (),
) -> dict[str, Match]:
    """What each line of an account (by its key) is, beside the orders and files that could be meant.

    Two lines that both fit one order fit none: a bank books an order once.
    """
    known = Known(orders)
    found = {key: _of_file(line, account_id, files) or match(line, account_id, known) for key, line in lines.items()}
    taken = Counter(each.order.id for each in found.values() if each.order)
    whole = Counter(each.file.id for each in found.values() if each.file)
    return {
        key: Match(None, Why.TWICE, (each.order,))
        if each.order and taken[each.order.id] > 1
        else Match(None, Why.FILE, not_file=(each.file, FileWhy.TWICE))
        if each.file and whole[each.file.id] > 1
        else each
        for key, each in found.items()
    }


def match_returns(lines: Mapping[str, Line], account_id: UUID, orders: Sequence[Candidate]) -> dict[str, UUID]:
    """Which credits are executed orders that came back whole: the end-to-end id of the payment, its amount and account.

    Two credits for one order are none: a payment comes back once.
    """
    found: dict[str, UUID] = {}
    known = Known(orders)
    for key, line in lines.items():
        named = known.named(line)
        if line.direction is Direction.CREDIT and len(named) == 1:
            order = named[0]
            fits = order.amount == line.amount and order.account_id == account_id and order.state == EXECUTED
            if fits:
                found[key] = order.id
    taken = Counter(found.values())
    return {key: order_id for key, order_id in found.items() if taken[order_id] == 1}


def _of_file(line: Line, account_id: UUID, files: Sequence[FileCandidate]) -> Match | None:
    """What a debit is that names a file and no payment of it; None for any other line."""
    for each in files:
        if names(line, each):
            why = why_not(line, account_id, each)
            return Match(None, file=each) if why is None else Match(None, Why.FILE, not_file=(each, why))
    return None


class Known:
    """The orders that lines are held against, looked through once: thousands of lines may each mean one of thousands."""

    def __init__(self, orders: Iterable[Candidate]) -> None:
        self._orders = tuple(orders)
        self._by_name: dict[str, list[Candidate]] = {}
        for each in self._orders:
            self._by_name.setdefault(each.end_to_end_id, []).append(each)
        self._waiting: dict[UUID, Waiting] = {}

    def named(self, line: Line) -> tuple[Candidate, ...]:
        """The orders whose end-to-end id a line has."""
        return tuple(self._by_name.get(line.end_to_end_id, ())) if line.end_to_end_id else ()

    def waiting(self, account_id: UUID) -> Waiting:
        """The orders of an account that the bank has and has not booked."""
        if account_id not in self._waiting:
            mine = (each for each in self._orders if each.account_id == account_id and each.state in OPEN_STATES)
            self._waiting[account_id] = Waiting(tuple(mine))
        return self._waiting[account_id]


class Waiting:
    """Orders of one account that wait for the bank, by what they are worth."""

    def __init__(self, orders: tuple[Candidate, ...]) -> None:
        self.orders = orders
        self.sum = total(each.amount for each in orders)
        self.by_cents: dict[int, list[Candidate]] = {}
        for each in orders:
            self.by_cents.setdefault(each.amount.cents, []).append(each)
        self._amounts = sorted(self.by_cents)

    def nearest(self, cents: int) -> tuple[Candidate, ...]:
        """The order whose amount is nearest, at most a euro away; of equally near ones the first by reference."""
        place = bisect_left(self._amounts, cents)
        near = self._amounts[max(place - 1, 0) : place + 1]
        least = min((abs(each - cents) for each in near), default=_NEAR_CENTS + 1)
        if least > _NEAR_CENTS:
            return ()
        close = (one for each in near if abs(each - cents) == least for one in self.by_cents[each])
        return (min(close, key=lambda one: one.reference),)


def match(line: Line, account_id: UUID, known: Known) -> Match:
    """The order a line executes: end-to-end id and amount and account are its own, and the bank has it."""
    named = known.named(line)
    if line.is_reversal:
        return Match(None, Why.REVERSAL, named)
    if line.direction is Direction.CREDIT:
        return Match(None, Why.CREDIT, named)
    if not named:
        return _unnamed(line, known.waiting(account_id))
    if len(named) > 1:
        return Match(None, Why.SEVERAL, named)
    order = named[0]
    if line.parts > 1:
        return Match(None, Why.SEVERAL, named)
    if order.amount != line.amount:
        return Match(None, Why.AMOUNT, named)
    if order.account_id != account_id:
        return Match(None, Why.ACCOUNT, named)
    if order.state == EXECUTED and not order.has_line:
        return Match(order)
    if order.state not in OPEN_STATES:
        return Match(None, Why.STATE, named)
    return Match(order)


def _unnamed(line: Line, waiting: Waiting) -> Match:
    """A debit whose id is no order's: one of the same amount, or two that make up its amount, are named."""
    same = waiting.by_cents.get(line.amount.cents)
    if same:
        return Match(None, Why.REFERENCE, tuple(same[:3]))
    if (pair := _pair(line, waiting)) is not None:
        return Match(None, Why.SEVERAL, pair)
    return Match(None, Why.UNKNOWN, waiting.nearest(line.amount.cents))


def _pair(line: Line, waiting: Waiting) -> tuple[Candidate, ...] | None:
    """All orders that wait where they sum to the line, else two that do."""
    if len(waiting.orders) > 1 and waiting.sum == line.amount:
        return waiting.orders
    for cents, orders in waiting.by_cents.items():
        others = waiting.by_cents.get(line.amount.cents - cents, ())
        for each in others:
            if each is not orders[0]:
                return (orders[0], each)
    return None


def _said(found: Match) -> str:
    named = _names(found.nearest)
    match found.why:
        case None if found.file is not None:
            return f"It pays the file {found.file.reference} whole: {found.file.orders} orders, one sum."
        case None:
            assert found.order is not None, "no reason and no order"
            if found.order.state == EXECUTED:
                return f"It is the booking of order {found.order.reference}, which was entered before."
            return f"It executes order {found.order.reference}: end-to-end id, amount and account agree."
        case Why.CREDIT:
            return f"Money that came in; it names {named}." if named else "Money that came in."
        case Why.REVERSAL:
            return f"The bank takes back a booking, which names {named}." if named else "The bank takes back a booking."
        case Why.AMOUNT:
            return f"It names {named}, whose amount is {found.nearest[0].amount}."
        case Why.REFERENCE:
            return f"Its amount is that of {named}, but it names another end-to-end id or none."
        case Why.SEVERAL:
            return f"One line for several payments: {named}."
        case Why.FILE:
            assert found.not_file is not None, "it names a file"
            return words(found.not_file[1], found.not_file[0])
        case Why.TWICE:
            return f"Another line fits {named} as well, and a bank books an order once."
        case Why.ACCOUNT:
            return f"It names {named}, which was to be paid from another account."
        case Why.STATE:
            if found.nearest[0].has_line:
                return f"It names {named}, which another line booked already."
            return f"It names {named}, which is {found.nearest[0].state.replace('_', ' ')}, not waiting for the bank."
        case Why.UNKNOWN:
            return (
                f"No order has its end-to-end id; nearest is {named}." if named else "No order has its end-to-end id."
            )


def _names(orders: Sequence[Candidate]) -> str:
    return ", ".join(f"order {each.reference}" for each in orders)
