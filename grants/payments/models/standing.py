"""What stops the clock of a payment request or returns it, and the check list by which it was verified."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.payments.states import SuspensionReason


class PaymentSuspension(Row):
    """The clock of a request stood still from the day of a notice to the day it was lifted; one at a time.

    Written once: its answer and its end are added. A trigger refuses one that overlaps another of the same request.
    """

    __tablename__ = "payment_suspension"
    __table_args__ = (
        UniqueConstraint("request_id", "number"),
        state_check(SuspensionReason, "reason"),
        CheckConstraint("duty IN ('finance_initiator', 'authorising_officer')", name="duty_known"),
        CheckConstraint("notice <> ''", name="has_notice"),
        CheckConstraint("until_on >= from_on", name="in_order"),
        CheckConstraint("num_nulls(until_on, lifted_at, lifted_by, lift_reason) IN (0, 4)", name="lifted_whole"),
        CheckConstraint("num_nulls(answer, answered_at, answered_by) IN (0, 3)", name="answered_whole"),
        Index(
            "uq_payment_suspension_one_open",
            "request_id",
            unique=True,
            postgresql_where=column("until_on").is_(None),
        ),
    )

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    number: Mapped[int]
    reason: Mapped[str]
    notice: Mapped[str] = mapped_column(info=DIGEST)
    notified_at: Mapped[datetime]
    suspended_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    # The duty by which it was set: who lifts it has the same, or the one above.
    duty: Mapped[str]
    from_on: Mapped[date]
    answer: Mapped[str | None] = mapped_column(info=DIGEST)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    until_on: Mapped[date | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    lift_reason: Mapped[str | None] = mapped_column(info=DIGEST)


class PaymentReturn(Row):
    """A request that was not complete went back to the coordinator with words, and came back with an answer."""

    __tablename__ = "payment_return"
    __table_args__ = (
        UniqueConstraint("request_id", "number"),
        CheckConstraint("words <> ''", name="has_words"),
        CheckConstraint("num_nulls(answer, answered_at, answered_by) IN (0, 3)", name="answered_whole"),
        Index(
            "uq_payment_return_one_open",
            "request_id",
            unique=True,
            postgresql_where=column("answered_at").is_(None),
        ),
    )

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    number: Mapped[int]
    words: Mapped[str] = mapped_column(info=DIGEST)
    returned_at: Mapped[datetime]
    returned_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    answer: Mapped[str | None] = mapped_column(info=DIGEST)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))


class PaymentVerification(Row):
    """One verification of a request with the check list that was ticked, in the words of that day; never changed."""

    __tablename__ = "payment_verification"
    __table_args__ = (UniqueConstraint("request_id", "number"),)

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    number: Mapped[int]
    verified_at: Mapped[datetime]
    verified_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    evidence: Mapped[list[str]] = mapped_column(JSONB)
    note: Mapped[str | None] = mapped_column(info=DIGEST)
