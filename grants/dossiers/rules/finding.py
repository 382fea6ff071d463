"""What is asked of whom, and what keeps an answer, a section or the whole from being sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from grants.core.clock import read_date
from grants.core.errors import Invalid, Problem
from grants.core.money import parse_money
from grants.dossiers.rules.showing import shown
from grants.dossiers.rules.typed import ROWS_MAX, count_characters, length_problem, read_number, table_rows
from grants.dossiers.rules.values import (
    CONFIRMED,
    Answer,
    Column,
    Definition,
    Mark,
    Question,
    QuestionKind,
    Section,
    SectionState,
)


def asked(question: Question, answers: Mapping[str, Answer]) -> bool:
    """Whether a question is asked at all, by what was answered to the one it depends on."""
    if question.asked_if is None:
        return True
    given = answers.get(question.asked_if.question, Answer(question.asked_if.question))
    wanted = question.asked_if.answers
    return not given.empty and (not wanted or given.text.strip() in wanted or any(p in wanted for p in given.picked))


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


def anchor(question_key: str) -> str:
    """The id of a question's field on its page: what a problem's link lands on."""
    return f"answer-{question_key}"


def question_problem(question: Question, answer: Answer) -> str | None:
    """What is wrong with one answer, as a sentence with the limit and the way out, or None.

    >>> question_problem(Question("a", "Summary", QuestionKind.LONG, words_max=2), Answer("a", "one two three"))
    '“Summary” has 3 words; the limit is 2. Cut 1 word.'
    """
    if answer.empty:
        return f"\u201c{question.label}\u201d {_what_is_missing(question)}" if question.required else None
    try:
        match question.kind:
            case QuestionKind.SHORT | QuestionKind.LONG:
                return _too_long(question, answer.text)
            case QuestionKind.NUMBER:
                read_number(answer.text)
            case QuestionKind.MONEY:
                parse_money(answer.text)
            case QuestionKind.DATE:
                read_date(answer.text)
            case QuestionKind.TABLE:
                return _table_problem(question, answer.text)
            case QuestionKind.MULTICHOICE if question.picks_max and len(answer.picked) > question.picks_max:
                over = len(answer.picked) - question.picks_max
                return (
                    f"\u201c{question.label}\u201d has {len(answer.picked)} picked; the limit is {question.picks_max}."
                    f" Take {over} back."
                )
            case QuestionKind.CHOICE | QuestionKind.MULTICHOICE | QuestionKind.CONFIRMATION | QuestionKind.FILE:
                return None
            case never:
                assert_never(never)
    except Invalid as error:
        return f"\u201c{question.label}\u201d: {error}"
    return None


# What is typed as signs and read as something else.
_READ_KINDS = frozenset({QuestionKind.NUMBER, QuestionKind.MONEY, QuestionKind.DATE})


_THREE_AFTER_A_MARK = re.compile(r"[-\u2212]?([1-9][0-9]{0,2})[.,]([0-9]{3})")


def two_meanings(question: Question, answer: Answer) -> str:
    """How a number is read that may be meant otherwise, as a sentence; empty where there is no doubt.

    >>> two_meanings(Question("a", "A", QuestionKind.NUMBER), Answer("a", "12.345"))
    'It is read as 12 and a fraction of three decimals. Tick it if that is right; if 12 345 is meant, write it so.'
    >>> table = Question("t", "T", QuestionKind.TABLE, columns=(Column("n", "Trees", QuestionKind.NUMBER),))
    >>> two_meanings(table, Answer("t", "5\\n1,234"))[:39]
    'Row 2, “Trees”: It is read as 1 and a f'
    """
    if question.kind is QuestionKind.TABLE:
        cells = (
            (number, column.label, two_meanings(wanted, cell))
            for number, row in enumerate(_cells(question, answer.text), 1)
            for column, wanted, cell in row
        )
        # The first one stops whoever reads; the others are told once it is settled.
        return next((f"Row {number}, “{label}”: {doubt}" for number, label, doubt in cells if doubt), "")
    found = _THREE_AFTER_A_MARK.fullmatch(answer.text.strip()) if question.kind is QuestionKind.NUMBER else None
    if found is None:
        return ""
    whole, rest = found.groups()
    return (
        f"It is read as {whole} and a fraction of three decimals. "
        f"Tick it if that is right; if {whole} {rest} is meant, write it so."
    )


def _cells(question: Question, text: str) -> Iterator[list[tuple[Column, Question, Answer]]]:
    """Each row of a table as its columns, each with a cell asked and answered like a question of its own."""
    for row in table_rows(question, text):
        yield [
            (
                column,
                Question(column.key, column.label, column.kind, required=column.required),
                Answer(column.key, cell),
            )
            for column, cell in zip(question.columns, row, strict=True)
        ]


def unreadable(question: Question, answer: Answer) -> bool:
    """Whether a number, an amount or a day was answered, or stands in a cell, that cannot be read as one.

    >>> unreadable(Question("a", "A", QuestionKind.NUMBER), Answer("a", "many"))
    True
    """
    if question.kind is QuestionKind.TABLE:
        return any(unreadable(wanted, cell) for row in _cells(question, answer.text) for _, wanted, cell in row)
    return question.kind in _READ_KINDS and not answer.empty and question_problem(question, answer) is not None


def _table_problem(question: Question, text: str) -> str | None:
    """The first cell that cannot stand, by its row and column; a table that is too long says by how much."""
    rows, most = table_rows(question, text), question.rows_max or ROWS_MAX
    if len(rows) > most:
        return f"\u201c{question.label}\u201d has {len(rows)} rows; the limit is {most}. Take out {len(rows) - most}."
    for number, row in enumerate(rows, 1):
        for column, cell in zip(question.columns, row, strict=True):
            as_question = Question(column.key, column.label, column.kind, required=column.required)
            sentence = question_problem(as_question, Answer(column.key, cell))
            if sentence:
                return f"\u201c{question.label}\u201d, row {number}: {sentence}"
    return None


def _what_is_missing(question: Question) -> str:
    match question.kind:
        case QuestionKind.CONFIRMATION:
            return "is not confirmed yet. Confirm it."
        case QuestionKind.FILE:
            return "has no file yet. Attach one."
        case QuestionKind.CHOICE:
            return "has nothing chosen yet. Choose one."
        case QuestionKind.MULTICHOICE:
            return "has nothing chosen yet. Choose at least one."
        case _:
            return "has no answer yet. Write one."


def _too_long(question: Question, text: str) -> str | None:
    if question.words_max is not None and (
        sentence := length_problem(f"\u201c{question.label}\u201d", text, question.words_max)
    ):
        return sentence
    if question.characters_max is not None and (signs := count_characters(text)) > question.characters_max:
        over = signs - question.characters_max
        return (
            f"\u201c{question.label}\u201d has {signs} characters; the limit is {question.characters_max}. Cut {over}."
        )
    return None


def section_problems(section: Section, answers: Mapping[str, Answer]) -> tuple[Problem, ...]:
    """Every problem of one section, in the order of its questions; ``place`` is ``section#field-id``."""
    found = []
    for question in section.questions:
        sentence = question_problem(question, answers.get(question.key, Answer(question.key)))
        if sentence and asked(question, answers):
            found.append(Problem(f"{section.key}#{anchor(question.key)}", sentence))
    return tuple(found)


def section_state(section: Section, answers: Mapping[str, Answer], mark: Mark) -> SectionState:
    """What the task list says. Marking a section complete does not hide what is wrong with it."""
    given = [answers.get(question.key, Answer(question.key)) for question in section.questions]
    if mark is Mark.COMPLETE:
        return SectionState.NEEDS_A_FIX if section_problems(section, answers) else SectionState.COMPLETED
    if all(answer.empty for answer in given):
        return SectionState.NOT_STARTED
    return SectionState.IN_PROGRESS
