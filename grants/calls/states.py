"""States of a call and the closed lists of its content. What the clock decides (open, closed) is never stored."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class CallState(StrEnum):
    """What people decided about a call."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


MACHINE = Machine(
    "call",
    CallState,
    CallState.DRAFT,
    (
        Transition("publish", (CallState.DRAFT,), CallState.PUBLISHED, Permission.CALL_PUBLISH),
        Transition("cancel", (CallState.DRAFT, CallState.PUBLISHED), CallState.CANCELLED, Permission.CALL_PUBLISH),
    ),
)


class Phase(StrEnum):
    """What a call is at a moment: its state and the clock together."""

    DRAFT = "draft"
    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Confidence(StrEnum):
    """How sure a value is, and so what pages say about it."""

    SEEN = "seen"
    SECONDARY = "secondary"
    INFERRED = "inferred"
    NOT_FOUND = "not_found"
    STATED = "stated"
    TEMPLATE = "template"


class ConditionKind(StrEnum):
    """How an eligibility condition is decided."""

    PASS_FAIL = "pass_fail"
    EXCEPTION = "exception"


class InstalmentKind(StrEnum):
    """Which payment of a grant an instalment is."""

    PREFINANCING = "prefinancing"
    INTERIM = "interim"
    BALANCE = "balance"
