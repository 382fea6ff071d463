"""Score sheets."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, NOT_AUDITED, Base, Row, points_to, state_check
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
    saved_at: Mapped[datetime] = mapped_column(info=NOT_AUDITED)
    # Counts up with each save, so that the version moves although only scores changed.
    saves: Mapped[int] = mapped_column(info=NOT_AUDITED)
    # By field, how often it was written: the number of the version that stands.
    numbers: Mapped[dict[str, Any]] = mapped_column(info=NOT_AUDITED)
    submitted_at: Mapped[datetime | None]
    # By criterion the half points that stood when it was given back after the sheets of others could be read; empty before.
    marks_before: Mapped[dict[str, Any] | None]


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


class AssessmentVersion(Row):
    """Every mark and every text of a sheet that ever stood, the present one included; its audit is that of the sheet.

    ``field`` is the name of the field on the form; a mark stands as its half points, and as nothing where it was taken back.
    """

    __tablename__ = "assessment_version"
    __table_args__ = (
        UniqueConstraint("assessment_id", "field", "number"),
        CheckConstraint("number >= 1", name="number_counts"),
    )
    __audited__ = False

    assessment_id: Mapped[UUID] = mapped_column(points_to("assessment.id"))
    field: Mapped[str]
    number: Mapped[int]
    text: Mapped[str] = mapped_column(info=DIGEST)
    saved_at: Mapped[datetime]
    saved_by: Mapped[UUID | None]


class SheetPlace(Base):
    """Where somebody stopped reading and writing on a seat, and about how long the page was open: machinery, no record."""

    __tablename__ = "sheet_place"

    assignment_id: Mapped[UUID] = mapped_column(points_to("assignment.id"), primary_key=True)
    # What stands at the top of either side, and how far it is scrolled beyond it.
    answer: Mapped[str]
    answer_offset: Mapped[int]
    field: Mapped[str]
    field_offset: Mapped[int]
    seconds: Mapped[int]
    at: Mapped[datetime]
    skipped_at: Mapped[datetime | None]


class ReadingPack(Row):
    """All applications an evaluator may read in one packed file, the newest wish of each: which job makes it, what it holds."""

    __tablename__ = "reading_pack"
    __table_args__ = (UniqueConstraint("owner_id"),)

    owner_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    asked_at: Mapped[datetime]
    job_id: Mapped[UUID] = mapped_column(points_to("job.id"))
    made_at: Mapped[datetime | None]
    # References of what was packed; empty while it is not made.
    held: Mapped[list[Any]]
