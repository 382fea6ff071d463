"""Time as an argument: one injectable clock at the edge, and pure arithmetic of dates, zones and deadlines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from grants.core.errors import Invalid, quoted

BRUSSELS = "Europe/Brussels"

_fixed: ContextVar[datetime | None] = ContextVar("fixed_time", default=None)


def now() -> datetime:
    """The present moment in UTC, at the edge only (views, jobs, commands): acts and rules are handed it."""
    return _fixed.get() or datetime.now(UTC)


def today() -> date:
    """The day as it is in Brussels, at the edge only; an act has its own (``acts.today``)."""
    return in_zone(now()).date()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let :func:`now` answer ``moment`` inside the block: the demo, tests and a request's own arrival use it."""
    token = _fixed.set(as_utc(moment))
    try:
        yield
    finally:
        _fixed.reset(token)


def as_utc(moment: datetime) -> datetime:
    """The same instant in UTC; a time without a zone is a programmer's error."""
    assert moment.tzinfo is not None, "a moment always carries its zone"
    return moment.astimezone(UTC)


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name, however its letters are written; :class:`Invalid`, with what may be meant, if there is none.

    >>> zone("europe/warsaw").key, zone("America/ New york").key
    ('Europe/Warsaw', 'America/New_York')
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        found, near = _named_like(name)
        if found:
            return ZoneInfo(found)
        instead = f"Did you mean {near}?" if near else "Use an IANA name such as Europe/Brussels."
        raise Invalid(f"{quoted(name)} is not a time zone. {instead}") from error


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {_letters(each): each for each in sorted(available_timezones())}


def _letters(name: str) -> str:
    return re.sub(r"\s*/\s*", "/", name.strip()).replace(" ", "_").casefold()


def _named_like(name: str) -> tuple[str, str]:
    """The zone of these letters, or one that comes near: its city alone, or a slip in it."""
    wanted = _letters(name[:60])
    if wanted in _zones():
        return _zones()[wanted], ""
    cities = {each.rpartition("/")[2]: whole for each, whole in _zones().items() if each.startswith("europe/")}
    near = get_close_matches(wanted, [*cities, *_zones()], n=1, cutoff=0.8)
    return "", cities.get(near[0]) or _zones()[near[0]] if near else ""


class Fold(StrEnum):
    """Which of two instants a repeated local time means, when the clocks go back."""

    EARLIER = "earlier"
    LATER = "later"


def local_to_utc(local: datetime, zone_name: str, *, fold: Fold | None = None) -> datetime:
    """A wall-clock time in a zone as an instant.

    Raises :class:`Invalid` for a time that does not exist (clocks go forward) and, without
    ``fold``, for one that exists twice (clocks go back).

    >>> local_to_utc(datetime(2022, 11, 15, 12, 0), BRUSSELS).isoformat()
    '2022-11-15T11:00:00+00:00'
    """
    tz = zone(zone_name)
    first = local.replace(tzinfo=tz, fold=0)
    second = local.replace(tzinfo=tz, fold=1)
    there_and_back = first.astimezone(UTC).astimezone(tz).replace(tzinfo=None)
    if there_and_back != local:
        before, after = (_time_beside(each, local.date()) for each in _beside_gap(first, second))
        raise Invalid(
            f"{local:%H:%M} on {long_date(local.date())} does not exist in {zone_name}: the clocks go forward that night."
            f" Choose another time: the nearest are {before} and {after}."
        )
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    match fold:
        case Fold.EARLIER:
            return first.astimezone(UTC)
        case Fold.LATER:
            return second.astimezone(UTC)
        case None:
            raise Invalid(
                f"{local:%H:%M} on {long_date(local.date())} happens twice in {zone_name}: the clocks go back that night. Say which one you mean."
            )


def _beside_gap(first: datetime, second: datetime) -> tuple[datetime, datetime]:
    """The last minute before a missing local time and the first after it, on the clock that leaves it out.

    ``second`` is read with the offset after the change and so lies before it, ``first`` the other way round.
    """
    low, high = (each.astimezone(UTC) for each in (second, first))
    offset = low.astimezone(first.tzinfo).utcoffset()
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        if middle.astimezone(first.tzinfo).utcoffset() == offset:
            low = middle
        else:
            high = middle
    change = high.replace(second=0, microsecond=0)
    return (change - timedelta(minutes=1)).astimezone(first.tzinfo), change.astimezone(first.tzinfo)


def _time_beside(moment: datetime, day: date) -> str:
    """A time near one of ``day``; with its own day where the clocks leave out midnight and it is another one."""
    return f"{moment:%H:%M}" if moment.date() == day else f"{moment:%H:%M} on {long_date(moment.date())}"


def both_times(local: datetime, zone_name: str) -> tuple[datetime, ...]:
    """The two instants of a wall-clock time that comes twice, each on that clock; empty for any other time.

    >>> [each.tzname() for each in both_times(datetime(2027, 10, 31, 2, 30), BRUSSELS)]
    ['CEST', 'CET']
    """
    first, second = (local.replace(tzinfo=zone(zone_name), fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset() or first.astimezone(UTC) > second.astimezone(UTC):
        return ()
    return (first, second)


def in_time(at: datetime, deadline: datetime) -> bool:
    """The one rule of every deadline: before it, to the microsecond. At the very moment it is too late.

    >>> noon = datetime(2022, 11, 15, 12, 0, tzinfo=UTC)
    >>> in_time(noon - timedelta(microseconds=1), noon), in_time(noon, noon)
    (True, False)
    """
    return at < deadline


def offset_where_unclear(moment: datetime, zone_name: str) -> str:
    """``UTC+01:00`` within the hour that the clocks of a zone show twice, when they go back; "" at any other time."""
    local = in_zone(moment, zone_name)
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return ""
    return _offset(local)


def zone_letters(moment: datetime, zone_name: str) -> str:
    """The abbreviation of a zone at a moment; its distance from world time where it has no letters for it.

    >>> zone_letters(datetime(2027, 11, 15, 18, tzinfo=UTC), "Atlantic/Azores")
    'UTC-01:00'
    """
    local = in_zone(moment, zone_name)
    name = local.tzname() or ""
    return name if name.isalpha() else _offset(local)


def _offset(local: datetime) -> str:
    offset = f"{local:%z}"
    return f"UTC{offset[:3]}:{offset[3:]}"


def long_date(day: date) -> str:
    """``4 November 2022``: never a month as a number."""
    return f"{day.day} {day:%B} {day.year}"


YEAR_MIN, YEAR_MAX = 1900, 2200

_MONTHS = {f"{date(2000, number, 1):%B}".lower(): number for number in range(1, 13)}
_ISO = re.compile(r"^(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})$")
_DAY_FIRST = re.compile(r"^(?P<day>[0-9]{1,2})\s*[./-]\s*(?P<month>[0-9]{1,2})\s*[./-]\s*(?P<year>[0-9]{4})$")
_IN_WORDS = re.compile(r"^(?P<day>[0-9]{1,2})\.?\s+(?P<month>[A-Za-z]{3,9})\.?\s+(?P<year>[0-9]{4})$")


def read_date(text: str) -> date:
    """Read a date as Europeans write it: ``15 November 2022``, ``15/11/2022``, ``15.11.2022`` or ``2022-11-15``.

    Raises :class:`Invalid` with a sentence; a two-figure year is never guessed, one far away is a slip of the hand.
    """
    cleaned = " ".join(text.split())
    found = _ISO.match(cleaned) or _DAY_FIRST.match(cleaned) or _IN_WORDS.match(cleaned)
    if not found:
        raise Invalid(
            f"{quoted(cleaned)} is not a date. Write the day, the month and the year, for example 15 November 2022."
        )
    month = found["month"]
    numbers = (
        [int(month)] if month.isdecimal() else [n for name, n in _MONTHS.items() if name.startswith(month.lower())]
    )
    try:
        # An ambiguous beginning ("Ju") names two months and so none.
        (number,) = numbers
        read = date(int(found["year"]), number, int(found["day"]))
    except ValueError:
        raise Invalid(
            f"There is no day {quoted(cleaned)}. Check the day and the month, for example 15 November 2022."
        ) from None
    if not YEAR_MIN <= read.year <= YEAR_MAX:
        raise Invalid(f"Write a year from {YEAR_MIN} to {YEAR_MAX}, for example 15 November 2022.")
    return read


def read_moment(text: str, field: str = "as_of") -> datetime:
    """``2027-03-01T12:00:00+01:00`` as an instant; raises :class:`Invalid`, for this field of a form, without a zone."""
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is not None:
            return as_utc(found)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            f"{quoted(text)} is not a moment. Write it like 2027-03-01T12:00:00+01:00.",
            {field: "Write date and time with its zone, for example 2027-03-01T12:00:00+01:00."},
        ) from error
    raise Invalid(
        f"{quoted(text)} has no zone. Add one, for example +01:00.", {field: "Add the zone, for example +01:00."}
    )


def in_zone(moment: datetime, zone_name: str = BRUSSELS) -> datetime:
    """The same instant on a wall clock of ``zone_name``."""
    return as_utc(moment).astimezone(zone(zone_name))


def end_of_day(day: date, zone_name: str = BRUSSELS) -> datetime:
    """The last second of a day on a wall clock of ``zone_name``: until when something due on that day is in time."""
    return datetime.combine(day, time(23, 59, 59), zone(zone_name)).astimezone(UTC)


def add_days(day: date, days: int) -> date:
    """Calendar days, the day of the event not counted (Model Grant Agreement, how periods run)."""
    return day + timedelta(days=days)


def months_between(first: date, last: date) -> int:
    """From the month of one day to the month of another.

    >>> months_between(date(2023, 6, 1), date(2025, 6, 1))
    24
    """
    return (last.year - first.year) * 12 + last.month - first.month


def add_months(day: date, months: int) -> date:
    """The same day some months on, or the last day of a shorter month.

    >>> add_months(date(2023, 1, 31), 1)
    datetime.date(2023, 2, 28)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for number in (day.day, 30, 29, 28):
        if number <= day.day:
            try:
                return date(year, month + 1, number)
            except ValueError:
                continue
    raise AssertionError("every month has a 28th day")
