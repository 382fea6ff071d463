"""Reads of dossiers: everything written in one, in one statement; whether somebody may see it is the owner's say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_

from grants.core import encoding
from grants.core.db import db, get
from grants.core.errors import NotFound, Problem
from grants.core.together import Asking, ask, reader, side_by_side
from grants.dossiers import merging, rules
from grants.dossiers.markup import Block
from grants.dossiers.merging import Contested, Outcome, Piece, Shown
from grants.dossiers.models import (
    Dossier,
    DossierAnswer,
    DossierAnswerVersion,
    DossierComment,
    DossierSection,
    DossierSetAside,
    DossierThread,
)
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
    # The number of the version that stands, which the form carries; 0 where nothing was ever stored.
    number: int
    # Whether it is asked, by the answers that stand.
    asked: bool = True

    @property
    def anchor(self) -> str:
        """The id of its field."""
        return rules.anchor(self.question.key)

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
class AnswerVersionView:
    """One version of an answer."""

    number: int
    answer: Answer
    shown: str
    words: int
    saved_at: datetime
    saved_by: UUID | None


@dataclass(frozen=True, slots=True)
class Sitting:
    """What one person saved of an answer within ten minutes, newest first, and what that changed word by word."""

    versions: tuple[AnswerVersionView, ...]
    pieces: tuple[Piece, ...]

    @property
    def newest(self) -> AnswerVersionView:
        """The version that stood in the end."""
        return self.versions[0]


@dataclass(frozen=True, slots=True)
class History:
    """Versions of one answer, newest first; ``before`` is the number from which earlier ones go on, None at the end."""

    sittings: tuple[Sitting, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What of a person's answers may be stored, and what others changed meanwhile."""

    to_store: tuple[Answer, ...]
    contested: tuple[Contested, ...]


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


def _definition(row: Any) -> Definition:
    definition: Definition = encoding.decode_known(row.definition, Definition)
    return definition


@reader
def dossier(dossier_id: UUID) -> Asking[DossierView]:
    """The whole document, sections in the order of its definition; one statement."""
    found, states, answers = yield from side_by_side(
        ask(question)
        for question in (
            select(Dossier).where(Dossier.id == dossier_id),
            select(DossierSection).where(DossierSection.dossier_id == dossier_id),
            select(DossierAnswer).where(DossierAnswer.dossier_id == dossier_id),
        )
    )
    if not found:
        raise NotFound
    row = found[0]
    definition = _definition(row)
    by_section = {state.key: state for state in states}
    by_question = {answer.question_key: answer for answer in answers}
    given = {answer.question_key: answer_of(answer, answer.question_key) for answer in answers}
    told = [rules.with_answers(section, definition, given) for section in definition.sections]
    return DossierView(
        id=row.id,
        owner_kind=row.owner_kind,
        owner_id=row.owner_id,
        definition=definition,
        sections=tuple(_section(section, by_section[section.key], by_question, given) for section in told),
    )


def answer_of(row: Any, question_key: str) -> Answer:
    """A stored answer as the frozen value."""
    return Answer(question_key, row.text, tuple(row.picked))


def _section(section: Section, state: Any, rows: Mapping[str, Any], answers: Mapping[str, Answer]) -> SectionView:
    """One section; ``answers`` are those of the whole document, since a question may depend on another section."""
    mark = Mark.COMPLETE if state.marked_complete_at else Mark.OPEN
    return SectionView(
        section=section,
        position=state.position,
        version=state.version,
        mark=mark,
        state=rules.section_state(section, answers, mark),
        saved_at=state.saved_at,
        saved_by=state.saved_by,
        asked_id=state.asked_id,
        questions=tuple(_question(question, answers, rows) for question in section.questions),
        problems=rules.section_problems(section, answers),
    )


def _question(question: Question, answers: Mapping[str, Answer], rows: Mapping[str, Any]) -> QuestionView:
    answer = answers.get(question.key, Answer(question.key))
    return QuestionView(
        question=question,
        answer=answer,
        shown=rules.shown(question, answer),
        words=rules.count_words(answer.text),
        problem=rules.question_problem(question, answer) if rules.asked(question, answers) else None,
        number=rows[question.key].number if question.key in rows else 0,
        asked=rules.asked(question, answers),
    )


def unstored(content: DossierContent, finished: Collection[str] = ()) -> DossierView:
    """A document that stands in no table, by the same rules; ``finished`` are the sections said to be."""
    answers = {answer.question: answer for answer in content.answers}
    sections = tuple(
        _unstored(rules.with_answers(section, content.definition, answers), position, answers, section.key in finished)
        for position, section in enumerate(content.definition.sections)
    )
    nobody = UUID(int=0)
    return DossierView(nobody, "", nobody, content.definition, sections)


def _unstored(section: Section, position: int, answers: Mapping[str, Answer], is_finished: bool) -> SectionView:
    mark = Mark.COMPLETE if is_finished else Mark.OPEN
    return SectionView(
        section=section,
        position=position,
        version=0,
        mark=mark,
        state=rules.section_state(section, answers, mark),
        saved_at=None,
        saved_by=None,
        asked_id=None,
        questions=tuple(_question(question, answers, {}) for question in section.questions),
        problems=rules.section_problems(section, answers),
    )


def written(dossier_id: UUID) -> DossierContent:
    """Definition and answers as frozen values."""
    return dossier(dossier_id).content


def content(dossier_id: UUID) -> dict[str, Any]:
    """Definition and answers as plain JSON in one spelling: what a submission freezes and hashes."""
    return rules.to_mapping(written(dossier_id))


def weighed(
    section: Section, rows: Mapping[str, DossierAnswer], answers: Iterable[Answer], shown: Iterable[Shown] | None
) -> Weighed:
    """Answers beside what stands: a changed one may be stored where its version was shown; one more statement where not.

    Without ``shown`` nobody looked at a form (the demo, a test), and everything may be stored.
    """
    questions = {question.key: question for question in section.questions}
    typed = {
        each.question: rules.tidy(questions[each.question], each) for each in answers if each.question in questions
    }
    numbers = None if shown is None else {each.question: each.number for each in shown}
    standing = {key: rows[key].number if key in rows else 0 for key in typed}
    seen = standing if numbers is None else {key: numbers.get(key, merging.UNSEEN) for key in typed}
    bases = _bases({rows[key].id: seen[key] for key in typed if key in rows and 0 < seen[key] < standing[key]})
    to_store, contested = [], []
    for key, answer in typed.items():
        row = rows.get(key)
        stored = answer_of(row, key) if row is not None else Answer(key)
        version = bases.get(row.id) if row is not None else None
        base = answer_of(version, key) if version is not None else Answer(key) if seen[key] == 0 else None
        match merging.judged(
            questions[key], base=base, stored=stored, typed=answer, is_shown=seen[key] == standing[key]
        ):
            case Outcome.STORE:
                to_store.append(answer)
            case Outcome.MERGED | Outcome.CONFLICT if row is not None:
                contested.append(
                    Contested(key, row.number, base or Answer(key), stored, answer, row.saved_at, row.saved_by)
                )
            case Outcome.MERGED | Outcome.CONFLICT:
                # A number of a version that never was: nothing stands that could be overwritten.
                to_store.append(answer)
            case Outcome.KEEP:
                continue
    return Weighed(tuple(to_store), tuple(contested))


def _bases(wanted: Mapping[UUID, int]) -> dict[UUID, DossierAnswerVersion]:
    if not wanted:
        return {}
    found = db.session.scalars(
        select(DossierAnswerVersion).where(
            tuple_(DossierAnswerVersion.answer_id, DossierAnswerVersion.number).in_(sorted(wanted.items()))
        )
    )
    return {row.answer_id: row for row in found}


def weighed_now(dossier_id: UUID, section_key: str, answers: Iterable[Answer], shown: Iterable[Shown]) -> Weighed:
    """The same for a page, after an act was refused."""
    definition = _definition(get(Dossier, dossier_id))
    section = definition.section(section_key)
    if section is None:
        raise NotFound
    rows = db.session.scalars(
        select(DossierAnswer).where(DossierAnswer.dossier_id == dossier_id, DossierAnswer.section_key == section_key)
    )
    return weighed(section, {row.question_key: row for row in rows}, answers, shown)


def history(dossier_id: UUID, question: Question, *, before: int | None = None) -> History:
    """Versions of one answer, newest first, at most :data:`VERSIONS_SHOWN_MAX`, from below the number ``before``."""
    asked = (
        select(DossierAnswerVersion)
        .join(DossierAnswer, DossierAnswer.id == DossierAnswerVersion.answer_id)
        .where(DossierAnswer.dossier_id == dossier_id, DossierAnswer.question_key == question.key)
        .order_by(DossierAnswerVersion.number.desc())
        .limit(VERSIONS_SHOWN_MAX + 1)
    )
    if before is not None:
        asked = asked.where(DossierAnswerVersion.number < before)
    found = [_version(question, row) for row in db.session.scalars(asked)]
    # One more was asked for: what the oldest shown is compared with.
    older = found[VERSIONS_SHOWN_MAX:]
    versions = found[:VERSIONS_SHOWN_MAX][::-1]
    made = []
    for start, end in merging.sittings([(each.saved_by, each.saved_at) for each in versions]):
        earlier = versions[start - 1] if start else older[0] if older else None
        pieces = merging.compared(earlier.shown if earlier else "", versions[end - 1].shown)
        made.append(Sitting(tuple(versions[start:end][::-1]), pieces))
    return History(tuple(made[::-1]), versions[0].number if older else None)


def version_of(dossier_id: UUID, question: Question, number: int) -> AnswerVersionView:
    """One version of an answer; :class:`NotFound`."""
    row = db.session.scalars(
        select(DossierAnswerVersion)
        .join(DossierAnswer, DossierAnswer.id == DossierAnswerVersion.answer_id)
        .where(
            DossierAnswer.dossier_id == dossier_id,
            DossierAnswer.question_key == question.key,
            DossierAnswerVersion.number == number,
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return _version(question, row)


def _version(question: Question, row: DossierAnswerVersion) -> AnswerVersionView:
    answer = answer_of(row, question.key)
    return AnswerVersionView(
        number=row.number,
        answer=answer,
        shown=rules.shown(question, answer),
        words=rules.count_words(row.text),
        saved_at=row.saved_at,
        saved_by=row.saved_by,
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


@reader
def set_aside(dossier_id: UUID) -> Asking[tuple[SetAside, ...]]:
    """Every text that lost its place, the newest first; one statement."""
    rows = yield from ask(
        select(
            DossierSetAside.section_key,
            DossierSetAside.section_title,
            DossierSetAside.question_key,
            DossierSetAside.label,
            DossierSetAside.text,
            DossierSetAside.is_gone,
            DossierSetAside.set_aside_at,
        )
        .where(DossierSetAside.dossier_id == dossier_id)
        .order_by(DossierSetAside.number.desc())
        .limit(rules.SET_ASIDE_MAX)
    )
    return tuple(SetAside(*row) for row in rows)


# --- comments -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommentView:
    """What somebody said of a question, when."""

    text: str
    paragraphs: tuple[Block, ...]
    written_by: UUID
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One conversation about one question, from its first word on."""

    id: UUID
    question: str
    resolved_at: datetime | None
    resolved_by: UUID | None
    comments: tuple[CommentView, ...]

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.resolved_at is None

    @property
    def people(self) -> frozenset[UUID]:
        """Everybody who spoke in it or resolved it."""
        named = {comment.written_by for comment in self.comments}
        return frozenset(named | {self.resolved_by} if self.resolved_by else named)


@reader
def open_threads(dossier_id: UUID) -> Asking[dict[str, dict[str, int]]]:
    """How many threads are open, by section and question, where there are any; one statement."""
    rows = yield from ask(
        select(DossierThread.section_key, DossierThread.question_key, func.count().label("threads"))
        .where(DossierThread.dossier_id == dossier_id, DossierThread.resolved_at.is_(None))
        .group_by(DossierThread.section_key, DossierThread.question_key)
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.section_key, {})[row.question_key] = row.threads
    return found


def threads(dossier_id: UUID, section_key: str) -> tuple[ThreadView, ...]:
    """The threads of one section, open ones first, each group from the oldest on; one statement."""
    rows = db.session.execute(
        select(DossierThread, DossierComment)
        .join(DossierComment, DossierComment.thread_id == DossierThread.id)
        .where(DossierThread.dossier_id == dossier_id, DossierThread.section_key == section_key)
        .order_by(
            DossierThread.resolved_at.is_not(None), DossierThread.created_at, DossierThread.id, DossierComment.number
        )
        .limit(rules.THREADS_MAX * rules.COMMENTS_MAX)
    ).all()
    found: dict[UUID, tuple[DossierThread, list[CommentView]]] = {}
    for thread, comment in rows:
        said = CommentView(comment.text, rules.paragraphs(comment.text), comment.written_by, comment.created_at)
        found.setdefault(thread.id, (thread, []))[1].append(said)
    return tuple(
        ThreadView(row.id, row.question_key, row.resolved_at, row.resolved_by, tuple(comments))
        for row, comments in found.values()
    )
