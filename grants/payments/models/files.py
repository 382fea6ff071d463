"""The files in which orders leave."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.states import BatchState


class PaymentBatch(Row):
    """Orders that leave as one file: frozen when it is built, made and checked by a job, sent once or discarded.

    ``content`` is a line for each payment (``rules.pay_runs.FileLine``), as the file says it; ``problems`` is what the rules of
    bank files said of it. The lists of before files were checked have neither, and no account.
    """

    __tablename__ = "payment_batch"
    __table_args__ = (
        state_check(BatchState),
        CheckConstraint("total > 0", name="total_positive"),
        CheckConstraint("orders > 0", name="orders_positive"),
        CheckConstraint("layout IN ('pain.001.001.03', 'pain.001.001.09', 'xlsx')", name="layout_known"),
        CheckConstraint("(own_account_id IS NULL) = (execution_on IS NULL)", name="account_has_day"),
        CheckConstraint("own_account_id IS NOT NULL OR state = 'sent'", name="new_has_account"),
        CheckConstraint("(file_id IS NULL) = (file_sha256 IS NULL)", name="file_has_hash"),
        CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="file_sha256_form"),
        CheckConstraint(
            "state NOT IN ('ready', 'sent') OR file_id IS NOT NULL OR own_account_id IS NULL", name="ready_has_file"
        ),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_has_time"),
        Index("ix_payment_batch_built", "built_at", "reference"),
        CheckConstraint("(sent_at IS NULL) = (sent_by IS NULL)", name="sent_has_person"),
        CheckConstraint("recorded_at IS NULL OR sent_at IS NOT NULL", name="recorded_was_sent"),
        CheckConstraint("(state = 'discarded') = (discarded_at IS NOT NULL)", name="discarded_has_time"),
        CheckConstraint("num_nulls(discarded_at, discarded_by, discard_reason) IN (0, 3)", name="discarding_whole"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    own_account_id: Mapped[UUID | None] = mapped_column(points_to("own_account.id"), index=True)
    layout: Mapped[str]
    execution_on: Mapped[date | None]
    state: Mapped[str]
    built_at: Mapped[datetime]
    built_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    orders: Mapped[int]
    total: Mapped[Money]
    content: Mapped[list[Any]] = mapped_column(info=DIGEST)
    problems: Mapped[list[Any] | None] = mapped_column(info=DIGEST)
    file_id: Mapped[UUID | None] = mapped_column(points_to("stored_file.id"))
    file_sha256: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    discarded_at: Mapped[datetime | None]
    discarded_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    discard_reason: Mapped[str | None]
    # When its record lay outside the database; before that the file is not handed out.
    recorded_at: Mapped[datetime | None]
