"""Forms by which a published call is changed."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from grants.calls.forms.dates import FOLD_CHOICES
from grants.calls.forms.deeds import DeedForm
from grants.calls.rules import CorrigendumInput, DeadlineInput
from grants.core.clock import Fold
from grants.core.errors import Invalid
from grants.web.forms import CharactersMax, DateField, Needed, TimeField, choices


class CorrigendumForm(DeedForm):
    """Why a published call changes, and what was decided about its deadline."""

    stands_at: ClassVar = {"local": "day"}

    reason = TextAreaField("Why the call changes", [Needed("Say why the call changes."), CharactersMax(2000)])
    decision = RadioField(
        "The deadline",
        [Needed("Say what you decided about the deadline.")],
        choices=choices([("kept", "It is kept: the time that is left is enough"), ("moved", "It is moved")]),
    )
    kept_reason = TextAreaField("If it is kept, why the time is enough", [CharactersMax(1000)])
    day = DateField("If it is moved, the new day")
    time = TimeField("At what time")
    fold = RadioField("If the clocks go back that night and this time comes twice", choices=FOLD_CHOICES, default="")
    moved_reason = TextAreaField("If it is moved, why so far", [CharactersMax(1000)])

    def validate_moved_reason(self, field: TextAreaField) -> None:
        """A reason is needed where the deadline is moved."""
        if self.decision.data != "moved":
            return
        if not (field.data or "").strip():
            raise ValidationError("Say why the deadline moves to that time.")

    def to_input(self) -> CorrigendumInput:
        """The decision as its frozen value."""
        if self.decision.data != "moved":
            return CorrigendumInput(self.reason.data or "", None, self.kept_reason.data or "")
        words, fold = self.moved_reason.data or "", Fold(self.fold.data) if self.fold.data else None
        if self.day.data is None or self.time.data is None:
            sentence = "Enter the day and the time of the new deadline."
            raise Invalid(sentence, {"day": sentence})
        local = datetime.combine(self.day.data, self.time.data)
        return CorrigendumInput(self.reason.data or "", DeadlineInput(local, words, words, fold))


class WordingForm(DeedForm):
    """What everybody reads of corrected wording; without it the program writes the note itself."""

    note = StringField("Note on the page of the call", [Optional(), CharactersMax(300)])
