"""The conditions of grant preparation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import CheckAnswer, ConditionKey, Verdict
from grants.core.db import DIGEST, Row, points_to, state_check


class DueDiligenceItem(Row):
    """One condition of grant preparation; every one must be met before the agreement is offered.

    What answers it are facts that were stated and accepted. ``answer`` and what belongs to it are the tick of an officer,
    from before cities answered; it stands where it was given, and none is given any more.
    """

    __tablename__ = "due_diligence_item"
    __table_args__ = (
        UniqueConstraint("grant_id", "key"),
        state_check(CheckAnswer, "answer"),
        CheckConstraint("(answer = 'open') = (answered_at IS NULL)", name="answer_has_time"),
        CheckConstraint("(answer = 'open') = (answered_by IS NULL)", name="answer_has_person"),
        CheckConstraint("answer <> 'not_applicable' OR note IS NOT NULL", name="not_applicable_has_note"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    key: Mapped[str]
    label: Mapped[str]
    position: Mapped[int]
    answer: Mapped[str]
    note: Mapped[str | None]
    evidence_on: Mapped[date | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # By when it should be answered; empty where nobody said.
    due_on: Mapped[date | None]


class PreparationFact(Row):
    """What somebody stated about a condition of a grant, with its evidence; a correction is a new row with the next number."""

    __tablename__ = "preparation_fact"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        # What a verdict copies of it, so that the database compares the two people.
        UniqueConstraint("id", "stated_by"),
        state_check(ConditionKey, "kind"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="valid_for_a_time"),
        Index("ix_preparation_fact_part", "grant_id", "kind", "organisation_id", "number"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    # Empty where it is asked once for the consortium.
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    kind: Mapped[str]
    number: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    evidence_on: Mapped[date]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    file_id: Mapped[UUID | None] = mapped_column(points_to("stored_file.id"))
    stated_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    stated_at: Mapped[datetime]


class PreparationVerdict(Row):
    """Accepted, or returned with words, by another person than the one who stated it; one for each fact."""

    __tablename__ = "preparation_verdict"
    __table_args__ = (
        UniqueConstraint("fact_id"),
        ForeignKeyConstraint(
            ["fact_id", "stated_by"],
            ["preparation_fact.id", "preparation_fact.stated_by"],
            name="fk_preparation_verdict_fact_id_stated_by",
            deferrable=True,
            initially="DEFERRED",
        ),
        state_check(Verdict, "verdict"),
        CheckConstraint("decided_by <> stated_by", name="two_people"),
        CheckConstraint("verdict <> 'returned' OR words <> ''", name="returned_has_words"),
    )

    fact_id: Mapped[UUID]
    stated_by: Mapped[UUID]
    verdict: Mapped[str]
    words: Mapped[str] = mapped_column(info=DIGEST)
    decided_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime]
