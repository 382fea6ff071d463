"""The form of one section, built from its questions; it reads what was typed and judges nothing, so saving is never blocked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import request
from wtforms import BooleanField, Field, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.core.errors import Invalid
from grants.core.money import parse_money
from grants.core.text import without_turns
from grants.dossiers import rules
from grants.dossiers.merging import UNSEEN, Shown
from grants.dossiers.queries import SectionView
from grants.dossiers.rules import CONFIRMED, Answer, Mark, Question, QuestionKind, Section
from grants.web.forms import VERSION_DIGITS_MAX, CheckboxesField, Form, choices

# Before the key of a question: the name its field is sent under.
ANSWER = "answer_"
# Before the key of a contested question: which of the texts offered shall stand.
CHOOSE = "choose_"


class Side(StrEnum):
    """What is chosen after a clash: the text in the field, what is stored, or the draft of both."""

    MINE = "mine"
    THEIRS = "theirs"
    MERGED = "merged"


class TableField(Field):
    """A question answered by a table: a box for each cell, some empty rows at the end; its data is the text as kept."""

    def __init__(self, *args: Any, question: Question, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.question = question

    def rows(self) -> list[tuple[str, ...]]:
        """The rows to show, with three more to write in as long as the limit allows."""
        written = list(rules.table_rows(self.question, self.data or ""))
        most = self.question.rows_max or rules.ROWS_MAX
        empty = ("",) * len(self.question.columns)
        return written + [empty] * max(0, min(3, most - len(written)))

    def process_formdata(self, valuelist: list[str]) -> None:
        """The cells as a browser sends them, as the text that is kept."""
        if valuelist:
            self.data = rules.read_typed(self.question, valuelist).text


class SectionForm(Form):
    """What every section's form has besides its questions and the number of each answer it shows."""

    # What was said of the section when the form was made: a mark is changed only by whoever changes it.
    marked = HiddenField()
    complete = BooleanField("I have finished this section")

    section: Section

    def answers(self) -> tuple[Answer, ...]:
        """What was typed, picked or chosen after a clash, by question; file questions are answered on the files page."""
        return tuple(self._answer(question) for question in answerable(self.section))

    def _answer(self, question: Question) -> Answer:
        chosen = request.form.get(f"{CHOOSE}{question.key}", Side.MINE.value)
        if chosen in (Side.THEIRS.value, Side.MERGED.value):
            return rules.read_typed(question, request.form.getlist(f"{chosen}_{question.key}"))
        return _read(question, self._fields[field_name(question.key)].data)

    def shown(self) -> tuple[Shown, ...]:
        """Which version of each answer its writer saw; one that is missing or no number was seen by nobody."""
        return tuple(
            Shown(question.key, read_number(self._fields[number_name(question.key)].data))
            for question in answerable(self.section)
        )

    def mark(self) -> Mark | None:
        """Whether the person says the section is finished, or open again; None where they left that as it was."""
        said = Mark.COMPLETE if self.complete.data else Mark.OPEN
        return None if said.value == str(self.marked.data) else said

    def field_of(self, question_key: str) -> Field:
        """The field of one question, for the macro."""
        return self._fields[field_name(question_key)]

    def place_problems(self, error: Invalid) -> None:
        """Put sentences the act gave by question key beside their fields."""
        moved = {field_name(key): sentence for key, sentence in error.problems.items()}
        self.add_problem(Invalid(str(error), moved))


# As many texts as a form of one section may hold besides.
UNASKED_MAX = 50


@dataclass(frozen=True, slots=True)
class Unasked:
    """Words for a question that its section does not ask any more, with what it was called. ``is_gone``: asked nowhere."""

    label: str
    text: str
    is_gone: bool


def typed_unasked(asked: Collection[str], elsewhere: Iterable[tuple[str, Unasked]]) -> tuple[Unasked, ...]:
    """Words the sent form holds for questions its section does not ask any more, to be read and copied.

    ``elsewhere``: the questions known apart from this section and what is kept of them, by their keys; it gives them their
    names, and words kept there already as they were typed are left out.
    """
    known: dict[str, Unasked] = {}
    kept = set()
    for key, each in elsewhere:
        known[key] = each
        kept.add((key, " ".join(each.text.split())))
    found = []
    for name in dict.fromkeys(request.form):
        key = name.removeprefix(ANSWER)
        text = "\n".join(without_turns(each) for each in request.form.getlist(name) if each.strip())
        if not name.startswith(ANSWER) or key in asked or not text or (key, " ".join(text.split())) in kept:
            continue
        before = known.get(key, Unasked("a question of this section", "", is_gone=True))
        found.append(Unasked(before.label, text, before.is_gone))
    return tuple(found[:UNASKED_MAX])


def answerable(section: Section) -> tuple[Question, ...]:
    """The questions answered on the section's own page."""
    return tuple(question for question in section.questions if question.kind is not QuestionKind.FILE)


def field_name(question_key: str) -> str:
    """The name a question's field is sent under."""
    return f"{ANSWER}{question_key}"


def number_name(question_key: str) -> str:
    """The name under which a form says which version of an answer it showed."""
    return f"number_{question_key}"


def read_number(text: object) -> int:
    """The number of a version as a form carries it; anything else is a version nobody was shown."""
    typed = str(text if text is not None else "")
    return int(typed) if typed.isdecimal() and len(typed) <= VERSION_DIGITS_MAX else UNSEEN


def section_form(found: SectionView) -> SectionForm:
    """The form of one section, filled with what is stored; a sent form overrides that by itself."""
    return _made(found, {})


def form_after_clash(found: SectionView, typed: Iterable[Answer]) -> SectionForm:
    """A form made in sight of what stands now, in which only these answers are what was typed."""
    return _made(found, {answer.question: answer for answer in typed}, formdata=None)


def _made(found: SectionView, typed: Mapping[str, Answer], **options: Any) -> SectionForm:
    fields: dict[str, Any] = {"section": found.section}
    filled: dict[str, Any] = {"complete": found.mark is Mark.COMPLETE, "marked": found.mark.value}
    for question in answerable(found.section):
        item = found.question(question.key)
        fields[field_name(question.key)] = _field(question, item.answer)
        fields[number_name(question.key)] = HiddenField()
        filled[field_name(question.key)] = _stored(question, typed.get(question.key, item.answer))
        filled[number_name(question.key)] = str(item.number)
    made: type[SectionForm] = type("SectionForm", (SectionForm,), fields)
    return made(data=filled, **options)


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
        case QuestionKind.TABLE:
            return TableField(**options, question=question)
        case _:
            return StringField(**options)


def _hint(question: Question, answer: Answer) -> str:
    """The hint, the limit, and how far the stored answer is: right without any script."""
    parts = [question.hint] if question.hint else []
    if question.kind is QuestionKind.TABLE:
        parts.append(f"Up to {question.rows_max or rules.ROWS_MAX} rows. Save to get more empty ones.")
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
