"""What is typed to suspend a grant or the part of one beneficiary, and to lift that."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import RadioField, SelectField, TextAreaField

from grants.agreements.rules import GrantView, HoldInput
from grants.agreements.states import HoldReason
from grants.web.forms import A_PARAGRAPH, DateField, Form, Needed, choices

ALL = "all"


class HoldForm(Form):
    """What is suspended, why, from which day, and the notice that is sent."""

    whose = SelectField("What is suspended")
    reason = RadioField(
        "Why",
        choices=choices((each.value, each.words) for each in HoldReason),
        validators=[Needed("Choose why.")],
    )
    words = TextAreaField(
        "What happened, and what has to be mended", [A_PARAGRAPH, Needed("Say it in a few sentences.")]
    )
    from_on = DateField("Suspended from", [Needed("Enter the first day, for example 3 May 2024.")])
    file = FileField("The notice that is sent to the city", [Needed("Choose the notice: a PDF or a picture of it.")])

    def to_input(self) -> HoldInput:
        """The typed suspension."""
        whose = str(self.whose.data)
        return HoldInput(
            None if whose == ALL else UUID(whose),
            HoldReason(self.reason.data),
            str(self.words.data),
            self.from_on.data or date.min,
        )


def hold_form(grant: GrantView, today: date) -> HoldForm:
    """The form with the beneficiaries of one grant."""
    form = HoldForm(data={"from_on": today, "whose": ALL})
    form.whose.choices = choices(
        [
            (ALL, "The whole grant"),
            *((str(each.organisation_id), f"The part of {each.name}") for each in grant.beneficiaries),
        ]
    )
    return form


class LiftHoldForm(Form):
    """Why a suspension is lifted."""

    words = TextAreaField("What was mended, or why it is lifted", [A_PARAGRAPH, Needed("Say it in a sentence.")])
