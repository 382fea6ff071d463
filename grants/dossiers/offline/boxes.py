"""What a form asks in a file, and what of a filled one could be read: the same for a Word file and a workbook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from grants.core.errors import quoted
from grants.dossiers import rules
from grants.dossiers.rules import CONFIRMED, PICKED_KINDS, Answer, Definition, Question, QuestionKind, Section

_YES = frozenset({"yes", "confirmed", "x", "\u2612", "\u2611"})
_NO = frozenset({"", "no", "\u2610"})
# Of text that stands outside the boxes so much is repeated that it is found again.
STRAYS_SAID_MAX = 10


@dataclass(frozen=True, slots=True)
class Filled:
    """What a filled file says: the answers that could be read, and what could not, each with its heading.

    ``cleared`` are the questions whose box is there and holds nothing; ``places`` says in words where in the file each
    answer stands. ``in_part`` are the questions of whose box only a part could be read. ``whose`` is the reference of
    what the form was downloaded for, empty where the file does not say it.
    """

    answers: tuple[Answer, ...]
    problems: tuple[str, ...]
    cleared: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)
    in_part: frozenset[str] = frozenset()
    whose: str = ""


def when_asked(definition: Definition, question: Question) -> Iterator[str]:
    """Which earlier answer a question depends on, for who fills it in on paper."""
    words = rules.condition_words(definition, question)
    if words:
        yield f"{words} Leave it empty otherwise."


def instructions(question: Question) -> Iterator[str]:
    """What is told beside a question: its hint, its limits, how its answer is written, what evaluators look for."""
    if question.hint:
        yield question.hint
    if question.words_max is not None:
        yield f"Up to {question.words_max} words."
    elif question.characters_max is not None:
        yield f"Up to {question.characters_max} characters."
    labels = "; ".join(choice.label for choice in question.choices)
    match question.kind:
        case QuestionKind.CHOICE:
            yield f"Write one of these: {labels}."
        case QuestionKind.MULTICHOICE:
            yield f"Write those that are right, each on a line of its own: {labels}."
        case QuestionKind.CONFIRMATION:
            yield "Write “yes” to confirm it."
        case QuestionKind.LONG:
            yield "Paragraphs, lists and bold words are kept."
        case QuestionKind.TABLE:
            columns = "; ".join(column.label for column in question.columns)
            yield f"Write each row on a line of its own, with a tab between its cells (in Word Ctrl and Tab): {columns}."
            yield f"Up to {question.rows_max or rules.ROWS_MAX} rows."
        case QuestionKind.FILE:
            limits = f" {question.file_words}." if question.file_words else ""
            yield f"A file: attach it in the program, on the page “Files”.{limits}"
        case _:
            yield from ()
    yield from (f"What evaluators look for: {line}" for line in question.guidance)
    if not question.required:
        yield "Optional."


def mark_of(key: str) -> str:
    """The line by which a box is found again, whatever was written around it."""
    return f"[field {key}: leave this line as it is]"


A_MARK = re.compile(r"\[field [^\]]{1,100}: leave this line as it is\]")


def owner_mark(whose: str) -> str:
    """The line by which a form says what it was downloaded for.

    >>> marked_owner(owner_mark("PCP-2026-A-0038"))
    'PCP-2026-A-0038'
    """
    return f"[form of {whose}: leave this line as it is]"


_AN_OWNER_MARK = re.compile(r"\[form of ([^\]]{1,100}): leave this line as it is\]")


def marked_owner(line: str) -> str:
    """What such a line names; empty for any other line."""
    found = _AN_OWNER_MARK.fullmatch(line.strip())
    return found[1] if found else ""


def as_text(question: Question, answer: Answer) -> str:
    """An answer as it stands in its box: labels for picks, each on a line of its own."""
    labels = {choice.value: choice.label for choice in question.choices}
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            return "\n".join(labels.get(value, value) for value in answer.picked)
        case QuestionKind.CONFIRMATION:
            return "yes" if answer.picked else ""
        case _:
            return answer.text


def words_on_gone(label: str, answer: str) -> list[str]:
    """What to say of an answer to a question that the form knows no more: nothing where nothing was written."""
    if not answer.strip():
        return []
    return [
        f"{quoted(label)} is not asked in this form, so its answer was not read: {quoted(answer.strip())}. "
        "Copy it to where it belongs now, if it does."
    ]


def understood(question: Question, text: str, section: Section) -> tuple[Answer, list[str]]:
    """An answer from the words of its box, and what of them could not be read."""
    if question.kind not in PICKED_KINDS:
        # Only tables know tabs.
        plain = text if question.kind is QuestionKind.TABLE else text.replace("\t", " ")
        return rules.tidy(question, Answer(question.key, plain)), []
    where = f"{section.title}, “{plain_words(question)}”"
    lines = [line.strip() for line in text.split("\n")]
    if question.kind is QuestionKind.CONFIRMATION:
        said = " ".join(lines).strip(" .-\u2022\t").casefold()
        wrong = (
            [] if said in _YES | _NO else [f"{where}: {quoted(said)} was not understood. Write “yes” to confirm it."]
        )
        return Answer(question.key, picked=(CONFIRMED,) if said in _YES else ()), wrong
    found = [(line, _choice_of(question, line)) for line in lines if line]
    picked = [value for _, value in found if value is not None]
    wrong = [f"{where}: {quoted(line)} is none of the answers offered." for line, value in found if value is None]
    if question.kind is QuestionKind.CHOICE and len(set(picked)) > 1:
        wrong.append(f"{where}: more than one answer stands there; only one is taken.")
    return rules.tidy(question, Answer(question.key, picked=tuple(picked))), wrong


_DECIMAL = re.compile(r"(\d{1,3})[.,](\d)0*")


def _choice_of(question: Question, line: str) -> str | None:
    """The choice a line names: by its words before the word it is kept as, and without the mark of a list at last."""
    by_label = {" ".join(choice.label.split()).casefold(): choice.value for choice in question.choices}
    by_value = {choice.value.casefold(): choice.value for choice in question.choices}
    # A number is the same with a comma, and with a nought that a spreadsheet hung on.
    number = _DECIMAL.fullmatch(line)
    plain = (f"{number[1]}.{number[2]}" if number[2] != "0" else number[1]) if number else line
    for each in (line, line.strip(" -\u2022\t"), re.sub(r"^\d{1,3}[.)]\s+", "", line), plain):
        named = " ".join(each.split()).casefold()
        found = by_label.get(named) or by_value.get(named)
        if found is not None:
            return found
    return None


def plain_words(question: Question) -> str:
    """The words of a question for a sentence about it, whatever earlier answer they tell."""
    return rules.ANSWER_NAMED.sub("\u2026", question.label)
