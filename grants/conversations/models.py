"""Tables of conversations: the thread with its queue and whose turn it is, and its messages, which only ever come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.conversations.states import ConversationState, Queue, Side
from grants.core.db import DIGEST, Row, points_to, state_check


class Conversation(Row):
    """One thread on the record, about a thing of a later stage (no foreign key), in the queue of one desk."""

    __tablename__ = "conversation"
    __table_args__ = (
        state_check(ConversationState),
        state_check(Queue, "queue"),
        CheckConstraint("(state = 'waiting') = (waiting_since IS NOT NULL)", name="waiting_has_moment"),
        Index("ix_conversation_desk", "within_id", "queue", "state", "created_at", "reference"),
        Index("ix_conversation_about", "about_id", "created_at", "reference"),
        Index("ix_conversation_opened_by", "opened_by", "created_at", "reference"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    queue: Mapped[str]
    state: Mapped[str]
    about_kind: Mapped[str]
    about_id: Mapped[UUID]
    # The call whose desk it comes to.
    within_id: Mapped[UUID]
    # The section of a form it is about, by its key.
    section: Mapped[str | None]
    title: Mapped[str] = mapped_column(info=DIGEST)
    # The first message's beginning, so that a list needs no message.
    excerpt: Mapped[str] = mapped_column(info=DIGEST)
    opened_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    assigned_to: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    waiting_since: Mapped[datetime | None]
    first_answered_at: Mapped[datetime | None]
    # When something was answered to one person alone that others might need to know; the owner stage says so.
    answered_apart_at: Mapped[datetime | None]


class ConversationMessage(Row):
    """One message; what was sent stands."""

    __tablename__ = "conversation_message"
    __table_args__ = (UniqueConstraint("conversation_id", "number"), state_check(Side, "side"))

    conversation_id: Mapped[UUID] = mapped_column(points_to("conversation.id"))
    number: Mapped[int]
    side: Mapped[str]
    written_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    text: Mapped[str] = mapped_column(info=DIGEST)
