"""Interest on what of a debt was paid late, with every number it is made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from grants.core.errors import Invalid
from grants.core.money import Money
from grants.payments.states import InterestState
from grants.rates.rules.converting import DAY_COUNTS

# What agreements ask for where nothing else is written: points above the reference rate, and the days of a year.
MARGIN, DAY_COUNT = Decimal("3.5"), 365
MARGIN_MAX = Decimal(20)
MARGIN_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class InterestInput:
    """What the agreement says of interest: the points above the reference rate, and the days of a year."""

    margin: Decimal = MARGIN
    day_count: int = DAY_COUNT


@dataclass(frozen=True, slots=True)
class Late:
    """What of a debt was paid after its last day: by a receipt of the bank, or by an offset."""

    receipt_id: UUID | None
    offset_id: UUID | None
    amount: Money
    paid_on: date


@dataclass(frozen=True, slots=True)
class InterestLine:
    """Interest on one payment that came late, as it was booked."""

    state: InterestState
    principal: Money
    due_on: date
    paid_on: date
    days: int
    reference_on: date
    reference: Decimal
    table_number: int
    margin: Decimal
    day_count: int
    amount: Money
    booked_by: UUID

    @property
    def rate(self) -> Decimal:
        """Per cent a year."""
        return self.reference + self.margin


def margin_problem(margin: Decimal) -> str:
    """What is wrong with the points above the reference rate; empty where nothing is.

    >>> margin_problem(Decimal("3.5")), margin_problem(Decimal("1e-400000"))[:16]
    ('', 'Enter the points')
    """
    exponent = margin.as_tuple().exponent
    if 0 <= margin <= MARGIN_MAX and isinstance(exponent, int) and exponent >= -MARGIN_DECIMALS:
        return ""
    return f"Enter the points of the agreement, from 0 to {MARGIN_MAX}, with at most {MARGIN_DECIMALS} decimals."


def check_interest(given: InterestInput) -> None:
    """Refuse a margin that no agreement asks for, and a year of other days."""
    problems = {}
    if words := margin_problem(given.margin):
        problems["margin"] = words
    if given.day_count not in DAY_COUNTS:
        problems["day_count"] = "A year is reckoned with 365 or 360 days."
    if problems:
        raise Invalid("The interest cannot be reckoned like this.", problems)
