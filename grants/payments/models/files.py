"""The lists in which orders leave."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to
from grants.core.money import Money


class PaymentBatch(Row):
    """The list in which orders leave; its file is made once after the act, and its hash is then frozen."""

    __tablename__ = "payment_batch"
    __table_args__ = (
        CheckConstraint("total > 0", name="total_positive"),
        CheckConstraint("orders > 0", name="orders_positive"),
        CheckConstraint("(file_id IS NULL) = (file_sha256 IS NULL)", name="file_has_hash"),
        CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="file_sha256_form"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    exported_at: Mapped[datetime]
    exported_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    orders: Mapped[int]
    total: Mapped[Money]
    file_id: Mapped[UUID | None] = mapped_column(points_to("stored_file.id"))
    file_sha256: Mapped[str | None]
