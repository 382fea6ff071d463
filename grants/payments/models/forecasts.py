"""Forecasts of payments as they were kept, so that a later one can be held against them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.core.money import Money
from grants.payments.rules.expected import Basis
from grants.payments.rules.forecasting import LineKind


class ForecastSnapshot(Row):
    """The forecast of every grant as it stood at a moment; kept by a person, or by the program where ``taken_by`` is empty."""

    __tablename__ = "forecast_snapshot"

    reference: Mapped[str] = mapped_column(unique=True)
    as_of: Mapped[datetime] = mapped_column(index=True)
    taken_on: Mapped[date]
    taken_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    note: Mapped[str | None]


class ForecastLine(Row):
    """One amount of a kept forecast: of a grant, or of the budget of its call."""

    __tablename__ = "forecast_line"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("snapshot_id", "position"),
        state_check(LineKind, "kind"),
        state_check(Basis, "basis"),
        CheckConstraint(
            "(kind IN ('prefinancing', 'additional', 'interim', 'balance')) = (due_on IS NOT NULL)",
            name="payment_has_day",
        ),
        CheckConstraint("(due_on IS NULL) = (basis IS NULL)", name="day_has_basis"),
        CheckConstraint("(kind IN ('ceiling', 'reserved', 'free')) = (grant_id IS NULL)", name="budget_of_call"),
    )

    snapshot_id: Mapped[UUID] = mapped_column(points_to("forecast_snapshot.id"))
    position: Mapped[int]
    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    grant_id: Mapped[UUID | None] = mapped_column(points_to("grant_agreement.id"))
    kind: Mapped[str]
    report_number: Mapped[int | None]
    amount: Mapped[Money]
    # Of a grant whose agreement was not signed: part of what its call has reserved, and no forecast of its own.
    is_reserved: Mapped[bool]
    due_on: Mapped[date | None]
    basis: Mapped[str | None]
    waits_for: Mapped[str | None]
