"""Forms of a meeting of the panel: planning it, its agenda, what is done on the item that is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.awards.rules.panel import MeetingInput, checked
from grants.awards.states import Vote
from grants.core import clock
from grants.identity.rules import Person
from grants.web.forms import (
    A_PARAGRAPH,
    WORDS_OF_A_TITLE,
    CharactersMax,
    CheckboxesField,
    ContestedForm,
    DateField,
    DeedForm,
    Needed,
    TimeField,
    choices,
)

NUMBER_MAX = 10_000


class MeetingForm(ContestedForm):
    """A meeting as it is planned; who may be chosen is given by the page."""

    title = StringField("Title", [Needed("Write a title, for example “Panel, first day”."), WORDS_OF_A_TITLE])
    day = DateField("Day", [Needed("Enter the day, for example 1 March 2023.")])
    time = TimeField("Time", [Needed("Enter the time on the 24-hour clock, for example 9:00.")])
    chair = SelectField("Chair", [Needed("Choose who leads the meeting.")])
    deputy = SelectField(
        "Deputy chair", [Optional()], description="Leads the items that a conflict of interest keeps the chair from."
    )
    members = CheckboxesField("Members", description="Everybody else who votes.")
    minutes = SelectField("Minute-taker", [Needed("Choose who takes the minutes.")], description="Has no vote.")
    quorum = IntegerField("Quorum", [Needed("Write how many people who may vote must be there.")])
    minutes_an_item = IntegerField("Minutes for each item", [Needed("Write how long an item should take.")], default=15)

    @classmethod
    def among(cls, panel: Sequence[Person], writers: Sequence[Person], **given: Any) -> MeetingForm:
        """The form with these people to choose from."""
        form = cls(**given)
        voters = [(str(person.id), person.name) for person in panel]
        form.chair.choices = choices([("", "Choose"), *voters])
        form.deputy.choices = choices([("", "Nobody"), *voters])
        form.members.choices = choices(voters)
        form.minutes.choices = choices([("", "Choose"), *((str(person.id), person.name) for person in writers)])
        return form

    def checks(self) -> Iterable[Callable[[], object]]:
        """Who is what in the meeting, and how many of them must be there."""
        yield lambda: checked(self._among(clock.now()))

    def to_input(self, zone: str) -> MeetingInput:
        """The meeting as a frozen value; its time is on the clock of the call."""
        assert self.day.data is not None and self.time.data is not None, "both are needed"
        return self._among(clock.local_to_utc(datetime.combine(self.day.data, self.time.data), zone))

    def _among(self, starts_at: datetime) -> MeetingInput:
        """The meeting as typed, begun at a moment."""
        chair, minutes = _chosen(self.chair.data), _chosen(self.minutes.data)
        deputy = _chosen(self.deputy.data)
        members = tuple(each for each in map(_chosen, self.members.data or ()) if each and each not in (chair, deputy))
        quorum, length = (min(max(field.data or 0, 0), NUMBER_MAX) for field in (self.quorum, self.minutes_an_item))
        return MeetingInput(self.title.data or "", starts_at, quorum, length, chair, deputy, members, minutes)


def _chosen(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None


class OrderForm(ContestedForm):
    """The order of the agenda."""

    references = TextAreaField(
        "Order of the agenda",
        [CharactersMax(100_000)],
        description="One reference a line, the first first. What you leave out comes after them.",
    )

    def named(self) -> tuple[str, ...]:
        """The references in their order."""
        return tuple(line.strip() for line in (self.references.data or "").splitlines() if line.strip())


class ProposalForm(ContestedForm):
    """What the chair puts to the vote."""

    proposal = TextAreaField(
        "Proposal", [Needed("Write what is proposed, for example “Recommend it for funding”."), A_PARAGRAPH]
    )


class CountForm(DeedForm):
    """A deed on a proposal of the item that was open when the page was shown."""

    about = HiddenField()

    def shown_with(self) -> str | None:
        """The reference of the application it was shown with; None where none was sent."""
        return self.about.data if self.about.raw_data else None


class VoteForm(CountForm):
    """A vote by name on one proposal."""

    number = HiddenField()
    vote = RadioField(
        "Your vote", [Needed("Choose how you vote.")], choices=choices((each.value, each.words) for each in Vote)
    )

    def proposal_number(self) -> int:
        """Which proposal was on the page; 0 where it was none of ours."""
        text = str(self.number.data or "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


class ReorderForm(ContestedForm):
    """A change of order between two applications of equal score."""

    other = SelectField("Put this application before", [Needed("Choose the other application.")])
    reason = TextAreaField("Why the order is changed", [Needed("Write why the order is changed."), A_PARAGRAPH])


class RecommendForm(ContestedForm):
    """A change of what the panel recommends."""

    text = TextAreaField("What the panel recommends", [Needed("Write what is recommended."), A_PARAGRAPH])
    reason = TextAreaField("Why it is changed", [Needed("Write why it is changed."), A_PARAGRAPH])


class RemarkForm(DeedForm):
    """What the minutes say of an item beside what the system logs."""

    remark = TextAreaField("Remark for the minutes", [Needed("Write the remark."), A_PARAGRAPH])
