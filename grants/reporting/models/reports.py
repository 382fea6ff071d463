"""Periodic reports: the technical part is a dossier, the financial statement a budget of actual costs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.calls.states import EvidenceLevel
from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.reporting.states import ReportKind, ReportState


class PeriodicReport(Row):
    """One report of a grant for one period; made with the agreement, so that its due date is known from the start."""

    __tablename__ = "periodic_report"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(ReportState),
        state_check(ReportKind, "kind"),
        state_check(EvidenceLevel, "evidence"),
        CheckConstraint("starts_on < ends_before", name="period_in_order"),
        CheckConstraint("(state = 'accepted') = (accepted_total IS NOT NULL)", name="accepted_has_total"),
        CheckConstraint("(receipts IS NULL) = (receipts_words IS NULL) AND receipts >= 0", name="receipts_whole"),
        CheckConstraint(
            "state IN ('draft', 'dropped', 'unsent') OR submitted_at IS NOT NULL", name="submitted_has_time"
        ),
        CheckConstraint(
            "state NOT IN ('accepted', 'rejected', 'unsent') OR decided_by IS NOT NULL", name="decided_has_person"
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    starts_on: Mapped[date]
    ends_before: Mapped[date]
    due_on: Mapped[date]
    state: Mapped[str]
    dossier_id: Mapped[UUID] = mapped_column(points_to("dossier.id"))
    budget_id: Mapped[UUID] = mapped_column(points_to("budget.id"))
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    answer: Mapped[str | None] = mapped_column(info=DIGEST)
    # How far its costs are shown, as the call asked when it was made.
    evidence: Mapped[str] = mapped_column(default=EvidenceLevel.TOTALS.value)
    # Eligible costs the officer accepted in this period, flat rate and funding rate applied.
    accepted_total: Mapped[Money | None]
    # What the action earned, and of what, where the agreement counts it: said in the final report, zero included.
    receipts: Mapped[Money | None]
    receipts_words: Mapped[str | None] = mapped_column(info=DIGEST)


class ReportVersion(Row):
    """What was submitted, frozen: content and the hash of it; a returned report adds the next version."""

    __tablename__ = "report_version"
    __table_args__ = (
        UniqueConstraint("report_id", "number"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
    )

    report_id: Mapped[UUID] = mapped_column(points_to("periodic_report.id"))
    number: Mapped[int]
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    content: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    declared_total: Mapped[Money]


class AcceptedCost(Row):
    """What the officer accepted of one declared amount, with a reason wherever it is less."""

    __tablename__ = "accepted_cost"
    __table_args__ = (
        UniqueConstraint("report_id", "organisation_id", "category"),
        CheckConstraint("accepted >= 0 AND accepted <= declared", name="accepted_within_declared"),
        CheckConstraint("accepted = declared OR reason IS NOT NULL", name="cut_has_reason"),
    )

    report_id: Mapped[UUID] = mapped_column(points_to("periodic_report.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    category: Mapped[str]
    declared: Mapped[Money]
    accepted: Mapped[Money]
    reason: Mapped[str | None]
