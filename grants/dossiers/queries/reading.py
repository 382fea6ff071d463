"""A dossier whole, or one that stands in no table; how far it is, and what was set aside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.core import encoding
from grants.core.errors import NotFound
from grants.core.together import Asking, ask, reader, side_by_side
from grants.dossiers import rules
from grants.dossiers.models import Dossier, DossierAnswer, DossierSection, DossierSetAside
from grants.dossiers.queries.values import DossierView, Progress, QuestionView, SectionView, SetAside
from grants.dossiers.rules import Answer, Definition, DossierContent, Mark, Question, Section


def definition_of(row: Any) -> Definition:
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
    definition = definition_of(row)
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


@reader
def progress(dossier_ids: Iterable[UUID]) -> Asking[dict[UUID, Progress]]:
    """How many sections of each are complete, counted as its own page counts them, and when each was last saved.

    One statement for all.
    """
    wanted = list(dossier_ids)
    if not wanted:
        return {}
    found, states, answers = yield from side_by_side(
        ask(question)
        for question in (
            select(Dossier.id, Dossier.definition).where(Dossier.id.in_(wanted)),
            select(DossierSection).where(DossierSection.dossier_id.in_(wanted)),
            select(DossierAnswer).where(DossierAnswer.dossier_id.in_(wanted)),
        )
    )
    given: dict[UUID, dict[str, Answer]] = {row.id: {} for row in found}
    for row in answers:
        given[row.dossier_id][row.question_key] = answer_of(row, row.question_key)
    return {
        row.id: _progress(row, [state for state in states if state.dossier_id == row.id], given[row.id])
        for row in found
    }


def _progress(row: Any, states: Sequence[Any], given: Mapping[str, Answer]) -> Progress:
    saved_at = max((state.saved_at for state in states if state.saved_at), default=None)
    marked = {state.key for state in states if state.marked_complete_at}
    if not marked:
        return Progress(len(states), 0, saved_at)
    definition = definition_of(row)
    told = [rules.with_answers(each, definition, given) for each in definition.sections if each.key in marked]
    completed = [each for each in told if not rules.section_problems(each, given)]
    return Progress(len(states), len(completed), saved_at)


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
