"""Imported files of rates, and what each of them brought, by currency."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.rates.states import RateKind, TableState


class RateTable(Row):
    """One file as it was published, from the moment it came in; only what stands is ever used.

    ``month`` is of a file of monthly rates that does not say it itself. ``added`` and ``changed`` count the
    rates that were not known, and those that correct a rate of an earlier table: nothing is overwritten.
    """

    __tablename__ = "rate_table"
    __table_args__ = (
        UniqueConstraint("kind", "number"),
        state_check(RateKind, "kind"),
        state_check(TableState),
        CheckConstraint("extract(day FROM month) = 1", name="month_is_first_day"),
        CheckConstraint("added >= 0 AND changed >= 0", name="counts_not_negative"),
        CheckConstraint("num_nulls(first_on, last_on) IN (0, 2)", name="days_whole"),
        CheckConstraint("num_nulls(accepted_at, accepted_by) IN (0, 2)", name="acceptance_whole"),
        CheckConstraint("(state IN ('standing', 'discarded')) = (accepted_at IS NOT NULL)", name="settled_has_person"),
        CheckConstraint("state <> 'standing' OR first_on IS NOT NULL", name="standing_has_rates"),
        CheckConstraint(
            "state <> 'standing' OR jsonb_array_length(flags) = 0 OR words IS NOT NULL", name="flags_have_words"
        ),
    )

    kind: Mapped[str]
    number: Mapped[int]
    state: Mapped[str]
    # Where the file was taken from, in the words of whoever brought it.
    source: Mapped[str]
    month: Mapped[date | None]
    file_id: Mapped[UUID] = mapped_column(points_to("stored_file.id"), unique=True)
    imported_at: Mapped[datetime]
    imported_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    words: Mapped[str | None]
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    problems: Mapped[list[Any]] = mapped_column(default=list, info=DIGEST)
    flags: Mapped[list[Any]] = mapped_column(default=list, info=DIGEST)


class RateSeries(Row):
    """What a table brought for one currency that was not known before: the day, and the rate as it was published."""

    __tablename__ = "rate_series"
    __table_args__ = (
        UniqueConstraint("table_id", "currency"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_form"),
        CheckConstraint("first_on <= last_on", name="days_in_order"),
        Index("ix_rate_series_currency_last_on", "currency", "last_on"),
    )

    table_id: Mapped[UUID] = mapped_column(points_to("rate_table.id"))
    currency: Mapped[str]
    first_on: Mapped[date]
    last_on: Mapped[date]
    # {"2026-11-27": "4.2975"}: text, so that no digit is lost on the way.
    rates: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
