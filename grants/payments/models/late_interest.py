"""Interest the programme owes for a payment it made late (E17): every number it is made of, and two people."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.core.money import Money
from grants.payments.models.reckoned import Reckoned, reckoned_right
from grants.payments.rules.late_interest import NothingOwed, PublicRule
from grants.payments.states import InterestState


class LateInterest(Reckoned, Row):
    """Interest for one order that the bank carried out after the due day of its request.

    ``reckoned`` is what its numbers give; ``amount`` what of it is owed, which is nothing where ``nothing`` says why: by the
    rule on public bodies, or below the ``minimum`` and not asked for in time. What is owed is paid by ``paying_id``, a request
    of its own outside the maximum of the grant.
    """

    __tablename__ = "late_interest"
    __table_args__ = (
        *reckoned_right(),
        state_check(PublicRule, "public_rule"),
        state_check(NothingOwed, "nothing"),
        CheckConstraint("principal > 0 AND reckoned >= 0 AND minimum >= 0", name="amounts_positive"),
        CheckConstraint("amount = CASE WHEN nothing IS NULL THEN reckoned ELSE 0 END", name="owed_or_why_not"),
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
    reckoned: Mapped[Money]
    minimum: Mapped[Money]
    public_rule: Mapped[str]
    asked_on: Mapped[date | None]
    nothing: Mapped[str | None]
    refuse_reason: Mapped[str | None]
    paying_id: Mapped[UUID | None] = mapped_column(points_to("payment_request.id"), unique=True)
