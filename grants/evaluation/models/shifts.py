"""How the panel moves the score of an application."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.evaluation.states import ShiftState


class ScoreShift(Row):
    """A move of a score, in half points up or down: proposed by one of the panel, confirmed by another.

    How far it may go is a rule of the call; the database holds the widest there is.
    """

    __tablename__ = "score_shift"
    __table_args__ = (
        state_check(ShiftState),
        CheckConstraint("shift_half BETWEEN -2000 AND 2000", name="shift_half_range"),
        CheckConstraint("decided_by <> proposed_by", name="second_person"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_has_person"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_has_time"),
        CheckConstraint("(state = 'returned') = (return_reason IS NOT NULL)", name="returned_has_reason"),
        Index("uq_score_shift_one_proposed", "application_id", unique=True, postgresql_where="state = 'proposed'"),
        Index("uq_score_shift_one_confirmed", "application_id", unique=True, postgresql_where="state = 'confirmed'"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    state: Mapped[str]
    shift_half: Mapped[int]
    reason: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    return_reason: Mapped[str | None]
