"""Recoveries and what came back for them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.core.money import ZERO, Money
from grants.payments.states import RecoveryState


class Recovery(Row):
    """What a city was paid too much and owes: established once for a balance, then paid back or waived.

    What came back stands in its receipts; ``waived`` is the part that was still owed when it was waived.
    """

    __tablename__ = "recovery"
    __table_args__ = (
        UniqueConstraint("request_id"),
        state_check(RecoveryState),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("waived > 0 AND waived <= amount", name="waived_within_amount"),
        CheckConstraint("(state = 'waived') = (waived IS NOT NULL)", name="waived_has_amount"),
        CheckConstraint("num_nulls(waived, waived_at, waived_by, waive_reason) IN (0, 4)", name="waiver_whole"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"), index=True)
    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[Money]
    reason: Mapped[str]
    due_on: Mapped[date]
    state: Mapped[str]
    established_at: Mapped[datetime]
    established_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    waived: Mapped[Money | None]
    waived_at: Mapped[datetime | None]
    waived_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    waive_reason: Mapped[str | None]


class RecoveryReceipt(Row):
    """Money that came back for a recovery, as the bank booked it; never changed.

    ``above`` is what came beyond the debt, and stands among the unidentified receipts.
    """

    __tablename__ = "recovery_receipt"
    __table_args__ = (
        UniqueConstraint("recovery_id", "bank_reference"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("above >= 0", name="above_not_negative"),
    )

    recovery_id: Mapped[UUID] = mapped_column(points_to("recovery.id"))
    amount: Mapped[Money]
    value_on: Mapped[date]
    bank_reference: Mapped[str]
    above: Mapped[Money] = mapped_column(default=ZERO)
    own_account_id: Mapped[UUID | None] = mapped_column(points_to("own_account.id"))
    booked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
