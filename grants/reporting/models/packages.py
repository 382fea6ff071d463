"""What a report declares of a work package that is paid as a lump sum, and what the officer accepts of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to


class PackageClaim(Row):
    """How much of a work package is done, as the city declares it in one report; judged with the report, as a whole."""

    __tablename__ = "package_claim"
    __table_args__ = (
        UniqueConstraint("report_id", "code"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_in_range"),
        CheckConstraint("accepted >= 0 AND accepted <= percent", name="accepted_within_declared"),
        CheckConstraint("accepted = percent OR reason IS NOT NULL", name="cut_has_reason"),
    )

    report_id: Mapped[UUID] = mapped_column(points_to("periodic_report.id"))
    code: Mapped[str]
    percent: Mapped[int]
    words: Mapped[str] = mapped_column(info=DIGEST)
    declared_at: Mapped[datetime]
    declared_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    # In percent, once the report is accepted.
    accepted: Mapped[int | None]
    reason: Mapped[str | None]
