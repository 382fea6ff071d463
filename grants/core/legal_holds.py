"""Legal holds: while one stands, the program deletes nothing by itself, and nobody is told that a record may go.

A hold lies on a call with all its grants, or on one grant. What the program tidies by itself (bytes that no row names,
lists that were files) is not told apart by calls, so it rests while any hold stands.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, UniqueConstraint, column, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from grants.core import faults
from grants.core.db import DIGEST, Row, db, state_check
from grants.core.states import HeldKind


class LegalHold(Row):
    """Records of a call or a grant are kept whatever their time, with the reason, until another person lifts it."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        UniqueConstraint("number"),
        state_check(HeldKind, "kind"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("num_nulls(lifted_by, lifted_at, lift_reason) IN (0, 3)", name="lifted_whole"),
        CheckConstraint("lifted_by <> set_by", name="lifted_by_another"),
        Index("uq_legal_hold_open", "kind", "object_id", unique=True, postgresql_where=column("lifted_at").is_(None)),
    )

    number: Mapped[int]
    kind: Mapped[str]
    object_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(info=DIGEST)
    set_by: Mapped[UUID]
    set_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str | None] = mapped_column(info=DIGEST)


def any_stands() -> ColumnElement[bool]:
    """The condition that a hold stands on something."""
    return exists().where(LegalHold.lifted_at.is_(None))


def keeps_everything() -> bool:
    """Whether the program may delete nothing by itself now. One statement; a check that fails lets nothing go."""
    faults.point("legal_hold")
    return bool(db.session.scalar(select(any_stands())))
