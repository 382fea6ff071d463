"""What people declare about conflicts, and what was ruled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.evaluation.states import Declared, Ruling


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
