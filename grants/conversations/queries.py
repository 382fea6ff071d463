"""Reads of conversations. Who may see which is the owner stage's to say: it passes the condition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from grants.conversations.models import Conversation, ConversationMessage
from grants.conversations.rules import About, ConversationRow, MessageView
from grants.conversations.states import ConversationState, Queue, Side
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.together import Asking, ask, both, reader

MINE_MAX = 50

Item = TypeVar("Item")


def row_of(row: Any) -> ConversationRow:
    """A row as its frozen value."""
    return ConversationRow(
        id=row.id,
        reference=row.reference,
        queue=Queue(row.queue),
        state=ConversationState(row.state),
        about=About(row.about_kind, row.about_id, row.within_id),
        title=row.title,
        excerpt=row.excerpt,
        section=row.section,
        opened_by=row.opened_by,
        opened_at=row.created_at,
        assigned_to=row.assigned_to,
        waiting_since=row.waiting_since,
        first_answered_at=row.first_answered_at,
        answered_apart_at=row.answered_apart_at,
        version=row.version,
    )


def one(reference: str, *seen: ColumnElement[bool]) -> ConversationRow:
    """The conversation of that reference, where these conditions let it be seen; raises :class:`NotFound`."""
    found = db.session.scalars(select(Conversation).where(Conversation.reference == reference, *seen)).one_or_none()
    if found is None:
        raise NotFound
    return row_of(found)


@reader
def listed(
    conditions: Sequence[ColumnElement[bool]],
    page: Page,
    *,
    oldest_first: bool,
    seen: Sequence[ColumnElement[bool]] | None = None,
) -> Asking[Rows[ConversationRow]]:
    """One page of conversations; one statement. ``seen`` as in :func:`page_of`."""
    asking = page_of.asking(
        select(Conversation),
        conditions,
        page,
        oldest_first=oldest_first,
        made=row_of,
        key=lambda row: row.reference,
        seen=seen,
    )
    return (yield from asking)


@reader
def page_of(
    statement: Select[Any],
    conditions: Sequence[ColumnElement[bool]],
    page: Page,
    *,
    oldest_first: bool,
    made: Callable[[Any], Item],
    key: Callable[[Item], str],
    seen: Sequence[ColumnElement[bool]] | None = None,
) -> Asking[Rows[Item]]:
    """One page of what a statement reads of conversations, by when they were opened, and how many there are; one
    statement. A page goes on after the reference of the last row.

    ``seen`` are those of the conditions that say who may see a row, where others say what is asked for: a row that was
    answered meanwhile is still where a page goes on, and one that is not for this person is like none.
    """
    at, reference = Conversation.created_at, Conversation.reference
    by = (at, reference) if oldest_first else (at.desc(), reference.desc())
    statement = statement.where(*conditions).order_by(*by)
    if page.after:
        named = Conversation.reference == page.after
        where = conditions if seen is None else seen
        opened = select(Conversation.created_at).where(named, *where).correlate(None).scalar_subquery()
        further, beside = (
            (at > opened, reference > page.after) if oldest_first else (at < opened, reference < page.after)
        )
        statement = statement.where(or_(further, and_(at == opened, beside)))
    counted = select(Conversation.id).where(*conditions).limit(COUNTED_MAX + 1).subquery()
    found, ((total,),) = yield from both(
        ask(statement.limit(page.limit)), ask(select(func.count()).select_from(counted))
    )
    return cut([made(row) for row in found], page, key=key, total=Tally.of(total))


def of_ids(conversation_ids: Collection[UUID]) -> tuple[ConversationRow, ...]:
    """These conversations, the oldest first; for a stage that has asked before who may see them."""
    found = db.session.scalars(
        select(Conversation).where(Conversation.id.in_(conversation_ids)).order_by(Conversation.reference)
    )
    return tuple(row_of(row) for row in found)


@reader
def messages(conversation_ids: Collection[UUID] | Select[Any]) -> Asking[dict[UUID, tuple[MessageView, ...]]]:
    """The messages of these conversations in order; one statement. Each has one at least."""
    rows = yield from ask(
        select(ConversationMessage)
        .where(ConversationMessage.conversation_id.in_(conversation_ids))
        .order_by(ConversationMessage.conversation_id, ConversationMessage.number)
    )
    found: dict[UUID, list[MessageView]] = {}
    for row in rows:
        found.setdefault(row.conversation_id, []).append(
            MessageView(row.number, Side(row.side), row.written_by, row.text, row.created_at)
        )
    return {key: tuple(texts) for key, texts in found.items()}


def first_answer_times(*conditions: ColumnElement[bool], since: datetime) -> dict[Queue, timedelta]:
    """For each queue, the time within which half of what was opened since then got its first answer; one statement."""
    took = Conversation.first_answered_at - Conversation.created_at
    rows = db.session.execute(
        select(Conversation.queue, func.percentile_disc(0.5).within_group(took))
        .where(Conversation.first_answered_at.is_not(None), Conversation.created_at >= since, *conditions)
        .group_by(Conversation.queue)
    )
    return {Queue(row[0]): row[1] for row in rows}
