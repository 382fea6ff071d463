"""The grant, its beneficiaries, milestones and payment schedule."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import GrantState, MilestoneState, PaymentKind
from grants.calls.states import ClockStart, FundingForm, NoProfit, PassedOnBy, RequestPath
from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import ZERO, Money


class Grant(Row):
    """One grant, from preparation on; signed by both sides it is the award, and its maximum is committed.

    ``prefinancing`` (gross, ``retention`` is withheld from it) and ``interim_ceiling`` are the call's
    percentages of ``maximum``, rounded down to a cent: what is paid before the balance, retention
    included, stays within the ceiling. So does ``additional``, what is paid in advance once more when
    the city states its use of the first; below ``additional_threshold`` per cent of it, it is less.
    """

    __tablename__ = "grant_agreement"
    __table_args__ = (
        state_check(GrantState),
        CheckConstraint("maximum > 0", name="maximum_positive"),
        CheckConstraint("starts_on < ends_before", name="period_in_order"),
        CheckConstraint(
            "0 <= retention AND retention <= prefinancing AND prefinancing <= interim_ceiling AND interim_ceiling <= maximum"
            " AND 0 <= additional AND additional <= interim_ceiling - prefinancing",
            name="limits_in_order",
        ),
        CheckConstraint(
            "prefinancing_days BETWEEN 1 AND 365 AND before_start_days BETWEEN 0 AND 365 AND report_days BETWEEN 1 AND 365"
            " AND interim_days BETWEEN 1 AND 365 AND balance_days BETWEEN 1 AND 365",
            name="time_limits_in_range",
        ),
        CheckConstraint(
            "(transfer_free IS NULL) = (transfer_notify IS NULL) AND 0 <= transfer_free AND transfer_free <= transfer_notify",
            name="transfers_in_order",
        ),
        CheckConstraint(
            "additional_threshold BETWEEN 1 AND 100 AND (additional = 0 OR additional_threshold IS NOT NULL)",
            name="additional_has_threshold",
        ),
        state_check(ClockStart, "clock_starts"),
        state_check(RequestPath, "request_path"),
        state_check(PassedOnBy, "passed_on_by"),
        CheckConstraint("passing_on_days BETWEEN 1 AND 365", name="passing_on_in_range"),
        CheckConstraint("reply_days BETWEEN 1 AND 365 AND opened_after_days BETWEEN 0 AND 90", name="reply_in_range"),
        state_check(FundingForm, "funding_form"),
        state_check(NoProfit, "no_profit"),
        CheckConstraint("certificate_from > 0", name="certificate_from_positive"),
        CheckConstraint("clock_starts <> 'registration' OR request_path <> 'decided'", name="registration_is_made"),
        CheckConstraint(
            "state NOT IN ('in_force', 'terminated', 'closed') OR in_force_at IS NOT NULL", name="in_force_has_time"
        ),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_time"),
        CheckConstraint(
            "state NOT IN ('ready_to_sign', 'in_force', 'terminated', 'closed') OR offer_no > 0", name="offered_once"
        ),
        CheckConstraint("programme_signatures BETWEEN 1 AND 5", name="programme_signatures_in_range"),
        CheckConstraint(
            "lapsed_at IS NULL OR (state = 'dropped' AND preparation_ends_on IS NOT NULL)", name="lapsed_is_dropped"
        ),
        Index("ix_grant_agreement_call_state", "call_id", "state", "reference"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), unique=True)
    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    fund_source_id: Mapped[UUID] = mapped_column(points_to("fund_source.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    acronym: Mapped[str | None]
    state: Mapped[str]
    coordinator_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    # Its own budget and description of action, copied from what was submitted; of grants from before they were kept, the
    # application's budget and no description.
    budget_id: Mapped[UUID | None] = mapped_column(points_to("budget.id"))
    dossier_id: Mapped[UUID | None] = mapped_column(points_to("dossier.id"))
    maximum: Mapped[Money]
    # Said on every page and document where the amount is not the published one.
    amount_note: Mapped[str | None]
    starts_on: Mapped[date]
    ends_before: Mapped[date]
    prefinancing: Mapped[Money]
    interim_ceiling: Mapped[Money]
    retention: Mapped[Money]
    additional: Mapped[Money] = mapped_column(default=ZERO)
    additional_threshold: Mapped[int | None]
    # How much of its budget may be moved in its whole life freely, and with a notice: the call's percentages of the maximum,
    # rounded down; empty where the call lays down none.
    transfer_free: Mapped[Money | None]
    transfer_notify: Mapped[Money | None]
    # The call's time limits in calendar days, as they stood on the day they were taken over (grants.calls.rules.TimeLimits).
    prefinancing_days: Mapped[int]
    before_start_days: Mapped[int]
    report_days: Mapped[int]
    interim_days: Mapped[int]
    balance_days: Mapped[int]
    time_limits_on: Mapped[date]
    # The call's clock of a payment, taken over with its time limits (grants.calls.rules.PaymentClock).
    clock_starts: Mapped[str] = mapped_column(default=ClockStart.RECEIPT.value)
    request_path: Mapped[str] = mapped_column(default=RequestPath.DECIDED.value)
    # How the coordinator passes on what it receives for its partners, taken over likewise (grants.calls.rules.PassingOn).
    passing_on_days: Mapped[int | None]
    passed_on_by: Mapped[str] = mapped_column(default=PassedOnBy.PARTNER.value)
    # Within how many days a request to amend it is answered, and after how many one that nobody opened counts as opened, taken
    # over likewise (grants.agreements.rules.ReplyRule).
    reply_days: Mapped[int] = mapped_column(default=45)
    opened_after_days: Mapped[int] = mapped_column(default=10)
    # In which form it is paid and what bounds its final amount, taken over with its time limits (grants.calls.rules.Funding).
    funding_form: Mapped[str] = mapped_column(default=FundingForm.ACTUAL_COST.value)
    no_profit: Mapped[str] = mapped_column(default=NoProfit.NONE.value)
    certificate_from: Mapped[Money | None]
    guarantee_asked: Mapped[bool] = mapped_column(default=False)
    # How often it was offered; a signature counts for the offer it was given to and for no later one.
    offer_no: Mapped[int] = mapped_column(default=0)
    # What holds for this grant beside the articles, and how many people sign it for the programme.
    special_conditions: Mapped[str | None]
    programme_signatures: Mapped[int] = mapped_column(default=1)
    in_force_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    final_amount: Mapped[Money | None]
    # The last day on which both may sign, itself included; empty where the call sets none.
    preparation_ends_on: Mapped[date | None]
    # When the program dropped the preparation because that day had passed.
    lapsed_at: Mapped[datetime | None]
    search_text: Mapped[str] = mapped_column(info={"audit": "none"})


class Beneficiary(Row):
    """An organisation that may receive money under the grant, and the most it may receive."""

    __tablename__ = "beneficiary"
    __table_args__ = (
        UniqueConstraint("grant_id", "organisation_id"),
        CheckConstraint("maximum >= 0", name="maximum_not_negative"),
        CheckConstraint("left_on IS NULL OR NOT is_coordinator", name="coordinator_stays"),
        Index("uq_beneficiary_one_coordinator", "grant_id", unique=True, postgresql_where=column("is_coordinator")),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    position: Mapped[int]
    is_coordinator: Mapped[bool]
    maximum: Mapped[Money]
    # The first day on which it takes no part any more, by a termination or an amendment; none again where it is let back in.
    left_on: Mapped[date | None]


class Milestone(Row):
    """What the city promised to reach by when, with the written criterion by which it is accepted."""

    __tablename__ = "milestone"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(MilestoneState),
        CheckConstraint("(state = 'accepted') = (accepted_at IS NOT NULL)", name="accepted_has_time"),
        CheckConstraint("(expected_on IS NULL) = (expected_why IS NULL)", name="expected_has_reason"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    title: Mapped[str]
    criterion: Mapped[str]
    due_on: Mapped[date]
    # When it is expected now, and why that is not the day it was planned for; the forecast of payments follows it.
    expected_on: Mapped[date | None]
    expected_why: Mapped[str | None] = mapped_column(info=DIGEST)
    state: Mapped[str]
    achieved_on: Mapped[date | None]
    report: Mapped[str | None] = mapped_column(info=DIGEST)
    answer: Mapped[str | None] = mapped_column(info=DIGEST)
    reported_at: Mapped[datetime | None]
    reported_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    accepted_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))


class PaymentScheduleLine(Row):
    """One payment the agreement foresees: its kind, the report that opens it, and the planned amount and day."""

    __tablename__ = "payment_schedule_line"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(PaymentKind, "kind"),
        CheckConstraint("planned >= 0", name="planned_not_negative"),
        CheckConstraint("(kind IN ('prefinancing', 'additional')) = (report_number IS NULL)", name="report_opens_it"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    kind: Mapped[str]
    # The periodic report whose acceptance opens this payment; none for what is paid in advance.
    report_number: Mapped[int | None]
    planned: Mapped[Money]
    due_on: Mapped[date]
