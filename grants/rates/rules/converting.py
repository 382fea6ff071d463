"""An amount in another currency as euros, and interest for late payment: with every number that goes in. Pure.

Sources: AGA art. 21.3 (average of the daily rates over the reporting period; where there are none, of the monthly rates),
and the financial rules on late payment (money_and_trust F6, F11).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from grants.core.errors import Refused
from grants.core.money import Money, Rounding
from grants.rates.rules.reading import QUIET_DAYS_MAX
from grants.rates.rules.values import KIND_WORDS
from grants.rates.states import RateKind

# The days of a year that an agreement may reckon interest with.
DAY_COUNTS = (365, 360)


@dataclass(frozen=True, slots=True)
class ConversionAsked:
    """What is to be converted, at the average of which rates over which days, both inclusive."""

    amount: Decimal
    currency: str
    kind: RateKind
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class InterestAsked:
    """An amount that was due on one day and paid on another, and what the agreement says of interest."""

    principal: Money
    due_on: date
    paid_on: date
    margin: Decimal
    day_count: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """An amount in euros, and what it was made of: enough to work it out again."""

    amount: Decimal
    currency: str
    euros: Money
    average: Fraction
    rates: Mapping[date, Decimal]
    kind: RateKind

    @property
    def shown_average(self) -> Decimal:
        """The average to eight places, to be read; the amount was made with the exact one."""
        return (Decimal(self.average.numerator) / self.average.denominator).quantize(Decimal("0.00000001"))


@dataclass(frozen=True, slots=True)
class Interest:
    """Interest on an amount paid late, and what it was made of."""

    asked: InterestAsked
    reference_on: date
    reference: Decimal
    amount: Money

    @property
    def days(self) -> int:
        """The days that bear interest."""
        return max(0, (self.asked.paid_on - self.asked.due_on).days)

    @property
    def first_day(self) -> date:
        """The first of them."""
        return self.asked.due_on + timedelta(days=1)

    @property
    def rate(self) -> Decimal:
        """Per cent a year."""
        return self.reference + self.asked.margin


def average(rates: Sequence[Decimal]) -> Fraction:
    """The exact mean of rates that each count once."""
    return Fraction(sum((Fraction(rate) for rate in rates), Fraction()), len(rates))


def in_euros(amount: Decimal, rates: Sequence[Decimal]) -> Money:
    """``amount`` divided by the average of the rates, rounded half up to a cent, once.

    Not the average of what each day would give, which is another amount:

    >>> in_euros(Decimal(10_000), [Decimal("4.20"), Decimal("4.40"), Decimal("4.30")])
    Money(cents=232558, currency='EUR')
    """
    return Money(1_00).share(Fraction(amount) / average(rates), rounding=Rounding.HALF_UP)


def convert(asked: ConversionAsked, rates: Mapping[date, Decimal]) -> Conversion:
    """An amount at the average of a period; raises :class:`Refused` where rates of the period are missing."""
    begins = _from(asked.kind, asked.first)
    within = {on: rate for on, rate in sorted(rates.items()) if begins <= on <= asked.last}
    if missing := _missing(asked.kind, list(within), asked.first, asked.last):
        raise Refused(
            f"{KIND_WORDS[asked.kind]} of {asked.currency}: {missing} Import a table that has them, or choose another period."
        )
    of = list(within.values())
    return Conversion(asked.amount, asked.currency, in_euros(asked.amount, of), average(of), within, asked.kind)


def _from(kind: RateKind, first: date) -> date:
    return first.replace(day=1) if kind is RateKind.INFOREURO else first


def _missing(kind: RateKind, days: list[date], first: date, last: date) -> str | None:
    if not days:
        return f"no rate between {first} and {last} is known."
    if kind is RateKind.INFOREURO:
        wanted = _months_of(first, last)
        late = [f"{month:%Y-%m}" for month in wanted if month not in set(days)]
        return f"{', '.join(late)} {'is' if len(late) == 1 else 'are'} missing." if late else None
    edges = [first - timedelta(days=1), *days, last + timedelta(days=1)]
    gaps = [(one, two) for one, two in pairwise(edges) if (two - one).days > QUIET_DAYS_MAX]
    return f"no rate from {gaps[0][0]} to {gaps[0][1]}." if gaps else None


def _months_of(first: date, last: date) -> list[date]:
    found, month = [], first.replace(day=1)
    while month <= last:
        found.append(month)
        month += timedelta(days=monthrange(month.year, month.month)[1])
    return found


def interest(asked: InterestAsked, held: tuple[date, Decimal]) -> Interest:
    """Interest from the day after the amount was due to the day of payment inclusive, rounded half up to a cent, once.

    ``held`` is the day and the rate, in per cent a year, that held on the first day of the month in which it
    was due; the margin is in percentage points. An amount paid in time bears none.

    >>> asked = InterestAsked(Money(100_000_00), date(2026, 6, 30), date(2026, 7, 30), Decimal("3.5"), 365)
    >>> late = interest(asked, (date(2026, 6, 1), Decimal("2.15")))
    >>> late.days, late.rate, late.amount
    (30, Decimal('5.65'), Money(cents=46438, currency='EUR'))
    """
    assert asked.day_count in DAY_COUNTS, "the days of a year that interest is reckoned with"
    days = max(0, (asked.paid_on - asked.due_on).days)
    per_year = Fraction(held[1] + asked.margin) / 100
    amount = asked.principal.share(per_year * Fraction(days, asked.day_count), rounding=Rounding.HALF_UP)
    return Interest(asked, *held, amount)


def held_on(rates: Mapping[date, Decimal], day: date) -> tuple[date, Decimal] | None:
    """The rate that held on the first day of the month of ``day``, and since when; None before the first known one."""
    first = day.replace(day=1)
    before = [on for on in rates if on <= first]
    return (max(before), rates[max(before)]) if before else None
