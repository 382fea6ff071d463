"""Runs of the assignment, and the seats they and people give."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, NOT_AUDITED, Row, points_to, state_check
from grants.evaluation.states import RunStatus, SeatState


class AssignmentRun(Row):
    """One run of the exact assignment, kept as it was: input, seed, result and the proof that nothing is better."""

    __tablename__ = "assignment_run"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(RunStatus, "status"),
        CheckConstraint("octet_length(input_sha256) = 32", name="input_sha256_length"),
        CheckConstraint("(status = 'solved') = (objective IS NOT NULL)", name="solved_has_objective"),
        CheckConstraint("(objective IS NULL) = (bound IS NULL) AND objective <= bound", name="bound_covers_objective"),
        CheckConstraint("milliseconds >= 0", name="milliseconds_not_negative"),
        CheckConstraint("(status = 'infeasible') = (jsonb_array_length(reasons) > 0)", name="infeasible_has_reasons"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    input_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    # The very bytes that are hashed, compressed by zlib; and how long they were worked on. Older runs have neither.
    input: Mapped[bytes | None] = mapped_column(LargeBinary, info=NOT_AUDITED)
    milliseconds: Mapped[int | None]
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
    # What no assignment could exceed even without rules on groups and floor; what the worst served application got;
    # the sum of the squared loads. Runs of before these were kept have none.
    ideal: Mapped[int | None]
    floor: Mapped[int | None]
    spread: Mapped[int | None]
    solver: Mapped[str]
    # Where no assignment exists: the fewest rules to set aside, in words. Where one does: by application the rules on groups
    # that seats broke which stood before.
    changes: Mapped[list[Any]]
    difference: Mapped[dict[str, Any]]
    # By application and evaluator: the numbers behind each seat the run gave.
    explanations: Mapped[dict[str, Any]] = mapped_column(info=NOT_AUDITED)


class AssignmentLoss(Row):
    """What the total of a run loses without one of its seats, worked out when somebody asked: beside the run, which stands.

    The least and the most it loses, which are the same wherever the search was exact; without both no assignment is left.
    """

    __tablename__ = "assignment_loss"
    __table_args__ = (
        UniqueConstraint("run_id", "application_id", "evaluator_id"),
        CheckConstraint("(least IS NULL) = (most IS NULL) AND least <= most", name="least_and_most"),
    )

    run_id: Mapped[UUID] = mapped_column(points_to("assignment_run.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    evaluator_id: Mapped[UUID] = mapped_column(points_to("evaluator.id"))
    # Figures of the whole call: for whoever may see all of it, and not in the history.
    least: Mapped[int | None] = mapped_column(info=NOT_AUDITED)
    most: Mapped[int | None] = mapped_column(info=NOT_AUDITED)
    moved: Mapped[int] = mapped_column(info=NOT_AUDITED)
    milliseconds: Mapped[int]


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
    # A locked seat is never moved by a run.
    locked: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None]
    hand_reason: Mapped[str | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(info=DIGEST)


class AssignmentReminder(Row):
    """That whoever has a seat was reminded of its assessment: when, by whom, with which words, and why so soon again."""

    __tablename__ = "assignment_reminder"

    assignment_id: Mapped[UUID] = mapped_column(points_to("assignment.id"), index=True)
    reminded_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    message: Mapped[str] = mapped_column(info=DIGEST)
    # Only where the same person was reminded within a day before.
    reason: Mapped[str | None]
