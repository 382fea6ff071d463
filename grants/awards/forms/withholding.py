"""An award is withheld from publication by name, confirmed by another person, and named again."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from wtforms import HiddenField, RadioField, SelectField, TextAreaField

from grants.awards.rules.publication import Withheld
from grants.awards.states import WithheldGround
from grants.web.forms import A_PARAGRAPH, ContestedForm, Needed, choices


class WithholdForm(ContestedForm):
    """Which award is not published, and why."""

    award = SelectField("Which award", [Needed("Choose the award.")])
    ground = RadioField(
        "Why it is not published",
        choices=choices((each.value, each.words) for each in WithheldGround),
        validators=[Needed("Choose why it is not published.")],
    )
    why = TextAreaField(
        "What shows that",
        [Needed("Write why this award is not published."), A_PARAGRAPH],
        description="It stands beside the award for those who may see it, and in the record. Nobody else reads it.",
    )

    def offer(self, awards: Iterable[tuple[UUID, str]]) -> WithholdForm:
        """What can be withheld."""
        self.award.choices = choices([("", "Choose an award"), *((str(key), words) for key, words in awards)])
        return self


class ConfirmWithheldForm(ContestedForm):
    """That one award is withheld is confirmed."""

    entry = HiddenField(validators=[Needed("Choose the award.")])


class NameAgainForm(ContestedForm):
    """Which award is withheld no more, and why."""

    entry = SelectField("Which award", [Needed("Choose the award.")])
    end_reason = TextAreaField(
        "Why it can be published now", [Needed("Write why it can be published now."), A_PARAGRAPH]
    )

    def offer(self, withheld: Iterable[Withheld]) -> NameAgainForm:
        """What this person may name again."""
        shown = [(str(each.entry), f"{each.title} ({each.reference})") for each in withheld]
        self.entry.choices = choices([("", "Choose an award"), *shown])
        return self
