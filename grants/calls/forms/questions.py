"""Forms of questions: asking, taking up what waits, and the answer everybody reads; choices are handed in."""

from __future__ import annotations

from wtforms import BooleanField, SelectField, TextAreaField

from grants.calls.rules.questions import AskInput, Wording
from grants.web.forms import CheckboxesField, ContestedForm, Form, Needed

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


class AnswerForm(ContestedForm):
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
