"""What pages of sheets, consensus and assignments show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.calls.rules import Criterion, Marking
from grants.evaluation.rules.conflicts import DoubtRow
from grants.evaluation.rules.pool import PoolMember
from grants.evaluation.rules.scores import total_half
from grants.evaluation.rules.values import MarkInput
from grants.evaluation.states import (
    AssessmentState,
    ConsensusState,
    RunStatus,
    SeatState,
)


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

    @property
    def words(self) -> str:
        """The state in one word."""
        if self.state is AssessmentState.SUBMITTED:
            return "Submitted"
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

    def mark(self, key: str) -> MarkInput:
        """The agreed mark for one criterion; empty where there is none."""
        return next((mark for mark in self.marks if mark.criterion == key), MarkInput(key, None))

    @property
    def ready(self) -> bool:
        """Whether every seat has a submitted sheet."""
        return self.seats > 0 and len(self.sheets) == self.seats

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


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One application with its seats and, for every evaluator of the pool, why they may or may not take it."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    seats: tuple[SeatView, ...]
    cells: tuple[str, ...]
    voided: tuple[SeatView, ...] = ()
    missing: int = 0
    # In evaluation still: seats may be given and taken.
    open_still: bool = True


@dataclass(frozen=True, slots=True)
class RunView:
    """A run of the assignment with its proof."""

    number: int
    status: RunStatus
    created_at: datetime
    seed: str
    objective: int | None
    bound: int | None
    reasons: tuple[str, ...]
    applications: int
    evaluators: int
    seats: int
    seats_new: int
    pairs_priced: int
    rounds: int
    input_hash: str

    @property
    def mean(self) -> str:
        """How well a seat fits on average, of 1000."""
        return f"{self.objective // self.seats}" if self.objective is not None and self.seats else "–"


@dataclass(frozen=True, slots=True)
class AssignmentsPage:
    """Everything on the manager’s assignment page of a call."""

    call_id: UUID
    call_slug: str
    call_title: str
    per_application: int
    pool: tuple[PoolMember, ...]
    rows: tuple[MatrixRow, ...]
    doubts: tuple[DoubtRow, ...]
    runs: tuple[RunView, ...]
    undeclared: int
    conflicts: int

    @property
    def seats_needed(self) -> int:
        """How many seats the applications need in all; one that is evaluated needs those it had."""
        return sum(self.per_application if row.open_still else len(row.seats) for row in self.rows)

    @property
    def seats_filled(self) -> int:
        """How many are filled."""
        return sum(len(row.seats) for row in self.rows)

    @property
    def submitted(self) -> int:
        """How many assessments are in."""
        return sum(seat.assessment is AssessmentState.SUBMITTED for row in self.rows for seat in row.seats)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run of the assignment answers."""

    run_id: UUID
    status: RunStatus
    seats_new: int
    reasons: tuple[str, ...] = ()
