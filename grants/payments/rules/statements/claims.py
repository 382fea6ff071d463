"""What a person may say of a line of the bank that does not explain itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grants.core.errors import Refused
from grants.payments.rules.statements.values import Direction, Line
from grants.payments.states import BookedAs, Explained

EXPLAINED_WORDS: Mapping[Explained, str] = {
    Explained.ORDER: "The payment of an order",
    Explained.FILE: "A whole payment file in one sum",
    Explained.RECOVERY: "Money paid back for a recovery",
    Explained.FUNDING: "Funding received for a parent grant",
    Explained.UNIDENTIFIED: "A receipt nobody knows what for",
    Explained.CHARGE: "A charge of the bank",
    Explained.RETURN: "A payment that came back",
    Explained.REPAID: "What a city paid above its debt, paid back to it",
    Explained.SET_ASIDE: "Nothing of this program: set aside",
}
BOOKED_WORDS: Mapping[BookedAs, str] = {
    BookedAs.ORDER: "Booked as the payment of order",
    BookedAs.FILE: "Booked as the payment file",
    BookedAs.RECOVERY: "Booked as paid back for",
    BookedAs.FUNDING: "Booked as funding received",
    BookedAs.UNIDENTIFIED: "Booked as an unidentified receipt",
    BookedAs.CHARGE: "Booked as a charge of the bank",
    BookedAs.RETURN: "Booked as the return of order",
    BookedAs.REPAID: "Booked as paid back of what came above",
    BookedAs.SET_ASIDE: "Set aside",
}
# What can be said of money that went, that came and is not booked, and that stands unidentified.
OF_DEBITS = (Explained.ORDER, Explained.FILE, Explained.CHARGE, Explained.REPAID, Explained.SET_ASIDE)
OF_CREDITS = (Explained.RETURN, Explained.UNIDENTIFIED, Explained.SET_ASIDE)
OF_UNIDENTIFIED = (Explained.RECOVERY, Explained.FUNDING, Explained.RETURN)


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says a line is: with the reference of the order, the file, the recovery or the parent grant, and how they know."""

    explained: Explained
    named: str
    reason: str


def possible(line: Line, booked: BookedAs | None, *, is_told: bool) -> tuple[Explained, ...]:
    """What can be said of a line as it stands; nothing of one that is done with.

    A booking that the bank takes back is no payment and no charge.

    >>> from datetime import date
    >>> from grants.core.money import Money
    >>> possible(Line(Money(1), Direction.DEBIT, date(2027, 3, 1)), None, is_told=False)[0].value
    'order'
    """
    if booked is BookedAs.UNIDENTIFIED:
        return () if is_told else OF_UNIDENTIFIED
    if booked is not None:
        return ()
    if line.direction is Direction.CREDIT:
        return OF_CREDITS
    return (Explained.SET_ASIDE,) if line.is_reversal else OF_DEBITS


def refuse_unfit(line: Line, booked: BookedAs | None, explained: Explained, *, is_told: bool) -> None:
    """Refuse to say of a line what it cannot be."""
    fits = possible(line, booked, is_told=is_told)
    if not fits:
        raise Refused("This line is booked already. Reload the page to see as what.")
    if explained not in fits:
        words = "; ".join(EXPLAINED_WORDS[each].lower() for each in fits)
        raise Refused(f"This line cannot be that. It can be: {words}.")
