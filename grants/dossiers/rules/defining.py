"""Definitions of a form: whether one is sound, what becomes of an answer under a newer one, and their JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grants.core import encoding
from grants.core.errors import Problem, quoted
from grants.core.file_types import FileType
from grants.dossiers.rules.finding import ANSWER_NAMED
from grants.dossiers.rules.typed import ROWS_MAX, table_rows, table_text, tidy
from grants.dossiers.rules.values import (
    COLUMN_KINDS,
    PICKED_KINDS,
    Answer,
    AskedIf,
    Definition,
    DossierContent,
    Question,
    QuestionKind,
    Section,
)


def moved_answer(before: Question, after: Question, answer: Answer) -> Answer:
    """The answer to a question as it stands once the question is asked in another way; what has no place in it is left
    out, and a table keeps the cells of the columns that are still there.

    >>> moved_answer(Question("a", "A", QuestionKind.LONG), Question("a", "A", QuestionKind.SHORT), Answer("a", "x")).text
    'x'
    """
    if before.kind is after.kind is QuestionKind.TABLE and _column_keys(before) != _column_keys(after):
        places = {column.key: place for place, column in enumerate(before.columns)}
        rows = table_rows(before, answer.text)
        kept = [[row[places[c.key]] if c.key in places else "" for c in after.columns] for row in rows]
        return tidy(after, Answer(answer.question, table_text(kept)))
    if before.kind is after.kind is QuestionKind.FILE:
        return answer
    if (before.kind in PICKED_KINDS) != (after.kind in PICKED_KINDS):
        return Answer(answer.question)
    if before.kind in PICKED_KINDS and before.kind is not after.kind:
        choosing = {QuestionKind.CHOICE, QuestionKind.MULTICHOICE}
        return tidy(after, answer) if {before.kind, after.kind} <= choosing else Answer(answer.question)
    return tidy(after, answer)


def _column_keys(question: Question) -> tuple[str, ...]:
    return tuple(column.key for column in question.columns)


def loses_words(before: Question, after: Question, answer: Answer) -> bool:
    """Whether something of an answer has no place any more once its question is asked in another way."""
    return moved_answer(before, after, answer) != answer


_KEY = re.compile(r"^[a-z][a-z0-9_]{0,59}$")


def definition_problems(definition: Definition) -> tuple[Problem, ...]:
    """What is wrong with a definition before anybody may answer it: keys, limits, choices.

    A place is ``sections.<section>.<question>`` and, where one part of the question is at fault, a dot and its name.
    """
    found: list[Problem] = []
    found += _repeated("sections", [section.key for section in definition.sections])
    found += _repeated("questions", [q.key for section in definition.sections for q in section.questions])
    for section in definition.sections:
        for key in (section.key, *(question.key for question in section.questions)):
            if not _KEY.match(key):
                found.append(
                    Problem(
                        f"sections.{section.key}",
                        f"\u201c{key}\u201d is not a key. Use lower-case letters, digits and underscores.",
                    )
                )
        if not section.questions:
            found.append(Problem(f"sections.{section.key}", "has no question yet. Add one, or take it out."))
        found += [problem for question in section.questions for problem in _question_faults(section, question)]
    return (*found, *_order_faults(definition))


def _order_faults(definition: Definition) -> list[Problem]:
    """Conditions and references that point to nothing, or to what is asked later."""
    circles = question_circles(definition)
    in_circle = {key for circle in circles for key in circle}
    places = {
        q.key: f"sections.{section.key}.{q.key}.asked_if" for section in definition.sections for q in section.questions
    }
    found = [Problem(places[circle[0]], _circle_words(circle)) for circle in circles]
    before: dict[str, Question] = {}
    for section in definition.sections:
        for question in section.questions:
            place = f"sections.{section.key}.{question.key}"
            for key in ANSWER_NAMED.findall(f"{section.intro} {question.label} {question.hint}"):
                if key not in before:
                    found.append(
                        Problem(place, f"refers to the answer to \u201c{key}\u201d, which is not asked before it.")
                    )
            if question.asked_if is not None and question.key not in in_circle:
                found += _condition_faults(
                    f"{place}.asked_if", question.asked_if, before.get(question.asked_if.question)
                )
            before[question.key] = question
    return found


def question_circles(definition: Definition) -> tuple[tuple[str, ...], ...]:
    """Keys of questions each asked only if the next one is answered, round to the first again; as the form has them.

    >>> once = Question("a", "A", QuestionKind.SHORT, asked_if=AskedIf("b"))
    >>> again = Question("b", "B", QuestionKind.SHORT, asked_if=AskedIf("a"))
    >>> question_circles(Definition((Section("s", "S", "1. S", questions=(once, again)),)))
    (('a', 'b'),)
    """
    hangs_on = {
        question.key: question.asked_if.question
        for section in definition.sections
        for question in section.questions
        if question.asked_if is not None
    }
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in hangs_on:
        way: list[str] = []
        key = start
        while key in hangs_on and key not in done:
            done.add(key)
            way.append(key)
            key = hangs_on[key]
        if key in way:
            found.append(tuple(way[way.index(key) :]))
    return tuple(found)


def _circle_words(circle: tuple[str, ...]) -> str:
    if len(circle) == 1:
        return "is asked only if it is answered itself, so it never is. Take the condition out."
    then = ", and that only if ".join(f"\u201c{key}\u201d is answered" for key in (*circle[1:], circle[0]))
    return f"is asked only if {then}: a circle, so none of them is ever asked. Take one of these conditions out."


def _condition_faults(place: str, wanted: AskedIf, on: Question | None) -> list[Problem]:
    if on is None:
        return [Problem(place, f"depends on the question \u201c{wanted.question}\u201d, which is not asked before it.")]
    if on.asked_if is not None:
        return [
            Problem(
                place,
                f"depends on \u201c{on.key}\u201d, which itself is asked only sometimes. Depend on one that always is.",
            )
        ]
    offered = {choice.value for choice in on.choices}
    strange = [each for each in wanted.answers if offered and each not in offered]
    return [
        Problem(place, f"waits for the answer \u201c{each}\u201d, which \u201c{on.key}\u201d does not offer.")
        for each in strange
    ]


def _repeated(place: str, keys: Sequence[str]) -> list[Problem]:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    return [Problem(place, f"uses the key \u201c{key}\u201d more than once. Give each its own.") for key in twice]


def _question_faults(section: Section, question: Question) -> list[Problem]:
    place = f"sections.{section.key}.{question.key}"
    found = []
    picks = question.kind in {QuestionKind.CHOICE, QuestionKind.MULTICHOICE}
    if picks and not question.choices:
        found.append(Problem(f"{place}.choices", "offers no choices yet. Write at least one."))
    if question.choices and not picks:
        found.append(Problem(place, "has choices, but nothing can be chosen in an answer of its kind. Take them out."))
    is_table = question.kind is QuestionKind.TABLE
    if is_table and not question.columns:
        found.append(Problem(f"{place}.columns", "has no columns yet. Write at least one."))
    if question.columns and not is_table:
        found.append(Problem(place, "has columns, but is no table. Take them out."))
    found += _repeated(f"{place}.columns", [column.key for column in question.columns])
    found += _repeated(f"{place}.choices", [choice.value for choice in question.choices])
    labels = [choice.label.casefold() for choice in question.choices]
    for label in sorted({each for each in labels if labels.count(each) > 1}):
        found.append(
            Problem(f"{place}.choices", f"offers {quoted(label)} more than once. Give each choice its own words.")
        )
    if any(column.kind not in COLUMN_KINDS for column in question.columns):
        found.append(Problem(place, "has a column of another kind than short text, a number, an amount or a date."))
    if question.rows_max is not None and not 1 <= question.rows_max <= ROWS_MAX:
        found.append(Problem(place, f"may have {question.rows_max} rows; a table has 1 to {ROWS_MAX}."))
    if question.kind is not QuestionKind.FILE and question.file_words:
        found.append(Problem(place, "limits types, megabytes or pages, but is no file. Take the limits out."))
    if question.pages_max and any(kind is not FileType.PDF for kind in question.file_types):
        found.append(Problem(place, "limits pages, which are counted in PDFs only: with it, pdf is the one type."))
    for what, limit in (("words", question.words_max), ("characters", question.characters_max)):
        if limit is not None and limit < 1:
            found.append(Problem(place, f"takes {limit} {what}; a limit is 1 or more."))
    if question.words_max is not None and question.characters_max is not None:
        # Two limits at once nobody could tell in one hint.
        found.append(
            Problem(place, "is limited in words and in characters; a text has one limit. Empty one of the two.")
        )
    return found


def to_mapping(content: DossierContent) -> dict[str, Any]:
    """The content as plain JSON with one spelling, for a snapshot and its hash."""
    ordered = [content.answer(q.key) for section in content.definition.sections for q in section.questions]
    return {
        "definition": encoding.encode(content.definition),
        "answers": [encoding.encode(answer) for answer in ordered if not answer.empty],
    }


def from_mapping(stored: Mapping[str, Any]) -> DossierContent:
    """What :func:`to_mapping` made, as frozen values again."""
    content: DossierContent = encoding.decode({"value": dict(stored)}, DossierContent)
    return content
