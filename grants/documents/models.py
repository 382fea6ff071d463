"""Runs of statements: who asked for which figures of which moment and period, and what was found. The files are core's."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import NOT_AUDITED, Row, points_to, state_check
from grants.documents.rules import ScopeKind


class StatementRun(Row):
    """One statement asked for; its page shows the figures that its files hold, kept once for all runs of a moment."""

    __tablename__ = "statement_run"
    __table_args__ = (
        state_check(ScopeKind, "scope_kind"),
        CheckConstraint("(built_at IS NULL) = (figures_id IS NULL)", name="built_has_figures"),
        CheckConstraint("(built_at IS NULL) = (figures_sha256 IS NULL)", name="built_has_hash"),
        CheckConstraint("(scope_kind = 'programme') = (call_id IS NULL)", name="programme_has_no_call"),
        CheckConstraint("from_on < before_on", name="period_in_order"),
        Index("ix_statement_run_newest", "created_at", "id"),
        Index("ix_statement_run_asked", "requested_by", "created_at"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    scope_kind: Mapped[str]
    scope_id: Mapped[UUID] = mapped_column(index=True)
    scope_reference: Mapped[str]
    scope_title: Mapped[str]
    # A statement of a whole programme lies in no call.
    call_id: Mapped[UUID | None] = mapped_column(points_to("call.id"), index=True)
    as_of: Mapped[datetime]
    # The days it tells of: from the first on, before the second.
    from_on: Mapped[date | None]
    before_on: Mapped[date | None]
    requested_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    job_id: Mapped[UUID] = mapped_column(points_to("job.id"))
    built_at: Mapped[datetime | None]
    figures_sha256: Mapped[str | None]
    figures_id: Mapped[UUID | None] = mapped_column(points_to("statement_figures.id"), index=True)


class StatementFigures(Row):
    """What a statement of one moment says, kept with the names of that day the first time it is made.

    A second run works the amounts out anew and must find these; names are not worked out again.
    """

    __tablename__ = "statement_figures"
    __table_args__ = (
        UniqueConstraint("name", "scope_id", "as_of", "from_on", "before_on", postgresql_nulls_not_distinct=True),
        CheckConstraint("from_on < before_on", name="period_in_order"),
    )

    name: Mapped[str]
    scope_id: Mapped[UUID]
    as_of: Mapped[datetime]
    from_on: Mapped[date | None]
    before_on: Mapped[date | None]
    figures: Mapped[dict[str, Any]] = mapped_column(info=NOT_AUDITED)
    sha256: Mapped[str]
