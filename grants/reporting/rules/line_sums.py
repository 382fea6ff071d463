"""Sums of cost lines beside what a statement declares, and the rates by which other currencies became euros. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from grants.budgets.rules import Cell
from grants.core.money import ZERO, Money, Rounding
from grants.reporting.rules.lines import EURO, CostLineInput


@dataclass(frozen=True, slots=True)
class RateUsed:
    """The rate by which lines of a currency became euros: units of it for one euro, over the period of the report."""

    currency: str
    kind: str
    first: date
    last: date
    # The exact average, as two whole numbers.
    numerator: int
    denominator: int
    days: int

    @property
    def average(self) -> Fraction:
        """Exact."""
        return Fraction(self.numerator, self.denominator)

    @property
    def shown(self) -> Decimal:
        """To eight places, to be read."""
        return (Decimal(self.numerator) / self.denominator).quantize(Decimal("0.00000001"))

    def euros(self, amount: Money) -> Money:
        """The amount divided by the average, rounded half up to a cent, once for each line.

        >>> rate = RateUsed("PLN", "ecb_daily", date(2023, 1, 1), date(2023, 1, 3), 43, 10, 3)
        >>> rate.euros(Money(10_000_00)).cents
        232558
        """
        return amount.share(1 / self.average, rounding=Rounding.HALF_UP)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a partner declares in a category, and what its lines come to."""

    organisation_id: UUID
    category: str
    declared: Money
    lines: Money

    @property
    def differs(self) -> bool:
        """Whether they are not the same to the cent."""
        return self.declared != self.lines

    @property
    def words(self) -> str:
        """Which of the two is more, and by how much; empty where they agree."""
        if not self.differs:
            return ""
        if self.declared > self.lines:
            return f"{self.declared - self.lines} more declared than in lines"
        return f"{self.lines - self.declared} more in lines than declared"


def differences(cells: Iterable[Cell], sums: Mapping[tuple[UUID, str], Money]) -> tuple[Difference, ...]:
    """Declared amounts beside what the lines come to, for every place that has either."""
    declared: dict[tuple[UUID, str], Money] = {}
    for cell in cells:
        place = (cell.organisation_id, cell.category)
        declared[place] = declared.get(place, ZERO) + cell.amount
    places = sorted(
        {*(key for key, amount in declared.items() if amount), *sums}, key=lambda each: (str(each[0]), each[1])
    )
    return tuple(Difference(*place, declared.get(place, ZERO), sums.get(place, ZERO)) for place in places)


def currencies_of(lines: Iterable[CostLineInput]) -> tuple[str, ...]:
    """The currencies that must become euros."""
    return tuple(sorted({line.currency for line in lines} - {EURO}))
