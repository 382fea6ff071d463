"""What bounded the final amount of a grant, frozen with the decision on its balance."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.calls.states import FundingForm, NoProfit
from grants.core.db import Row, points_to, state_check
from grants.core.money import Money


class FinalBasis(Row):
    """Every limit of a final amount as it stood when the balance was decided; ``final`` is the least of them.

    What was approved may be less, with its reason on the request. Decisions from before this was kept have none.
    """

    __tablename__ = "final_basis"
    __table_args__ = (
        UniqueConstraint("request_id"),
        UniqueConstraint("grant_id"),
        state_check(FundingForm, "form"),
        state_check(NoProfit, "no_profit"),
        CheckConstraint(
            "(no_profit = 'none') = (receipts IS NULL) AND (receipts IS NULL) = (without_profit IS NULL)",
            name="receipts_count",
        ),
        CheckConstraint("eligible >= 0 AND final >= 0", name="not_negative"),
        CheckConstraint(
            "final = LEAST(maximum, accepted, contribution, certified, without_profit)", name="least_of_limits"
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    request_id: Mapped[UUID] = mapped_column(points_to("payment_request.id"))
    form: Mapped[str]
    no_profit: Mapped[str]
    maximum: Mapped[Money]
    # What the decisions on the interim requests left of it, and what of the final report.
    accepted: Mapped[Money]
    # Eligible costs of all partners, indirect ones included, and the funding rate's part of them, by partner and period.
    eligible: Mapped[Money]
    contribution: Mapped[Money]
    # The contribution, of partners without a certificate only up to what needs none.
    certificate_from: Mapped[Money | None]
    certified: Mapped[Money]
    receipts: Mapped[Money | None]
    without_profit: Mapped[Money | None]
    final: Mapped[Money]
