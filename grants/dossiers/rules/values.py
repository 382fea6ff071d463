"""What a form asks and what was answered, as frozen values, and how much of each there may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grants.core.file_types import FileLimits, FileType, limits_of, words_of_limits

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
    # Applicants read beside it that its answer describes the pilot to everybody if the application is selected.
    published: bool = False

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
