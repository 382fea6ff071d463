"""What owner stages do with conversations inside their own acts: open, write, answer, assign, close. No act of its own."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.conversations.models import Conversation, ConversationMessage
from grants.conversations.queries import row_of
from grants.conversations.rules import MESSAGES_MAX, TITLE_CHARACTERS_MAX, About, ConversationRow, checked_text, excerpt
from grants.conversations.states import MACHINE, ConversationState, Queue, Side
from grants.core import acts
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused


def open_one(
    reference: str,
    queue: Queue,
    about: About,
    *,
    opened_by: UUID,
    text: str,
    title: str = "",
    section: str | None = None,
) -> ConversationRow:
    """Begin a conversation with its first message; it waits for the desk from now on."""
    words = " ".join(title.split())
    if len(words) > TITLE_CHARACTERS_MAX:
        sentence = f"The subject has {len(words)} characters; the limit is {TITLE_CHARACTERS_MAX}. Shorten it."
        raise Invalid(sentence, {"title": sentence})
    kept = checked_text(text, what="question")
    row = Conversation(
        reference=reference,
        queue=queue.value,
        state=MACHINE.initial.value,
        about_kind=about.kind,
        about_id=about.id,
        within_id=about.within_id,
        section=section,
        title=words,
        excerpt=excerpt(kept),
        opened_by=opened_by,
        waiting_since=acts.moment(),
    )
    db.session.add(row)
    _add(row, Side.PERSON, opened_by, kept)
    db.session.flush()
    return row_of(row)


def write(conversation_id: UUID, user_id: UUID, text: str) -> ConversationRow:
    """Whoever has the question says more: it is the desk's turn again."""
    row = locked(Conversation, conversation_id)
    if row.state == ConversationState.CLOSED.value:
        raise Refused("This conversation is closed. Open it again to go on.")
    MACHINE.move(row, "write")
    row.waiting_since = row.waiting_since or acts.moment()
    _add(row, Side.PERSON, user_id, checked_text(text))
    return _done(row)


def answer(conversation_id: UUID, user_id: UUID, text: str) -> ConversationRow:
    """The desk answers; the first time counts."""
    return _say(conversation_id, user_id, text, "answer", "answer")


def ask_back(conversation_id: UUID, user_id: UUID, text: str) -> ConversationRow:
    """The desk needs to know more first; that is a first answer too."""
    return _say(conversation_id, user_id, text, "ask_back", "question")


def close(conversation_id: UUID) -> ConversationRow:
    """Nobody has a turn any more."""
    row = locked(Conversation, conversation_id)
    MACHINE.move(row, "close")
    row.waiting_since = None
    return _done(row)


def reopen(conversation_id: UUID) -> ConversationRow:
    """It was not settled after all: the desk's turn."""
    row = locked(Conversation, conversation_id)
    MACHINE.move(row, "reopen")
    row.waiting_since = acts.moment()
    return _done(row)


def assign(conversation_id: UUID, user_id: UUID | None) -> ConversationRow:
    """Somebody of the desk takes it, or gives it back."""
    row = locked(Conversation, conversation_id)
    row.assigned_to = user_id
    return _done(row)


def move(conversation_id: UUID, queue: Queue) -> ConversationRow:
    """It belongs to another desk."""
    row = locked(Conversation, conversation_id)
    if row.queue == queue.value:
        raise Refused("It lies in this queue already.")
    row.queue, row.assigned_to = queue.value, None
    return _done(row)


def note_answered_apart(conversation_id: UUID) -> ConversationRow:
    """Keep from when somebody alone knows what others may need."""
    row = locked(Conversation, conversation_id)
    row.answered_apart_at = row.answered_apart_at or acts.moment()
    return _done(row)


def _say(conversation_id: UUID, user_id: UUID, text: str, verb: str, what: str) -> ConversationRow:
    row = locked(Conversation, conversation_id)
    kept = checked_text(text, what=what)
    MACHINE.move(row, verb)
    row.waiting_since = None
    row.first_answered_at = row.first_answered_at or acts.moment()
    _add(row, Side.DESK, user_id, kept)
    return _done(row)


def _add(row: Conversation, side: Side, user_id: UUID, text: str) -> None:
    last = db.session.scalar(
        select(func.max(ConversationMessage.number)).where(ConversationMessage.conversation_id == row.id)
    )
    number = (last or 0) + 1
    if number > MESSAGES_MAX:
        raise Refused(f"This conversation has {MESSAGES_MAX} messages. Close it and begin a new one.")
    db.session.add(
        ConversationMessage(conversation_id=row.id, number=number, side=side.value, written_by=user_id, text=text)
    )


def _done(row: Conversation) -> ConversationRow:
    db.session.flush()
    assert (row.state == ConversationState.WAITING.value) == (row.waiting_since is not None), "who waits has a moment"
    return row_of(row)
