"""Forms of conversations: a ticket and what is said in it; choices are handed in."""

from __future__ import annotations

from wtforms import RadioField, SelectField, StringField, TextAreaField

from grants.conversations.rules import TicketInput
from grants.conversations.states import Queue
from grants.web.forms import Form, Needed, choices


class TicketForm(Form):
    """A request for help, about a call or an application one works on."""

    queue = RadioField(
        "What you need help with",
        [Needed("Choose what you need help with.")],
        choices=choices(
            [
                (Queue.TECHNICAL.value, "Something in this service does not work, or I do not find it"),
                (Queue.CONTENT.value, "What the call asks, or my own case in it"),
            ]
        ),
    )
    about = SelectField("What it is about", [Needed("Choose what it is about.")])
    title = StringField("Subject", [Needed("Write a subject, for example: cannot attach the letter of mandate.")])
    text = TextAreaField("Your question", [Needed("Write your question.")])

    def to_input(self) -> TicketInput:
        """The request as its frozen value, once the form was found good."""
        return TicketInput(Queue(self.queue.data), self.about.data or "", self.title.data or "", self.text.data or "")


class SayForm(Form):
    """A message in a conversation, or a deed on it."""

    text = TextAreaField("Your message")
