"""Payment requests and what was decided of them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import PaymentKind
from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.states import ClockEvent, RequestState


class PaymentRequest(Row):
    """What a grant asks to be paid: its pre-financing, the costs of an accepted report, or the balance.

    ``requested`` is the gross pre-financing, the contribution accepted by the officer, or the final
    amount of the grant. The decision splits ``approved`` into what is payable, retained, covered by
    pre-financing, and deferred to the balance; for the balance it says what is payable or recoverable.
    ``refused`` is what was requested and not approved: unlike what is deferred it does not come back.
    Interest for a payment that came late is a request of its own, approved where it was confirmed.
    A rejected request may be asked for again: by a new row that replaces it, with the city's ``reply``.
    """

    __tablename__ = "payment_request"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        UniqueConstraint("replaces_id"),
        state_check(RequestState),
        state_check(PaymentKind, "kind"),
        CheckConstraint("(kind IN ('interim', 'balance')) = (report_id IS NOT NULL)", name="report_opens_it"),
        CheckConstraint("requested >= 0", name="requested_not_negative"),
        state_check(ClockEvent, "clock_event"),
        CheckConstraint(
            "(state IN ('submitted', 'returned_for_completion', 'registered', 'verified')) = (decided_at IS NULL)",
            name="decided_has_time",
        ),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_has_person"),
        CheckConstraint(
            "(state IN ('submitted', 'returned_for_completion', 'registered', 'verified', 'rejected')) = (approved IS NULL)",
            name="approved_has_amount",
        ),
        CheckConstraint("(registered_at IS NULL) = (registered_by IS NULL)", name="registered_has_person"),
        CheckConstraint("(verified_at IS NULL) = (verified_by IS NULL)", name="verified_has_person"),
        CheckConstraint("state <> 'registered' OR registered_at IS NOT NULL", name="registered_has_time"),
        CheckConstraint("state <> 'verified' OR verified_at IS NOT NULL", name="verified_has_time"),
        CheckConstraint("verified_by <> registered_by", name="verifier_is_another"),
        CheckConstraint("decided_by NOT IN (registered_by, verified_by)", name="decider_is_another"),
        CheckConstraint("(clock_from IS NULL) = (clock_event IS NULL)", name="clock_has_event"),
        CheckConstraint(
            "clock_from IS NOT NULL OR state IN ('submitted', 'returned_for_completion', 'rejected')",
            name="clock_runs",
        ),
        CheckConstraint("suspended_on IS NOT NULL OR suspension_answered_at IS NULL", name="answered_while_suspended"),
        CheckConstraint("due_on >= first_due_on", name="suspension_only_adds"),
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
            postgresql_where=column("kind").in_(["prefinancing", "additional", "balance"])
            & (column("state") != "rejected"),
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
    # What started its clock, and on which day; None while nothing has. ``first_due_on`` is without suspensions, ``due_on``
    # with the days of those that were lifted.
    clock_event: Mapped[str | None]
    clock_from: Mapped[date | None]
    first_due_on: Mapped[date]
    due_on: Mapped[date]
    state: Mapped[str]
    # The day since which its clock stands still, and when the coordinator answered: of the suspension that is not lifted.
    suspended_on: Mapped[date | None]
    suspension_answered_at: Mapped[datetime | None]
    registered_at: Mapped[datetime | None]
    registered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
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


class PaymentCancellation(Row):
    """What of approved pre-financing was never paid and is cancelled (E27): nobody was paid ahead with it; never changed.

    ``retained`` is what was kept out of it, which falls away where nothing at all was paid. ``organisation_id`` names the
    partner where only what falls on it is cancelled, because its part ends.
    """

    __tablename__ = "payment_cancellation"
    __table_args__ = (
        UniqueConstraint("request_id", "number"),
        CheckConstraint("amount > 0 AND retained >= 0", name="amounts_positive"),
        CheckConstraint("reason <> ''", name="has_reason"),
    )

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    number: Mapped[int]
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    amount: Mapped[Money]
    retained: Mapped[Money]
    reason: Mapped[str] = mapped_column(info=DIGEST)
    cancelled_on: Mapped[date]
    cancelled_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class PrefinancingUse(Row):
    """What the city stated to have used of the pre-financing it was paid, when it asked for the additional one; never changed.

    ``paid`` is what it was paid of the request ``earlier_id``; of which at least ``threshold`` per cent has to be used for
    the additional one to be paid in full. ``used`` is what it spent by the end of ``used_until``.
    """

    __tablename__ = "prefinancing_use"
    __table_args__ = (
        UniqueConstraint("request_id"),
        CheckConstraint("0 <= used AND used <= paid AND paid > 0", name="used_within_paid"),
        CheckConstraint("threshold BETWEEN 1 AND 100", name="threshold_is_share"),
        CheckConstraint("words <> ''", name="has_words"),
    )

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    earlier_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    used: Mapped[Money]
    paid: Mapped[Money]
    threshold: Mapped[int]
    used_until: Mapped[date]
    words: Mapped[str] = mapped_column(info=DIGEST)
    stated_at: Mapped[datetime]
    stated_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class PaymentRequestPart(Row):
    """What was decided of the costs of one partner, and of one category where they are accepted by category.

    The amounts mean what they mean for the request, and sum to its own: the database holds them to it.
    """

    __tablename__ = "payment_request_part"
    __table_args__ = (
        UniqueConstraint("request_id", "organisation_id", "category", postgresql_nulls_not_distinct=True),
        CheckConstraint(
            "approved >= 0 AND refused >= 0 AND payable >= 0 AND retained >= 0 AND cleared >= 0 AND deferred >= 0 AND recoverable >= 0",
            name="amounts_not_negative",
        ),
        CheckConstraint("approved + refused = requested", name="approved_and_refused_are_requested"),
        CheckConstraint("payable + retained + cleared + deferred <= approved", name="paid_within_approved"),
    )

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    category: Mapped[str | None]
    requested: Mapped[Money]
    approved: Mapped[Money]
    refused: Mapped[Money]
    payable: Mapped[Money]
    retained: Mapped[Money]
    cleared: Mapped[Money]
    deferred: Mapped[Money]
    recoverable: Mapped[Money]
