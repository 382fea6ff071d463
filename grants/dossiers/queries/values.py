"""A dossier as a page shows it: sections and questions with what was answered, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.core.errors import NotFound, Problem
from grants.dossiers import rules
from grants.dossiers.markup import Block
from grants.dossiers.rules import Answer, Definition, DossierContent, Mark, Question, Section, SectionState


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question and the answer that stands."""

    question: Question
    answer: Answer
    shown: str
    words: int
    problem: str | None
    # The number of the version that stands, which the form carries; 0 where nothing was ever stored.
    number: int
    # Whether it is asked, by the answers that stand.
    asked: bool = True

    @property
    def anchor(self) -> str:
        """The id of its field."""
        return rules.anchor(self.question.key)

    @property
    def fault(self) -> str | None:
        """What is wrong with what stands, said at its field; that nothing stands yet is no fault while one writes."""
        return None if self.answer.empty else self.problem

    def condition_words(self, definition: Definition) -> str:
        """When this question is asked; empty where it always is."""
        return rules.condition_words(definition, self.question)

    @property
    def paragraphs(self) -> tuple[Block, ...]:
        """The answer made ready to read."""
        return rules.paragraphs(self.shown)


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section as it stands: who saved it last and what is wrong."""

    section: Section
    position: int
    version: int
    mark: Mark
    state: SectionState
    saved_at: datetime | None
    saved_by: UUID | None
    # Who is asked to write it.
    asked_id: UUID | None
    questions: tuple[QuestionView, ...]
    problems: tuple[Problem, ...]

    @property
    def key(self) -> str:
        """The section's key, which stands in its page's address."""
        return self.section.key

    @property
    def words(self) -> int:
        """Words written in the questions that have a limit in words."""
        return sum(item.words for item in self.questions if item.question.words_max)

    @property
    def words_max(self) -> int:
        """The sum of the limits in words; zero where there is none."""
        return sum(item.question.words_max or 0 for item in self.questions)

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The answers by question key."""
        return {item.question.key: item.answer for item in self.questions}

    def question(self, key: str) -> QuestionView:
        """The question of that key; :class:`NotFound`."""
        for item in self.questions:
            if item.question.key == key:
                return item
        raise NotFound


def not_asked(key: str) -> QuestionView:
    """What stands for a question that is gone, where something of it is still shown (its comments)."""
    question = Question(key, "A question that is not asked any more", rules.QuestionKind.LONG)
    return QuestionView(question, Answer(key), "", 0, None, 0)


@dataclass(frozen=True, slots=True)
class DossierView:
    """A whole document."""

    id: UUID
    owner_kind: str
    owner_id: UUID
    definition: Definition
    sections: tuple[SectionView, ...]

    @property
    def completed(self) -> int:
        """Sections marked complete without a problem."""
        return sum(1 for section in self.sections if section.state is SectionState.COMPLETED)

    @property
    def steps(self) -> tuple[tuple[str, tuple[SectionView, ...]], ...]:
        """The sections under the headings they stand under, both in order."""
        found: dict[str, list[SectionView]] = {}
        for section in self.sections:
            found.setdefault(section.section.step, []).append(section)
        return tuple((step, tuple(sections)) for step, sections in found.items())

    @property
    def content(self) -> DossierContent:
        """Definition and answers as frozen values."""
        return DossierContent(self.definition, tuple(q.answer for s in self.sections for q in s.questions))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem in order; ``place`` is ``section#field-id``."""
        return tuple(problem for section in self.sections for problem in section.problems)

    @property
    def open_marks(self) -> tuple[SectionView, ...]:
        """Sections nobody has marked complete."""
        return tuple(section for section in self.sections if section.mark is Mark.OPEN)

    @property
    def writers(self) -> frozenset[UUID]:
        """Everybody who saved a section last, or is asked to write one."""
        named = (person for section in self.sections for person in (section.saved_by, section.asked_id))
        return frozenset(person for person in named if person)

    def section(self, key: str) -> SectionView:
        """The section of that key; :class:`NotFound`."""
        for section in self.sections:
            if section.key == key:
                return section
        raise NotFound

    def after(self, key: str) -> SectionView | None:
        """The section that follows on the list, or None after the last."""
        keys = [section.key for section in self.sections]
        place = keys.index(key) + 1
        return self.sections[place] if place < len(keys) else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a document is, for lists of many."""

    sections: int
    completed: int
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A text without a place since what is asked changed: to be read and copied. ``is_gone``: it is not asked at all."""

    section: str
    section_title: str
    question: str
    label: str
    text: str
    is_gone: bool
    set_aside_at: datetime
