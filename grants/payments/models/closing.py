"""The checklist a grant was closed with."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to


class GrantClosing(Row):
    """What was looked at when a grant was closed, line by line as it then stood; never changed."""

    __tablename__ = "grant_closing"

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"), unique=True)
    lines: Mapped[list[Any]] = mapped_column(info=DIGEST)
    note: Mapped[str] = mapped_column(info=DIGEST)
    closed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    closed_at: Mapped[datetime]
