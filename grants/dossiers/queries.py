"""Reads of dossiers: everything written in one, in three statements; whether somebody may see it is the owner's say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.core import encoding
from grants.core.db import db, get
from grants.core.errors import NotFound, Problem
from grants.core.together import Asking, ask, reader
from grants.dossiers import rules
from grants.dossiers.models import Dossier, DossierAnswer, DossierAnswerVersion, DossierSection
from grants.dossiers.rules import Answer, Definition, DossierContent, Mark, Question, Section, SectionState

# A field's history on a page; older versions stay in the table.
VERSIONS_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question and the answer that stands."""

    question: Question
    answer: Answer
    shown: str
    words: int
    problem: str | None
    versions: int

    @property
    def anchor(self) -> str:
        """The id of its field."""
        return rules.anchor(self.question.key)


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section as it stands: who saved it last, what is wrong, and the version forms carry."""

    section: Section
    position: int
    version: int
    mark: Mark
    state: SectionState
    saved_at: datetime | None
    saved_by: UUID | None
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
    def problems(self) -> tuple[Problem, ...]:
        """Every problem in order; ``place`` is ``section#field-id``."""
        return tuple(problem for section in self.sections for problem in section.problems)

    @property
    def open_marks(self) -> tuple[SectionView, ...]:
        """Sections nobody has marked complete."""
        return tuple(section for section in self.sections if section.mark is Mark.OPEN)

    @property
    def writers(self) -> frozenset[UUID]:
        """Everybody who saved a section last."""
        return frozenset(section.saved_by for section in self.sections if section.saved_by)

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
class AnswerVersionView:
    """One earlier answer."""

    number: int
    shown: str
    words: int
    saved_at: datetime
    saved_by: UUID | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a document is, for lists of many."""

    sections: int
    completed: int
    saved_at: datetime | None


def _definition(row: Dossier) -> Definition:
    definition: Definition = encoding.decode_known(row.definition, Definition)
    return definition


def dossier(dossier_id: UUID) -> DossierView:
    """The whole document, sections in the order of its definition."""
    row = get(Dossier, dossier_id)
    definition = _definition(row)
    states = db.session.scalars(select(DossierSection).where(DossierSection.dossier_id == dossier_id)).all()
    answers = db.session.scalars(select(DossierAnswer).where(DossierAnswer.dossier_id == dossier_id)).all()
    by_section = {state.key: state for state in states}
    by_question = {answer.question_key: answer for answer in answers}
    return DossierView(
        id=row.id,
        owner_kind=row.owner_kind,
        owner_id=row.owner_id,
        definition=definition,
        sections=tuple(_section(section, by_section[section.key], by_question) for section in definition.sections),
    )


def answer_of(row: DossierAnswer | DossierAnswerVersion, question_key: str) -> Answer:
    """A stored answer as the frozen value."""
    return Answer(question_key, row.text, tuple(row.picked))


def _section(section: Section, state: DossierSection, rows: Mapping[str, DossierAnswer]) -> SectionView:
    answers = {q.key: answer_of(rows[q.key], q.key) for q in section.questions if q.key in rows}
    mark = Mark.COMPLETE if state.marked_complete_at else Mark.OPEN
    return SectionView(
        section=section,
        position=state.position,
        version=state.version,
        mark=mark,
        state=rules.section_state(section, answers, mark),
        saved_at=state.saved_at,
        saved_by=state.saved_by,
        questions=tuple(_question(question, answers, rows) for question in section.questions),
        problems=rules.section_problems(section, answers),
    )


def _question(question: Question, answers: Mapping[str, Answer], rows: Mapping[str, DossierAnswer]) -> QuestionView:
    answer = answers.get(question.key, Answer(question.key))
    return QuestionView(
        question=question,
        answer=answer,
        shown=rules.shown(question, answer),
        words=rules.count_words(answer.text),
        problem=rules.question_problem(question, answer),
        versions=rows[question.key].number if question.key in rows else 0,
    )


def written(dossier_id: UUID) -> DossierContent:
    """Definition and answers as frozen values."""
    view = dossier(dossier_id)
    return DossierContent(view.definition, tuple(q.answer for s in view.sections for q in s.questions))


def content(dossier_id: UUID) -> dict[str, Any]:
    """Definition and answers as plain JSON in one spelling: what a submission freezes and hashes."""
    return rules.to_mapping(written(dossier_id))


def history(dossier_id: UUID, question_key: str) -> tuple[AnswerVersionView, ...]:
    """Every version of one answer, newest first, at most :data:`VERSIONS_SHOWN_MAX`."""
    definition = _definition(get(Dossier, dossier_id))
    questions = {q.key: q for section in definition.sections for q in section.questions}
    if question_key not in questions:
        raise NotFound
    found = db.session.scalars(
        select(DossierAnswerVersion)
        .join(DossierAnswer, DossierAnswer.id == DossierAnswerVersion.answer_id)
        .where(DossierAnswer.dossier_id == dossier_id, DossierAnswer.question_key == question_key)
        .order_by(DossierAnswerVersion.number.desc())
        .limit(VERSIONS_SHOWN_MAX)
    ).all()
    question = questions[question_key]
    return tuple(
        AnswerVersionView(
            number=row.number,
            shown=rules.shown(question, answer_of(row, question_key)),
            words=rules.count_words(row.text),
            saved_at=row.saved_at,
            saved_by=row.saved_by,
        )
        for row in found
    )


@reader
def progress(dossier_ids: Iterable[UUID]) -> Asking[dict[UUID, Progress]]:
    """How many sections of each are marked complete, and when each was last saved; one statement for all."""
    wanted = list(dossier_ids)
    if not wanted:
        return {}
    rows = yield from ask(
        select(
            DossierSection.dossier_id,
            func.count(),
            func.count(DossierSection.marked_complete_at),
            func.max(DossierSection.saved_at),
        )
        .where(DossierSection.dossier_id.in_(wanted))
        .group_by(DossierSection.dossier_id)
    )
    return {dossier_id: Progress(sections, completed, saved) for dossier_id, sections, completed, saved in rows}
