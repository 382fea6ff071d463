"""The pool of evaluators of a call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to


class Evaluator(Row):
    """A person in the pool of one call: expertise, and how many applications this person must and may take."""

    __tablename__ = "evaluator"
    __table_args__ = (
        UniqueConstraint("call_id", "user_id"),
        CheckConstraint("load_min >= 0 AND load_min <= load_max", name="load_order"),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_code_form"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    country_code: Mapped[str]
    languages: Mapped[list[Any]]
    topics: Mapped[list[Any]]
    load_min: Mapped[int]
    load_max: Mapped[int]
