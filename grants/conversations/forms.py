"""Forms of conversations: a question, its answer for everybody, a ticket and what is said in it; choices are handed in."""

from __future__ import annotations

from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField

from grants.conversations.rules import AskInput, TicketInput, Wording
from grants.conversations.states import Queue
from grants.web.forms import CheckboxesField, ContestedForm, Form, Needed, choices

NUMBER_DIGITS_MAX = 9


class AskForm(Form):
    """A question about a call, answered for everybody."""

    text = TextAreaField("Your question", [Needed("Write your question.")])
    section = SelectField("What it is about", default="")

    def to_input(self) -> AskInput:
        """The question as its frozen value."""
        return AskInput(self.text.data or "", self.section.data or None)


class TakeForm(Form):
    """Which of the waiting questions are answered together, and by which draft."""

    asked = CheckboxesField("Questions that wait")
    into = SelectField("Answer them in", default="")

    def entry(self) -> int | None:
        """The draft they are added to, None for a new one."""
        chosen = self.into.data or ""
        # More digits have no draft: such a number is refused as one that is not there.
        return int(chosen[:NUMBER_DIGITS_MAX]) if chosen.isdecimal() else None


class WordingForm(ContestedForm):
    """A question and its answer as everybody will read them."""

    question = TextAreaField("The question, as everybody will read it")
    answer = TextAreaField("The answer")
    section = SelectField("Section of the form", default="")
    session = SelectField("Where it was asked", default="")
    note = TextAreaField("What is corrected, and why")
    sure = BooleanField("I looked at the words named above: they tell nothing about who asked")

    def to_input(self) -> Wording:
        """The wording as its frozen value."""
        session = self.session.data or ""
        return Wording(
            self.question.data or "",
            self.answer.data or "",
            self.section.data or None,
            int(session) if session.isdecimal() else None,
            bool(self.sure.data),
        )


class ReasonForm(Form):
    """Why something is not answered for everybody; whoever asked reads it."""

    reason = TextAreaField("What whoever asked will read", [Needed("Write what whoever asked will read.")])


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
