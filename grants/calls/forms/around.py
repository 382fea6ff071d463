"""Forms of what goes on around a call: information sessions and the privacy notice."""

from __future__ import annotations

from datetime import datetime

from wtforms import FileField, HiddenField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.calls.forms.deeds import DeedForm
from grants.calls.rules.expert_terms import TERMS_HEADINGS, ExpertTerms
from grants.calls.rules.privacy import HEADINGS, PrivacyText
from grants.calls.rules.sessions import SessionInput, SessionView
from grants.core import clock
from grants.web.forms import CharactersMax, DateField, Needed, TimeField


class SessionForm(DeedForm):
    """An information session: day and times on the clock of the call, where, and later its recording."""

    title = StringField("Title", [Needed("Enter a title."), CharactersMax(200)])
    day = DateField("Day", [Needed("Enter the day, for example 12 March 2027.")])
    starts = TimeField("Begins at", [Needed("Enter the time on the 24-hour clock, for example 10:00.")])
    ends = TimeField("Ends at", [Needed("Enter the time on the 24-hour clock, for example 11:30.")])
    place = StringField("Where", [Needed("Say where it is: a place, or “Online”."), CharactersMax(200)])
    link = StringField("Link to take part", [Optional(), CharactersMax(500)])
    recording = StringField("Link to the recording", [Optional(), CharactersMax(500)])
    # Shown where it is asked for.
    late_why = StringField("Why it is after the deadline", [CharactersMax(300)])

    @classmethod
    def of(cls, session: SessionView, zone: str) -> SessionForm:
        """The form with what is announced."""
        begins, ends = clock.in_zone(session.starts_at, zone), clock.in_zone(session.ends_at, zone)
        return cls(
            version=session.version,
            title=session.title,
            day=begins.date(),
            starts=begins.time(),
            ends=ends.time(),
            place=session.place,
            link=session.link or "",
            recording=session.recording or "",
        )

    def to_input(self) -> SessionInput:
        """The session as its frozen value, once the form was found good."""
        day, starts, ends = self.day.data, self.starts.data, self.ends.data
        assert day is not None and starts is not None and ends is not None
        return SessionInput(
            self.title.data or "",
            datetime.combine(day, starts),
            datetime.combine(day, ends),
            self.place.data or "",
            self.link.data or "",
            self.recording.data or "",
            self.late_why.data or "",
        )


class SlidesForm(DeedForm):
    """The slides of a session."""

    file = FileField("Slides, as a PDF")


class NoticeForm(DeedForm):
    """A version of the privacy notice, part by part."""

    controller = TextAreaField(HEADINGS["controller"])
    purpose = TextAreaField(HEADINGS["purpose"])
    legal_basis = TextAreaField(HEADINGS["legal_basis"])
    recipients = TextAreaField(HEADINGS["recipients"])
    retention = TextAreaField(HEADINGS["retention"])
    rights = TextAreaField(HEADINGS["rights"])
    contact = TextAreaField(HEADINGS["contact"])
    note = TextAreaField("What changed", [CharactersMax(1000)])

    def to_input(self) -> PrivacyText:
        """The notice as its frozen value; what is missing the act says."""
        return PrivacyText(**{name: str(self[name].data or "") for name in HEADINGS})


class ExpertTermsForm(DeedForm):
    """A version of what evaluators accept, part by part."""

    shown = HiddenField()
    contract = TextAreaField(TERMS_HEADINGS["contract"])
    confidentiality = TextAreaField(TERMS_HEADINGS["confidentiality"])
    note = TextAreaField("What changed", [CharactersMax(1000)])

    def number(self) -> int:
        """The version that stood where this was filled in."""
        given = self.shown.data or ""
        return int(given) if given.isascii() and given.isdecimal() and len(given) < 6 else 0

    def to_input(self) -> ExpertTerms:
        """The words as their frozen value; what is missing the act says."""
        return ExpertTerms(str(self.contract.data or ""), str(self.confidentiality.data or ""))
