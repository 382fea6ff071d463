"""Score sheets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.evaluation.states import AssessmentState


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
    """One criterion of a score sheet, in half points on the scale of the call; empty while it is not scored."""

    __tablename__ = "assessment_score"
    __table_args__ = (
        UniqueConstraint("assessment_id", "criterion"),
        CheckConstraint("half BETWEEN 0 AND 200", name="half_range"),
    )

    assessment_id: Mapped[UUID] = mapped_column(points_to("assessment.id"))
    criterion: Mapped[str]
    half: Mapped[int | None]
    comment: Mapped[str] = mapped_column(info=DIGEST)
