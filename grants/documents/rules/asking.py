"""What somebody asks a statement for, the runs of it, and what a list of them shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from grants.documents.rules.figures import Format, Period, ScopeKind


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: which statement, about what, as known when, of which days. No moment means now."""

    name: str
    scope_reference: str
    as_of: datetime | None = None
    from_on: date | None = None
    before_on: date | None = None

    @property
    def period(self) -> Period:
        """The days asked for; raises :class:`Invalid` where they are in the wrong order."""
        return Period(self.from_on, self.before_on)

    def about(self, found: ScopeFound) -> Wanted:
        """The same about what a typed text turned out to mean."""
        return replace(self, scope_reference=found.reference)


@dataclass(frozen=True, slots=True)
class ScopeFound:
    """Something a statement can be about."""

    kind: ScopeKind
    id: UUID
    reference: str
    title: str
    # None for a whole programme.
    call_id: UUID | None


@dataclass(frozen=True, slots=True)
class Produced:
    """One file of a statement as bytes."""

    name: str
    media_type: str
    data: bytes


class RunState(StrEnum):
    """Where a statement stands, in the words its list filters by."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """The state as people read it."""
        return {
            RunState.WAITING: "Waiting for a worker",
            RunState.RUNNING: "Being made",
            RunState.READY: "Ready",
            RunState.FAILED: "Failed",
            RunState.CANCELLED: "Cancelled",
        }[self]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What a list of statements is narrowed to."""

    name: str = ""
    state: RunState | None = None
    scope: str = ""
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a statement is: the step it takes in words, and how long it took or takes."""

    state: RunState
    done: int
    total: int
    note: str
    error: str
    attempt: int
    took: timedelta | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in (RunState.READY, RunState.FAILED, RunState.CANCELLED)

    @property
    def may_retry(self) -> bool:
        """Whether it can be tried again as it was asked for."""
        return self.state in (RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file of a statement in a list."""

    form: Format
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunView:
    """A statement that was asked for."""

    id: UUID
    reference: str
    name: str
    title: str
    scope_kind: ScopeKind
    scope_id: UUID
    scope_reference: str
    scope_title: str
    as_of: datetime
    period: Period
    requested_by: UUID
    requested_by_name: str
    requested_at: datetime
    built_at: datetime | None
    figures_sha256: str | None
    progress: Progress
    files: tuple[RunFile, ...] = ()
    # By whoever looks at its page.
    may_stop: bool = False

    @property
    def key(self) -> str:
        """Its place in the list, newest first."""
        return f"{self.requested_at.isoformat()}|{self.id}"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What asking for a statement answers."""

    id: UUID
    reference: str


def took_words(took: timedelta | None) -> str:
    """How long something took, as people say it.

    >>> took_words(timedelta(seconds=108))
    '1 min 48 s'
    """
    if took is None:
        return ""
    seconds = round(took.total_seconds())
    if seconds < 1:
        return "under 1 s"
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
