"""Tables of evaluation: the pool of a call, conflicts, assignment runs and seats, assessments, consensus. No verbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, NOT_AUDITED, Row, points_to, state_check
from grants.evaluation.states import AssessmentState, ConsensusState, Declared, Ruling, RunStatus, SeatState


class Evaluator(Row):
    """A person in the pool of one call: expertise, and how many applications this person must and may take."""

    __tablename__ = "evaluator"
    __table_args__ = (
        UniqueConstraint("call_id", "user_id"),
        CheckConstraint("load_min >= 0 AND load_min <= load_max", name="load_order"),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_code_form"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    country_code: Mapped[str]
    languages: Mapped[list[Any]]
    topics: Mapped[list[Any]]
    load_min: Mapped[int]
    load_max: Mapped[int]


class ConflictDeclaration(Row):
    """What one person declared about one application, and what the manager ruled where it was needed."""

    __tablename__ = "conflict_declaration"
    __table_args__ = (
        UniqueConstraint("user_id", "application_id"),
        state_check(Declared, "declared"),
        state_check(Ruling, "ruling"),
        CheckConstraint("declared = 'none' OR reason IS NOT NULL", name="doubt_has_reason"),
        CheckConstraint("(ruling IS NULL) = (ruled_by IS NULL)", name="ruling_has_person"),
        CheckConstraint("(ruling IS NULL) = (ruled_at IS NULL)", name="ruling_has_time"),
        CheckConstraint("ruled_by <> user_id", name="not_ones_own_ruling"),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    declared: Mapped[str]
    reason: Mapped[str | None] = mapped_column(info=DIGEST)
    declared_at: Mapped[datetime]
    ruling: Mapped[str | None]
    ruling_reason: Mapped[str | None] = mapped_column(info=DIGEST)
    ruled_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    ruled_at: Mapped[datetime | None]


class AssignmentRun(Row):
    """One run of the exact assignment, kept as it was: input, seed, result and the proof that nothing is better."""

    __tablename__ = "assignment_run"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(RunStatus, "status"),
        CheckConstraint("octet_length(input_sha256) = 32", name="input_sha256_length"),
        CheckConstraint("(status = 'solved') = (objective IS NOT NULL)", name="solved_has_objective"),
        CheckConstraint("objective IS NOT DISTINCT FROM bound", name="bound_is_reached"),
        CheckConstraint("(status = 'infeasible') = (jsonb_array_length(reasons) > 0)", name="infeasible_has_reasons"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    input_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    seed: Mapped[str]
    settings: Mapped[dict[str, Any]]
    status: Mapped[str]
    objective: Mapped[int | None]
    bound: Mapped[int | None]
    reasons: Mapped[list[Any]]
    certificate: Mapped[dict[str, Any]] = mapped_column(info=NOT_AUDITED)
    applications: Mapped[int]
    evaluators: Mapped[int]
    seats: Mapped[int]
    seats_new: Mapped[int]
    pairs_priced: Mapped[int]
    rounds: Mapped[int]


class Assignment(Row):
    """One seat: this evaluator assesses this application. Made by a run, or by hand where a seat fell empty."""

    __tablename__ = "assignment"
    __table_args__ = (
        state_check(SeatState),
        CheckConstraint("(state = 'voided') = (voided_at IS NOT NULL)", name="voided_has_time"),
        CheckConstraint("(state = 'voided') = (void_reason IS NOT NULL)", name="voided_has_reason"),
        CheckConstraint("run_id IS NOT NULL OR hand_reason IS NOT NULL", name="made_by_run_or_hand"),
        Index(
            "uq_assignment_one_seat", "application_id", "evaluator_id", unique=True, postgresql_where="state = 'active'"
        ),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    evaluator_id: Mapped[UUID] = mapped_column(points_to("evaluator.id"), index=True)
    run_id: Mapped[UUID | None] = mapped_column(points_to("assignment_run.id"))
    state: Mapped[str]
    utility: Mapped[int]
    due_at: Mapped[datetime | None]
    hand_reason: Mapped[str | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(info=DIGEST)


class Assessment(Row):
    """The score sheet of one seat. A score that was not given is missing; it is never a zero."""

    __tablename__ = "assessment"
    __table_args__ = (
        UniqueConstraint("assignment_id"),
        state_check(AssessmentState),
        CheckConstraint("(state = 'submitted') = (submitted_at IS NOT NULL)", name="submitted_has_time"),
    )

    assignment_id: Mapped[UUID] = mapped_column(points_to("assignment.id"))
    state: Mapped[str]
    remark: Mapped[str] = mapped_column(info=DIGEST)
    saved_at: Mapped[datetime]
    # Counts up with each save, so that the version moves although only scores changed.
    saves: Mapped[int]
    submitted_at: Mapped[datetime | None]


class AssessmentScore(Row):
    """One criterion of a score sheet, in half points from 0 to 10; empty while it is not scored."""

    __tablename__ = "assessment_score"
    __table_args__ = (
        UniqueConstraint("assessment_id", "criterion"),
        CheckConstraint("half BETWEEN 0 AND 10", name="half_range"),
    )

    assessment_id: Mapped[UUID] = mapped_column(points_to("assessment.id"))
    criterion: Mapped[str]
    half: Mapped[int | None]
    comment: Mapped[str] = mapped_column(info=DIGEST)


class Consensus(Row):
    """What the evaluators of one application agree on, written by the chair. Its scores rank, never an average."""

    __tablename__ = "consensus"
    __table_args__ = (
        UniqueConstraint("application_id"),
        state_check(ConsensusState),
        CheckConstraint("(state = 'agreed') = (agreed_at IS NOT NULL)", name="agreed_has_time"),
        CheckConstraint("(state = 'draft') = (proposed_at IS NULL)", name="proposed_has_time"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    state: Mapped[str]
    text: Mapped[str] = mapped_column(info=DIGEST)
    written_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    saved_at: Mapped[datetime]
    # Counts up with each save, so that the version moves although only scores changed.
    saves: Mapped[int]
    proposed_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    # Who agreed to these very words and when; emptied when they change.
    agreed_by: Mapped[list[Any]]
    # A view that could not be reconciled, recorded by the chair.
    minority_view: Mapped[str | None] = mapped_column(info=DIGEST)


class ConsensusScore(Row):
    """The agreed score and words of one criterion; empty while the chair has not written it."""

    __tablename__ = "consensus_score"
    __table_args__ = (
        UniqueConstraint("consensus_id", "criterion"),
        CheckConstraint("half BETWEEN 0 AND 10", name="half_range"),
    )

    consensus_id: Mapped[UUID] = mapped_column(points_to("consensus.id"))
    criterion: Mapped[str]
    half: Mapped[int | None]
    comment: Mapped[str] = mapped_column(info=DIGEST)
