"""Tables of programmes: the programme that gives the grants and the funds it gives them from."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to
from grants.core.money import Money
from grants.programmes.rules import KEPT_YEARS, KEPT_YEARS_SMALL, SMALL_GRANT_MAX


class Programme(Row):
    """A grant programme; ``code`` begins every reference of its objects."""

    __tablename__ = "programme"
    __table_args__ = (
        CheckConstraint("code ~ '^[A-Z]{2,6}$'", name="code_is_capitals"),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug_is_plain"),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"), index=True)


class FundSource(Row):
    """The parent grant a call is paid from: every ledger leg names one."""

    __tablename__ = "fund_source"
    __table_args__ = (
        CheckConstraint("starts_on IS NULL OR ends_on IS NULL OR starts_on <= ends_on", name="in_order"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(
            "kept_years BETWEEN 0 AND 30 AND kept_years_small BETWEEN 0 AND 30", name="kept_years_in_range"
        ),
        CheckConstraint("small_grant_max >= 0", name="small_grant_not_negative"),
        CheckConstraint("report_days BETWEEN 0 AND 365 AND payment_days BETWEEN 0 AND 365", name="days_in_range"),
    )

    number: Mapped[str] = mapped_column(unique=True)
    acronym: Mapped[str]
    framework: Mapped[str]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    # What it brings the programme in all, in euros; empty where nobody said.
    amount: Mapped[Money | None]
    # Within how many days after its end the programme reports, and after the report it is paid.
    report_days: Mapped[int | None]
    payment_days: Mapped[int | None]
    # When the programme got its final payment, and for how many years after it records are kept: of a grant up to
    # ``small_grant_max``, and of a larger one.
    final_paid_on: Mapped[date | None]
    kept_years: Mapped[int] = mapped_column(default=KEPT_YEARS)
    kept_years_small: Mapped[int] = mapped_column(default=KEPT_YEARS_SMALL)
    small_grant_max: Mapped[Money] = mapped_column(default=SMALL_GRANT_MAX)
    # What the parent grant lays down for its calls; ``programmes.rules.ParentRules`` gives it its types.
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
