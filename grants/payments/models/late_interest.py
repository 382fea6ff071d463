"""Interest the programme owes for a payment it made late (E17): every number it is made of, and two people."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.core.money import Money
from grants.payments.rules.late_interest import NothingOwed, PublicRule
from grants.payments.states import InterestState


class LateInterest(Row):
    """Interest for one order that the bank carried out after the due day of its request.

    ``reference`` is the rate that held since ``reference_on``, as the table of that number says, and ``margin`` the points
    above it, both per cent a year. ``reckoned`` is what that gives; ``amount`` what of it is owed, which is nothing where
    ``nothing`` says why: by the rule on public bodies, or below the ``minimum`` and not asked for in time. What is owed is
    paid by ``paying_id``, a request of its own outside the maximum of the grant.
    """

    __tablename__ = "late_interest"
    __table_args__ = (
        state_check(InterestState),
        state_check(PublicRule, "public_rule"),
        state_check(NothingOwed, "nothing"),
        CheckConstraint("principal > 0 AND reckoned >= 0 AND minimum >= 0", name="amounts_positive"),
        CheckConstraint("amount = CASE WHEN nothing IS NULL THEN reckoned ELSE 0 END", name="owed_or_why_not"),
        CheckConstraint("days > 0 AND days = paid_on - due_on", name="days_counted"),
        CheckConstraint("day_count IN (360, 365)", name="day_count_known"),
        CheckConstraint(r"margin ~ '^\d+(\.\d+)?$'", name="margin_not_negative"),
        CheckConstraint(r"reference ~ '^-?\d+(\.\d+)?$'", name="reference_is_number"),
        CheckConstraint("decided_by <> booked_by", name="decided_by_another"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_has_person"),
        CheckConstraint("num_nulls(decided_at, decided_by) IN (0, 2)", name="decision_whole"),
        CheckConstraint("(state = 'confirmed' AND amount > 0) = (paying_id IS NOT NULL)", name="owed_is_paid"),
        Index(
            "uq_late_interest_order",
            "order_id",
            unique=True,
            postgresql_where=column("state") != InterestState.REFUSED.value,
        ),
    )

    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"), index=True)
    order_id: Mapped[UUID] = mapped_column(points_to("payment_order.id"))
    state: Mapped[str]
    principal: Mapped[Money]
    due_on: Mapped[date]
    paid_on: Mapped[date]
    days: Mapped[int]
    reference_on: Mapped[date]
    # As it was published, and as it was typed: text, so that no digit is lost on the way.
    reference: Mapped[str]
    table_number: Mapped[int]
    margin: Mapped[str]
    day_count: Mapped[int]
    reckoned: Mapped[Money]
    minimum: Mapped[Money]
    public_rule: Mapped[str]
    asked_on: Mapped[date | None]
    nothing: Mapped[str | None]
    amount: Mapped[Money]
    booked_at: Mapped[datetime]
    booked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    refuse_reason: Mapped[str | None]
    paying_id: Mapped[UUID | None] = mapped_column(points_to("payment_request.id"), unique=True)
