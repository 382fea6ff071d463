"""Whose names are published as evaluators of a call, and who is left out. No verbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import NamesShown
from grants.core.db import DIGEST, Row, points_to, state_check


class EvaluatorNames(Row):
    """How the names of the evaluators of a call are published; a newer decision is a new row."""

    __tablename__ = "evaluator_names"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(NamesShown, "shown"),
        CheckConstraint("number >= 1", name="from_one"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    shown: Mapped[str]
    # Who is left out for their safety or another reason: by the id of the person, with the reason.
    left_out: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    decided_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime]
