"""What is typed to begin, offer, sign and end a grant, and about who acts for its city."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField

from grants.agreements.rules import (
    ContactInput,
)
from grants.agreements.states import ContactRole
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, DateField, Form, Needed, choices


class PrepareForm(Form):
    """The planned first day of the pilot."""

    starts_on = DateField("First day of the pilot", [Needed("Enter the first day, for example 1 June 2023.")])


class ContactForm(Form):
    """A person of the coordinator."""

    name = StringField("Name", [WORDS_OF_A_TITLE, Needed("Enter the person’s name.")])
    email = StringField("E-mail address", [Needed("Enter the person’s e-mail address.")])
    role = RadioField(
        "What the person does",
        choices=choices((role.value, role.words) for role in ContactRole),
        validators=[Needed("Choose what the person does.")],
    )

    def to_input(self) -> ContactInput:
        """The typed person."""
        return ContactInput(str(self.name.data), str(self.email.data), ContactRole(self.role.data))


class ReasonForm(Form):
    """A deed that needs its reason."""

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Give the reason in a sentence.")])


class TakeBackForm(ReasonForm):
    """Why an offer is taken back, and which: the one the page showed."""

    offer_no = HiddenField()

    def offer_shown(self) -> int:
        """The number of the offer the page showed; 0, which none has, where it said none."""
        sent = str(self.offer_no.data or "")
        return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 5 else 0


class DismissForm(ReasonForm):
    """Why a person's part ends, and whether they do not belong to the city at all."""

    leaves = BooleanField("The person does not belong to this organisation at all: end that too")


class OfferForm(Form):
    """Nothing but the deed, about the text that was shown."""

    document_sha256 = HiddenField()


class SignForm(Form):
    """The capacity in which somebody signs, and the text that was shown."""

    document_sha256 = HiddenField()
    capacity = StringField(
        "You sign as", [WORDS_OF_A_TITLE, Needed("Say in which capacity you sign, for example Deputy Mayor.")]
    )


class EndForm(ReasonForm):
    """Another last day, and why."""

    ends_on = DateField("Last day of the preparation", [Needed("Enter the day, for example 30 June 2023.")])
