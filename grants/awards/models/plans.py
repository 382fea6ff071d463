"""Scenarios of a selection, and moves up from its reserve list."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import SelectionState
from grants.core.db import Row, points_to, state_check
from grants.core.money import Money


class SelectionScenario(Row):
    """A way to select from the ranked list of a call, saved under a name to be compared; it stands once it is chosen."""

    __tablename__ = "selection_scenario"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        UniqueConstraint("call_id", "name"),
        CheckConstraint("number > 0", name="numbered_from_one"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    name: Mapped[str]
    plan: Mapped[dict[str, Any]]
    made_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    made_at: Mapped[datetime]


class SelectionMove(Row):
    """An application of the reserve list that gets freed money: decided by one person, confirmed by another."""

    __tablename__ = "selection_move"
    __table_args__ = (
        UniqueConstraint("selection_id", "number"),
        state_check(SelectionState),
        CheckConstraint("confirmed_by <> decided_by", name="second_person"),
        CheckConstraint("returned_by <> decided_by", name="returned_by_another"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed_has_time"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_has_person"),
        CheckConstraint("(state = 'returned') = (return_reason IS NOT NULL)", name="returned_has_reason"),
        CheckConstraint("(returned_by IS NULL) = (return_reason IS NULL)", name="returned_has_person"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        # One at a time: the next is reckoned with what this one takes.
        Index("uq_selection_move_one_open", "selection_id", unique=True, postgresql_where="state = 'decided'"),
        Index("uq_selection_move_once", "application_id", unique=True, postgresql_where="state = 'confirmed'"),
    )

    selection_id: Mapped[UUID] = mapped_column(points_to("selection.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    number: Mapped[int]
    state: Mapped[str]
    amount: Mapped[Money]
    # What was free for it, and in which words the program proposed it.
    free: Mapped[Money]
    words: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    return_reason: Mapped[str | None]
