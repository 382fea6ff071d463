"""What is typed to end a grant before its time, to object to that, and to confirm or withdraw it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import RadioField, SelectField, TextAreaField

from grants.agreements.forms.holding import ALL
from grants.agreements.rules import (
    GrantView,
    TerminationInput,
    TerminationView,
    parts_open,
    standing,
)
from grants.agreements.states import TerminationReason
from grants.core import clock
from grants.web.forms import A_PARAGRAPH, DateField, Form, Needed, choices


class TerminationForm(Form):
    """What is to end and why, from which day on, until when the other side may object, and the notice."""

    whose = SelectField("What is to end")
    reason = RadioField(
        "Why",
        choices=choices((each.value, each.words) for each in TerminationReason),
        validators=[Needed("Choose why.")],
    )
    words = TextAreaField("What happened", [A_PARAGRAPH, Needed("Say it in a few sentences.")])
    objections_until = DateField(
        "The other side may object until", [Needed("Enter the last day, for example 3 June 2024.")]
    )
    wanted_on = DateField("First day without work", [Needed("Enter the day, for example 4 June 2024.")])
    file = FileField(
        "The notice that is sent to the other side", [Needed("Choose the notice: a PDF or a picture of it.")]
    )

    def to_input(self) -> TerminationInput:
        """The typed termination."""
        return TerminationInput(
            TerminationReason(self.reason.data),
            str(self.words.data),
            self.wanted_on.data or date.min,
            self.objections_until.data or date.min,
            None if self.whose.data == ALL else UUID(str(self.whose.data)),
        )


def termination_form(grant: GrantView, today: date) -> TerminationForm:
    """The form with the first days that may be named, and what of a grant may be named: all of it, or a partner’s part."""
    last = clock.add_days(today, grant.objection_days)
    form = TerminationForm(data={"whose": ALL, "objections_until": last, "wanted_on": clock.add_days(last, 1)})
    whole = [(ALL, "The whole grant")] if standing(grant.terminations) is None else []
    form.whose.choices = choices(
        [*whole, *((str(each.organisation_id), f"The part of {each.name}") for each in parts_open(grant))]
    )
    return form


class ObjectionForm(Form):
    """What speaks against a termination."""

    words = TextAreaField("What speaks against it", [A_PARAGRAPH, Needed("Say it in a few sentences.")])


class ConfirmTerminationForm(Form):
    """The day a termination takes effect, and on what the decision rests."""

    effective_on = DateField("First day without work", [Needed("Enter the day, for example 4 June 2024.")])
    answer = TextAreaField(
        "On what the decision rests, and the answer to the objection", [A_PARAGRAPH, Needed("Say it in a sentence.")]
    )


def confirm_termination_form(found: TerminationView, today: date) -> ConfirmTerminationForm:
    """The form with the day that was proposed, or today where that has passed."""
    return ConfirmTerminationForm(data={"effective_on": max(found.wanted_on, today)})


class WithdrawTerminationForm(Form):
    """Why a termination is withdrawn."""

    words = TextAreaField("Why it is withdrawn", [A_PARAGRAPH, Needed("Say it in a sentence.")])
