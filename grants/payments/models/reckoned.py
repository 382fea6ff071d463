"""What interest on something late is made of, whoever owes it: every number, and two people. The columns both tables have."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import Constraint

from grants.core.db import points_to, state_check
from grants.core.money import Money
from grants.payments.states import InterestState


class Reckoned:
    """Interest on ``principal``, reckoned by one person and decided by another.

    ``reference`` is the rate that held since ``reference_on``, as the table of that number says, and ``margin`` the points
    above it, both per cent a year; ``day_count`` the days of a year.
    """

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
    amount: Mapped[Money]
    booked_at: Mapped[datetime]
    booked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))


def reckoned_right() -> tuple[Constraint, ...]:
    """What the database holds each of them to."""
    return (
        state_check(InterestState),
        CheckConstraint("days > 0 AND days = paid_on - due_on", name="days_counted"),
        CheckConstraint("day_count IN (360, 365)", name="day_count_known"),
        CheckConstraint(r"margin ~ '^\d+(\.\d+)?$'", name="margin_not_negative"),
        CheckConstraint(r"reference ~ '^-?\d+(\.\d+)?$'", name="reference_is_number"),
        CheckConstraint("decided_by <> booked_by", name="decided_by_another"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_has_person"),
        CheckConstraint("num_nulls(decided_at, decided_by) IN (0, 2)", name="decision_whole"),
    )
