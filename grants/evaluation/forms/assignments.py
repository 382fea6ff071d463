"""Forms of the manager’s assignments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from wtforms import Field, HiddenField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import Optional, StopValidation

from grants.core import clock
from grants.evaluation.rules import (
    BEST_SHOWN,
    AdjustInput,
    AdjustPage,
    RemindInput,
    RunInput,
    past_day_words,
    refuse_bad_run,
)
from grants.evaluation.states import CountryRule, Deed, StandingRule
from grants.web.forms import A_PARAGRAPH, ContestedForm, DateField, Form, Needed, choices


class ReasonForm(Form):
    """A deed with a reason."""

    reason = TextAreaField("Reason", [Needed("Write the reason; it is kept on the record."), A_PARAGRAPH])


class RunForm(Form):
    """What a manager chooses for a run of the exact assignment."""

    due_on = DateField(
        "Assessments are due on",
        description="The end of that day, Brussels time. May stay empty. Whoever is not available on that day, or on no day "
        "before it, gets no seat; without a day, whoever is not available today.",
    )
    seed = StringField(
        "Seed",
        description="Decides between assignments that are equally good and share the work as evenly. Any word or number.",
    )
    keep_countries_apart = RadioField(
        "Evaluators from a country of the consortium",
        description="No seat for them, in this run and by hand until the next one. It is no conflict of interest: where "
        "the call makes the same country one, they are kept away whatever is chosen here. How many evaluators of one "
        "application may be from one country among themselves is a rule of the call.",
        choices=choices(
            ((CountryRule.KEPT_AWAY.value, "Keep them away from it"), (CountryRule.ALLOWED.value, "Allow them"))
        ),
        default=CountryRule.KEPT_AWAY.value,
    )

    standing = RadioField(
        "Seats on which nothing is written yet",
        description="Where no assignment exists otherwise, they may move: as few as possible do. Locked seats never move.",
        choices=choices(
            ((StandingRule.KEPT.value, "Keep all of them"), (StandingRule.MOVABLE.value, "Move as few as possible"))
        ),
        default=StandingRule.KEPT.value,
    )

    def checks(self) -> Iterable[Callable[[], object]]:
        """A seed, and a day that is not over."""
        yield lambda: refuse_bad_run(RunInput(self.seed.data or "", end_of(self.due_on.data)), clock.now())

    def to_input(self) -> RunInput:
        """The frozen input."""
        countries = CountryRule(self.keep_countries_apart.data or CountryRule.KEPT_AWAY.value)
        standing = StandingRule(self.standing.data or StandingRule.KEPT.value)
        return RunInput(self.seed.data or "", end_of(self.due_on.data), countries, standing)


class NeededFor:
    """A choice that only some deeds need; the others leave it open."""

    def __init__(self, sentence: str, *deeds: Deed) -> None:
        self.sentence = sentence
        self.deeds = frozenset(deed.value for deed in deeds)

    def __call__(self, form: Any, field: Field) -> None:
        """Refuse it empty where the deed needs it; empty otherwise it is no wrong choice."""
        if field.data:
            return
        field.errors = []
        raise StopValidation(self.sentence if form.deed.data in self.deeds else "")


@dataclass(frozen=True, slots=True)
class Rest:
    """The choices of a field from ``first`` on, behind a line that opens; open where one of them is chosen."""

    first: int
    words: str
    is_open: bool


GONE_SINCE = "Somebody else changed the seats since this page was opened, and what you chose is gone. Choose again."


class AdjustForm(ContestedForm):
    """A seat given, moved, released, locked or unlocked by hand."""

    deed = RadioField("What to do", [Needed("Choose what to do.")])
    leaving = RadioField(
        "Which seat",
        [NeededFor("Choose a seat that stands.", Deed.MOVE, Deed.RELEASE, Deed.LOCK, Deed.UNLOCK)],
    )
    taking = RadioField(
        "Who takes it",
        [NeededFor("Choose who takes the seat.", Deed.GIVE, Deed.MOVE)],
        description="Needed to give a seat and to hand one over.",
    )
    due_on = DateField(
        "The assessment of who takes it is due on",
        [Optional()],
        description="The end of that day, Brussels time. Empty: the day of the seat that is handed over, or none.",
    )
    reason = TextAreaField(
        "Why", [A_PARAGRAPH], description="Needed to store the change, not to look at it; kept on the record."
    )
    # Said where what the change would do stands on the page: refused, it is worked out again.
    looked = HiddenField()
    stores = True

    def validate_due_on(self, field: DateField) -> None:
        """A day that is over makes whoever takes the seat late at once."""
        if self.deed.data in (Deed.GIVE.value, Deed.MOVE.value) and field.data is not None:
            words = past_day_words(field.data, clock.today())
            if words:
                raise ValidationError(words)

    def validate_reason(self, field: TextAreaField) -> None:
        """Only what is stored needs a reason; that it is missing is said with all the rest."""
        if self.stores and not (field.data or "").strip():
            raise ValidationError("Say why, in a sentence; it is kept on the record.")

    def is_overtaken(self, shown: AdjustPage) -> bool:
        """Whether the seats changed since the page was opened; then what was chosen and is gone is said to be so."""
        if self.version_shown() in (None, shown.version):
            return False
        for field in (self.deed, self.leaving, self.taking):
            if field.data and field.data not in {choice.value for choice in field.choices}:
                field.errors = [GONE_SINCE]
        self.comes_again(shown.version)
        return True

    def with_people(self, shown: AdjustPage) -> AdjustForm:
        """The same form with the seats that stand and the people who may take one."""
        if not self.version.data:
            self.version.data = str(shown.version)
        able = [(member, fit) for member, reason, fit in shown.people if not reason]
        deeds = [(Deed.GIVE, "Give an empty seat")] if shown.missing and able else []
        if shown.seats:
            deeds += [(Deed.MOVE, "Hand a seat over to somebody else")] if able else []
            deeds += [
                (Deed.RELEASE, "Empty a seat"), (Deed.LOCK, "Lock a seat, so that no run moves it"),
                (Deed.UNLOCK, "Unlock a seat"),
            ]  # fmt: skip
        self.deed.choices = choices((deed.value, words) for deed, words in deeds)
        if deeds and deeds[0][0] is Deed.GIVE:
            self.leaving.description = "Not needed to give an empty seat."
        self.taking.description = (
            "Only to give a seat or to hand one over."
            if shown.missing
            else "Only to hand a seat over; the other choices need nobody."
        )
        self.leaving.choices = choices(
            (seat.handle, f"{seat.name}, fit {seat.utility}{', locked' if seat.handle in shown.locked else ''}")
            for seat in shown.seats
        )
        self.taking.choices = choices(
            (member.handle, f"{member.name}, fit {fit} of 1000, has {member.load} of {member.load_max}")
            for member, fit in able
        )
        return self

    @property
    def comes_with_look(self) -> bool:
        """Whether a refused form is shown beside what it would do, as it was when it was sent."""
        return bool(self.looked.data) and not (self.deed.errors or self.leaving.errors or self.taking.errors)

    def beside_look(self) -> AdjustForm:
        """The same form on a page that shows what it would do."""
        self.looked.data = "yes"
        return self

    @property
    def asks_who(self) -> bool:
        """Whether somebody is to be chosen: a deed that gives nobody a seat, chosen by a link, asks for no name."""
        return self.deed.data not in (Deed.RELEASE.value, Deed.LOCK.value, Deed.UNLOCK.value)

    @property
    def looked_at(self) -> dict[str, str]:
        """What was chosen and typed, to be shown again beside what it would do."""
        fields = (self.deed, self.leaving, self.taking, self.due_on, self.reason, self.version)
        return {field.name: field.raw_data[0] for field in fields if field.raw_data}

    @property
    def rest(self) -> Rest | None:
        """Those who could take a seat and are not among the best; None where all are in sight."""
        others = [choice.value for choice in self.taking.choices[BEST_SHOWN:]]
        # A line that opens for a few is more work than the few.
        if len(others) <= BEST_SHOWN:
            return None
        words = f"{len(others)} more, who fit no better than those above"
        return Rest(BEST_SHOWN, words, self.taking.data in others)

    def to_input(self) -> AdjustInput:
        """The frozen input."""
        return AdjustInput(
            Deed(self.deed.data), self.leaving.data or "", self.taking.data or "", self.reason.data or "",
            end_of(self.due_on.data),
        )  # fmt: skip


class SeenForm(ContestedForm):
    """A deed in sight of what it does; ``shown`` is the hash of what was looked at."""

    shown = HiddenField()

    @property
    def shown_sha256(self) -> bytes:
        """The hash as bytes; of nonsense the hash of nothing."""
        try:
            return bytes.fromhex(self.shown.data or "")
        except ValueError:
            return b""


class SeatsTakenForm(SeenForm):
    """A file of seats, seen and confirmed with a reason."""

    text = HiddenField()
    reason = TextAreaField(
        "Why", [Needed("Write the reason; it is kept on the record."), A_PARAGRAPH],
        description="Kept with every seat that changes, and told to whoever loses one.",
    )  # fmt: skip


class RemindForm(SeenForm):
    """Which evaluators to remind, in which words."""

    message = TextAreaField(
        "Your words", [Optional(), A_PARAGRAPH], description="May stay empty. They stand in the middle of each mail."
    )
    reason = TextAreaField(
        "Why again so soon", [Optional(), A_PARAGRAPH],
        description="Only for who was reminded within the last 24 hours: without a reason they are left out.",
    )  # fmt: skip

    def to_input(self, seat_ids: Iterable[UUID]) -> RemindInput:
        """The frozen input about these seats."""
        message, reason = ((each.data or "").replace("\r\n", "\n").strip() for each in (self.message, self.reason))
        return RemindInput(tuple(dict.fromkeys(seat_ids)), message, reason)


def end_of(day: Any) -> datetime | None:
    """The last minute of a day in Brussels, or None."""
    return None if day is None else clock.local_to_utc(datetime.combine(day, time(23, 59)), clock.BRUSSELS)
