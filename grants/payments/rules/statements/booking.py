"""On which day a line of the bank is booked, and how a statement's balance is held against the ledger's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from grants.core.money import Money
from grants.payments.rules.statements.values import Line


def booking_day(line: Line, sent_on: date, today: date) -> date | None:
    """The value date of a payment where it can be right, else the booking day; None where neither lies after it left.

    >>> from grants.payments.rules.statements.values import Direction
    >>> line = Line(Money(1), Direction.DEBIT, date(2027, 3, 2), date(2027, 3, 1))
    >>> booking_day(line, date(2027, 3, 2), date(2027, 3, 9))
    datetime.date(2027, 3, 2)
    """
    days = (line.value_on, line.booked_on)
    return next((day for day in days if day is not None and sent_on <= day <= today), None)


def received_day(line: Line, today: date) -> date:
    """The value date of a receipt, never after today: money that is dated ahead is here already."""
    return min(line.value_on or line.booked_on, today)


@dataclass(frozen=True, slots=True)
class Proof:
    """The balance of an account at the end of a statement, as the bank tells it and as the ledger moved it, and why they differ.

    ``before`` is what stood when the first statement began; ``open_lines`` is what lines moved that wait to be booked;
    ``set_aside`` what lines moved from which, two people say, nothing is booked; ``untold`` what was booked and no line tells; ``later`` what lines moved by then and was booked as of a later day.
    """

    closing: Money
    before: Money
    ledger: Money
    open_lines: Money
    set_aside: Money
    untold: Money
    later: Money

    @property
    def reached(self) -> Money:
        """What the ledger says stands on the account."""
        return self.before + self.ledger

    @property
    def difference(self) -> Money:
        """How much more the bank says."""
        return self.closing - self.reached

    @property
    def explained(self) -> Money:
        """What of it is known."""
        return self.open_lines + self.set_aside - self.untold + self.later

    @property
    def unexplained(self) -> Money:
        """What nobody can say: zero, or the books are wrong (I14)."""
        return self.difference - self.explained
