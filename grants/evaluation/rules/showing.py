"""What pages of sheets, consensus and assignments show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from grants.applications.rules import ClarificationView
from grants.calls.rules import Criterion, Marking
from grants.core import clock
from grants.dossiers.merging import Piece
from grants.evaluation.rules.pattern import (
    NOWHERE,
    ListOrder,
    OwnWork,
    Pattern,
    Place,
    next_of,
    pace_minutes,
    pace_words,
    patterns_of,
)
from grants.evaluation.rules.scores import total_half
from grants.evaluation.rules.values import MarkInput
from grants.evaluation.states import (
    Answer,
    AssessmentState,
    ConsensusState,
    Gender,
    RunStatus,
    SeatState,
)

# Of a row of which nothing of the call is told.
NO_MARKING = Marking(())


@dataclass(frozen=True, slots=True)
class AssessmentRow:
    """One application an evaluator assesses, in their list."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    call_slug: str
    call_title: str
    state: AssessmentState | None
    scored: int
    criteria: int
    due_at: datetime | None
    submitted_at: datetime | None
    consensus: ConsensusState | None
    marking: Marking = NO_MARKING
    # Each criterion of the call with the own score, None where it is missing.
    marks: tuple[tuple[Criterion, int | None], ...] = ()
    # About how long the sheet was open and worked on.
    seconds: int = 0
    skipped_at: datetime | None = None
    # When its page was last open.
    worked_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be finished."""
        return self.state is not AssessmentState.SUBMITTED

    @property
    def left(self) -> int:
        """How many criteria have no score yet."""
        return self.criteria - self.scored if self.is_open else 0

    @property
    def words(self) -> str:
        """The state in one word."""
        if self.state is AssessmentState.SUBMITTED:
            return "Submitted"
        if self.skipped_at is not None:
            return "Skipped for now"
        return "In progress" if self.scored else "Not started"


@dataclass(frozen=True, slots=True)
class SheetView:
    """One evaluator's sheet: the marks in the order of the criteria."""

    assessment_id: UUID | None
    evaluator: str
    state: AssessmentState
    marks: tuple[MarkInput, ...]
    remark: str
    version: int
    saved_at: datetime | None
    submitted_at: datetime | None
    # By field, the number of the version that stands.
    numbers: Mapping[str, int] = field(default_factory=dict)
    # By criterion what stood when it was given back after the sheets of others could be read; nothing else.
    marks_before: Mapping[str, int | None] = field(default_factory=dict)

    def was(self, key: str) -> int | None:
        """What a mark was before it was changed once the sheets of others could be read; None where it was not."""
        before = self.marks_before.get(key)
        return None if before == self.mark(key).half else before

    def number(self, name: str) -> int:
        """Which version of a field stands; 0 where nothing was ever written."""
        return self.numbers.get(name, 0)

    @property
    def total_half(self) -> int | None:
        """The unweighted total; None while a score is missing."""
        return total_half(self.marks)

    def mark(self, key: str) -> MarkInput:
        """The mark for one criterion; empty where there is none."""
        return next((mark for mark in self.marks if mark.criterion == key), MarkInput(key, None))


@dataclass(frozen=True, slots=True)
class ApplicationHead:
    """What every evaluation page says about its application."""

    id: UUID
    reference: str
    title: str
    cities: str
    call_id: UUID
    call_slug: str
    call_title: str


@dataclass(frozen=True, slots=True)
class AssessmentPage:
    """Everything on the split screen: the sheet, and the others’ sheets once the own one is in."""

    head: ApplicationHead
    # The version that stands, which never changes, and what was asked about it since.
    submission_id: UUID
    clarified: tuple[ClarificationView, ...]
    criteria: tuple[Criterion, ...]
    marking: Marking
    total_threshold_half: int | None
    sheet: SheetView
    others: tuple[SheetView, ...]
    waiting_for: int
    due_at: datetime | None
    locked: str
    consensus: ConsensusState | None
    done: int
    all: int
    next_reference: str | None
    patterns: tuple[Pattern, ...] = ()
    pace: int | None = None
    place: Place = NOWHERE
    # When the person declared no conflict, and when the programme ruled so, where it did.
    declared_at: datetime | None = None
    ruled_at: datetime | None = None

    @property
    def clear_words(self) -> str:
        """Why it is open to them, and since when."""
        said, at = ("The programme ruled that you have no conflict", self.ruled_at)
        if at is None:
            said, at = "You declared no conflict", self.declared_at
        return f"{said} on {clock.long_date(clock.in_zone(at).date())}." if at else f"{said}."

    @property
    def pace_words(self) -> str:
        """How long one takes at the own pace; nothing before the first is submitted."""
        return pace_words(self.pace)

    def pattern(self, key: str) -> Pattern | None:
        """The own scores of one criterion on the other sheets; None where there is none."""
        return next((each for each in self.patterns if each.criterion.key == key and each.given), None)


def no_draft_words(state: ConsensusState) -> str:
    """Why a consensus that is no draft is not written on, and how it becomes one again.

    >>> no_draft_words(ConsensusState.AGREED)
    'This consensus is agreed. Open it again with a reason, if it must change.'
    """
    if state is ConsensusState.PROPOSED:
        return "This consensus is with the evaluators. Take it back before you change it."
    return "This consensus is agreed. Open it again with a reason, if it must change."


@dataclass(frozen=True, slots=True)
class ConsensusPage:
    """Everything on the consensus page: the sheets side by side, and what is agreed."""

    head: ApplicationHead
    criteria: tuple[Criterion, ...]
    marking: Marking
    total_threshold_half: int | None
    sheets: tuple[SheetView, ...]
    seats: int
    state: ConsensusState | None
    marks: tuple[MarkInput, ...]
    text: str
    minority_view: str
    version: int
    agreed: tuple[str, ...]
    waiting: tuple[str, ...]
    may_write: bool
    may_agree: bool
    # What evaluators hold instead of the words as they stand: name, words, when.
    dissents: tuple[tuple[str, str, datetime], ...] = ()
    # How many versions are kept.
    versions: int = 0
    may_dissent: bool = False
    # By field, the number of the version that stands.
    numbers: Mapping[str, int] = field(default_factory=dict)
    saved_at: datetime | None = None
    may_reopen: bool = False
    # Whether the reader is one of its evaluators.
    seated: bool = False
    # How many evaluators the call has for each application.
    asked: int = 0
    # Who of its evaluators said nothing to the words as they stand.
    unheard: tuple[str, ...] = ()

    def number(self, name: str) -> int:
        """Which version of a field stands; 0 where nothing was ever written."""
        return self.numbers.get(name, 0)

    @property
    def minority_words(self) -> str:
        """What the dissenting evaluators wrote, for the chair to record beside the consensus."""
        return "\n\n".join(f"{name}: {words}" for name, words, _ in self.dissents)

    def mark(self, key: str) -> MarkInput:
        """The agreed mark for one criterion; empty where there is none."""
        return next((mark for mark in self.marks if mark.criterion == key), MarkInput(key, None))

    @property
    def ready(self) -> bool:
        """Whether every seat has a submitted sheet."""
        return self.seats > 0 and len(self.sheets) == self.seats

    @property
    def writable(self) -> bool:
        """Whether its reader may write it now: theirs to lead, every sheet in, and not with its evaluators."""
        return self.may_write and self.ready and self.state in (None, ConsensusState.DRAFT)

    @property
    def shut_words(self) -> str:
        """Why nothing can be written into it now, and what then; empty where it can be."""
        if self.writable:
            return ""
        if not self.may_write:
            return "This consensus is not yours to write, or no longer in evaluation. Nothing was changed."
        if self.state is None or self.state is ConsensusState.DRAFT:
            return "The consensus waits for every assessment. Nothing was changed."
        return no_draft_words(self.state)

    @property
    def total_half(self) -> int | None:
        """The unweighted total of the consensus; None while a score is missing."""
        return total_half(self.marks)


@dataclass(frozen=True, slots=True)
class AgreedWords:
    """What an application is told of its assessment: the agreed marks and the text, and nobody's name."""

    marks: tuple[MarkInput, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ConsensusRow:
    """One application in the list of the chair."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    call_slug: str
    call_title: str
    seats: int
    submitted: int
    widest: str
    state: ConsensusState | None
    # Whose sheet or whose answer is missing, by name.
    waits_for: tuple[str, ...] = ()
    # The call ranks by the mean of the marks: nobody writes or agrees a consensus.
    by_mean: bool = False
    # How many evaluators the call has for each application.
    asked: int = 0
    # Where they disagree enough to be looked at, criterion by criterion; nothing before every sheet is in.
    far: tuple[str, ...] = ()

    @property
    def unseated(self) -> bool:
        """Whether it waits for people first: nobody has a seat, as where an evaluation is repeated by others."""
        return not self.seats and self.state is not ConsensusState.AGREED

    @property
    def wanted(self) -> int:
        """How many assessments it is for: one for each seat, or all the call asks for while nobody has one."""
        return self.seats or self.asked


@dataclass(frozen=True, slots=True)
class ConsensusChange:
    """One text of a consensus from one version to another: a criterion with its marks, or the text at the end."""

    name: str
    before: str
    after: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class ConsensusVersionView:
    """One version of a consensus: who wrote it, when, what changed since the one before, what evaluators said to it."""

    number: int
    by: str
    at: datetime
    changes: tuple[ConsensusChange, ...]
    answers: tuple[tuple[str, Answer, str, datetime], ...]


@dataclass(frozen=True, slots=True)
class SeatView:
    """One seat of an application as the manager sees it."""

    id: UUID
    evaluator_id: UUID
    user_id: UUID
    name: str
    handle: str
    state: SeatState
    utility: int
    by_hand: bool
    assessment: AssessmentState | None
    void_reason: str
    due_at: datetime | None = None
    locked: bool = False
    country_code: str = ""
    languages: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    # Keys of the organisations that count for this person, as :attr:`PoolMember.belongs`.
    belongs: frozenset[str] = frozenset()
    # Has not accepted the contract of the call.
    must_accept: bool = False
    # What they said of themselves: counted by the rule of the call, shown on no page of seats.
    gender: Gender | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run of the assignment answers."""

    run_id: UUID
    status: RunStatus
    seats_new: int
    reasons: tuple[str, ...] = ()


def in_order(rows: Sequence[AssessmentRow], order: ListOrder) -> tuple[AssessmentRow, ...]:
    """The own list in an order; what is open stands first, and what has no date after what has one."""

    def key(row: AssessmentRow) -> tuple[object, ...]:
        match order:
            case ListOrder.LEFT:
                # Every sheet takes the same pace, so that the share of it that is left says how much work.
                by: tuple[object, ...] = (Fraction(row.left, row.criteria or 1),)
            case ListOrder.DUE:
                by = (row.due_at is None, row.due_at.timestamp() if row.due_at else 0)
            case ListOrder.REFERENCE:
                by = ()
        return (not row.is_open, *by, row.reference)

    return tuple(sorted(rows, key=key))


def of_now(rows: Sequence[AssessmentRow]) -> tuple[tuple[AssessmentRow, ...], tuple[AssessmentRow, ...]]:
    """The own list in two: the calls in which something is still open, and those of before; with nothing open all is now.

    How far one is counts in the first alone: the sheets of another year would make every beginning look half done.
    """
    going_on = {row.call_slug for row in rows if row.is_open} or {row.call_slug for row in rows}
    return (
        tuple(row for row in rows if row.call_slug in going_on),
        tuple(row for row in rows if row.call_slug not in going_on),
    )


def own_work(rows: Sequence[AssessmentRow]) -> OwnWork:
    """How far somebody is with their own list, given in the order that is shown: its first open one is the next.

    What was skipped comes back when nothing else is open.
    """
    waiting = [row for row in rows if row.is_open]
    worked = [(row.worked_at, row.reference) for row in waiting if row.worked_at is not None and row.skipped_at is None]
    return OwnWork(
        done=len(rows) - len(waiting),
        all=len(rows),
        due_at=min((row.due_at for row in waiting if row.due_at), default=None),
        pace=pace_minutes(rows),
        stopped=max(worked)[1] if worked else None,
        next=next((row.reference for row in waiting if row.skipped_at is None), next_of(waiting)),
    )


def own_patterns(rows: Sequence[AssessmentRow]) -> tuple[tuple[str, tuple[Pattern, ...]], ...]:
    """By call the own scores of each criterion; only calls in which one has given any."""
    found = []
    for slug, title in dict.fromkeys((row.call_slug, row.call_title) for row in rows):
        lines = [row for row in rows if row.call_slug == slug]
        patterns = patterns_of(lines, lines[0].marking)
        if any(each.given for each in patterns):
            found.append((title, patterns))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class DraftSheet:
    """One own sheet that is begun and not submitted, with what it still needs."""

    head: ApplicationHead
    criteria: tuple[Criterion, ...]
    marking: Marking
    sheet: SheetView
    missing: tuple[str, ...]
