"""Reads of the questions and answers of a call: the public list, what one asked oneself, and what waits at the desk."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from grants.calls.models import CallQuestion, CallQuestionSource, CallQuestionVersion
from grants.calls.queries.applying import applications_asked_about
from grants.calls.queries.sessions import sessions
from grants.calls.rules.questions import AskedView, Asker, DraftView, PublicQuestion, VersionView
from grants.calls.rules.sessions import SessionView
from grants.conversations import queries as conversations
from grants.conversations.models import Conversation
from grants.conversations.rules import ConversationRow, MessageView
from grants.conversations.states import ConversationState, Queue
from grants.core import faults
from grants.core.db import db, folded, locked
from grants.core.errors import NotFound
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import fold
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import queries as identity

SEARCH_WORDS_MAX = 8
DRAFTS_MAX = 200
BESIDE_A_SECTION = 5


def question_scope(question_id: UUID) -> Scope:
    """Where a question lies: in its call, read under the question's lock."""
    return Scope.of(("call", locked(CallQuestion, question_id).call_id))


# --- what everybody reads -----------------------------------------------------------------------------------------


@reader
def questions_page(
    actor: Actor, call_id: UUID, page: Page, *, search: str = "", section: str = ""
) -> Asking[tuple[Rows[PublicQuestion], tuple[AskedView, ...], tuple[SessionView, ...]]]:
    """One page of the published questions, what this person asked, and the sessions they were answered at; one statement."""
    parts: list[Asking[Any]] = [
        public_questions.asking(call_id, page, search=search, section=section),
        own_questions.asking(actor, call_id),
        sessions.asking(call_id),
    ]
    rows, own, held = yield from side_by_side(parts)
    return rows, own, held


@reader
def public_questions(call_id: UUID, page: Page, *, search: str = "", section: str = "") -> Asking[Rows[PublicQuestion]]:
    """Published questions by number with every version of each, and how many there are; one statement."""
    conditions = _published(call_id, search, section)
    statement = select(CallQuestion).where(*conditions)
    if (last := page.number) is not None:
        statement = statement.where(CallQuestion.number > last)
    counted = select(CallQuestion.id).where(*conditions).limit(COUNTED_MAX + 1).subquery()
    found, ((total,),) = yield from both(
        _whole.asking(statement.order_by(CallQuestion.number).limit(page.limit)),
        ask(select(func.count()).select_from(counted)),
    )
    return cut(found, page, key=lambda each: str(each.number), total=Tally.of(total))


def newest_questions(call_id: UUID, most: int) -> tuple[PublicQuestion, ...]:
    """The questions that were published or corrected last, for a feed; one statement."""
    changed = (
        select(func.max(CallQuestionVersion.created_at))
        .where(CallQuestionVersion.question_id == CallQuestion.id)
        .scalar_subquery()
    )
    found = select(CallQuestion).where(*_published(call_id)).order_by(changed.desc(), CallQuestion.number.desc())
    return _whole(found.limit(most))


def questions_beside(call_id: UUID, section: str) -> tuple[PublicQuestion, ...]:
    """The newest published questions about one section of the form; one statement."""
    found = db.session.scalars(
        select(CallQuestion)
        .where(*_published(call_id), CallQuestion.section == section)
        .order_by(CallQuestion.number.desc())
        .limit(BESIDE_A_SECTION)
    )
    return tuple(_public(row, ()) for row in found)


@reader
def answers_published(call_id: UUID) -> Asking[tuple[int, datetime | None]]:
    """How many questions are answered for everybody, and when one last was; one statement."""
    (row,) = yield from ask(
        select(
            func.count(CallQuestion.number).label("number"), func.max(CallQuestion.published_at).label("last")
        ).where(CallQuestion.call_id == call_id)
    )
    return row.number, row.last


@reader
def published_numbers(call_id: UUID) -> Asking[tuple[int, ...]]:
    """The numbers that are public, for whoever answers by one."""
    rows = yield from ask(
        select(CallQuestion.number).where(*_published(call_id)).order_by(CallQuestion.number).limit(COUNTED_MAX)
    )
    return tuple(number for (number,) in rows)


def _published(call_id: UUID, search: str = "", section: str = "") -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [CallQuestion.call_id == call_id, CallQuestion.number.is_not(None)]
    if section:
        found.append(CallQuestion.section == section)
    for word in fold(search).split()[:SEARCH_WORDS_MAX]:
        both = func.concat(CallQuestion.question, " ", CallQuestion.answer)
        found.append(folded(both).contains(word, autoescape=True))
    return found


@reader
def _whole(wanted: Select[Any]) -> Asking[tuple[PublicQuestion, ...]]:
    """Published questions with their versions; one statement."""
    told = select(CallQuestionVersion).where(
        CallQuestionVersion.question_id.in_(wanted.with_only_columns(CallQuestion.id))
    )
    found, wordings = yield from both(
        ask(wanted), ask(told.order_by(CallQuestionVersion.question_id, CallQuestionVersion.number.desc()))
    )
    versions: dict[UUID, list[VersionView]] = {row.id: [] for row in found}
    for each in wordings:
        versions[each.question_id].append(
            VersionView(each.number, each.question, each.answer, each.note, each.created_at)
        )
    return tuple(_public(row, tuple(versions[row.id])) for row in found)


def _public(row: Any, versions: tuple[VersionView, ...]) -> PublicQuestion:
    assert row.number is not None and row.published_at is not None, "only what is published is read by everybody"
    return PublicQuestion(row.number, row.question, row.answer, row.section, row.session, row.published_at, versions)


# --- what one asked oneself ---------------------------------------------------------------------------------------


@reader
def own_questions(actor: Actor, call_id: UUID) -> Asking[tuple[AskedView, ...]]:
    """What this person asked about a call, the newest first, and what became of each; one statement at most."""
    if call_id in actor.barred("call"):
        raise NotFound
    if actor.user_id is None:
        return ()
    statement = (
        select(Conversation, CallQuestion.number.label("answered_as"))
        .outerjoin(CallQuestionSource, CallQuestionSource.conversation_id == Conversation.id)
        .outerjoin(CallQuestion, CallQuestion.id == CallQuestionSource.question_id)
        .where(
            Conversation.about_id == call_id,
            Conversation.queue == Queue.PUBLIC.value,
            Conversation.opened_by == actor.user_id,
        )
        .order_by(Conversation.reference.desc())
        .limit(conversations.MINE_MAX)
    )
    rows, texts = yield from both(
        ask(statement), conversations.messages.asking(statement.with_only_columns(Conversation.id))
    )
    found = []
    for row in rows:
        said, number = texts[row.id], row.answered_as
        closed = row.state == ConversationState.CLOSED.value
        status = f"Answered as Q{number}" if number else "Not answered in public" if closed else "Waits for an answer"
        reason = said[-1].text if closed and len(said) > 1 else None
        found.append(AskedView(row.reference, said[0].text, row.created_at, status, number, reason))
    return tuple(found)


def waiting_of(user_id: UUID, call_id: UUID) -> int:
    """How many questions of one person about a call wait."""
    return (
        db.session.scalar(
            select(func.count()).where(
                Conversation.about_id == call_id,
                Conversation.queue == Queue.PUBLIC.value,
                Conversation.opened_by == user_id,
                Conversation.state == ConversationState.WAITING.value,
            )
        )
        or 0
    )


# --- the desk -----------------------------------------------------------------------------------------------------


def desk_sees(actor: Actor, permission: Permission) -> list[ColumnElement[bool]]:
    """Conversations of calls whose desk this person is at, but for what they are barred from."""
    found: list[ColumnElement[bool]] = []
    if not actor.everywhere(permission):
        found.append(Conversation.within_id.in_(actor.places(permission, "call")))
    return [*found, *not_barred(actor)]


def not_barred(actor: Actor) -> list[ColumnElement[bool]]:
    """Conversations this person is not kept from, by what they are about or by their call."""
    barred = {thing for _, thing in actor.barred_from()}
    return [Conversation.within_id.not_in(barred), Conversation.about_id.not_in(barred)] if barred else []


@reader
def asked(actor: Actor, call_id: UUID, page: Page) -> Asking[Rows[ConversationRow]]:
    """Questions that wait and are in no draft, the oldest first; one statement."""
    seen = desk_sees(actor, Permission.QUESTION_ANSWER)
    waiting = [*_waiting(call_id), *seen]
    return (yield from conversations.listed.asking(waiting, page, oldest_first=True, seen=seen))


@reader
def desk(
    actor: Actor, call_id: UUID, page: Page
) -> Asking[tuple[Rows[ConversationRow], tuple[DraftView, ...], tuple[int, ...]]]:
    """One page of what waits, the answers being written, and the numbers that are public; one statement."""
    parts: list[Asking[Any]] = [
        asked.asking(actor, call_id, page),
        drafts.asking(actor, call_id),
        published_numbers.asking(call_id),
    ]
    rows, written, numbers = yield from side_by_side(parts)
    return rows, written, numbers


def asked_one(actor: Actor, call_id: UUID, reference: str) -> ConversationRow:
    """One question that waits and is in no draft; raises :class:`NotFound`."""
    return conversations.one(reference, *_waiting(call_id), *desk_sees(actor, Permission.QUESTION_ANSWER))


def waiting_among(call_id: UUID, references: Collection[str]) -> dict[str, UUID]:
    """Those of these questions that wait and are in no draft, by reference, for an act that takes them."""
    rows = db.session.execute(
        select(Conversation.reference, Conversation.id).where(
            *_waiting(call_id), Conversation.reference.in_(references)
        )
    )
    return {row.reference: row.id for row in rows}


def _waiting(call_id: UUID) -> list[ColumnElement[bool]]:
    taken = exists().where(CallQuestionSource.conversation_id == Conversation.id)
    return [
        Conversation.within_id == call_id,
        Conversation.queue == Queue.PUBLIC.value,
        Conversation.state == ConversationState.WAITING.value,
        ~taken,
    ]


@reader
def drafts(actor: Actor, call_id: UUID) -> Asking[tuple[DraftView, ...]]:
    """Answers that are being written, the oldest first, but for those to what this person is barred from; one statement."""
    if not actor.may(Permission.QUESTION_ANSWER, Scope.of(("call", call_id))):
        raise NotFound
    sources = (
        select(func.count()).where(CallQuestionSource.question_id == CallQuestion.id).correlate(CallQuestion)
    ).scalar_subquery()
    rows = yield from ask(
        select(CallQuestion, sources.label("sources"))
        .where(CallQuestion.call_id == call_id, CallQuestion.number.is_(None), *_clear(actor))
        .order_by(CallQuestion.entry)
        .limit(DRAFTS_MAX)
    )
    return tuple(_draft(row, row.sources) for row in rows)


def draft_by_entry(actor: Actor, call_id: UUID, entry: int) -> DraftView:
    """One question at the desk, draft or published; raises :class:`NotFound`."""
    row = db.session.scalars(
        select(CallQuestion).where(CallQuestion.call_id == call_id, CallQuestion.entry == entry, *_clear(actor))
    ).one_or_none()
    if row is None or not actor.may(Permission.QUESTION_ANSWER, Scope.of(("call", call_id))):
        raise NotFound
    return _draft(row, 0)


def entry_of(call_id: UUID, number: int) -> int | None:
    """What the desk calls the question of that public number."""
    return db.session.scalar(
        select(CallQuestion.entry).where(CallQuestion.call_id == call_id, CallQuestion.number == number)
    )


@reader
def sources(
    actor: Actor, question_id: UUID
) -> Asking[tuple[tuple[ConversationRow, ...], dict[UUID, tuple[MessageView, ...]]]]:
    """The conversations a question answers and what was said in them, but for what this person is barred from; one statement."""
    statement = (
        select(Conversation)
        .join(CallQuestionSource, CallQuestionSource.conversation_id == Conversation.id)
        .where(CallQuestionSource.question_id == question_id, *not_barred(actor))
    )
    rows, texts = yield from both(
        ask(statement.order_by(Conversation.reference)),
        conversations.messages.asking(statement.with_only_columns(Conversation.id)),
    )
    return tuple(conversations.row_of(row) for row in rows), texts


def _clear(actor: Actor) -> list[ColumnElement[bool]]:
    """The question answers nothing about a thing this person is barred from."""
    barred = {thing for _, thing in actor.barred_from()}
    if not barred:
        return []
    about = or_(Conversation.about_id.in_(barred), Conversation.within_id.in_(barred))
    source = (
        select(CallQuestionSource.id)
        .join(Conversation, Conversation.id == CallQuestionSource.conversation_id)
        .where(CallQuestionSource.question_id == CallQuestion.id, about)
    )
    return [~source.correlate(CallQuestion).exists()]


def refuse_barred(actor: Actor, question_id: UUID) -> None:
    """For whoever is barred from what a question answers, the question is not there: raises :class:`NotFound`."""
    faults.point("conflict")
    if db.session.scalar(select(CallQuestion.id).where(CallQuestion.id == question_id, *_clear(actor))) is None:
        raise NotFound


def source_ids(question_id: UUID) -> tuple[tuple[UUID, UUID], ...]:
    """(conversation, who opened it) of everybody who asked this, for an act."""
    rows = db.session.execute(
        select(Conversation.id, Conversation.opened_by)
        .join(CallQuestionSource, CallQuestionSource.conversation_id == Conversation.id)
        .where(CallQuestionSource.question_id == question_id)
        .order_by(Conversation.reference)
    )
    return tuple((row[0], row[1]) for row in rows)


def askers(question_id: UUID) -> tuple[Asker, ...]:
    """Who asked, by everything a text might name them with: themselves, and the application they asked about."""
    people = identity.people({opened_by for _, opened_by in source_ids(question_id)})
    return (
        *(Asker(each.name, each.email, (each.organisation,) if each.organisation else ()) for each in people.values()),
        *applications_asked_about(question_id),
    )


def _draft(row: Any, count: int) -> DraftView:
    return DraftView(
        row.id, row.version, row.entry, row.number, row.question, row.answer, row.section, row.session, count
    )
