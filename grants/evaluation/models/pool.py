"""The pool of evaluators of a call."""

from __future__ import annotations

from datetime import date
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
        CheckConstraint("available_from <= available_until", name="available_in_order"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    country_code: Mapped[str]
    languages: Mapped[list[Any]]
    topics: Mapped[list[Any]]
    # How well each topic is known, 1 to 3, and each language: reading, fluent or native.
    topic_levels: Mapped[dict[str, Any]]
    language_levels: Mapped[dict[str, Any]]
    roles: Mapped[list[Any]]
    load_min: Mapped[int]
    load_max: Mapped[int]
    available_from: Mapped[date | None]
    available_until: Mapped[date | None]


class EvaluatorWish(Row):
    """How gladly an evaluator would assess one application, -2 to 2; whoever said nothing is in the middle."""

    __tablename__ = "evaluator_wish"
    __table_args__ = (
        UniqueConstraint("evaluator_id", "application_id"),
        CheckConstraint("wish BETWEEN -2 AND 2", name="wish_known"),
    )

    evaluator_id: Mapped[UUID] = mapped_column(points_to("evaluator.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    wish: Mapped[int]
