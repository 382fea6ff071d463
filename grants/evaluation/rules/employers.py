"""For whom an evaluator works or worked: read from words, told in words, and for how long it still counts."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.core import clock
from grants.core.errors import Invalid, quoted

EMPLOYERS_MAX = 20
EMPLOYER_CHARACTERS_MAX = 200
# Nobody judges an application of an organisation they left less than so many years ago.
EMPLOYER_YEARS = 3
# “Name (2019-09-01 to 2023-06-30)”; a month or a year alone will do, and so does nothing after “to”.
_TIMES = re.compile(
    r"^(?P<name>.*?)\s*\((?P<start>[0-9-]*)\s*(?:to|until|–)\s*(?P<end>[0-9-]*|now)\s*\)$", re.IGNORECASE
)
_DAY = re.compile(r"^(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{1,2})(?:-(?P<day>[0-9]{1,2}))?)?$")
# A day as people write it in figures: which of the two is the month depends on who reads it.
_IN_FIGURES = re.compile(
    r"(?<![0-9])(?P<one>[0-9]{1,2})(?P<mark>\s*[./-]\s*)(?P<two>[0-9]{1,2})[\s./-]+(?P<year>[0-9]{4})(?![0-9])"
)
FORM = "Write the name, then from when until when, for example: University of Ghent (2019-09-01 to 2023-06-30)."


@dataclass(frozen=True, slots=True)
class Employer:
    """An organisation with its first and its last day; without a last day it is so now."""

    name: str
    starts_on: date | None = None
    ends_on: date | None = None
    # The entry of the register of that name, where there is exactly one.
    organisation_id: UUID | None = None

    @property
    def words(self) -> str:
        """As it is typed and read.

        >>> Employer("City of Ghent", date(2019, 9, 1)).words, Employer("Acme").words
        ('City of Ghent (2019-09-01 to now)', 'Acme')
        """
        if self.starts_on is None and self.ends_on is None:
            return self.name
        start = self.starts_on.isoformat() if self.starts_on else ""
        return f"{self.name} ({start} to {self.ends_on.isoformat() if self.ends_on else 'now'})"

    def counts_on(self, day: date, years: int = EMPLOYER_YEARS) -> bool:
        """Whether somebody belongs to it on a day, or did within so many years before.

        >>> Employer("Acme", None, date(2020, 6, 1)).counts_on(date(2023, 6, 1))
        True
        >>> Employer("Acme", None, date(2020, 6, 1)).counts_on(date(2023, 6, 2))
        False
        """
        return self.ends_on is None or self.ends_on >= clock.add_months(day, -12 * years)


def read_employers(text: str) -> tuple[Employer, ...]:
    """The organisations of a text, one a line or with | between; raises :class:`Invalid` with the line that is wrong.

    >>> [each.words for each in read_employers("Acme (2019 to 2020-02) | City of Ghent")]
    ['Acme (2019-01-01 to 2020-02-29)', 'City of Ghent']
    """
    found: dict[Employer, None] = {}
    for line in re.split(r"[|\n]", text):
        typed = " ".join(line.split())
        if typed:
            found[_employer(typed)] = None
    if len(found) > EMPLOYERS_MAX:
        raise Invalid(f"There are {len(found)} organisations; the limit is {EMPLOYERS_MAX}. Leave out the oldest.")
    return tuple(found)


def refuse_undated(employers: Iterable[Employer]) -> None:
    """Raise :class:`Invalid` naming those without any day: for how long one counts cannot be told."""
    bare = [quoted(each.name) for each in employers if each.starts_on is None and each.ends_on is None]
    if bare:
        raise Invalid(
            "An organisation has no dates.",
            {"employers": f"{', '.join(bare)}: no dates. {FORM} “2019 to now” will do."},
        )


def employer_words(employers: Iterable[Employer]) -> str:
    """The organisations as a text that reads back as the same."""
    return "\n".join(each.words for each in employers)


def taken_back(before: Iterable[Employer], after: Iterable[Employer]) -> list[str]:
    """The names of which less is said than was: gone, begun later, or ended earlier.

    >>> taken_back(read_employers("Acme | City of Ghent (2019 to now)"), read_employers("City of Ghent (2018 to now)"))
    ['Acme']
    """
    said = tuple(after)
    return [each.name for each in before if not any(_covers(one, each) for one in said)]


def _covers(one: Employer, other: Employer) -> bool:
    begins = one.starts_on is None or (other.starts_on is not None and one.starts_on <= other.starts_on)
    ends = one.ends_on is None or (other.ends_on is not None and one.ends_on >= other.ends_on)
    return one.name.casefold() == other.name.casefold() and begins and ends


def unclear_day(typed: str) -> str:
    """What is wrong with the first day a text writes in figures with the year last, and how to write it; empty where there is none.

    >>> unclear_day("1/2/2026")
    '“1/2/2026” can be read as 1 February 2026 or as 2 January 2026. Write the one you mean, 2026-02-01 or 2026-01-02.'
    >>> unclear_day("Acme (15.11.2026 to now)"), unclear_day("2026-11-15")
    ('“15.11.2026” may be read in another order elsewhere. Write it as 2026-11-15.', '')
    """
    found = _IN_FIGURES.search(typed)
    if found is None:
        return ""
    one, two, year = (int(found[each]) for each in ("one", "two", "year"))
    days = [date(year, month, day) for day, month in ((one, two), (two, one)) if _is_day(year, month, day)]
    if len(set(days)) == 2:
        read, written = (" or as ".join(map(clock.long_date, days)), " or ".join(map(date.isoformat, days)))
        return f"{quoted(found[0])} can be read as {read}. Write the one you mean, {written}."
    if days:
        return f"{quoted(found[0])} may be read in another order elsewhere. Write it as {days[0].isoformat()}."
    return f"{quoted(found[0])} is no day. Write it like 2027-01-31."


def _is_day(year: int, month: int, day: int) -> bool:
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def _employer(typed: str) -> Employer:
    # Also in what would otherwise pass for a part of the name.
    if wrong := unclear_day(typed):
        raise Invalid(wrong)
    parts = _TIMES.match(typed)
    if parts is None and re.search(r"[0-9]{4}.*\)$|\([^)]*\bto\b", typed):
        raise Invalid(f"{quoted(typed)} cannot be read. {FORM}")
    name = parts["name"] if parts else typed
    if not name or len(name) > EMPLOYER_CHARACTERS_MAX:
        raise Invalid(f"The name of an organisation has 1 to {EMPLOYER_CHARACTERS_MAX} characters. {FORM}")
    start = _day(parts["start"], typed, last=False) if parts else None
    end = _day(parts["end"], typed, last=True) if parts and parts["end"].lower() != "now" else None
    if start is not None and end is not None and end < start:
        raise Invalid(f"{quoted(typed)} ends before it begins. Enter the later day last.")
    return Employer(name, start, end)


def _day(text: str, typed: str, *, last: bool) -> date | None:
    """A day, or the first or last one of a month or a year."""
    if not text:
        return None
    parts = _DAY.match(text)
    try:
        if parts is None or not 1900 <= int(parts["year"]) <= 2200:
            raise ValueError(text)
        year = int(parts["year"])
        month = int(parts["month"] or (12 if last else 1))
        day = int(parts["day"] or (calendar.monthrange(year, month)[1] if last else 1))
        return date(year, month, day)
    except (ValueError, calendar.IllegalMonthError) as error:
        raise Invalid(f"{quoted(text)} in {quoted(typed)} is no day. {FORM}") from error
