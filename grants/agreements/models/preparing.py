"""The conditions of grant preparation."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import CheckAnswer
from grants.core.db import Row, points_to, state_check


class DueDiligenceItem(Row):
    """One condition of grant preparation; every one must be answered before the agreement is offered."""

    __tablename__ = "due_diligence_item"
    __table_args__ = (
        UniqueConstraint("grant_id", "key"),
        state_check(CheckAnswer, "answer"),
        CheckConstraint("(answer = 'open') = (answered_at IS NULL)", name="answer_has_time"),
        CheckConstraint("(answer = 'open') = (answered_by IS NULL)", name="answer_has_person"),
        CheckConstraint("answer <> 'not_applicable' OR note IS NOT NULL", name="not_applicable_has_note"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    key: Mapped[str]
    label: Mapped[str]
    position: Mapped[int]
    answer: Mapped[str]
    note: Mapped[str | None]
    evidence_on: Mapped[date | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
