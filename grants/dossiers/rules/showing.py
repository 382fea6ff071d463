"""Answers as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from grants.core.clock import long_date, read_date
from grants.core.errors import Invalid
from grants.core.money import Money, parse_money
from grants.dossiers.markup import Block, blocks, plain
from grants.dossiers.rules.finding import asked
from grants.dossiers.rules.typed import count_words, table_rows
from grants.dossiers.rules.values import CONFIRMED, Answer, Definition, DossierContent, Question, QuestionKind, Section


def shown(question: Question, answer: Answer) -> str:
    """The answer as text for people: labels for picks, one spelling for amounts, numbers and dates that can be read."""
    labels = {choice.value: choice.label for choice in question.choices}
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            return "; ".join(labels.get(value, value) for value in answer.picked)
        case QuestionKind.CONFIRMATION:
            return "Confirmed" if answer.picked else ""
        case QuestionKind.FILE:
            return ""
        case QuestionKind.TABLE:
            return "\n".join(
                "; ".join(
                    f"{column.label}: {cell}" for column, cell in zip(question.columns, row, strict=False) if cell
                )
                for row in table_rows(question, answer.text)
            )
        case QuestionKind.MONEY | QuestionKind.DATE:
            return _as_read(question, answer.text)
        case _:
            return answer.text


def _as_read(question: Question, text: str) -> str:
    try:
        return str(parse_money(text)) if question.kind is QuestionKind.MONEY else long_date(read_date(text))
    except Invalid:
        return text


def paragraphs(text: str) -> tuple[Block, ...]:
    """The text as paragraphs and lists, so that a page or a PDF keeps what was pasted."""
    return blocks(text)


def condition_words(definition: Definition, question: Question) -> str:
    """When a question is asked, for its page: which answer to which question; empty where it always is."""
    if question.asked_if is None:
        return ""
    on = definition.question(question.asked_if.question)
    if on is None:
        return ""
    labels = {choice.value: choice.label for choice in on.choices} | {CONFIRMED: "confirmed"}
    wanted = " or ".join(f"\u201c{labels.get(each, each)}\u201d" for each in question.asked_if.answers)
    label = ANSWER_NAMED.sub("\u2026", on.label)
    return (
        f"Asked only if your answer to \u201c{label}\u201d is {wanted}."
        if wanted
        else f"Asked only if you answered \u201c{label}\u201d."
    )


# Stands in a text for what was answered to an earlier question.
ANSWER_NAMED = re.compile(r"\{answer:([a-z][a-z0-9_]*)\}")


def with_answers(
    section: Section, definition: Definition, answers: Mapping[str, Answer], *, is_ahead: bool = False
) -> Section:
    """The section with what was answered before put where its texts refer to it.

    ``is_ahead``: the text is read before the answer is given, so what is missing is told by its question.
    """

    def told(text: str) -> str:
        return ANSWER_NAMED.sub(lambda match: _told(definition.question(match[1]), answers, is_ahead=is_ahead), text)

    if "{answer:" not in repr((section.intro, [(q.label, q.hint) for q in section.questions])):
        return section
    questions = tuple(replace(q, label=told(q.label), hint=told(q.hint)) for q in section.questions)
    return replace(section, intro=told(section.intro), questions=questions)


def _told(question: Question | None, answers: Mapping[str, Answer], *, is_ahead: bool) -> str:
    answer = None if question is None else answers.get(question.key)
    text = "" if question is None or answer is None else " ".join(shown(question, answer).split())
    if not text and is_ahead and question is not None:
        label = ANSWER_NAMED.sub("\u2026", question.label)
        return f"(your answer to \u201c{label}\u201d)"
    return text[:200] or "(not answered yet)"


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """One question with its answer made ready to read."""

    question: Question
    answer: Answer
    paragraphs: tuple[Block, ...]
    words: int


@dataclass(frozen=True, slots=True)
class AnsweredSection:
    """One section made ready to read."""

    section: Section
    items: tuple[AnsweredQuestion, ...]


def answered(content: DossierContent) -> tuple[AnsweredSection, ...]:
    """The whole document made ready to read: for the print view, the check page, evaluators and the PDF."""
    by_key = {answer.question: answer for answer in content.answers}
    sections = (with_answers(section, content.definition, by_key) for section in content.definition.sections)
    return tuple(
        AnsweredSection(section, tuple(_answered(q, content) for q in section.questions if asked(q, by_key)))
        for section in sections
    )


def _answered(question: Question, content: DossierContent) -> AnsweredQuestion:
    answer = content.answer(question.key)
    made = blocks if question.kind is QuestionKind.LONG else plain
    return AnsweredQuestion(question, answer, made(shown(question, answer)), count_words(answer.text))


def amount_of(answer: Answer) -> Money | None:
    """The amount a money answer holds, or None while it cannot be read."""
    try:
        return parse_money(answer.text)
    except Invalid:
        return None
