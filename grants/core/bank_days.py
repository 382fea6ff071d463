"""The days on which banks do not pay: the closing days of the payment system TARGET."""

from __future__ import annotations

from datetime import date, timedelta


def target_closing_days(year: int) -> frozenset[date]:
    """The days on which TARGET is closed besides weekends: the same six every year (decision of the ECB of 2000).

    >>> sorted(target_closing_days(2027))[1:3]
    [datetime.date(2027, 3, 26), datetime.date(2027, 3, 29)]
    """
    easter = _easter(year)
    fixed = (date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26))
    return frozenset((*fixed, easter - timedelta(days=2), easter + timedelta(days=1)))


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous computus)."""
    golden, century = year % 19, year // 100
    leap, rest = century // 4, century % 4
    moon = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * rest + 2 * (year % 100 // 4) - moon - year % 100 % 4) % 7
    shift = moon + week - 7 * ((golden + 11 * moon + 22 * week) // 451) + 114
    return date(year, shift // 31, shift % 31 + 1)
