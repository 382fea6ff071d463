"""Plain helpers by which an owner's act writes a dossier; there are no acts here, so the owner decides who may and when.

Autosave by field and the merge of two drafts come later: they will write the same answer versions.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from grants.core import acts, encoding
from grants.core.db import db, get
from grants.core.errors import Invalid, NotFound
from grants.dossiers import rules
from grants.dossiers.models import Dossier, DossierAnswer, DossierAnswerVersion, DossierSection
from grants.dossiers.queries import answer_of
from grants.dossiers.rules import TEXT_CHARACTERS_MAX, Answer, Definition, Mark, Question, QuestionKind, SectionChanged


def create(owner_kind: str, owner_id: UUID, definition: Definition) -> UUID:
    """An empty document; it keeps the definition, so that a later corrigendum never changes what was asked."""
    assert not rules.definition_problems(definition), "a definition is checked before it is used"
    dossier = Dossier(owner_kind=owner_kind, owner_id=owner_id, definition=encoding.encode(definition))
    db.session.add(dossier)
    for position, section in enumerate(definition.sections):
        db.session.add(DossierSection(dossier_id=dossier.id, key=section.key, position=position, saves=0))
    return dossier.id


def save_section(dossier_id: UUID, section_key: str, answers: Iterable[Answer], version: int | None) -> int:
    """Store what was typed in one section, whatever state it is in, and return the section's new version.

    Questions not given are left as they are. Raises :class:`SectionChanged` when somebody saved
    the section after ``version`` was shown, and :class:`Invalid` for text no form would send.
    """
    section = _locked_section(dossier_id, section_key, version)
    questions = _questions(dossier_id, section_key)
    given = {answer.question: answer for answer in answers if answer.question in questions}
    rows = {
        row.question_key: row
        for row in db.session.scalars(
            select(DossierAnswer).where(
                DossierAnswer.dossier_id == dossier_id, DossierAnswer.question_key.in_(sorted(given))
            )
        )
    }
    for key, answer in given.items():
        _refuse_a_flood(questions[key], answer)
        _store(dossier_id, section_key, rows.get(key), rules.tidy(questions[key], answer))
    _touch(section)
    db.session.flush()
    return section.version


def mark_section(dossier_id: UUID, section_key: str, mark: Mark, version: int | None = None) -> int:
    """Say that a section is finished, or open again; what is wrong in it stays visible either way."""
    section = _locked_section(dossier_id, section_key, version)
    match mark:
        case Mark.COMPLETE:
            if section.marked_complete_at is None:
                section.marked_complete_at = acts.moment()
                section.marked_complete_by = acts.running_act().actor.user_id
        case Mark.OPEN:
            section.marked_complete_at = section.marked_complete_by = None
    db.session.flush()
    return section.version


def attach_files(dossier_id: UUID, question_key: str, file_ids: Iterable[UUID]) -> None:
    """Say which stored files answer a file question; the section's version stays, nobody's form becomes stale by it."""
    definition: Definition = encoding.decode_known(get(Dossier, dossier_id).definition, Definition)
    for section in definition.sections:
        for question in section.questions:
            if question.key == question_key and question.kind is QuestionKind.FILE:
                answer = Answer(question_key, picked=tuple(str(file_id) for file_id in file_ids))
                _store(dossier_id, section.key, _row(dossier_id, question_key), answer)
                return
    raise NotFound


def _row(dossier_id: UUID, question_key: str) -> DossierAnswer | None:
    return db.session.scalars(
        select(DossierAnswer).where(DossierAnswer.dossier_id == dossier_id, DossierAnswer.question_key == question_key)
    ).one_or_none()


def copy_answers(source_id: UUID, target_id: UUID) -> None:
    """Prefill one document from another: answers to questions both have (a report from its plan)."""
    definition: Definition = encoding.decode({"value": get(Dossier, target_id).definition}, Definition)
    known = {question.key: (section, question) for section in definition.sections for question in section.questions}
    rows = db.session.scalars(select(DossierAnswer).where(DossierAnswer.dossier_id == source_id)).all()
    for row in rows:
        if row.question_key in known:
            section, question = known[row.question_key]
            _store(target_id, section.key, None, rules.tidy(question, answer_of(row, question.key)))


def _locked_section(dossier_id: UUID, section_key: str, version: int | None) -> DossierSection:
    found = db.session.scalars(
        select(DossierSection)
        .where(DossierSection.dossier_id == dossier_id, DossierSection.key == section_key)
        .with_for_update(of=DossierSection)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    if version is not None and found.version != version:
        raise SectionChanged(
            "Somebody else saved this section while you were writing. Your text is kept on this page, beside what was stored."
        )
    return found


def _questions(dossier_id: UUID, section_key: str) -> dict[str, Question]:
    definition: Definition = encoding.decode_known(get(Dossier, dossier_id).definition, Definition)
    section = definition.section(section_key)
    if section is None:
        raise NotFound
    return {question.key: question for question in section.questions}


def _refuse_a_flood(question: Question, answer: Answer) -> None:
    if len(answer.text) > TEXT_CHARACTERS_MAX:
        raise Invalid(
            "The text is too long to be stored.",
            {
                question.key: f"{question.label} has {len(answer.text)} characters; at most {TEXT_CHARACTERS_MAX} can be stored. Shorten it."
            },
        )
    if sentence := rules.lines_problem(f"\u201c{question.label}\u201d", rules.clean_text(answer.text)):
        raise Invalid("The text is too long to be stored.", {question.key: sentence})


def _store(dossier_id: UUID, section_key: str, row: DossierAnswer | None, answer: Answer) -> None:
    if row is None and answer.empty:
        return
    if row is not None and answer_of(row, answer.question) == answer:
        return
    by, when = acts.running_act().actor.user_id, acts.moment()
    if row is None:
        row = DossierAnswer(dossier_id=dossier_id, section_key=section_key, question_key=answer.question, number=0)
        db.session.add(row)
    row.text, row.picked = answer.text, list(answer.picked)
    row.saved_at, row.saved_by = when, by
    row.number += 1
    db.session.add(
        DossierAnswerVersion(
            answer_id=row.id,
            number=row.number,
            text=answer.text,
            picked=list(answer.picked),
            saved_at=when,
            saved_by=by,
        )
    )


def _touch(section: DossierSection) -> None:
    """A new version even where no answer changed, so that a form sent later is known to be stale."""
    section.saves += 1
    section.saved_at = acts.moment()
    section.saved_by = acts.running_act().actor.user_id
