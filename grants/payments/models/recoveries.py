"""Recoveries by their steps, whose share of them is whose, and what came back for them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import ZERO, Money
from grants.payments.models.reckoned import Reckoned, reckoned_right
from grants.payments.states import OWED, UNCONFIRMED, InterestState, RecoveryOrigin, RecoveryState


def _named(*states: RecoveryState) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


class Recovery(Row):
    """What a city owes back: proposed, told beforehand, confirmed by another person, and owed from its debit note on.

    What came back stands in its receipts; ``waived`` is the part that was still owed when it was waived. ``at_once`` is
    what was established in one step, from before there were several: who proposed it is not known, and nobody does it
    any more.
    """

    __tablename__ = "recovery"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(RecoveryState),
        state_check(RecoveryOrigin, "origin"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("(origin = 'balance') = (request_id IS NOT NULL)", name="balance_has_request"),
        CheckConstraint("num_nulls(proposed_at, proposed_by) IN (0, 2)", name="proposal_whole"),
        CheckConstraint("at_once = (proposed_by IS NULL)", name="proposed_has_person"),
        CheckConstraint("num_nulls(informed_at, informed_by, reply_until) IN (0, 3)", name="letter_whole"),
        CheckConstraint("num_nulls(observation, observed_at, observed_by) IN (0, 3)", name="observation_whole"),
        CheckConstraint("observed_at IS NULL OR informed_at IS NOT NULL", name="observed_once_told"),
        CheckConstraint(
            "num_nulls(confirmed_at, confirmed_by, confirm_words) IN (0, 3) OR at_once", name="confirmation_whole"
        ),
        CheckConstraint(
            f"(state IN ({_named(*UNCONFIRMED)})) <= (confirmed_by IS NULL)", name="unconfirmed_has_nobody"
        ),
        CheckConstraint(
            f"(state IN ({_named(*OWED, RecoveryState.PAID, RecoveryState.WAIVED)})) <= (confirmed_by IS NOT NULL)",
            name="confirmed_has_person",
        ),
        CheckConstraint("confirmed_by IS NULL OR at_once OR informed_at IS NOT NULL", name="confirmed_once_told"),
        CheckConstraint("confirmed_by <> proposed_by", name="confirmed_by_another"),
        CheckConstraint("num_nulls(issued_at, issued_by) IN (0, 2)", name="issue_whole"),
        CheckConstraint("issued_by <> confirmed_by", name="issued_by_another"),
        CheckConstraint("(issued_at IS NOT NULL OR at_once) = (due_on IS NOT NULL)", name="issued_has_day"),
        CheckConstraint("issued_at IS NULL OR confirmed_at IS NOT NULL", name="issued_once_confirmed"),
        CheckConstraint(
            "state NOT IN ('issued', 'part_paid', 'paid', 'waived') OR due_on IS NOT NULL", name="owed_has_day"
        ),
        CheckConstraint("reminders >= 0 AND (reminders > 0) = (reminded_at IS NOT NULL)", name="reminders_have_time"),
        CheckConstraint("waived > 0 AND waived <= amount", name="waived_within_amount"),
        CheckConstraint("(state = 'waived') = (waived IS NOT NULL)", name="waived_has_amount"),
        CheckConstraint("num_nulls(waived, waived_at, waived_by, waive_reason) IN (0, 4)", name="waiver_whole"),
        CheckConstraint("waived IS NULL OR at_once OR waiver_file_id IS NOT NULL", name="waiver_has_document"),
        CheckConstraint(
            "waiver_file_id IS NULL OR (waived_by <> confirmed_by AND waived_by IS DISTINCT FROM proposed_by)",
            name="waived_by_another",
        ),
        CheckConstraint("num_nulls(cancelled_at, cancelled_by, cancel_reason) IN (0, 3)", name="cancellation_whole"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_person"),
        CheckConstraint(
            "cancelled_at IS NULL OR confirmed_by IS NULL OR cancelled_by <> confirmed_by", name="cancelled_by_another"
        ),
        # The balance finds one debt: it is proposed again only once a proposal of it was cancelled.
        Index(
            "uq_recovery_of_balance",
            "request_id",
            unique=True,
            postgresql_where=column("state") != RecoveryState.CANCELLED.value,
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"), index=True)
    # The balance that found it; another debt rests on no request.
    request_id: Mapped[UUID | None] = mapped_column(points_to("payment_request.id"))
    number: Mapped[int]
    # The number of its debit note: what the city writes on what it pays back.
    reference: Mapped[str] = mapped_column(unique=True)
    origin: Mapped[str]
    amount: Mapped[Money]
    reason: Mapped[str]
    state: Mapped[str]
    at_once: Mapped[bool] = mapped_column(default=False)
    proposed_at: Mapped[datetime | None]
    proposed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    informed_at: Mapped[datetime | None]
    informed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # The last day on which the city may answer.
    reply_until: Mapped[date | None]
    observation: Mapped[str | None] = mapped_column(info=DIGEST)
    observed_at: Mapped[datetime | None]
    observed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirm_words: Mapped[str | None] = mapped_column(info=DIGEST)
    issued_at: Mapped[datetime | None]
    issued_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    due_on: Mapped[date | None]
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[datetime | None]
    waived: Mapped[Money | None]
    waived_at: Mapped[datetime | None]
    waived_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    waive_reason: Mapped[str | None]
    waiver_file_id: Mapped[UUID | None] = mapped_column(points_to("stored_file.id"))
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    cancel_reason: Mapped[str | None]


class RecoveryShare(Row):
    """Whose part of a debt is how much, and what it was worked out from; never changed. The shares sum to the debt.

    ``accepted`` is what the partner has of the final amount and ``received`` what was paid for it; of costs that were
    rejected neither is kept, since the partner owes them whole.
    """

    __tablename__ = "recovery_share"
    __table_args__ = (
        UniqueConstraint("recovery_id", "organisation_id"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("num_nulls(accepted, received) IN (0, 2)", name="basis_whole"),
    )

    recovery_id: Mapped[UUID] = mapped_column(points_to("recovery.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    accepted: Mapped[Money | None]
    received: Mapped[Money | None]
    amount: Mapped[Money]


class RecoveryReceipt(Row):
    """Money that came back for a recovery, as the bank booked it; never changed.

    ``interest`` is what of it paid interest for late payment. ``above`` is what came beyond the debt and its interest, and
    stands among the unidentified receipts.
    """

    __tablename__ = "recovery_receipt"
    __table_args__ = (
        UniqueConstraint("recovery_id", "bank_reference"),
        CheckConstraint("amount >= 0 AND interest >= 0 AND amount + interest > 0", name="amount_positive"),
        CheckConstraint("above >= 0", name="above_not_negative"),
    )

    recovery_id: Mapped[UUID] = mapped_column(points_to("recovery.id"))
    amount: Mapped[Money]
    value_on: Mapped[date]
    bank_reference: Mapped[str]
    interest: Mapped[Money] = mapped_column(default=ZERO)
    above: Mapped[Money] = mapped_column(default=ZERO)
    own_account_id: Mapped[UUID | None] = mapped_column(points_to("own_account.id"))
    booked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class PaymentOffset(Row):
    """Part of what a request pays that was set off against a debt of the same city: no cash moves; never changed."""

    __tablename__ = "payment_offset"
    __table_args__ = (CheckConstraint("amount > 0", name="amount_positive"),)

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"), index=True)
    recovery_id: Mapped[UUID] = mapped_column(points_to("recovery.id"), index=True)
    amount: Mapped[Money]
    offset_on: Mapped[date]
    offset_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class RecoveryInterest(Reckoned, Row):
    """Interest for what of a debt was paid after its last day (E18), of one receipt or of one offset."""

    __tablename__ = "recovery_interest"
    __table_args__ = (
        *reckoned_right(),
        CheckConstraint("num_nonnulls(receipt_id, offset_id) = 1", name="of_one_payment"),
        CheckConstraint("amount >= 0 AND principal > 0", name="amounts_positive"),
        Index(
            "uq_recovery_interest_receipt",
            "receipt_id",
            unique=True,
            postgresql_where=column("state") != InterestState.REFUSED.value,
        ),
        Index(
            "uq_recovery_interest_offset",
            "offset_id",
            unique=True,
            postgresql_where=column("state") != InterestState.REFUSED.value,
        ),
    )

    recovery_id: Mapped[UUID] = mapped_column(points_to("recovery.id"), index=True)
    receipt_id: Mapped[UUID | None] = mapped_column(points_to("recovery_receipt.id"))
    offset_id: Mapped[UUID | None] = mapped_column(points_to("payment_offset.id"))


class InterestWaiver(Row):
    """What of the interest on a late debt was waived, with the document that says so (E16); never changed."""

    __tablename__ = "interest_waiver"
    __table_args__ = (CheckConstraint("amount > 0", name="amount_positive"),)

    recovery_id: Mapped[UUID] = mapped_column(points_to("recovery.id"), index=True)
    amount: Mapped[Money]
    reason: Mapped[str] = mapped_column(info=DIGEST)
    file_id: Mapped[UUID] = mapped_column(points_to("stored_file.id"))
    waived_at: Mapped[datetime]
    waived_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
