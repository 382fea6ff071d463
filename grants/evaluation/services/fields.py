"""What a score sheet and a consensus have in common while somebody writes on them: which field may be stored, and which is asked first.

Both are forms of questions to it (:mod:`grants.evaluation.rules.asked`); how each is written down it leaves to them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from grants.calls.rules import Criterion, Marking
from grants.core.errors import Conflict, Invalid, NotFound
from grants.dossiers import merging
from grants.dossiers.merging import AnswerChanged, Contested, Outcome, Shown
from grants.dossiers.rules import Answer, Definition, Question
from grants.evaluation import rules
from grants.evaluation.rules import FieldSaved, SheetInput


class FieldsChanged(Conflict):
    """Somebody, or another window of the same person, changed these fields after they were shown; nothing was stored."""

    def __init__(self, contested: Sequence[Contested], words: str = rules.CHANGED_ELSEWHERE) -> None:
        super().__init__(words)
        self.contested = tuple(contested)


@dataclass(slots=True, kw_only=True)
class OpenFields(ABC):
    """A form of scores and texts, open to be written inside an act; what stands in its fields is in ``answers``."""

    marking: Marking
    definition: Definition
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def sheet(self) -> SheetInput:
        """The form as it stands."""
        return rules.sheet_of(self.answers, self.marking.criteria)

    @property
    def remark_words(self) -> str:
        """What the page calls the text that belongs to no criterion."""
        return self.question(rules.REMARK).label

    def criterion_of(self, question: Question) -> Criterion:
        """The criterion whose score a field holds."""
        return next(one for one in self.marking.criteria if rules.mark_field(one.key) == question.key)

    def question(self, name: str) -> Question:
        """One field; :class:`NotFound` for a name that is none."""
        found = self.definition.question(name)
        if found is None:
            raise NotFound
        return found

    def answer(self, name: str) -> Answer:
        """What stands in a field."""
        return self.answers.get(name, Answer(name))

    @property
    @abstractmethod
    def saved_at(self) -> datetime:
        """When the form was saved last; now, where nothing was ever saved."""

    @abstractmethod
    def number(self, name: str) -> int:
        """Which version of a field stands; 0 where nothing was ever written."""

    @abstractmethod
    def text_of(self, name: str, number: int) -> str | None:
        """The text of a version of a field; None where there is none."""

    @abstractmethod
    def last_of(self, name: str) -> tuple[datetime, UUID | None]:
        """When the version that stands was saved, and by whom."""

    @abstractmethod
    def write(self, answers: Sequence[Answer]) -> None:
        """Write these fields, each with its version; a whole form that changes nothing still says who saved it."""


def checked(opened: OpenFields, question: Question, values: Sequence[str]) -> Answer:
    """What was sent for one field, as it is stored; raises :class:`Invalid` for what is on no scale or over the limit."""
    answer = rules.read_sent(question, values)
    if rules.is_mark(question):
        if answer.empty and any(values):
            raise Invalid(
                "This is not on the scale.",
                {question.key: rules.off_scale(opened.criterion_of(question), opened.marking)},
            )
        return answer
    alone = SheetInput((), answer.text)
    return Answer(question.key, rules.tidy(alone, opened.marking, question.label).remark)


def judged(opened: OpenFields, question: Question, typed: Answer, seen: int) -> tuple[Outcome, Answer | None]:
    """What may become of an answer, by the rule of all documents; one more statement where it was not shown what stands."""
    standing = opened.number(question.key)
    base = _base(opened, question, seen) if seen != standing else None
    stored = opened.answer(question.key)
    return merging.judged(question, base=base, stored=stored, typed=typed, is_shown=seen == standing), base


def _base(opened: OpenFields, question: Question, seen: int) -> Answer | None:
    if seen == 0:
        return Answer(question.key)
    text = opened.text_of(question.key, seen) if seen > 0 else None
    return None if text is None else rules.kept(question, text)


def contested(opened: OpenFields, question: Question, base: Answer | None, typed: Answer) -> Contested:
    """An answer that is not stored, with what stands in its place."""
    name = question.key
    saved_at, saved_by = opened.last_of(name)
    stored = opened.answer(name)
    return Contested(name, opened.number(name), base or Answer(name), stored, typed, saved_at, saved_by)


def sorted_out(
    opened: OpenFields, sheet: SheetInput, shown: tuple[Shown, ...] | None
) -> tuple[list[Answer], list[Contested]]:
    """Of a whole form what is to be stored, and what somebody else changed since it was shown; all of it where nothing says what was."""
    typed = rules.answers_of(sheet.marks, sheet.remark)
    numbers = None if shown is None else {each.question: each.number for each in shown}
    to_store, clashing = [], []
    for name, answer in typed.items():
        question = opened.question(name)
        seen = opened.number(name) if numbers is None else numbers.get(name, merging.UNSEEN)
        outcome, base = judged(opened, question, answer, seen)
        if outcome is Outcome.STORE:
            to_store.append(answer)
        elif outcome is not Outcome.KEEP:
            clashing.append(contested(opened, question, base, answer))
    return to_store, clashing


def store(
    opened: OpenFields, sheet: SheetInput, shown: tuple[Shown, ...] | None, words: str = rules.CHANGED_ELSEWHERE
) -> None:
    """Write a whole form; raises :class:`FieldsChanged` with these words for what was written since it was shown."""
    to_store, clashing = sorted_out(opened, sheet, shown)
    if clashing:
        raise FieldsChanged(clashing, words)
    opened.write(to_store)


def stored(opened: OpenFields, name: str, values: Sequence[str], number: int) -> FieldSaved:
    """Store one field as a browser sent it, and say what stands then; the same again is nothing new.

    Raises :class:`~grants.dossiers.merging.AnswerChanged` with both texts where it was written since it was shown, and
    :class:`NotFound` for a field that is none.
    """
    question = opened.question(name)
    answer = checked(opened, question, values)
    outcome, base = judged(opened, question, answer, number)
    if outcome is Outcome.STORE:
        opened.write([answer])
    elif outcome is not Outcome.KEEP:
        raise AnswerChanged(question, contested(opened, question, base, answer))
    stands = opened.answer(name)
    return FieldSaved(
        number=opened.number(name),
        saved_at=opened.saved_at,
        missing=tuple(rules.lacking(opened.sheet, opened.marking).items()),
        other=None if stands == answer else rules.as_sent(question, stands),
    )
