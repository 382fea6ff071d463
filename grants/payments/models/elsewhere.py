"""Payment files that were sent and that this database does not know: it was restored from a backup older than they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to
from grants.core.money import Money


class SentElsewhere(Row):
    """One such file, by its record outside the database, and what one person proposed and another confirmed of it."""

    __tablename__ = "sent_elsewhere"
    __table_args__ = (
        CheckConstraint("decision IN ('sent', 'never_received')", name="decision_known"),
        CheckConstraint("num_nulls(decision, reason, proposed_by, proposed_at) IN (0, 4)", name="proposal_whole"),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmation_whole"),
        CheckConstraint("confirmed_at IS NULL OR decision IS NOT NULL", name="confirmed_was_proposed"),
        CheckConstraint("confirmed_by <> proposed_by", name="two_people"),
    )

    message_id: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str]
    # What the file was called where it was sent.
    reference: Mapped[str]
    account: Mapped[str]
    sent_at: Mapped[datetime]
    total: Mapped[Money]
    # Whether a key of this record signed it; what nobody signed stops payments all the same.
    is_signed: Mapped[bool]
    seen_at: Mapped[datetime]
    decision: Mapped[str | None]
    reason: Mapped[str | None]
    proposed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]


class SentElsewhereLine(Row):
    """A payment of such a file, and the order of this database that it was, once that is recorded as sent."""

    __tablename__ = "sent_elsewhere_line"
    __table_args__ = (
        UniqueConstraint("sent_id", "number"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_sent_elsewhere_line_request", "request_reference", "amount"),
    )

    sent_id: Mapped[UUID] = mapped_column(points_to("sent_elsewhere.id"))
    number: Mapped[int]
    order_reference: Mapped[str]
    end_to_end_id: Mapped[str] = mapped_column(index=True)
    request_reference: Mapped[str]
    amount: Mapped[Money]
    order_id: Mapped[UUID | None] = mapped_column(points_to("payment_order.id"), unique=True)
