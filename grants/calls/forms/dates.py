"""Forms with dates: opening and deadline on the clock of the call’s zone, and a deadline that moves."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, ClassVar

from wtforms import RadioField, StringField, TextAreaField

from grants.calls.forms.deeds import DeedForm
from grants.calls.rules import CallView, DatesInput, DeadlineInput, Opening, literal_of
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid
from grants.web.forms import CharactersMax, DateField, Needed, TimeField, choices

FOLD_CHOICES = choices(
    [("", "It does not"), (Fold.EARLIER.value, "The first one"), (Fold.LATER.value, "The second one")]
)


class LocalTime(DeedForm):
    """A day and a time on the clock of the call."""

    stands_at: ClassVar = {"local": "day"}

    day = DateField("Day", [Needed("Enter the day, for example 15 November 2022.")])
    time = TimeField("Time", [Needed("Enter the time on the 24-hour clock, for example 12:00.")])

    def local(self) -> datetime:
        """Day and time together, once the form was found good."""
        assert self.day.data is not None and self.time.data is not None
        return datetime.combine(self.day.data, self.time.data)


class DeadlineForm(LocalTime):
    """A later deadline, its reason for the record, and the note everybody reads."""

    fold = RadioField(
        "If the clocks go back that night and this time comes twice",
        choices=FOLD_CHOICES,
        default="",
    )
    reason = TextAreaField("Reason", [Needed("Say why the deadline moves."), CharactersMax(1000)])
    public_note = TextAreaField(
        "Note to applicants", [Needed("Write the note that applicants will read."), CharactersMax(2000)]
    )

    def to_input(self) -> DeadlineInput:
        """The new deadline as its frozen value."""
        fold = Fold(self.fold.data) if self.fold.data else None
        return DeadlineInput(self.local(), self.reason.data or "", self.public_note.data or "", fold)


class BuildDatesForm(DeedForm):
    """Zone, opening and first deadline of a draft, with the words printed where they differ from the program's own."""

    stands_at: ClassVar = {"local": "day"}

    zone = StringField(
        "Time zone", [Needed("Enter a time zone, for example Europe/Brussels.")], render_kw={"list": "zones"}
    )
    opens_day = DateField("Opens on")
    opens_time = TimeField("Opening hour")
    day = DateField("Deadline, day")
    time = TimeField("Deadline, time")
    fold = RadioField(
        "Which of the two is meant?", choices=choices([(fold.value, "") for fold in Fold]), validate_choice=False
    )
    literal = StringField("Deadline as printed", [CharactersMax(200)])

    @classmethod
    def of(cls, call: CallView) -> BuildDatesForm:
        """The form with the dates that stand; the words of the program itself are left to the program."""
        opening: Opening | None = call.opening
        given: dict[str, Any] = {"version": call.version, "zone": call.zone}
        if opening is not None:
            given |= {"opens_day": opening.day}
            given |= {"opens_time": time.fromisoformat(opening.time)} if opening.time else {}
        if call.deadline is not None:
            local = clock.in_zone(call.deadline.closes_at, call.zone)
            own = call.deadline.literal == literal_of(call.deadline.closes_at, call.zone)
            fold = Fold.LATER if local.fold else Fold.EARLIER
            given |= {"day": local.date(), "time": local.time(), "fold": fold.value}
            given |= {} if own else {"literal": call.deadline.literal}
        return cls(**given)

    def ask_which(self) -> bool:
        """Whether the clocks go back over the deadline, so that it must be said which one is meant.

        The two choices then say what the clock and its distance to world time are at each.
        """
        try:
            both = clock.both_times(self.local(), self.zone.data or "") if self.day.data and self.time.data else ()
        except Invalid:
            return False
        names = [(each.tzname(), clock.offset_where_unclear(each, self.zone.data or "")) for each in both]
        words = [
            f"The {order}, {name} ({offset})" for order, (name, offset) in zip(("first", "second"), names, strict=False)
        ]
        self.fold.choices = choices([(fold.value, said) for fold, said in zip(Fold, words, strict=False)])
        return bool(both)

    def local(self) -> datetime:
        """Day and time of the deadline together, once both are there."""
        assert self.day.data is not None and self.time.data is not None
        return datetime.combine(self.day.data, self.time.data)

    def to_input(self) -> DatesInput:
        """The dates as their frozen value; a deadline is both, its day and its time."""
        if bool(self.day.data) != bool(self.time.data):
            name, what = ("time", "time") if self.day.data else ("day", "day")
            sentence = f"Enter the {what} of the deadline too."
            raise Invalid(sentence, {name: sentence})
        closes = self.local() if self.day.data else None
        fold = Fold(self.fold.data) if self.fold.data in tuple(Fold) else None
        hour = f"{self.opens_time.data:%H:%M}" if self.opens_time.data else None
        return DatesInput(self.zone.data or "", self.opens_day.data, hour, closes, self.literal.data or "", fold)
