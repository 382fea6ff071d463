"""Payment orders and the signatures of the circuit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.states import ON_ITS_WAY, OrderState, Step

_LEFT = "'sent', 'acknowledged', 'executed', 'bank_rejected', 'returned'"
_AUTHORISED = f"'authorised', 'in_file', {_LEFT}"
_ON_ITS_WAY = ", ".join(f"'{state.value}'" for state in ON_ITS_WAY)
_VERIFIED = f"'verified', {_AUTHORISED}"


class PaymentOrder(Row):
    """One transfer of (a part of) an approved request to a confirmed account.

    The people of the circuit stand in columns, so that the database itself keeps them apart.
    """

    __tablename__ = "payment_order"
    __table_args__ = (
        state_check(OrderState),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(f"state NOT IN ({_VERIFIED}) OR verified_by IS NOT NULL", name="verified_has_person"),
        CheckConstraint(f"state NOT IN ({_AUTHORISED}) OR authorised_by IS NOT NULL", name="authorised_has_person"),
        CheckConstraint(f"(state IN ({_LEFT})) = (sent_by IS NOT NULL)", name="sent_has_person"),
        CheckConstraint(f"(state IN ('in_file', {_LEFT})) = (batch_id IS NOT NULL)", name="in_file_has_batch"),
        CheckConstraint("batch_id IS NULL OR end_to_end_id IS NOT NULL", name="in_file_has_end_to_end_id"),
        CheckConstraint("end_to_end_id ~ '^[A-Za-z0-9-]{1,35}$'", name="end_to_end_id_form"),
        CheckConstraint("(state IN ('executed', 'returned')) = (executed_by IS NOT NULL)", name="executed_has_person"),
        CheckConstraint("(executed_by IS NULL) = (value_on IS NULL)", name="executed_has_value_date"),
        CheckConstraint(
            "(state IN ('bank_rejected', 'returned')) = (came_back_on IS NOT NULL)", name="came_back_has_day"
        ),
        CheckConstraint("(came_back_on IS NULL) = (bank_reason IS NULL)", name="came_back_has_reason"),
        CheckConstraint("reissue_of <> id", name="reissues_another"),
        CheckConstraint("let_go_on IS NULL OR state IN ('bank_rejected', 'returned')", name="let_go_came_back"),
        Index("uq_payment_order_reissue_of", "reissue_of", unique=True, postgresql_where="state <> 'cancelled'"),
        CheckConstraint("(state = 'cancelled') = (cancel_reason IS NOT NULL)", name="cancelled_has_reason"),
        # Never fewer apart than these three, whatever circuit was set; the verifier by trigger, as the circuit says.
        CheckConstraint("authorised_by <> prepared_by", name="authoriser_is_another"),
        CheckConstraint("sent_by NOT IN (prepared_by, authorised_by)", name="payer_is_another"),
        CheckConstraint("executed_by NOT IN (prepared_by, authorised_by)", name="executor_is_another"),
        Index("ix_payment_order_due", "state", "due_on", "reference"),
        # By due day alone: a page of what is on its way reads its own rows, however many there are.
        Index("ix_payment_order_open", "due_on", "reference", postgresql_where=f"state IN ({_ON_ITS_WAY})"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"), index=True)
    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"), index=True)
    payee_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    bank_account_id: Mapped[UUID] = mapped_column(points_to("bank_account.id"), index=True)
    amount: Mapped[Money]
    due_on: Mapped[date]
    state: Mapped[str]
    prepared_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    verified_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    authorised_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    sent_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    executed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # Names this payment at the bank for ever; set when it is first put into a file.
    end_to_end_id: Mapped[str | None] = mapped_column(unique=True)
    batch_id: Mapped[UUID | None] = mapped_column(points_to("payment_batch.id"), index=True)
    value_on: Mapped[date | None]
    # The day the bank rejected or returned it, and why, as the bank said it (a code of ISO 20022 first).
    came_back_on: Mapped[date | None]
    bank_reason: Mapped[str | None]
    # The order that came back and that this one issues again, for the same amount.
    reissue_of: Mapped[UUID | None] = mapped_column(points_to("payment_order.id"))
    cancel_reason: Mapped[str | None]
    # The day since which nobody issues it again, though it came back: what it was to pay was cancelled or set off, and what
    # is left of that is ordered anew.
    let_go_on: Mapped[date | None]


class PaymentOrderSignature(Row):
    """Who took which step for which amount and account; a change of either voids it and leaves it as history."""

    __tablename__ = "payment_order_signature"
    __table_args__ = (
        state_check(Step, "step"),
        CheckConstraint("(voided_at IS NULL) = (voided_why IS NULL)", name="voided_has_reason"),
        Index(
            "uq_payment_order_signature_step",
            "order_id",
            "step",
            unique=True,
            postgresql_where=column("voided_at").is_(None),
        ),
        # Whatever became of it: the one above knows only what counts.
        Index("ix_payment_order_signature_order_id", "order_id"),
        # What was authorised on a day.
        Index(
            "ix_payment_order_signature_authorised",
            "signed_at",
            postgresql_where="step = 'authorised' AND voided_at IS NULL",
        ),
    )

    order_id: Mapped[UUID] = mapped_column(points_to("payment_order.id"))
    step: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    signed_at: Mapped[datetime]
    amount: Mapped[Money]
    bank_account_id: Mapped[UUID] = mapped_column(points_to("bank_account.id"))
    note: Mapped[str | None] = mapped_column(info=DIGEST)
    # Whose role was exercised, where the signer stood in for somebody.
    stand_in_for: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # The sentences ticked by hand, as they read then; of signatures from before they were asked for, none.
    evidence: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    voided_at: Mapped[datetime | None]
    voided_why: Mapped[str | None]
