"""The form of one section, built from its questions; it reads what was typed and judges nothing, so saving is never blocked."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Field, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.core.errors import Invalid
from grants.core.money import parse_money
from grants.dossiers import rules
from grants.dossiers.rules import CONFIRMED, Answer, Mark, Question, QuestionKind, Section
from grants.web.forms import CheckboxesField, Form, choices


class SectionForm(Form):
    """What every section's form has besides its questions."""

    version = HiddenField()
    complete = BooleanField("I have finished this section")

    section: Section

    def answers(self) -> tuple[Answer, ...]:
        """What was typed or picked, question by question; file questions are answered on the files page."""
        return tuple(
            _read(question, self._fields[field_name(question.key)].data)
            for question in self.section.questions
            if question.kind is not QuestionKind.FILE
        )

    def mark(self) -> Mark:
        """Whether the person says the section is finished."""
        return Mark.COMPLETE if self.complete.data else Mark.OPEN

    def field_of(self, question_key: str) -> Field:
        """The field of one question, for the macro."""
        return self._fields[field_name(question_key)]

    def place_problems(self, error: Invalid) -> None:
        """Put sentences the act gave by question key beside their fields."""
        moved = {field_name(key): sentence for key, sentence in error.problems.items()}
        self.add_problem(Invalid(str(error), moved))


def field_name(question_key: str) -> str:
    """The name a question's field is sent under."""
    return f"answer_{question_key}"


def section_form(section: Section, answers: dict[str, Answer], version: int, mark: Mark) -> SectionForm:
    """The form of one section, filled with what is stored; a sent form overrides that by itself."""
    fields: dict[str, Any] = {
        field_name(question.key): _field(question, answers.get(question.key, Answer(question.key)))
        for question in section.questions
        if question.kind is not QuestionKind.FILE
    }
    made: type[SectionForm] = type("SectionForm", (SectionForm,), {**fields, "section": section})
    stored: dict[str, Any] = {
        field_name(question.key): _stored(question, answers.get(question.key, Answer(question.key)))
        for question in section.questions
        if question.kind is not QuestionKind.FILE
    }
    return made(data={**stored, "version": str(version), "complete": mark is Mark.COMPLETE})


def _field(question: Question, answer: Answer) -> Field:
    options: dict[str, Any] = {
        "label": question.label,
        "id": rules.anchor(question.key),
        "description": _hint(question, answer),
        "validators": [] if question.required else [Optional()],
    }
    offered = choices((choice.value, choice.label) for choice in question.choices)
    match question.kind:
        case QuestionKind.LONG:
            return TextAreaField(**options)
        case QuestionKind.CHOICE:
            # Any value is let through: rules.tidy keeps only what is offered, and nothing typed is lost by an error.
            return RadioField(**options, choices=offered, validate_choice=False)
        case QuestionKind.MULTICHOICE:
            return CheckboxesField(**options, choices=offered, validate_choice=False)
        case QuestionKind.CONFIRMATION:
            return BooleanField(**options)
        case _:
            return StringField(**options)


def _hint(question: Question, answer: Answer) -> str:
    """The hint, the limit, and how far the stored answer is: right without any script."""
    parts = [question.hint] if question.hint else []
    if question.words_max is not None:
        parts.append(f"Up to {question.words_max} words; {rules.count_words(answer.text)} so far.")
    elif question.characters_max is not None:
        parts.append(f"Up to {question.characters_max} characters; {rules.count_characters(answer.text)} so far.")
    match question.kind:
        case QuestionKind.MONEY if not answer.empty:
            parts.append(_read_as(answer))
        case QuestionKind.MONEY:
            parts.append("Euros, for example 1 250.50 or 1.250,50.")
        case QuestionKind.DATE if answer.empty:
            parts.append("For example 28 March 2027.")
        case _:
            parts.append("")
    return " ".join(part for part in parts if part)


def _read_as(answer: Answer) -> str:
    try:
        return f"Read as {parse_money(answer.text)}."
    except Invalid:
        return "Euros, for example 1 250.50 or 1.250,50."


def _stored(question: Question, answer: Answer) -> Any:
    match question.kind:
        case QuestionKind.CHOICE:
            return answer.picked[0] if answer.picked else None
        case QuestionKind.MULTICHOICE:
            return list(answer.picked)
        case QuestionKind.CONFIRMATION:
            return bool(answer.picked)
        case _:
            return answer.text


def _read(question: Question, data: Any) -> Answer:
    match question.kind:
        case QuestionKind.CHOICE:
            return Answer(question.key, picked=(str(data),) if data and data != "None" else ())
        case QuestionKind.MULTICHOICE:
            return Answer(question.key, picked=tuple(str(value) for value in data or ()))
        case QuestionKind.CONFIRMATION:
            return Answer(question.key, picked=(CONFIRMED,) if data else ())
        case _:
            return Answer(question.key, str(data or ""))
