"""Suspensions of a grant, or of the part of one beneficiary."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import HoldReason
from grants.core.db import DIGEST, Row, points_to, state_check


class AgreementHold(Row):
    """A grant, or the part of one beneficiary, is suspended from a day on, with its notice, until it is lifted.

    It is no state of the grant: what was agreed stands, and no day moves. One is open for each beneficiary, and one for all.
    """

    __tablename__ = "agreement_hold"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(HoldReason, "reason"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("words <> ''", name="has_words"),
        CheckConstraint(
            "(lifted_on IS NULL) = (lifted_by IS NULL) AND (lifted_on IS NULL) = (lifted_at IS NULL)"
            " AND (lifted_on IS NULL) = (lift_words IS NULL)",
            name="lifted_whole",
        ),
        Index(
            "uq_agreement_hold_open",
            "grant_id",
            "organisation_id",
            unique=True,
            postgresql_where=column("lifted_on").is_(None),
            postgresql_nulls_not_distinct=True,
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    # Whose part is suspended; empty for the whole grant.
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    reason: Mapped[str]
    words: Mapped[str] = mapped_column(info=DIGEST)
    from_on: Mapped[date]
    notice_id: Mapped[UUID] = mapped_column(points_to("stored_file.id"))
    held_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    held_at: Mapped[datetime]
    # The first day on which it no longer holds.
    lifted_on: Mapped[date | None]
    lifted_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    lifted_at: Mapped[datetime | None]
    lift_words: Mapped[str | None] = mapped_column(info=DIGEST)
