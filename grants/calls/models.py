"""Tables of calls: the call with its content, every deadline it ever had, and the versions of its documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.calls.states import CallState
from grants.core.db import Row, points_to, state_check
from grants.core.money import Money


class Call(Row):
    """A call for proposals. ``content`` holds every sourced value by key; ``grants.calls.rules`` gives it its types."""

    __tablename__ = "call"
    __table_args__ = (
        state_check(CallState),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug_is_plain"),
        CheckConstraint(
            "state <> 'published' OR (opens_at IS NOT NULL AND (total_cents IS NOT NULL OR NOT pays)"
            " AND published_at IS NOT NULL)",
            name="published_is_complete",
        ),
        CheckConstraint("total_cents IS NULL OR total_cents > 0", name="total_positive"),
        CheckConstraint("published_at IS NULL OR parent_rules IS NOT NULL", name="opened_with_rules"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_moment"),
    )

    programme_id: Mapped[UUID] = mapped_column(points_to("programme.id"), index=True)
    fund_source_id: Mapped[UUID] = mapped_column(points_to("fund_source.id"), index=True)
    reference: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    # The identifier the granting body gave the call, where it has one.
    published_id: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str]
    year: Mapped[int]
    state: Mapped[str]
    # An invented call says so on every page.
    synthetic: Mapped[bool]
    content: Mapped[dict[str, Any]]
    # The rules of the parent grant as they stood when the call was published; a draft follows those that stand now.
    parent_rules: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    zone: Mapped[str]
    opens_at: Mapped[datetime | None]
    # A learning call or an expression of interest pays nothing, and so has no total.
    pays: Mapped[bool] = mapped_column(default=True)
    total_cents: Mapped[Money | None]
    # The call for concepts that a full proposal follows.
    follows_id: Mapped[UUID | None] = mapped_column(points_to("call.id"), index=True)
    results_public_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class CallDeadline(Row):
    """One deadline of a call; the one with the highest number counts, the others stay as history."""

    __tablename__ = "call_deadline"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        CheckConstraint("number >= 1", name="counted_from_one"),
        CheckConstraint("announced_at IS NULL OR number = 1 OR reason IS NOT NULL", name="extension_has_reason"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    number: Mapped[int]
    closes_at: Mapped[datetime]
    zone: Mapped[str]
    # What was printed, word by word; the instant above is what counts.
    literal: Mapped[str]
    reason: Mapped[str | None]
    public_note: Mapped[str | None]
    # Empty for a deadline that came with an imported call: the day of its announcement is not known.
    announced_at: Mapped[datetime | None]
    confidence: Mapped[str]
    source: Mapped[str | None]


class CallDocument(Row):
    """One version of the documents of a call, with what changed against the version before."""

    __tablename__ = "call_document"
    __table_args__ = (UniqueConstraint("call_id", "label"),)

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    label: Mapped[str]
    published_on: Mapped[date]
    what: Mapped[str]
    changes: Mapped[list[Any]]
    source: Mapped[str | None]
    confidence: Mapped[str]
