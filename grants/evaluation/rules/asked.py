"""A score sheet as a form that is filled field by field: what it asks, what was answered, how a field is sent and kept.

Two windows, versions and files know only questions and answers (``dossiers``); this module puts a sheet into those words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from grants.calls.rules import Criterion, Marking
from grants.dossiers.rules import Answer, Choice, Definition, Question, QuestionKind, Section
from grants.evaluation.rules.scores import anchor_words, half_words, problems
from grants.evaluation.rules.values import MarkInput, SheetInput

REMARK = "remark"
REMARK_WORDS = "Anything else the panel should know"
CONSENSUS_WORDS = "What the applicant will read"
CHANGED_BY_ANOTHER = (
    "Somebody changed this after it was shown to you. What you typed stands below; "
    "saving it now replaces what was stored, and both stay in the history."
)
CHANGED_ELSEWHERE = (
    "You changed this in another window of yours since this page was shown. What you typed stands below; "
    "saving it now replaces what was stored, and both stay in the history."
)


@dataclass(frozen=True, slots=True)
class FieldSaved:
    """One field of a sheet as it stands after saving; ``other`` is what stands where that was not sent.

    That is so where nothing was changed here and the same person wrote in another window: what was sent was shown long ago.
    """

    number: int
    saved_at: datetime
    # Of the criterion, or of what else is said: what a field still needs before the sheet can be submitted.
    missing: tuple[tuple[str, str], ...]
    other: tuple[str, ...] | None = None


def lacking(sheet: SheetInput, marking: Marking) -> dict[str, str]:
    """By field the sentence on what a sheet still needs where a score is chosen: reasons that the rule demands."""
    chosen = {comment_field(mark.criterion) for mark in sheet.marks if mark.half is not None}
    return {each.place: each.message for each in problems(sheet, marking) if each.place in chosen}


def mark_field(criterion: str) -> str:
    """The name of the field of a criterion's score."""
    return f"half_{criterion}"


def comment_field(criterion: str) -> str:
    """The name of the field of a criterion's reasons."""
    return f"comment_{criterion}"


def criterion_commented(name: str) -> str:
    """The criterion whose reasons a field holds; empty for a field that holds none.

    >>> criterion_commented("comment_impact"), criterion_commented("half_impact")
    ('impact', '')
    """
    return name.removeprefix("comment_") if name.startswith("comment_") else ""


@lru_cache(maxsize=16)
def asked(marking: Marking, remark: str) -> Definition:
    """The sheet as a form: a section for each criterion, and one for what else is to be said."""
    sections = [
        Section(one.key, f"{number}. {one.name}", intro=one.question, questions=_of_criterion(one, marking))
        for number, one in enumerate(marking.criteria, 1)
    ]
    return Definition((*sections, Section(REMARK, remark, questions=(_text(REMARK, remark, required=False),))))


def _of_criterion(criterion: Criterion, marking: Marking) -> tuple[Question, Question]:
    scale = tuple(Choice(half_words(half), anchor_words(half, marking.scale)) for half in marking.marks(criterion))
    needs = f"The threshold is {half_words(criterion.threshold_half)}." if criterion.threshold_half is not None else ""
    mark = Question(
        mark_field(criterion.key), f"Score for {criterion.name}", QuestionKind.CHOICE, hint=needs, choices=scale
    )
    words = f"Why this score for {criterion.name}"
    return mark, _text(comment_field(criterion.key), words, hint=marking.comment_hint(criterion))


def _text(key: str, label: str, *, required: bool = True, hint: str = "") -> Question:
    return Question(key, label, QuestionKind.LONG, required=required, hint=hint)


def answers_of(marks: Iterable[MarkInput], remark: str) -> dict[str, Answer]:
    """What stands on a sheet, by field; a score that is missing is an empty answer and never a zero."""
    found = {REMARK: Answer(REMARK, remark)}
    for mark in marks:
        field = mark_field(mark.criterion)
        found[field] = Answer(field, picked=() if mark.half is None else (half_words(mark.half),))
        field = comment_field(mark.criterion)
        found[field] = Answer(field, mark.comment)
    return found


def sheet_of(answers: Mapping[str, Answer], criteria: Sequence[Criterion]) -> SheetInput:
    """The sheet that these answers make; what is not answered is missing."""
    marks = []
    for one in criteria:
        mark, comment = mark_field(one.key), comment_field(one.key)
        half = half_of(answers.get(mark, Answer(mark)))
        marks.append(MarkInput(one.key, half, answers.get(comment, Answer(comment)).text))
    return SheetInput(tuple(marks), answers.get(REMARK, Answer(REMARK)).text)


def half_of(answer: Answer) -> int | None:
    """The half points an answer picks; None where it picks nothing.

    >>> half_of(Answer("half_x", picked=("3.5",))), half_of(Answer("half_x", picked=("0",))), half_of(Answer("half_x"))
    (7, 0, None)
    """
    if not answer.picked:
        return None
    whole, point, _ = answer.picked[0].partition(".")
    return 2 * int(whole) + bool(point)


def is_mark(question: Question) -> bool:
    """Whether a field is a score and not a text."""
    return question.kind is QuestionKind.CHOICE


def kept(question: Question, text: str) -> Answer:
    """An answer from what a version keeps."""
    if not is_mark(question):
        return Answer(question.key, text)
    return Answer(question.key, picked=(half_words(int(text)),) if text else ())


def as_kept(question: Question, answer: Answer) -> str:
    """An answer as a version keeps it, and as the form sends it: half points for a score."""
    half = half_of(answer)
    if not is_mark(question):
        return answer.text
    return "" if half is None else str(half)


def read_sent(question: Question, values: Sequence[str]) -> Answer:
    """An answer from the values of its field; whatever is not on the scale is no score and is left to be refused."""
    text = "".join(values[:1])
    if not is_mark(question):
        return Answer(question.key, text)
    on_scale = {str(half_of(Answer("", picked=(choice.value,)))): choice.value for choice in question.choices}
    return Answer(question.key, picked=(on_scale[text],) if text in on_scale else ())


def as_sent(question: Question, answer: Answer) -> tuple[str, ...]:
    """The values by which a form sends this answer; none for a score that is missing."""
    text = as_kept(question, answer)
    return () if is_mark(question) and not text else (text,)
