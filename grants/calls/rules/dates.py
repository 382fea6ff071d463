"""The dates of a call that is being built: its zone, when it opens, its first deadline as a time on its own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from grants.calls.rules.decisions import literal_of
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class DatesInput:
    """Zone, opening and first deadline of a draft as people enter them: times on the clock of ``zone``.

    ``closes`` is None while no deadline is set; ``fold`` says which is meant where that time comes twice.
    ``opens_hour`` is written ``09:00``; ``literal`` is what is printed, empty for the program's own words.
    """

    zone: str
    opens_on: date | None = None
    opens_hour: str | None = None
    closes: datetime | None = None
    literal: str = ""
    fold: Fold | None = None


@dataclass(frozen=True, slots=True)
class PlannedDates:
    """The same once they were found good: the instant of the deadline, and the words printed for it."""

    zone: str
    closes_at: datetime | None
    literal: str


def planned(given: DatesInput, *, has_deadline: bool) -> PlannedDates:
    """What these dates mean; raises :class:`Invalid` beside ``zone``, ``opens_time`` or ``local`` for what cannot be.

    >>> planned(DatesInput("Europe/Lisbon", closes=datetime(2027, 3, 1, 17)), has_deadline=False).literal
    '1 March 2027, 17:00 WET'
    """
    try:
        zone = clock.zone(given.zone.strip()).key
    except Invalid as error:
        raise Invalid(str(error), {"zone": str(error)}) from error
    problems: dict[str, str] = {}
    if given.opens_on is None and given.opens_hour is not None:
        problems["opens_day"] = "Enter the day the call opens too, for example 5 September 2027."
    if given.opens_on is not None and given.opens_hour is not None:
        try:
            clock.local_to_utc(
                datetime.combine(given.opens_on, time.fromisoformat(given.opens_hour)), zone, fold=Fold.EARLIER
            )
        except Invalid as error:
            problems["opens_time"] = str(error)
    if given.opens_on is not None and given.closes is not None and given.closes <= _opens(given):
        problems["local"] = "The deadline is before the call opens. Move one of the two."
    closes_at = None
    if given.closes is not None:
        try:
            closes_at = clock.local_to_utc(given.closes, zone, fold=given.fold)
        except Invalid as error:
            problems["local"] = str(error)
    elif has_deadline:
        problems["local"] = "Enter the day and the time of the deadline. It can move, but not be taken away."
    if problems:
        raise Invalid("The dates were not set.", problems)
    literal = "" if closes_at is None else given.literal.strip() or literal_of(closes_at, zone)
    return PlannedDates(zone, closes_at, literal)


def _opens(given: DatesInput) -> datetime:
    """The opening on the same wall clock; without an hour, the beginning of its day."""
    assert given.opens_on is not None, "asked only where there is a day"
    return datetime.combine(given.opens_on, time.fromisoformat(given.opens_hour or "00:00"))
