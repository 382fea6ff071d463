"""What a document that people write together consists of, and when an answer is good; nothing here is stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, assert_never

from grants.core import encoding
from grants.core.clock import long_date, read_date
from grants.core.errors import Invalid, Problem
from grants.core.file_types import FileLimits, FileType, limits_of, words_of_limits
from grants.core.money import Money, parse_money
from grants.core.text import without_turns
from grants.dossiers.markup import Block, blocks

# A pasted text beyond this is a mistake, not an answer; it is refused with the text kept on the page.
TEXT_CHARACTERS_MAX = 100_000
LINES_MAX = 2_000
# A remark on one question; what needs more is an answer or a call.
COMMENT_CHARACTERS_MAX = 4_000
THREADS_MAX = 100
COMMENTS_MAX = 100
# More texts than any form has questions.
SET_ASIDE_MAX = 500

# Beside every limit in words stands one in characters, so that one endless word is no way around it.
CHARACTERS_A_WORD = 20
CHARACTERS_SLACK = 200


class QuestionKind(StrEnum):
    """How a question is answered."""

    SHORT = "short"
    LONG = "long"
    NUMBER = "number"
    MONEY = "money"
    CHOICE = "choice"
    MULTICHOICE = "multichoice"
    DATE = "date"
    CONFIRMATION = "confirmation"
    FILE = "file"
    TABLE = "table"


# Kinds answered by picking, not by typing. A picked file is its id as text.
PICKED_KINDS = frozenset({QuestionKind.CHOICE, QuestionKind.MULTICHOICE, QuestionKind.CONFIRMATION, QuestionKind.FILE})

# What a cell of a table may hold.
COLUMN_KINDS = frozenset({QuestionKind.SHORT, QuestionKind.NUMBER, QuestionKind.MONEY, QuestionKind.DATE})

CONFIRMED = "yes"


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be picked."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a question that is answered by a table; ``kind`` says how a cell is read."""

    key: str
    label: str
    kind: QuestionKind = QuestionKind.SHORT
    required: bool = True


@dataclass(frozen=True, slots=True)
class AskedIf:
    """A question is asked only where an earlier one was answered so; no ``answers`` means: answered at all."""

    question: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Translation:
    """A question or a section in another language: its label or title, its hint or introduction."""

    language: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``criterion`` is the key of the award criterion it feeds; ``guidance`` says what evaluators look for.

    A limit is in words, or in characters where the funder counts those; both may be absent. ``{answer:key}``
    in a label or a hint stands for what was answered to an earlier question.
    """

    key: str
    label: str
    kind: QuestionKind
    hint: str = ""
    required: bool = True
    words_max: int | None = None
    choices: tuple[Choice, ...] = ()
    criterion: str | None = None
    characters_max: int | None = None
    guidance: tuple[str, ...] = ()
    example: str = ""
    columns: tuple[Column, ...] = ()
    rows_max: int | None = None
    picks_max: int | None = None
    asked_if: AskedIf | None = None
    translations: tuple[Translation, ...] = ()
    # What a file may be; what is not limited here has the limits of the installation.
    file_types: tuple[FileType, ...] = ()
    megabytes_max: int | None = None
    # Pages are counted in PDFs, so with a limit of pages only a PDF is taken.
    pages_max: int | None = None

    def file_limits(self, bytes_max: int) -> FileLimits:
        """What a file of this question may be, where the installation takes files of at most ``bytes_max``."""
        wanted = self.megabytes_max * 1_000_000 if self.megabytes_max else None
        return limits_of(self.file_types, bytes_max=bytes_max, bytes_wanted=wanted, pages_max=self.pages_max)

    @property
    def file_words(self) -> str:
        """The limits the call sets for a file, in one phrase; empty where it sets none."""
        return words_of_limits(self.file_types, megabytes_max=self.megabytes_max, pages_max=self.pages_max)


@dataclass(frozen=True, slots=True)
class Section:
    """One page of questions; ``step`` is the heading it stands under in the task list."""

    key: str
    title: str
    step: str = ""
    intro: str = ""
    questions: tuple[Question, ...] = ()
    translations: tuple[Translation, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole document before anybody has written in it."""

    sections: tuple[Section, ...] = ()

    def section(self, key: str) -> Section | None:
        """The section of that key, or None."""
        return next((section for section in self.sections if section.key == key), None)

    def question(self, key: str) -> Question | None:
        """The question of that key, or None."""
        return next((q for section in self.sections for q in section.questions if q.key == key), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody wrote, exactly as typed, or picked. A number stays text until a rule reads it.

    So an amount that cannot be read yet is saved like everything else, and named as a problem.
    """

    question: str
    text: str = ""
    picked: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing typed and nothing picked."""
        return not self.text.strip() and not self.picked


@dataclass(frozen=True, slots=True)
class DossierContent:
    """A document as it stood at one moment: what a snapshot holds and evaluators read."""

    definition: Definition
    answers: tuple[Answer, ...] = ()

    def answer(self, question_key: str) -> Answer:
        """The answer to one question; an empty one where nothing was written."""
        return next((a for a in self.answers if a.question == question_key), Answer(question_key))


class SectionState(StrEnum):
    """What the task list says about a section; derived, never stored."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    NEEDS_A_FIX = "needs_a_fix"
    COMPLETED = "completed"


class Mark(StrEnum):
    """What a person says about a section: I have finished it, or it is open."""

    COMPLETE = "complete"
    OPEN = "open"


# --- reading what people type or paste -------------------------------------------------------------------------

# Word's soft line break, form feed, and the two Unicode separators all mean a new line here.
_NEW_LINES = re.compile("\r\n|[\r\u000b\u000c\u0085\u2028\u2029]")
# Invisible at paste borders: zero-width space, soft hyphen. Joiners and marks of direction are letters of some languages.
_INVISIBLE = re.compile("[\u200b\u00ad]")
_CONTROL = re.compile("[\u0000-\u0008\u000e-\u001f\u007f-\u009f]")
# From the first letter or figure of what stands between spaces to its end.
_WORD = re.compile(r"[^\W_]\S*")


def clean_text(text: str) -> str:
    """Pasted text with one kind of line end and nothing invisible; the words stay as they are.

    >>> clean_text("a\\r\\nb\\x00\\u200bc")
    'a\\nbc'
    """
    plain_lines = _NEW_LINES.sub("\n", text)
    return unicodedata.normalize("NFC", _CONTROL.sub("", _INVISIBLE.sub("", without_turns(plain_lines)))).strip()


def count_words(text: str) -> int:
    """The number of words, as a person counts them: bullets and lone dashes are none, \u201cnet-zero\u201d is one.

    >>> count_words("\u2022 Net-zero by 2030 \u2013 together")
    4
    """
    return len(_WORD.findall(clean_text(text)))


def count_characters(text: str) -> int:
    """Characters as shown; a line end counts as one."""
    return len(clean_text(text))


def length_problem(what: str, text: str, words_max: int) -> str | None:
    """What is too long in a text with a limit in words: words, then characters, then lines; None if nothing is.

    >>> length_problem("The summary", "one two three", 2)
    'The summary has 3 words; the limit is 2. Cut 1 word.'
    """
    signs, signs_max = len(text), words_max * CHARACTERS_A_WORD + CHARACTERS_SLACK
    # Looked at first, but said last: a text of a million words is counted by its characters alone.
    words = count_words(text) if signs <= 10 * signs_max else 0
    if words > words_max:
        over = words - words_max
        return f"{what} has {words} words; the limit is {words_max}. Cut {over} {'word' if over == 1 else 'words'}."
    if signs > signs_max:
        return (
            f"{what} has {signs} characters; the limit is {words_max} words of together at most {signs_max} characters. "
            f"Cut {signs - signs_max} characters."
        )
    return lines_problem(what, text)


def lines_problem(what: str, text: str) -> str | None:
    """Whether a text has more lines than a page can show."""
    lines = text.count("\n") + 1
    if lines <= LINES_MAX:
        return None
    return f"{what} has {lines} lines; the limit is {LINES_MAX}. Take out empty lines."


def checked_comment(text: str) -> str:
    """A comment as it is kept; raises :class:`Invalid`."""
    made = clean_text(text)
    if not made:
        raise Invalid("Nothing was written.", {"comment": "Write what you want to say, then send it."})
    if len(made) > COMMENT_CHARACTERS_MAX:
        over = len(made) - COMMENT_CHARACTERS_MAX
        raise Invalid(
            "The comment was not sent.",
            {"comment": f"The comment has {len(made)} characters; the limit is {COMMENT_CHARACTERS_MAX}. Cut {over}."},
        )
    if sentence := lines_problem("The comment", made):
        raise Invalid("The comment was not sent.", {"comment": sentence})
    return made


_NUMBER = re.compile(
    r"^[-\u2212]?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?$|^[-\u2212]?[0-9]+(?:[.,][0-9]+)?$"
)


def read_number(text: str) -> str:
    """A number in one spelling (``1234.5``); raises :class:`Invalid`. Numbers stay exact text, never floats.

    >>> read_number("1 234,5")
    '1234.5'
    """
    cleaned = text.strip()
    if not _NUMBER.match(cleaned):
        raise Invalid(
            f"\u201c{cleaned}\u201d is not a number. Write digits and at most one decimal mark, for example 1 250 or 12.5."
        )
    return re.sub("[ \u00a0\u202f]", "", cleaned).replace("\u2212", "-").replace(",", ".")


def read_typed(question: Question, values: Sequence[str]) -> Answer:
    """The values a browser sends for one question, as an answer: all of them for ticks, the first for anything else."""
    match question.kind:
        case QuestionKind.MULTICHOICE | QuestionKind.FILE:
            return Answer(question.key, picked=tuple(values))
        case QuestionKind.CHOICE:
            return Answer(question.key, picked=tuple(value for value in values[:1] if value))
        case QuestionKind.CONFIRMATION:
            return Answer(question.key, picked=(CONFIRMED,) if any(values) else ())
        case QuestionKind.TABLE:
            return Answer(question.key, _table_typed(question, values))
        case _:
            return Answer(question.key, values[0] if values else "")


def as_typed(question: Question, answer: Answer) -> tuple[str, ...]:
    """The other way round: what a browser would send to give this answer."""
    if question.kind is QuestionKind.TABLE:
        return tuple(cell for row in table_rows(question, answer.text) for cell in row)
    return answer.picked if question.kind in PICKED_KINDS else (answer.text,)


def tidy(question: Question, answer: Answer) -> Answer:
    """The answer as it is stored: text cleaned, picks limited to what the question offers."""
    if question.kind is QuestionKind.TABLE:
        return Answer(question.key, table_text(table_rows(question, answer.text)))
    if question.kind not in PICKED_KINDS:
        return Answer(question.key, clean_text(answer.text))
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            offered = [choice.value for choice in question.choices if choice.value in answer.picked]
            kept = offered[:1] if question.kind is QuestionKind.CHOICE else offered
        case QuestionKind.CONFIRMATION:
            kept = [CONFIRMED] if CONFIRMED in answer.picked else []
        case _:
            kept = list(answer.picked)
    return Answer(question.key, picked=tuple(kept))


# --- tables and conditions ------------------------------------------------------------------------------------

ROWS_MAX = 50


def table_rows(question: Question, text: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table as it is kept: a line for each row, a tab between cells, as a spreadsheet copies them.

    Rows without a word are left out; a row has a cell for each column, and what lies beyond joins the last one.

    >>> table_rows(Question("a", "A", QuestionKind.TABLE, columns=(Column("x", "X"), Column("y", "Y"))), "1\\t2\\n\\n3")
    (('1', '2'), ('3', ''))
    """
    width, found = max(len(question.columns), 1), []
    for line in _NEW_LINES.sub("\n", text).split("\n"):
        cells = [clean_text(cell) for cell in line.split("\t")]
        row = (*cells[: width - 1], " ".join(filter(None, cells[width - 1 :])), *[""] * (width - len(cells)))
        if any(row):
            found.append(row[:width])
    return tuple(found)


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as they are kept: the other way round."""
    return "\n".join("\t".join(row) for row in rows)


def _table_typed(question: Question, values: Sequence[str]) -> str:
    """Cells as a form sends them, row by row; one value alone is a whole table as it was pasted."""
    width = max(len(question.columns), 1)
    if len(values) == 1:
        return values[0]
    cells = [re.sub(r"\s+", " ", value) for value in values]
    return table_text(cells[start : start + width] for start in range(0, len(cells), width))


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
    return (
        f"Asked only if your answer to \u201c{on.label}\u201d is {wanted}."
        if wanted
        else f"Asked only if you answered \u201c{on.label}\u201d."
    )


_REFERENCE = re.compile(r"\{answer:([a-z][a-z0-9_]*)\}")


def with_answers(section: Section, definition: Definition, answers: Mapping[str, Answer]) -> Section:
    """The section with what was answered before put where its texts refer to it."""

    def told(text: str) -> str:
        return _REFERENCE.sub(lambda match: _told(definition.question(match[1]), answers), text)

    if "{answer:" not in repr((section.intro, [(q.label, q.hint) for q in section.questions])):
        return section
    questions = tuple(replace(q, label=told(q.label), hint=told(q.hint)) for q in section.questions)
    return replace(section, intro=told(section.intro), questions=questions)


def _told(question: Question | None, answers: Mapping[str, Answer]) -> str:
    answer = None if question is None else answers.get(question.key)
    text = "" if question is None or answer is None else " ".join(shown(question, answer).split())
    return text[:200] or "(not answered yet)"


# --- judging --------------------------------------------------------------------------------------------------


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


def problems(definition: Definition, answers: Iterable[Answer]) -> tuple[Problem, ...]:
    """Every problem of the whole document; ``place`` is ``section#field-id``, from which a page makes a link."""
    by_key = {answer.question: answer for answer in answers}
    return tuple(problem for section in definition.sections for problem in section_problems(section, by_key))


def section_state(section: Section, answers: Mapping[str, Answer], mark: Mark) -> SectionState:
    """What the task list says. Marking a section complete does not hide what is wrong with it."""
    given = [answers.get(question.key, Answer(question.key)) for question in section.questions]
    if mark is Mark.COMPLETE:
        return SectionState.NEEDS_A_FIX if section_problems(section, answers) else SectionState.COMPLETED
    if all(answer.empty for answer in given):
        return SectionState.NOT_STARTED
    return SectionState.IN_PROGRESS


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
    return AnsweredQuestion(question, answer, paragraphs(shown(question, answer)), count_words(answer.text))


def amount_of(answer: Answer) -> Money | None:
    """The amount a money answer holds, or None while it cannot be read."""
    try:
        return parse_money(answer.text)
    except Invalid:
        return None


# --- another definition --------------------------------------------------------------------------------------------


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


# --- definitions and snapshots --------------------------------------------------------------------------------

_KEY = re.compile(r"^[a-z][a-z0-9_]{0,59}$")


def definition_problems(definition: Definition) -> tuple[Problem, ...]:
    """What is wrong with a definition before anybody may answer it: keys, limits, choices."""
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
        found += [problem for question in section.questions for problem in _question_faults(section, question)]
    return (*found, *_order_faults(definition))


def _order_faults(definition: Definition) -> list[Problem]:
    """Conditions and references that point to nothing, or to what is asked later."""
    found: list[Problem] = []
    before: dict[str, Question] = {}
    for section in definition.sections:
        for question in section.questions:
            place = f"sections.{section.key}.{question.key}"
            for key in _REFERENCE.findall(f"{section.intro} {question.label} {question.hint}"):
                if key not in before:
                    found.append(
                        Problem(place, f"refers to the answer to \u201c{key}\u201d, which is not asked before it.")
                    )
            if question.asked_if is not None:
                found += _condition_faults(place, question.asked_if, before.get(question.asked_if.question))
            before[question.key] = question
    return found


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
    return [Problem(place, f"the key \u201c{key}\u201d is used more than once. Give each its own.") for key in twice]


def _question_faults(section: Section, question: Question) -> list[Problem]:
    place = f"sections.{section.key}.{question.key}"
    found = []
    picks = question.kind in {QuestionKind.CHOICE, QuestionKind.MULTICHOICE}
    if picks != bool(question.choices):
        found.append(Problem(place, "only a choice has choices, and it needs at least one."))
    if (question.kind is QuestionKind.TABLE) != bool(question.columns):
        found.append(Problem(place, "only a table has columns, and it needs at least one."))
    found += _repeated(f"{place}.columns", [column.key for column in question.columns])
    if any(column.kind not in COLUMN_KINDS for column in question.columns):
        found.append(Problem(place, "a column holds short text, a number, an amount or a date."))
    if question.rows_max is not None and not 1 <= question.rows_max <= ROWS_MAX:
        found.append(Problem(place, f"rows_max is {question.rows_max}; a table has 1 to {ROWS_MAX} rows."))
    if question.kind is not QuestionKind.FILE and question.file_words:
        found.append(Problem(place, "only a file has types, megabytes or pages."))
    if question.pages_max and any(kind is not FileType.PDF for kind in question.file_types):
        found.append(Problem(place, "pages are counted in PDFs only: with a limit of pages, pdf is the one type."))
    for name, limit in (("words_max", question.words_max), ("characters_max", question.characters_max)):
        if limit is not None and limit < 1:
            found.append(Problem(place, f"{name} is {limit}; a limit is 1 or more."))
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
