"""The table of awards that are withheld from publication by name. No verbs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import WithheldGround
from grants.core.db import Row, points_to, state_check


class AwardWithheld(Row):
    """A selected application the public is not told of, with the ground and why; named again by another person, the row stays.

    One person alone withholds, at once; another confirms it or names it again by ``confirm_by``. It stays withheld after that
    moment too: it protects somebody.
    """

    __tablename__ = "award_withheld"
    __table_args__ = (
        state_check(WithheldGround, "ground"),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_reason IS NULL)", name="ended_whole"
        ),
        CheckConstraint("ended_by <> withheld_by", name="ended_by_another"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_whole"),
        CheckConstraint("confirmed_by <> withheld_by", name="confirmed_by_another"),
        Index("uq_award_withheld_one_open", "application_id", unique=True, postgresql_where="ended_at IS NULL"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    ground: Mapped[str]
    reason: Mapped[str]
    withheld_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    withheld_at: Mapped[datetime]
    confirm_by: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
