"""What a call says about complaints against its results: how long one may complain, about what, and when it is decided.

A call that says nothing takes no complaints here. Whether an application is good is never a ground.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from grants.calls.states import ComplaintGround, HolidayCalendar
from grants.core import clock
from grants.core.bank_days import target_closing_days

GROUND_WORDS: Mapping[str, str] = {
    ComplaintGround.VERDICT: "The verdict on admissibility or eligibility rests on a wrong fact",
    ComplaintGround.PROCEDURE: "A rule of the call or of the procedure was not followed",
    ComplaintGround.OVERLOOKED: "Something that stands in the application was overlooked or misread",
    ComplaintGround.CONFLICT: "Somebody who took part had a conflict of interest",
}
NO_MERITS = "How good the application is, and how many points it got, is not looked at again."

CALENDAR_WORDS: Mapping[str, str] = {
    HolidayCalendar.WEEKDAYS: "Monday to Friday",
    HolidayCalendar.TARGET: "Monday to Friday without the closing days of the payment system TARGET",
}


@dataclass(frozen=True, slots=True)
class ComplaintRules:
    """How long, in which languages and on which grounds one may complain, and within how many days it is decided.

    Days are calendar days, the day of the event not counted, unless ``working_days`` says that the decision is counted
    in working days (never the window). No language means that of the call; no ground means each of them.
    """

    window_days: int
    decide_days: int
    working_days: bool = False
    holidays: HolidayCalendar = HolidayCalendar.WEEKDAYS
    days_off: tuple[date, ...] = ()
    languages: tuple[str, ...] = ()
    grounds: tuple[ComplaintGround, ...] = ()

    @property
    def allowed(self) -> tuple[ComplaintGround, ...]:
        """On which grounds one may complain."""
        return tuple(each for each in ComplaintGround if not self.grounds or each in self.grounds)

    def last_day(self, reached_at: datetime, zone: str) -> date:
        """The last day to complain about a result that reached the applicant at this moment.

        >>> from datetime import UTC
        >>> ComplaintRules(5, 15).last_day(datetime(2027, 3, 1, 23, 30, tzinfo=UTC), "Europe/Brussels")
        datetime.date(2027, 3, 7)
        """
        return clock.add_days(clock.in_zone(reached_at, zone).date(), self.window_days)

    def deadline(self, reached_at: datetime, zone: str) -> datetime:
        """Before which moment a complaint is in time: the midnight that ends the last day in the zone of the call."""
        return _midnight_after(self.last_day(reached_at, zone), zone)

    def until_words(self, reached_at: datetime, zone: str) -> str:
        """The last moment for people: the day, and the clock it is told by.

        >>> from datetime import UTC
        >>> ComplaintRules(5, 15).until_words(datetime(2027, 3, 1, 8, tzinfo=UTC), "Europe/Brussels")
        'the end of 6 March 2027 (24:00 CET)'
        """
        day = self.last_day(reached_at, zone)
        letters = clock.zone_letters(self.deadline(reached_at, zone) - timedelta(seconds=1), zone)
        return f"the end of {clock.long_date(day)} (24:00 {letters})"

    @property
    def anew_words(self) -> str:
        """What a letter adds to the last day while the reasons cannot be read: they open with the results."""
        return (
            f", and for {self.window_days} calendar days after the results become public, when the reasons can be read"
        )

    def decide_on(self, received_at: datetime, zone: str) -> date:
        """The day by whose end a complaint received at this moment is decided."""
        received = clock.in_zone(received_at, zone).date()
        return self.add_days(received, self.decide_days)

    def add_days(self, day: date, days: int) -> date:
        """So many days on, counted as this call counts days of decisions; the day itself not counted.

        >>> ComplaintRules(5, 3, working_days=True).add_days(date(2027, 3, 5), 3)
        datetime.date(2027, 3, 10)
        """
        if not self.working_days:
            return clock.add_days(day, days)
        left = days
        while left:
            day = clock.add_days(day, 1)
            left -= self.is_working(day)
        return day

    def is_working(self, day: date) -> bool:
        """Whether the calendar of the call counts a day as a working day."""
        if day.weekday() >= 5 or day in self.days_off:
            return False
        return self.holidays is HolidayCalendar.WEEKDAYS or day not in target_closing_days(day.year)

    @property
    def days_words(self) -> str:
        """Within which time a complaint is decided: “15 working days (Monday to Friday)”."""
        if not self.working_days:
            return f"{self.decide_days} calendar days"
        off = ", less ".join((CALENDAR_WORDS[self.holidays], *map(clock.long_date, self.days_off)))
        return f"{self.decide_days} working days ({off})"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The rules in words, as everybody reads them."""
        return (
            f"An applicant may complain about a negative result within {self.window_days} calendar days after it "
            "reached the applicant; that day does not count. Where the results become public later, the days run anew "
            "from then, since the reasons can be read then.",
            f"A complaint is decided within {self.days_words} after it was received.",
            f"{NO_MERITS} One may complain on these grounds: {'; '.join(_lower(GROUND_WORDS[g]) for g in self.allowed)}.",
        )


def complaint_deadline(rules: ComplaintRules | None, reached_at: datetime | None, zone: str) -> datetime | None:
    """Before which moment a complaint is in time; None where the call takes none, or nothing reached the applicant yet."""
    return rules.deadline(reached_at, zone) if rules is not None and reached_at is not None else None


def _midnight_after(day: date, zone: str) -> datetime:
    return clock.as_utc(datetime.combine(clock.add_days(day, 1), time(), clock.zone(zone)))


def _lower(words: str) -> str:
    return words[0].lower() + words[1:]
