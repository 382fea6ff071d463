"""Moves of budget within a signed grant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import TransferLevel
from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money


class BudgetTransfer(Row):
    """Costs moved from one place of a grant's budget to another, without an amendment; written once.

    ``cumulative_after`` is everything that was ever moved in this grant, this one included, back-moves too.
    ``maximum_moved`` is what of the giver's maximum went to the taker with it; nothing within one partner.
    """

    __tablename__ = "budget_transfer"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(TransferLevel, "level"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("cumulative_after >= amount", name="counted"),
        CheckConstraint("from_organisation_id <> to_organisation_id OR from_category <> to_category", name="moves"),
        CheckConstraint(
            "maximum_moved >= 0 AND (maximum_moved = 0 OR from_organisation_id <> to_organisation_id)",
            name="maximum_between_partners",
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    from_organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    from_category: Mapped[str]
    to_organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    to_category: Mapped[str]
    amount: Mapped[Money]
    maximum_moved: Mapped[Money]
    level: Mapped[str]
    reason: Mapped[str] = mapped_column(info=DIGEST)
    cumulative_after: Mapped[Money]
    made_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    made_at: Mapped[datetime]
