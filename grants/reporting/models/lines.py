"""Costs line by line, where a call asks for them, and what a person decides of a line that stands elsewhere too."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.reporting.rules.lines import Verdict


class CostList(Row):
    """The lines of one report as they stand: how many, what they come to, their hash, and the rates they were changed at."""

    __tablename__ = "cost_list"
    __table_args__ = (
        CheckConstraint("lines >= 0", name="lines_counted"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_form"),
    )

    report_id: Mapped[UUID] = mapped_column(points_to("periodic_report.id"), unique=True)
    lines: Mapped[int]
    total: Mapped[Money]
    # Over every line in its order: what is sent with a report is frozen by it.
    sha256: Mapped[str]
    rates: Mapped[list[Any]]
    saved_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    saved_at: Mapped[datetime]


class CostLine(Row):
    """One cost: of whom, in which category, on which day, by which invoice or work, how much and in euros.

    Rows come and go with their list, whose hash the record keeps; what is compared with lines of other reports is kept in
    its compared form: hash of the file, supplier and number, worker and day.
    """

    __tablename__ = "cost_line"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("report_id", "number"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("cents <> 0 AND (cents > 0 OR is_correction)", name="below_zero_is_correction"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_form"),
        CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="file_sha256_form"),
        Index("ix_cost_line_file", "file_sha256", postgresql_where="file_sha256 IS NOT NULL"),
        Index("ix_cost_line_invoice", "supplier_key", "invoice_key", postgresql_where="invoice_key <> ''"),
        Index("ix_cost_line_work", "worker_key", "day", postgresql_where="worker_key <> ''"),
    )

    report_id: Mapped[UUID] = mapped_column(points_to("periodic_report.id"))
    number: Mapped[int]
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    category: Mapped[str]
    day: Mapped[date]
    invoice: Mapped[str]
    invoice_key: Mapped[str]
    supplier: Mapped[str]
    supplier_key: Mapped[str]
    worker: Mapped[str]
    worker_key: Mapped[str]
    what: Mapped[str]
    currency: Mapped[str]
    # In hundredths of the line's own currency; in euros at the rate of its list.
    cents: Mapped[int] = mapped_column(BigInteger)
    euros: Mapped[Money]
    is_correction: Mapped[bool]
    file_name: Mapped[str]
    file_sha256: Mapped[str | None]
    fingerprint: Mapped[str]


class CostVerdict(Row):
    """What an officer decided of a line that stands elsewhere too, with the reason; the newest of a line that says the same counts."""

    __tablename__ = "cost_verdict"
    __table_args__ = (
        UniqueConstraint("report_id", "fingerprint", "number"),
        state_check(Verdict, "verdict"),
        CheckConstraint("reason <> ''", name="has_reason"),
    )

    report_id: Mapped[UUID] = mapped_column(points_to("periodic_report.id"))
    fingerprint: Mapped[str]
    number: Mapped[int]
    verdict: Mapped[str]
    reason: Mapped[str] = mapped_column(info=DIGEST)
    decided_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime]
