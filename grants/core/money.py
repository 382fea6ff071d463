"""Money in integer cents: the only place that adds, splits or rounds euros; nothing here knows a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from grants.core.errors import Invalid, quoted

# One euro more than any programme will ever hold, and far below 2**63, so that sums of
# thousands of amounts still fit a BIGINT column.
CENTS_MAX = 10**15


class Rounding(StrEnum):
    """How a share of a cent is decided; named at every call, never implied."""

    DOWN = "down"
    HALF_UP = "half_up"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount of one currency.

    ``cents`` may be negative (a reversal, a recovery). Arithmetic between currencies raises
    ``ValueError``: the ledger holds euros only, foreign amounts are attributes of a cost line.

    >>> Money(1050) + Money(50)
    Money(cents=1100, currency='EUR')
    """

    cents: int
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if not isinstance(self.cents, int) or isinstance(self.cents, bool):
            raise TypeError(f"Money takes whole cents, not {self.cents!r}.")

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.cents - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.cents, self.currency)

    def __mul__(self, times: int) -> Money:
        if not isinstance(times, int) or isinstance(times, bool):
            raise TypeError("Money is multiplied by whole numbers only; use share() for a rate.")
        return Money(self.cents * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.cents < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.cents <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.cents > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.cents >= self._same(other)

    def __bool__(self) -> bool:
        return self.cents != 0

    def __str__(self) -> str:
        """``EUR 1 234.50``: what errors and logs show; pages use the money macro."""
        return f"{self.currency} {plain(self)}"

    def share(self, rate: Fraction, *, rounding: Rounding) -> Money:
        """The exact ``rate`` of this amount, rounded once to a cent.

        >>> Money(10_01).share(Fraction(1, 4), rounding=Rounding.HALF_UP)
        Money(cents=250, currency='EUR')
        """
        exact = self.cents * rate
        match rounding:
            case Rounding.DOWN:
                # Towards zero, so that a negative amount never grows by rounding.
                cents = abs(exact.numerator) // exact.denominator
                return Money(cents if exact >= 0 else -cents, self.currency)
            case Rounding.HALF_UP:
                # Half away from zero, as bookkeepers round.
                doubled = (2 * abs(exact) + 1) / 2
                cents = doubled.numerator // doubled.denominator
                return Money(cents if exact >= 0 else -cents, self.currency)

    def split(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Divide by largest remainder: the parts always sum to the whole, ties go to the earlier part.

        >>> [part.cents for part in Money(100_000_00).split([1, 1, 1])]
        [3333334, 3333333, 3333333]

        Raises ``ValueError`` when a weight is negative or all are zero.
        """
        if not weights or any(weight < 0 for weight in weights) or not sum(weights):
            raise ValueError("Money is split by weights that are zero or more and not all zero.")
        whole, sign = abs(self.cents), 1 if self.cents >= 0 else -1
        total = sum(weights)
        floors = [whole * weight // total for weight in weights]
        remainders = [whole * weight % total for weight in weights]
        missing = whole - sum(floors)
        order = sorted(range(len(weights)), key=lambda part: (-remainders[part], part))
        for part in order[:missing]:
            floors[part] += 1
        assert sum(floors) == whole, "a split must not lose a cent"
        return tuple(Money(sign * cents, self.currency) for cents in floors)

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money) or other.currency != self.currency:
            raise ValueError(f"{self} and {other!r} cannot be combined: different kinds of money.")
        return other.cents


ZERO = Money(0)


def euros(whole: int) -> Money:
    """Whole euros as money: ``euros(1500)`` is EUR 1 500.00."""
    return Money(whole * 100)


def total(amounts: Iterable[Money]) -> Money:
    """The sum of any number of euro amounts; zero euros for none."""
    result = ZERO
    for amount in amounts:
        result = result + amount
    return result


def plain(amount: Money) -> str:
    """``-1 234.50`` with no-break spaces between thousands and a real minus sign."""
    whole, cents = divmod(abs(amount.cents), 100)
    sign = "\u2212" if amount.cents < 0 else ""
    return f"{sign}{whole:,}".replace(",", "\u00a0") + f".{cents:02d}"


# Digits 0-9 only: ``\d`` would let full-width and Arabic digits through.
_SPACES = "[ \u00a0\u202f\u2009]"
# Thousands never begin with a nought: “0.125” has three decimals, which no amount has, and is not a hundred and twenty-five.
_LEAD = "[1-9][0-9]{0,2}"
_WHOLE = rf"(?:[0-9]+|{_LEAD}(?:{_SPACES}[0-9]{{3}})+|{_LEAD}(?:\.[0-9]{{3}})+|{_LEAD}(?:,[0-9]{{3}})+|{_LEAD}(?:'[0-9]{{3}})+)"
_AMOUNT = re.compile(rf"^(?P<sign>[-\u2212])?(?P<whole>{_WHOLE})(?:(?P<mark>[.,])(?P<cents>[0-9]{{1,2}}))?$")


def parse_money(text: str, *, negative: NegativeAmounts | None = None) -> Money:
    """Read what a person typed or pasted, in any European way of writing amounts.

    ``1.000,50``, ``1,000.50``, ``1 000,50`` and ``1000.5`` are all EUR 1 000.50. One mark
    followed by exactly three digits (``1.000``) is a thousands mark: amounts never have
    three decimals. Raises :class:`Invalid` with a sentence for anything else, for amounts
    below zero (unless ``negative`` allows them) and above one trillion euros.

    >>> parse_money("1.000,50").cents
    100050
    """
    cleaned = without_currency(text)
    if not cleaned:
        raise Invalid("Enter an amount in euros, for example 1 250.00.")
    found = _AMOUNT.match(cleaned)
    if found is None or _marks_clash(found):
        raise Invalid(
            f"{quoted(text)} is not an amount. Write euros and at most two decimals, for example 1 250.50 or 1.250,50."
        )
    whole = int(re.sub(r"[^0-9]", "", found["whole"]))
    cents = int((found["cents"] or "0").ljust(2, "0"))
    amount = whole * 100 + cents
    if amount > CENTS_MAX:
        raise Invalid(f"The amount is above the limit of {Money(CENTS_MAX)}. Check the number of digits.")
    if found["sign"] and amount:
        if negative is not NegativeAmounts.ALLOWED:
            raise Invalid("The amount is below zero. Enter a positive amount.")
        amount = -amount
    return Money(amount)


def without_currency(text: str) -> str:
    """An amount without its currency, which most of Europe and every spreadsheet there writes after it.

    >>> without_currency(" 1.234,50 \u20ac "), without_currency("EUR 5")
    ('1.234,50', '5')
    """
    tidy = text.strip()
    for sign in ("EUR", "\u20ac"):
        if tidy.startswith(sign):
            return tidy.removeprefix(sign).strip()
        if tidy.endswith(sign):
            return tidy.removesuffix(sign).strip()
    return tidy


class NegativeAmounts(StrEnum):
    """Where a correction may be typed as a negative amount."""

    ALLOWED = "allowed"


def _marks_clash(found: re.Match[str]) -> bool:
    """The same mark cannot part thousands and decimals (``1.000.50``)."""
    mark = found["mark"]
    return mark is not None and mark in found["whole"]
