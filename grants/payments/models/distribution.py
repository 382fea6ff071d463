"""What a coordinator says it passed on to its partners, and where it need not show it before the grant is closed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.states import DistributionState


class Distribution(Row):
    """One transfer of the coordinator to a partner, out of what it received for it; the proof is its file.

    Written once by the coordinator; that it was confirmed or refused by another side, or withdrawn, is added. Confirmed it
    stands in the books.
    """

    __tablename__ = "distribution"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(DistributionState),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("transfer <> ''", name="has_transfer"),
        CheckConstraint("decided_for IN ('partner', 'programme')", name="decided_for_known"),
        CheckConstraint("(state = 'reported') = (decided_at IS NULL)", name="decided_has_time"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decision_whole"),
        CheckConstraint("(state IN ('confirmed', 'refused')) = (decided_for IS NOT NULL)", name="decided_for_a_side"),
        CheckConstraint("(state = 'refused') = (decide_reason IS NOT NULL)", name="refused_has_reason"),
        CheckConstraint("state = 'withdrawn' OR decided_by <> reported_by", name="decided_by_another"),
        Index("ix_distribution_reported", "grant_id", postgresql_where="state = 'reported'"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[Money]
    # The day the coordinator's bank booked the transfer, and how that bank calls it.
    paid_on: Mapped[date]
    transfer: Mapped[str] = mapped_column(info=DIGEST)
    state: Mapped[str]
    reported_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    reported_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    # Who was spoken for: the partner that received it, or the programme where the agreement lets an officer confirm.
    decided_for: Mapped[str | None]
    decide_reason: Mapped[str | None] = mapped_column(info=DIGEST)


class DistributionWaiver(Row):
    """A named person lets a grant be closed though its coordinator shows not all of what it held for a partner passed on.

    The books stay as they are: what was held stays held in them. Never changed; a later one of the same partner counts.
    """

    __tablename__ = "distribution_waiver"
    __table_args__ = (
        UniqueConstraint("grant_id", "organisation_id", "number"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("reason <> ''", name="has_reason"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    number: Mapped[int]
    amount: Mapped[Money]
    reason: Mapped[str] = mapped_column(info=DIGEST)
    waived_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    waived_at: Mapped[datetime]
