"""Values of conversations, and how long one may wait. Pure; what a conversation is about only its owner stage knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from grants.conversations.states import ConversationState, Queue, Side
from grants.core.errors import Invalid
from grants.core.text import without_turns

TEXT_CHARACTERS_MAX = 4_000
TITLE_CHARACTERS_MAX = 160
# So many messages one conversation takes; beyond that a new one is clearer.
MESSAGES_MAX = 100
# A first answer is owed within so many days; from the second number on it is late.
SOON_DAYS, LATE_DAYS = 3, 7
EXCERPT_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class About:
    """What a conversation is about: the thing itself, and the place (a call) whose desk it comes to."""

    kind: str
    id: UUID
    within_id: UUID


@dataclass(frozen=True, slots=True)
class TicketInput:
    """What somebody asks a desk for help with; ``about`` names a call or an application as the form offers them."""

    queue: Queue
    about: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as it was sent."""

    number: int
    side: Side
    written_by: UUID
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in a list, with the first message's beginning."""

    id: UUID
    reference: str
    queue: Queue
    state: ConversationState
    about: About
    title: str
    excerpt: str
    section: str | None
    opened_by: UUID
    opened_at: datetime
    assigned_to: UUID | None
    waiting_since: datetime | None
    first_answered_at: datetime | None
    answered_apart_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Ageing:
    """How long somebody waits, in words, and the colour a page gives it."""

    words: str
    colour: str


def checked_text(text: str, field: str = "text", *, what: str = "message") -> str:
    """The text of a message as it is kept; raises :class:`Invalid` for one that is empty or too long.

    >>> checked_text("  May a region lead?  ")
    'May a region lead?'
    """
    kept = without_turns(text.replace("\r\n", "\n")).strip()
    if not kept:
        raise Invalid(f"Write your {what}.", {field: f"Write your {what}."})
    if len(kept) > TEXT_CHARACTERS_MAX:
        sentence = (
            f"This {what} has {len(kept)} characters; the limit is {TEXT_CHARACTERS_MAX}. "
            f"Take out {len(kept) - TEXT_CHARACTERS_MAX}."
        )
        raise Invalid(sentence, {field: sentence})
    return kept


def excerpt(text: str) -> str:
    """The beginning of a text on one line.

    >>> excerpt("One\\ntwo"), len(excerpt("x" * 900))
    ('One two', 161)
    """
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT_CHARACTERS else f"{line[:EXCERPT_CHARACTERS].rstrip()}…"


def ageing(since: datetime, at: datetime) -> Ageing:
    """How long something waits for the desk.

    >>> from datetime import UTC
    >>> start = datetime(2027, 3, 1, 9, tzinfo=UTC)
    >>> [ageing(start, start + timedelta(days=days)) for days in (0, 1, 7)]
    [Ageing(words='since today', colour='grey'), Ageing(words='for 1 day', colour='grey'), Ageing(words='for 7 days', colour='red')]
    """
    days = max((at - since) // timedelta(days=1), 0)
    words = "since today" if not days else f"for {days} {'day' if days == 1 else 'days'}"
    return Ageing(words, "red" if days >= LATE_DAYS else "yellow" if days >= SOON_DAYS else "grey")


def duration_words(span: timedelta) -> str:
    """A span in the largest unit that says it.

    >>> [duration_words(timedelta(hours=h)) for h in (0.5, 1, 30, 49)]
    ['less than an hour', '1 hour', '30 hours', '2 days']
    """
    hours = span // timedelta(hours=1)
    if hours < 1:
        return "less than an hour"
    if hours < 48:
        return f"{hours} {'hour' if hours == 1 else 'hours'}"
    return f"{hours // 24} days"
