"""Plain helpers by which an owner's act writes a dossier; there are no acts here, so the owner decides who may and when."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Select, Text, Uuid, and_, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import aliased

from grants.core import acts, encoding
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.dossiers import queries, rules
from grants.dossiers.merging import AnswerChanged, AnswerSaved, SectionSaved, Shown
from grants.dossiers.models import (
    Dossier,
    DossierAnswer,
    DossierAnswerVersion,
    DossierComment,
    DossierSection,
    DossierSetAside,
    DossierThread,
)
from grants.dossiers.rules import (
    TEXT_CHARACTERS_MAX,
    Answer,
    Definition,
    DossierContent,
    Mark,
    Question,
    QuestionKind,
    Section,
)


def create(owner_kind: str, owner_id: UUID, definition: Definition) -> UUID:
    """An empty document; it keeps the definition, so that a later corrigendum never changes what was asked."""
    assert not rules.definition_problems(definition), "a definition is checked before it is used"
    dossier = Dossier(owner_kind=owner_kind, owner_id=owner_id, definition=encoding.encode(definition))
    db.session.add(dossier)
    for position, section in enumerate(definition.sections):
        db.session.add(DossierSection(dossier_id=dossier.id, key=section.key, position=position, saves=0))
    return dossier.id


def copy(owner_kind: str, owner_id: UUID, content: DossierContent) -> UUID:
    """A document of another owner that says the same; nobody is named as the writer of what was only copied.

    Files it names stay where they are kept.
    """
    dossier_id = create(owner_kind, owner_id, content.definition)
    homes = {question.key: section.key for section in content.definition.sections for question in section.questions}
    for answer in content.answers:
        if answer.empty or answer.question not in homes:
            continue
        row = DossierAnswer(dossier_id=dossier_id, section_key=homes[answer.question], question_key=answer.question)
        row.number = 0
        db.session.add(row)
        _store_moved(row, answer)
    return dossier_id


def save_section(
    dossier_id: UUID, section_key: str, answers: Iterable[Answer], shown: Iterable[Shown] | None
) -> SectionSaved:
    """Store what was typed in one section, whatever state it is in; questions not given are left as they are.

    ``shown`` says which version of each answer its writer saw. What somebody else changed after that is not stored
    and comes back with both texts; everything else is stored all the same. Raises :class:`Invalid` for text no form
    would send.
    """
    opened = _opened(dossier_id, section_key)
    # What asks for a file is answered by attaching one (:func:`attach_files`), never by a name somebody sends.
    typed = {key for key, question in opened.questions.items() if question.kind is not QuestionKind.FILE}
    given = [answer for answer in answers if answer.question in typed]
    for answer in given:
        _refuse_a_flood(opened.questions[answer.question], answer)
    weighed = queries.weighed(opened.section, opened.answers, given, shown)
    for answer in weighed.to_store:
        _store(dossier_id, section_key, opened.answers.get(answer.question), answer)
    if weighed.to_store or shown is None:
        _touch(opened.row)
    db.session.flush()
    return SectionSaved(opened.row.version, weighed.contested)


def save_answer(
    dossier_id: UUID, section_key: str, question_key: str, values: Sequence[str], number: int
) -> AnswerSaved:
    """Store one answer as a browser sent it, by the same rule as a whole section; the same text again is nothing new.

    Raises :class:`AnswerChanged` with both texts, :class:`NotFound` for a question that is not answered by typing or
    picking. Reads once and writes three rows. Two at the same moment are told apart by their owner's lock, and at the
    latest by the unique number of a version.
    """
    opened = _opened_for_one(dossier_id, section_key, question_key)
    question = next((each for each in opened.section.questions if each.key == question_key), None)
    if question is None or question.kind is QuestionKind.FILE:
        raise NotFound
    typed = rules.read_typed(question, values)
    _refuse_a_flood(question, typed)
    row = opened.answer
    weighed = queries.weighed(
        opened.section, {question_key: row} if row else {}, (typed,), (Shown(question_key, number),)
    )
    for contested in weighed.contested:
        raise AnswerChanged(question, contested)
    for answer in weighed.to_store:
        row = _store(dossier_id, section_key, row, answer)
        _touch(opened.row)
    answer = queries.answer_of(row, question_key) if row is not None else Answer(question_key)
    mark = Mark.COMPLETE if opened.row.marked_complete_at else Mark.OPEN
    return AnswerSaved(
        number=row.number if row is not None else 0,
        saved_at=row.saved_at if row is not None else None,
        saved_by=row.saved_by if row is not None else None,
        words=rules.count_words(answer.text),
        problem=rules.question_problem(question, answer),
        section=rules.section_state(opened.section, {**opened.others, question_key: answer}, mark),
        other=None if answer == rules.tidy(question, typed) else rules.as_typed(question, answer),
    )


def mark_section(dossier_id: UUID, section_key: str, mark: Mark) -> int:
    """Say that a section is finished, or open again; what is wrong in it stays visible either way."""
    section = _opened(dossier_id, section_key).row
    match mark:
        case Mark.COMPLETE:
            if section.marked_complete_at is None:
                section.marked_complete_at = acts.moment()
                section.marked_complete_by = acts.running_act().actor.user_id
        case Mark.OPEN:
            section.marked_complete_at = section.marked_complete_by = None
    db.session.flush()
    return section.version


def ask_to_write(dossier_id: UUID, section_key: str, person_id: UUID | None) -> UUID | None:
    """Say who is asked to write a section, or nobody in particular, and return who was asked before.

    Raises :class:`NotFound` for a section that is not there.
    """
    row = db.session.scalars(
        select(DossierSection)
        .where(DossierSection.dossier_id == dossier_id, DossierSection.key == section_key)
        .with_for_update(of=DossierSection)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    before, row.asked_id = row.asked_id, person_id
    return before


def ask_no_more(dossier_id: UUID, person_id: UUID) -> None:
    """Nobody in particular is asked any more to write what this person was asked to."""
    for row in db.session.scalars(
        select(DossierSection)
        .where(DossierSection.dossier_id == dossier_id, DossierSection.asked_id == person_id)
        .order_by(DossierSection.position)
        .with_for_update(of=DossierSection)
        .execution_options(populate_existing=True)
    ):
        row.asked_id = None


def comment(dossier_id: UUID, section_key: str, question_key: str, text: str) -> UUID:
    """Begin a thread about one question; returns its id. Raises :class:`Invalid`, :class:`Refused` beyond a hundred."""
    said = rules.checked_comment(text)
    definition: Definition = encoding.decode_known(get(Dossier, dossier_id).definition, Definition)
    section = definition.section(section_key)
    if section is None or question_key not in {question.key for question in section.questions}:
        raise NotFound
    there = db.session.scalar(
        select(func.count())
        .select_from(DossierThread)
        .where(DossierThread.dossier_id == dossier_id, DossierThread.section_key == section_key)
    )
    if (there or 0) >= rules.THREADS_MAX:
        raise Refused(
            f"This section has {there} comments; the limit is {rules.THREADS_MAX}. Reply to one of them instead."
        )
    thread = DossierThread(dossier_id=dossier_id, section_key=section_key, question_key=question_key)
    db.session.add(thread)
    _say(thread.id, 1, said)
    return thread.id


def reply(dossier_id: UUID, thread_id: UUID, text: str) -> None:
    """Say something more in a thread; a resolved one is open again by it."""
    said, thread = rules.checked_comment(text), _thread(dossier_id, thread_id)
    last = db.session.scalar(select(func.max(DossierComment.number)).where(DossierComment.thread_id == thread.id)) or 0
    if last >= rules.COMMENTS_MAX:
        raise Refused(f"This conversation has {last} comments; the limit is {rules.COMMENTS_MAX}. Begin a new one.")
    thread.resolved_at = thread.resolved_by = None
    _say(thread.id, last + 1, said)


def resolve(dossier_id: UUID, thread_id: UUID) -> None:
    """Say that a thread is settled; nothing happens where it is already."""
    thread = _thread(dossier_id, thread_id)
    if thread.resolved_at is None:
        thread.resolved_at, thread.resolved_by = acts.moment(), acts.running_act().actor.user_id


def reopen(dossier_id: UUID, thread_id: UUID) -> None:
    """Say that a thread is not settled after all."""
    thread = _thread(dossier_id, thread_id)
    thread.resolved_at = thread.resolved_by = None


def _thread(dossier_id: UUID, thread_id: UUID) -> DossierThread:
    thread = locked(DossierThread, thread_id)
    if thread.dossier_id != dossier_id:
        raise NotFound
    return thread


def _say(thread_id: UUID, number: int, text: str) -> None:
    by = acts.running_act().actor.user_id
    assert by is not None, "only a person comments"
    db.session.add(DossierComment(thread_id=thread_id, number=number, text=text, written_by=by))


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


def move(dossier_id: UUID, definition: Definition) -> None:
    """Let a document answer another definition, inside an owner's act; no word of it is lost.

    An answer keeps its text where its question is still asked, also in another section. What is not asked any more, or
    has no place in the way it is asked now, is set aside as people read it. Sections whose questions changed are open
    again. Nobody is named as the writer of what only moved.
    """
    assert not rules.definition_problems(definition), "a definition is checked before it is used"
    dossier = locked(Dossier, dossier_id)
    before: Definition = encoding.decode_known(dossier.definition, Definition)
    if before == definition:
        return
    dossier.definition = encoding.encode(definition)
    _move_sections(dossier_id, before, definition)
    _move_answers(dossier_id, before, definition)
    _move_threads(dossier_id, definition)
    db.session.flush()


def _move_sections(dossier_id: UUID, before: Definition, definition: Definition) -> None:
    rows = {
        row.key: row
        for row in db.session.scalars(
            select(DossierSection)
            .where(DossierSection.dossier_id == dossier_id)
            .with_for_update(of=DossierSection)
            .execution_options(populate_existing=True)
        )
    }
    for position, section in enumerate(definition.sections):
        row = rows.pop(section.key, None)
        if row is None:
            db.session.add(DossierSection(dossier_id=dossier_id, key=section.key, position=position, saves=0))
            continue
        row.position = position
        earlier = before.section(section.key)
        if earlier is None or earlier.questions != section.questions:
            row.marked_complete_at = row.marked_complete_by = None
    for gone in rows.values():
        db.session.delete(gone)


def _move_answers(dossier_id: UUID, before: Definition, definition: Definition) -> None:
    homes = {question.key: section.key for section in definition.sections for question in section.questions}
    rows = db.session.scalars(
        select(DossierAnswer).where(DossierAnswer.dossier_id == dossier_id).order_by(DossierAnswer.question_key)
    ).all()
    lost = []
    for row in rows:
        old, new = before.question(row.question_key), definition.question(row.question_key)
        answer = queries.answer_of(row, row.question_key)
        if new is None:
            lost += [(row.section_key, old, answer, True)] if old is not None and not answer.empty else []
            continue
        row.section_key = homes[new.key]
        if old is not None and old != new and rules.loses_words(old, new, answer):
            lost.append((row.section_key, old, answer, False))
            _store_moved(row, rules.moved_answer(old, new, answer))
    _set_aside(dossier_id, before, lost)


def _move_threads(dossier_id: UUID, definition: Definition) -> None:
    """Conversations go with their question; those about one that is gone stay where they were."""
    homes = {question.key: section.key for section in definition.sections for question in section.questions}
    for thread in db.session.scalars(select(DossierThread).where(DossierThread.dossier_id == dossier_id)):
        thread.section_key = homes.get(thread.question_key, thread.section_key)


def _store_moved(row: DossierAnswer, answer: Answer) -> None:
    """A new version that nobody wrote; the one before stays in the history."""
    row.text, row.picked = answer.text, list(answer.picked)
    row.number, row.saved_at, row.saved_by = row.number + 1, acts.moment(), None
    db.session.add(
        DossierAnswerVersion(
            answer_id=row.id,
            number=row.number,
            text=answer.text,
            picked=list(answer.picked),
            saved_at=acts.moment(),
            saved_by=None,
        )
    )


def _set_aside(dossier_id: UUID, before: Definition, lost: Sequence[tuple[str, Question, Answer, bool]]) -> None:
    there = db.session.scalar(
        select(func.count()).select_from(DossierSetAside).where(DossierSetAside.dossier_id == dossier_id)
    )
    titles = {question.key: section.title for section in before.sections for question in section.questions}
    told = [(key, asked, rules.shown(asked, answer), gone) for key, asked, answer, gone in lost]
    for number, (key, asked, text, gone) in enumerate((each for each in told if each[2]), (there or 0) + 1):
        db.session.add(
            DossierSetAside(
                dossier_id=dossier_id,
                number=number,
                section_key=key,
                section_title=titles[asked.key],
                question_key=asked.key,
                label=asked.label,
                text=text,
                is_gone=gone,
                set_aside_at=acts.moment(),
            )
        )


@dataclass(frozen=True, slots=True)
class _Opened:
    """One section under its lock, with what it asks and what is answered."""

    row: DossierSection
    section: Section
    answers: dict[str, DossierAnswer]

    @property
    def questions(self) -> dict[str, Question]:
        return {question.key: question for question in self.section.questions}


def _opened(dossier_id: UUID, section_key: str) -> _Opened:
    """One statement; raises :class:`NotFound`."""
    found = db.session.execute(
        # As text, for it comes with each answer and is read once.
        select(DossierSection, cast(Dossier.definition, Text), DossierAnswer)
        .join(Dossier, Dossier.id == DossierSection.dossier_id)
        .outerjoin(
            DossierAnswer,
            and_(
                DossierAnswer.dossier_id == DossierSection.dossier_id, DossierAnswer.section_key == DossierSection.key
            ),
        )
        .where(DossierSection.dossier_id == dossier_id, DossierSection.key == section_key)
        .with_for_update(of=DossierSection)
        .execution_options(populate_existing=True)
    ).all()
    if not found:
        raise NotFound
    definition: Definition = encoding.decode_known(json.loads(found[0][1]), Definition)
    section = definition.section(section_key)
    assert section is not None, "a section's row is made from the definition"
    return _Opened(found[0][0], section, {row.question_key: row for _, _, row in found if row is not None})


@dataclass(frozen=True, slots=True)
class _OpenedForOne:
    """One section under its lock, with one answer to be written and what the others say."""

    row: DossierSection
    section: Section
    answer: DossierAnswer | None
    others: Mapping[str, Answer]


def _opened_for_one(dossier_id: UUID, section_key: str, question_key: str) -> _OpenedForOne:
    """One statement of one row; raises :class:`NotFound`."""
    given = {"dossier_id": dossier_id, "section_key": section_key, "question_key": question_key}
    found = db.session.execute(_section_and_answer(), given).one_or_none()
    if found is None:
        raise NotFound
    row, answer, text, others = found
    section: Section = encoding.decode_text(text, Section)
    assert section.key == section_key, "a section's row stands at the place of its section"
    told = {key: Answer(key, text, tuple(picked)) for key, text, picked in others or ()}
    return _OpenedForOne(row, section, answer, told)


@functools.cache
def _section_and_answer() -> Select[Any]:
    """What :func:`_opened_for_one` asks, put together once. Of the definition only the section travels, as text."""
    dossier, key = bindparam("dossier_id", type_=Uuid), bindparam("section_key", type_=Text)
    question, other = bindparam("question_key", type_=Text), aliased(DossierAnswer)
    sections = Dossier.definition.op("->")(literal_column("'sections'"))
    section = (
        select(cast(sections.op("->")(DossierSection.position), Text))
        .where(Dossier.id == DossierSection.dossier_id)
        .scalar_subquery()
    )
    others = (
        select(func.json_agg(func.json_build_array(other.question_key, other.text, other.picked), type_=JSON))
        .where(other.dossier_id == dossier, other.section_key == key, other.question_key != question)
        .scalar_subquery()
    )
    return (
        select(DossierSection, DossierAnswer, section, others)
        .outerjoin(
            DossierAnswer,
            and_(
                DossierAnswer.dossier_id == DossierSection.dossier_id,
                DossierAnswer.section_key == DossierSection.key,
                DossierAnswer.question_key == question,
            ),
        )
        .where(DossierSection.dossier_id == dossier, DossierSection.key == key)
        .with_for_update(of=DossierSection)
        .execution_options(populate_existing=True)
    )


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


def _store(dossier_id: UUID, section_key: str, row: DossierAnswer | None, answer: Answer) -> DossierAnswer | None:
    """The row of the answer as it stands now; None where nothing was written and nothing stood."""
    if row is None and answer.empty:
        return None
    if row is not None and queries.answer_of(row, answer.question) == answer:
        return row
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
    return row


def _touch(section: DossierSection) -> None:
    """Who wrote here last, and when."""
    section.saves += 1
    section.saved_at = acts.moment()
    section.saved_by = acts.running_act().actor.user_id
