"""A call as pages and later stages see it: its deadlines, its documents, the whole of it, or a row of a list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from grants.calls.rules.content import CallContent, Opening
from grants.calls.states import CallStage, CallState, Confidence, Phase
from grants.core.clock import in_time
from grants.core.errors import Problem
from grants.core.money import Money, euros
from grants.programmes.rules import FundSourceView, ProgrammeView

# Recipients of financial support to third parties get at most this, unless the call says why more is needed
# (Financial Regulation, domain.md F-02).
SUPPORT_MAX_UNJUSTIFIED = euros(60_000)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One deadline: the instant that counts, and what was printed about it."""

    number: int
    closes_at: datetime
    zone: str
    literal: str
    reason: str | None = None
    public_note: str | None = None
    announced_at: datetime | None = None
    confidence: Confidence = Confidence.STATED
    source: str | None = None
    # Of one applicant alone.
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """One version of the call's documents with what changed."""

    label: str
    published_on: date
    what: str
    changes: tuple[str, ...] = ()
    source: str | None = None
    confidence: Confidence = Confidence.STATED


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a call as a page shows it: label, words, how sure, where from."""

    key: str
    label: str
    group: str
    text: str
    confidence: Confidence
    source: str | None
    note: str | None

    @property
    def from_template(self) -> bool:
        """Whether the page must label it as template."""
        return self.confidence is Confidence.TEMPLATE

    @property
    def absent(self) -> bool:
        """Whether nobody has found the value yet."""
        return self.confidence is Confidence.NOT_FOUND

    @property
    def address(self) -> str | None:
        """The web address of the source, where it has one."""
        return self.source if self.source and self.source.startswith(("https://", "http://")) else None


@dataclass(frozen=True, slots=True)
class SupportPoint:
    """One of the five things a call for financial support to third parties must fix in advance (domain.md F-01)."""

    name: str
    fixed: bool
    words: str


@dataclass(frozen=True, slots=True)
class CallView:
    """A call as pages and later stages see it."""

    id: UUID
    version: int
    reference: str
    slug: str
    title: str
    year: int
    published_id: str | None
    programme: ProgrammeView
    fund_source: FundSourceView
    state: CallState
    synthetic: bool
    zone: str
    opens_at: datetime | None
    deadlines: tuple[Deadline, ...]
    total: Money | None
    results_public_at: datetime | None
    published_at: datetime | None
    content: CallContent
    facts: tuple[Fact, ...]
    documents: tuple[DocumentVersion, ...]
    missing: tuple[Problem, ...]
    support: tuple[SupportPoint, ...]
    activities: tuple[str, ...] = ()
    # The number of the version that everybody reads; 0 before publication.
    version_number: int = 0
    # The day and the hour of the opening as a draft has them so far.
    opening: Opening | None = None
    # The concept stage this call follows; None for a call in one stage.
    follows_id: UUID | None = None

    @property
    def by_invitation(self) -> bool:
        """Whether only those invited after an earlier stage may apply."""
        return self.content.stage is CallStage.FULL

    @property
    def deadline(self) -> Deadline | None:
        """The deadline that counts: the last one announced."""
        return self.deadlines[-1] if self.deadlines else None

    @property
    def closes_at(self) -> datetime | None:
        """The instant from which an application is too late."""
        return self.deadlines[-1].closes_at if self.deadlines else None

    @property
    def zone_words(self) -> str:
        """The zone as people say it: “Brussels time”."""
        return zone_words(self.zone)

    @property
    def cancelled(self) -> bool:
        """Whether the call was cancelled."""
        return self.state is CallState.CANCELLED

    def until(self, own: datetime | None, reason: str | None) -> CallView:
        """The call as it is for one applicant: with a deadline of its own, where that is later than everybody’s."""
        last = self.deadline
        if own is None or last is None or own <= last.closes_at:
            return self
        moved = replace(
            last, number=last.number + 1, closes_at=own, literal="", reason=reason, public_note=None, is_own=True
        )
        return replace(self, deadlines=(*self.deadlines, moved))

    def phase(self, at: datetime) -> Phase:
        """What the call is at that moment."""
        return phase(self.state, self.opens_at, self.closes_at, at)

    def is_open(self, at: datetime) -> bool:
        """Whether an application may be sent at that moment."""
        return self.phase(at) is Phase.OPEN

    def results_are_public(self, at: datetime) -> bool:
        """Whether the results may be shown to everybody, conflicted evaluators included."""
        return self.results_public_at is not None and at >= self.results_public_at

    def fact(self, key: str) -> Fact:
        """The fact of that key, found or not; a KeyError for a key no call has."""
        for fact in self.facts:
            if fact.key == key:
                return fact
        raise KeyError(key)

    @property
    def found(self) -> tuple[Fact, ...]:
        """The facts that have a value."""
        return tuple(fact for fact in self.facts if not fact.absent)

    @property
    def not_found(self) -> tuple[Fact, ...]:
        """The facts nobody has found."""
        return tuple(fact for fact in self.facts if fact.absent)

    def labelled(self, *keys: str) -> bool:
        """Whether any of these values came from the template, so that the page says so beside them."""
        return any(key in self.content.synthetic for key in keys)


@dataclass(frozen=True, slots=True)
class CallTimes:
    """When a call is open, and nothing else of it."""

    state: CallState
    zone: str
    opens_at: datetime | None
    closes_at: datetime | None

    def until(self, own: datetime | None) -> CallTimes:
        """The times for one applicant with a deadline of its own, where that is later than everybody’s."""
        if own is None or self.closes_at is None or own <= self.closes_at:
            return self
        return replace(self, closes_at=own)

    def phase(self, at: datetime) -> Phase:
        """What the call is at that moment."""
        return phase(self.state, self.opens_at, self.closes_at, at)

    def is_open(self, at: datetime) -> bool:
        """Whether an application may be sent at that moment."""
        return self.phase(at) is Phase.OPEN


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call in a list."""

    id: UUID
    reference: str
    slug: str
    title: str
    year: int
    state: CallState
    synthetic: bool
    zone: str
    opens_at: datetime | None
    closes_at: datetime | None
    total: Money | None
    largest_award: Money | None
    results_public_at: datetime | None

    @property
    def zone_words(self) -> str:
        """The zone as people say it: “Brussels time”."""
        return zone_words(self.zone)

    def phase(self, at: datetime) -> Phase:
        """What the call is at that moment."""
        return phase(self.state, self.opens_at, self.closes_at, at)


@dataclass(frozen=True, slots=True)
class CallSummary:
    """What an act on a call answers: which call, and what the person should know."""

    id: UUID
    reference: str
    slug: str
    title: str
    state: CallState
    notes: tuple[str, ...] = ()


def phase(state: CallState, opens_at: datetime | None, closes_at: datetime | None, at: datetime) -> Phase:
    """What a call is at ``at``. Half-open: at the very instant of the deadline it is closed.

    >>> from datetime import UTC
    >>> start, end = datetime(2022, 9, 5, tzinfo=UTC), datetime(2022, 11, 15, 11, tzinfo=UTC)
    >>> phase(CallState.PUBLISHED, start, end, end).value
    'closed'
    """
    match state:
        case CallState.DRAFT:
            return Phase.DRAFT
        case CallState.CANCELLED:
            return Phase.CANCELLED
        case CallState.PUBLISHED:
            if opens_at is None or closes_at is None or at < opens_at:
                return Phase.UPCOMING
            return Phase.OPEN if in_time(at, closes_at) else Phase.CLOSED
        case never:
            assert_never(never)


def zone_words(zone: str) -> str:
    """A zone as people say it.

    >>> zone_words("Europe/Brussels")
    'Brussels time'
    """
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"
