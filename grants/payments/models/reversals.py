"""Reversals of entries of the ledger, proposed by one person and decided by another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.payments.states import ReversalState


class ReversalProposal(Row):
    """That an entry be reversed, with the reason; one at a time for an entry, and each stays on the record as it ended."""

    __tablename__ = "reversal_proposal"
    __table_args__ = (
        state_check(ReversalState),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided_has_date"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decision_whole"),
        CheckConstraint("(state = 'withdrawn') = (decided_by = proposed_by)", name="decided_by_another"),
        CheckConstraint("(state = 'confirmed') = (reversal_id IS NOT NULL)", name="confirmed_has_entry"),
        CheckConstraint("(state = 'refused') = (refuse_reason IS NOT NULL)", name="refused_has_reason"),
        Index("uq_reversal_proposal_open", "entry_id", unique=True, postgresql_where="state = 'proposed'"),
        Index("ix_reversal_proposal_entry_id", "entry_id"),
    )

    entry_id: Mapped[UUID] = mapped_column(points_to("ledger_entry.id"))
    reason: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    refuse_reason: Mapped[str | None]
    reversal_id: Mapped[UUID | None] = mapped_column(points_to("ledger_entry.id"), unique=True)
