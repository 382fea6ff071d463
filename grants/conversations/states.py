"""States and queues of conversations on the record. Whether one waits too long is derived from the clock, never stored."""

from __future__ import annotations

from enum import StrEnum

from grants.core.states import Machine, Transition


class Queue(StrEnum):
    """Who looks after a conversation: questions answered for everybody, the content desk, the technical desk."""

    PUBLIC = "public"
    CONTENT = "content"
    TECHNICAL = "technical"


class ConversationState(StrEnum):
    """Whose turn it is: the desk's, the person's, or nobody's."""

    WAITING = "waiting"
    ASKED_BACK = "asked_back"
    ANSWERED = "answered"
    CLOSED = "closed"


class Side(StrEnum):
    """Who wrote a message: whoever has the question, or the desk."""

    PERSON = "person"
    DESK = "desk"


_S = ConversationState
OPEN = (_S.WAITING, _S.ASKED_BACK, _S.ANSWERED)

MACHINE = Machine(
    "conversation",
    ConversationState,
    ConversationState.WAITING,
    (
        Transition("write", OPEN, _S.WAITING),
        Transition("answer", OPEN, _S.ANSWERED),
        Transition("ask_back", (_S.WAITING, _S.ANSWERED), _S.ASKED_BACK),
        Transition("close", OPEN, _S.CLOSED),
        Transition("reopen", (_S.CLOSED,), _S.WAITING),
    ),
)
