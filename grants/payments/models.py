"""Payment requests and their decisions, orders and their signatures, the lists in which orders leave, and recoveries."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import PaymentKind
from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.states import OrderState, RecoveryState, RequestState, Step


class PaymentRequest(Row):
    """What a grant asks to be paid: its pre-financing, the costs of an accepted report, or the balance.

    ``requested`` is the gross pre-financing, the contribution accepted by the officer, or the final
    amount of the grant. The decision splits ``approved`` into what is payable, retained, covered by
    pre-financing, and deferred to the balance; for the balance it says what is payable or recoverable.
    ``refused`` is what was requested and not approved: unlike what is deferred it does not come back.
    A rejected request may be asked for again: by a new row that replaces it, with the city's ``reply``.
    """

    __tablename__ = "payment_request"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        UniqueConstraint("replaces_id"),
        state_check(RequestState),
        state_check(PaymentKind, "kind"),
        CheckConstraint("(kind = 'prefinancing') = (report_id IS NULL)", name="report_opens_it"),
        CheckConstraint("requested >= 0", name="requested_not_negative"),
        CheckConstraint("(state = 'submitted') = (decided_at IS NULL)", name="decided_has_time"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_has_person"),
        CheckConstraint("(state IN ('submitted', 'rejected')) = (approved IS NULL)", name="approved_has_amount"),
        CheckConstraint(
            "num_nulls(approved, refused, payable, retained, cleared, deferred, recoverable) IN (0, 7)",
            name="decision_whole",
        ),
        CheckConstraint(
            "approved >= 0 AND refused >= 0 AND payable >= 0 AND retained >= 0 AND cleared >= 0 AND deferred >= 0 AND recoverable >= 0",
            name="parts_not_negative",
        ),
        CheckConstraint("approved + refused = requested", name="approved_and_refused_are_requested"),
        CheckConstraint("(replaces_id IS NULL) = (reply IS NULL)", name="asked_again_with_reply"),
        CheckConstraint(
            "kind = 'balance' OR approved = payable + retained + cleared + deferred", name="parts_sum_to_approved"
        ),
        CheckConstraint(
            "state NOT IN ('rejected', 'partly_approved') OR decision_reason IS NOT NULL", name="cut_has_reason"
        ),
        CheckConstraint("state <> 'cleared' OR payable = 0", name="cleared_pays_nothing"),
        CheckConstraint("state <> 'paid' OR payable > 0", name="paid_pays_something"),
        Index(
            "uq_payment_request_one_of_a_kind",
            "grant_id",
            "kind",
            unique=True,
            postgresql_where=column("kind").in_(["prefinancing", "balance"]) & (column("state") != "rejected"),
        ),
        Index(
            "uq_payment_request_report_id",
            "report_id",
            unique=True,
            postgresql_where=column("state") != "rejected",
        ),
        Index("ix_payment_request_due", "state", "due_on", "reference"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    report_id: Mapped[UUID | None] = mapped_column(points_to("periodic_report.id"))
    requested: Mapped[Money]
    submitted_at: Mapped[datetime]
    due_on: Mapped[date]
    state: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decision_reason: Mapped[str | None]
    approved: Mapped[Money | None]
    payable: Mapped[Money | None]
    retained: Mapped[Money | None]
    cleared: Mapped[Money | None]
    deferred: Mapped[Money | None]
    recoverable: Mapped[Money | None]
    refused: Mapped[Money | None]
    replaces_id: Mapped[UUID | None] = mapped_column(points_to("payment_request.id"))
    reply: Mapped[str | None] = mapped_column(info=DIGEST)


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


class PaymentOrder(Row):
    """One transfer of (a part of) an approved request to a confirmed account.

    The four people of the circuit stand in columns, so that the database itself keeps them apart.
    """

    __tablename__ = "payment_order"
    __table_args__ = (
        state_check(OrderState),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(
            "state NOT IN ('verified', 'authorised', 'exported', 'executed') OR verified_by IS NOT NULL",
            name="verified_has_person",
        ),
        CheckConstraint(
            "state NOT IN ('authorised', 'exported', 'executed') OR authorised_by IS NOT NULL",
            name="authorised_has_person",
        ),
        CheckConstraint("(state IN ('exported', 'executed')) = (exported_by IS NOT NULL)", name="exported_has_person"),
        CheckConstraint("(exported_by IS NULL) = (batch_id IS NULL)", name="exported_in_batch"),
        CheckConstraint("(state = 'executed') = (executed_by IS NOT NULL)", name="executed_has_person"),
        CheckConstraint("(executed_by IS NULL) = (value_on IS NULL)", name="executed_has_value_date"),
        CheckConstraint("(state = 'cancelled') = (cancel_reason IS NOT NULL)", name="cancelled_has_reason"),
        CheckConstraint("verified_by <> prepared_by", name="verifier_is_another"),
        CheckConstraint("authorised_by NOT IN (prepared_by, verified_by)", name="authoriser_is_another"),
        CheckConstraint("exported_by NOT IN (prepared_by, verified_by, authorised_by)", name="payer_is_another"),
        CheckConstraint("executed_by NOT IN (prepared_by, verified_by, authorised_by)", name="executor_is_another"),
        Index("ix_payment_order_due", "state", "due_on", "reference"),
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
    exported_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    executed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    batch_id: Mapped[UUID | None] = mapped_column(points_to("payment_batch.id"), index=True)
    value_on: Mapped[date | None]
    cancel_reason: Mapped[str | None]


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
        Index(
            "uq_payment_order_signature_person",
            "order_id",
            "user_id",
            unique=True,
            postgresql_where=column("voided_at").is_(None),
        ),
    )

    order_id: Mapped[UUID] = mapped_column(points_to("payment_order.id"))
    step: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    signed_at: Mapped[datetime]
    amount: Mapped[Money]
    bank_account_id: Mapped[UUID] = mapped_column(points_to("bank_account.id"))
    note: Mapped[str | None] = mapped_column(info=DIGEST)
    voided_at: Mapped[datetime | None]
    voided_why: Mapped[str | None]


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
    """Money that came back for a recovery, as the bank booked it; never changed."""

    __tablename__ = "recovery_receipt"
    __table_args__ = (
        UniqueConstraint("recovery_id", "bank_reference"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    recovery_id: Mapped[UUID] = mapped_column(points_to("recovery.id"))
    amount: Mapped[Money]
    value_on: Mapped[date]
    bank_reference: Mapped[str]
    booked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
