"""A published file of rates, read: what cannot be right is refused, what looks odd needs a word of whoever takes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from grants.core.errors import Invalid, quoted
from grants.core.text import fold
from grants.rates.rules.values import EURO, KIND_WORDS, Rates, Series
from grants.rates.states import RateKind

# The sentences of one file: whoever made a hundred mistakes made one a hundred times.
TOLD_MAX = 20
# A rate of a currency above this is no rate; per cent of a reference rate above this is a slip.
RATE_MAX = Decimal(10) ** 9
PERCENT_MAX = Decimal(50)
PLACES_MAX = 8
# Against its neighbour (money_and_trust 13, item 11).
OUTLIER = Decimal("0.10")
# The longest stretch without a daily rate that holidays explain.
QUIET_DAYS_MAX = 10

_NUMBER = re.compile(r"\d{1,12}(\.\d+)?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_MONTH = re.compile(r"(?:(\d{4})-(\d{1,2})(?:-01)?|(?:01/)?(\d{1,2})/(\d{4}))", re.ASCII)
_ABSENT = {"", "n/a", "-"}

Row = tuple[int, str, date, str]


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says, what is wrong in it (then nothing counts), and what is odd."""

    rates: Rates | None
    problems: tuple[str, ...]
    flags: tuple[str, ...]


def read(kind: RateKind, table: Sequence[Sequence[str]], *, month: date | None, today: date, standing: Rates) -> Read:
    """The rates of a file, given as a table of texts.

    ``month`` is the month of an InforEuro file that names none in a column of its own; ``standing`` is
    what counts already: neighbours of what the file brings are looked for there too.
    """
    try:
        rows = list(_READERS[kind](table, month))
    except Invalid as error:
        return Read(None, (str(error),), ())
    problems: list[str] = []
    found = _collected(kind, rows, today, problems)
    rates = Rates(kind, tuple(Series(each, dict(sorted(found[each].items()))) for each in sorted(found)))
    if not problems and not rates.count:
        problems.append(f"The file holds no rate. Choose the file of {KIND_WORDS[kind]} as it is published, as CSV.")
    if kind is RateKind.INFOREURO:
        problems += _missing_months(rates)
    if problems:
        return Read(None, _cut(problems), ())
    return Read(rates, (), _cut(list(_odd(rates, standing))))


def _cut(sentences: list[str]) -> tuple[str, ...]:
    more = len(sentences) - TOLD_MAX
    return (*sentences[:TOLD_MAX], f"And {more} more of this kind.") if more > 0 else tuple(sentences)


# ------------------------------------------------------------------------------------------------- the layouts


def _daily(table: Sequence[Sequence[str]], month: date | None) -> Iterator[Row]:
    """``Date,USD,JPY,…``: a line for each day, a column for each currency."""
    if month is not None:
        raise Invalid("Daily rates name their days themselves. Leave the month empty.")
    head = [cell.strip() for cell in table[0]] if table else []
    if not head or fold(head[0]) != "date" or not any(_CURRENCY.fullmatch(cell) for cell in head[1:]):
        raise Invalid(
            "The first line must name the columns: Date, then one currency code after the other, as in the file "
            "eurofxref-hist.csv of the European Central Bank."
        )
    for line, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        on = _day(line, cells[0])
        for currency, cell in zip(head[1:], cells[1:], strict=False):
            if currency and cell.strip().casefold() not in _ABSENT:
                yield line, currency, on, cell


def _monthly(table: Sequence[Sequence[str]], month: date | None) -> Iterator[Row]:
    """A line for each currency, with its ISO code and its value, and the month in a column or beside the file."""
    head = [fold(cell) for cell in table[0]] if table else []
    code, value = _column(head, ("iso", "code")), _column(head, ("value", "amount", "rate"))
    period = _column(head, ("period", "month", "date"))
    if code is None or value is None:
        raise Invalid(
            "The first line must name the columns, among them the ISO code of the currency and the value, as in the "
            "file of InforEuro."
        )
    if period is None and month is None:
        raise Invalid("The file does not say of which month it is. Name the month beside it.")
    for line, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        padded = [*cells, *[""] * (len(head) - len(cells))]
        on = _month(line, padded[period]) if period is not None and padded[period].strip() else month
        if on is None:
            raise Invalid(f"Line {line} does not say of which month it is.")
        if month is not None and on != month:
            raise Invalid(f"Line {line} is of {on:%Y-%m}, and you named {month:%Y-%m}. One of both is wrong.")
        if padded[value].strip().casefold() not in _ABSENT:
            yield line, padded[code].strip(), on, padded[value]


def _reference(table: Sequence[Sequence[str]], month: date | None) -> Iterator[Row]:
    """Two columns that count: the day from which a rate holds, first, and the rate in per cent, last."""
    if month is not None:
        raise Invalid("A reference rate names the days itself from which it holds. Leave the month empty.")
    head = [fold(cell) for cell in table[0]] if table else []
    if len(head) < 2 or not any(word in head[0] for word in ("date", "from", "day")):
        raise Invalid("The first line must name the columns: the date from which a rate holds first, the rate last.")
    for line, cells in enumerate(table[1:], start=2):
        if any(cell.strip() for cell in cells) and cells[-1].strip().casefold() not in _ABSENT:
            yield line, EURO, _day(line, cells[0]), cells[-1]


_READERS: Mapping[RateKind, Callable[[Sequence[Sequence[str]], date | None], Iterator[Row]]] = {
    RateKind.ECB_DAILY: _daily,
    RateKind.INFOREURO: _monthly,
    RateKind.REFERENCE: _reference,
}


def _column(head: Sequence[str], words: Sequence[str]) -> int | None:
    """The first column whose name has one of these words; the earlier word is the better one."""
    return next((place for word in words for place, name in enumerate(head) if word in name.split()), None)


def _day(line: int, text: str) -> date:
    found = _DAY.fullmatch(text.strip())
    year, month, day = (int(part) for part in found.groups()) if found else (0, 0, 0)
    try:
        return date(year, month, day)
    except ValueError as error:
        raise Invalid(
            f"Line {line}: {quoted(text.strip())} is no day. Days are written as in 2026-11-27: year, month, day."
        ) from error


def _month(line: int, text: str) -> date:
    found = _MONTH.fullmatch(text.strip())
    try:
        year, month = (found[1] or found[4], found[2] or found[3]) if found else ("0", "0")
        return date(int(year), int(month), 1)
    except ValueError as error:
        raise Invalid(f"Line {line}: {quoted(text.strip())} is no month. Months are written as in 2026-11.") from error


# ------------------------------------------------------------------------------------------------- the checks


def _collected(kind: RateKind, rows: Sequence[Row], today: date, problems: list[str]) -> dict[str, dict[date, Decimal]]:
    found: dict[str, dict[date, Decimal]] = {}
    for line, currency, on, text in rows:
        if problem := _problem_of(kind, currency, on, text, today):
            problems.append(f"Line {line}: {problem}")
        elif on in found.setdefault(currency, {}):
            problems.append(f"Line {line}: {currency} has a rate for {_on(kind, on)} already. Each may stand once.")
        else:
            found[currency][on] = Decimal(text.strip())
    return {currency: rates for currency, rates in found.items() if rates and (currency != EURO or _is_percent(kind))}


def _problem_of(kind: RateKind, currency: str, on: date, text: str, today: date) -> str | None:
    if not _CURRENCY.fullmatch(currency):
        return f"{quoted(currency)} is no currency code. Codes are three capital letters, for example PLN."
    if on > today:
        return f"{_on(kind, on)} has not come yet: nobody can have published a rate of it."
    if on.year < 1999:
        return f"{_on(kind, on)} is before the euro."
    number = text.strip()
    if not _NUMBER.fullmatch(number):
        return f"{quoted(number)} is no rate. Rates are written with a point, without a sign, for example 4.2975."
    if len(number.partition(".")[2]) > PLACES_MAX:
        return f"{quoted(number)} has more than {PLACES_MAX} decimals."
    return _size_problem(kind, currency, Decimal(number))


def _size_problem(kind: RateKind, currency: str, rate: Decimal) -> str | None:
    if _is_percent(kind):
        return None if rate <= PERCENT_MAX else f"{rate} per cent a year is more than {PERCENT_MAX}; is it a rate?"
    if not rate:
        return f"The rate of {currency} is 0. Nothing can be converted with it."
    if currency == EURO and rate != 1:
        return f"One euro is one euro, and the file says {rate}."
    return None if rate < RATE_MAX else f"{rate} {currency} for one euro is more than a rate can be."


def _is_percent(kind: RateKind) -> bool:
    return kind is RateKind.REFERENCE


def _on(kind: RateKind, on: date) -> str:
    return f"{on:%Y-%m}" if kind is RateKind.INFOREURO else on.isoformat()


def _missing_months(rates: Rates) -> list[str]:
    """A month left out between two of one currency: an average over it would silently be of less."""
    return [
        f"{series.currency}: the months between {before:%Y-%m} and {after:%Y-%m} are missing."
        for series in rates.series
        for before, after in pairwise(series.rates)
        if _months(before, after) > 1
    ]


def _months(before: date, after: date) -> int:
    return (after.year - before.year) * 12 + after.month - before.month


# ------------------------------------------------------------------------------------------------- what is odd


def _odd(rates: Rates, standing: Rates) -> Iterator[str]:
    """What may be right, and has to be looked at: jumps, rates upside down, gaps, and what says another thing than before."""
    for series in rates.series:
        known = standing.of(series.currency)
        for on, rate in series.rates.items():
            if on in known and known[on] != rate:
                yield f"{series.currency} on {_on(rates.kind, on)}: {rate}, and {known[on]} stands. Taking it corrects that rate."
        whole = sorted({**known, **series.rates}.items())
        for (before, old), (on, new) in pairwise(whole):
            if before in series.rates or on in series.rates:
                yield from _odd_pair(rates.kind, series.currency, (before, old), (on, new))


def _odd_pair(
    kind: RateKind, currency: str, earlier: tuple[date, Decimal], later: tuple[date, Decimal]
) -> Iterator[str]:
    (before, old), (on, new) = earlier, later
    if kind is RateKind.ECB_DAILY and (on - before).days > QUIET_DAYS_MAX:
        yield f"{currency}: no rate from {before} to {on}. An average over these days is of the others."
    elif kind is RateKind.INFOREURO and _months(before, on) > 1:
        yield f"{currency}: no rate between {before:%Y-%m} and {on:%Y-%m}."
    if _is_percent(kind):
        return
    if abs(old * new - 1) <= OUTLIER and abs(old - 1) > OUTLIER:
        yield f"{currency} on {_on(kind, on)}: {new} after {old} looks upside down. Rates are units for one euro."
    elif abs(new - old) > OUTLIER * old:
        yield f"{currency} on {_on(kind, on)}: {new} after {old} is a jump of more than 10 %."
