"""The table of what is published about the pilots of a call in words. No verbs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to


class AwardDescription(Row):
    """One version of the description of a selected application; everybody reads the newest that another person confirmed."""

    __tablename__ = "award_description"
    __table_args__ = (
        UniqueConstraint("application_id", "number"),
        CheckConstraint("text <> ''", name="has_text"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_whole"),
        CheckConstraint("confirmed_by <> written_by", name="confirmed_by_another"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    number: Mapped[int]
    text: Mapped[str]
    written_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    written_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
