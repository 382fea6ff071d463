"""The circuit the granting organisation set, and how much a person may authorise: both proposed by one administrator and
confirmed by another, dated by that, and never rewritten."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.core.money import Money
from grants.payments.states import RuleState


def _decided_by_two() -> tuple[CheckConstraint, ...]:
    """What a proposal and its decision must be, whatever it is about."""
    return (
        state_check(RuleState),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided_has_date"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decision_whole"),
        CheckConstraint("(state = 'withdrawn') = (decided_by = proposed_by)", name="decided_by_another"),
        CheckConstraint("(state = 'refused') = (decide_reason IS NOT NULL)", name="refused_has_reason"),
    )


class PaymentCircuit(Row):
    """Which steps of an order need different people; the newest confirmed one holds for orders prepared from then on.

    Before any was set all four are apart. ``apart`` names pairs of steps, in alphabetical order: ``prepared/verified``.
    """

    __tablename__ = "payment_circuit"
    __table_args__ = (
        *_decided_by_two(),
        CheckConstraint(
            'apart @> \'["authorised/prepared", "authorised/sent", "prepared/sent"]\'', name="three_always_apart"
        ),
        CheckConstraint(
            'apart <@ \'["authorised/prepared", "authorised/sent", "authorised/verified", "prepared/sent", '
            '"prepared/verified", "sent/verified"]\'',
            name="known_pairs",
        ),
        Index("uq_payment_circuit_open", "state", unique=True, postgresql_where="state = 'proposed'"),
    )

    number: Mapped[int] = mapped_column(unique=True)
    apart: Mapped[list[Any]]
    reason: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    decide_reason: Mapped[str | None]


class AuthorityLimit(Row):
    """How much a person may authorise on one order, and on one day; empty where there is no limit.

    The newest confirmed one of a person holds. Nobody limited has a hand in it.
    """

    __tablename__ = "authority_limit"
    __table_args__ = (
        *_decided_by_two(),
        CheckConstraint("per_order > 0 AND per_day > 0", name="amounts_positive"),
        CheckConstraint(
            "user_id <> proposed_by AND (decided_by IS NULL OR user_id <> decided_by)", name="not_by_oneself"
        ),
        Index("uq_authority_limit_open", "user_id", unique=True, postgresql_where="state = 'proposed'"),
        Index("ix_authority_limit_person", "user_id", "decided_at"),
    )

    number: Mapped[int] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    per_order: Mapped[Money | None]
    per_day: Mapped[Money | None]
    reason: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    decide_reason: Mapped[str | None]
