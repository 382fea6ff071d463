"""What people declare about conflicts, and what was ruled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.evaluation.states import ConflictKind, Declared, DetectedKind, DetectedState, Ruling


class ConflictDeclaration(Row):
    """What one person declared about one application, and what the manager ruled where it was needed."""

    __tablename__ = "conflict_declaration"
    __table_args__ = (
        UniqueConstraint("user_id", "application_id"),
        state_check(Declared, "declared"),
        state_check(Ruling, "ruling"),
        CheckConstraint("declared = 'none' OR reason IS NOT NULL", name="doubt_has_reason"),
        CheckConstraint("(ruling IS NULL) = (ruled_by IS NULL)", name="ruling_has_person"),
        CheckConstraint("(ruling IS NULL) = (ruled_at IS NULL)", name="ruling_has_time"),
        CheckConstraint("ruled_by <> user_id", name="not_ones_own_ruling"),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    declared: Mapped[str]
    reason: Mapped[str | None] = mapped_column(info=DIGEST)
    declared_at: Mapped[datetime]
    ruling: Mapped[str | None]
    ruling_reason: Mapped[str | None] = mapped_column(info=DIGEST)
    ruled_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    ruled_at: Mapped[datetime | None]


class EntityDeclaration(Row):
    """What one person declared about one organisation that takes part in applications of a call: it holds for all of these."""

    __tablename__ = "entity_declaration"
    __table_args__ = (
        UniqueConstraint("user_id", "call_id", "organisation_id"),
        state_check(Declared, "declared"),
        state_check(ConflictKind, "kind"),
        CheckConstraint("declared = 'none' OR reason IS NOT NULL", name="doubt_has_reason"),
        CheckConstraint("(declared = 'none') = (kind IS NULL)", name="doubt_has_kind"),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    declared: Mapped[str]
    kind: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(info=DIGEST)
    declared_at: Mapped[datetime]


class DetectedConflict(Row):
    """One fact the program found that may be a conflict of a person with an application: what it is, what became of it.

    ``organisation_id`` is the entity of the consortium it concerns, where it concerns one. What nobody decided and holds
    all the same is a fact that is a conflict by itself (``DetectedKind.is_certain``).
    """

    __tablename__ = "detected_conflict"
    __table_args__ = (
        UniqueConstraint(
            *("user_id", "application_id", "kind", "organisation_id"),
            name="uq_detected_conflict_fact",
            postgresql_nulls_not_distinct=True,
        ),
        state_check(DetectedKind, "kind"),
        state_check(DetectedState, "state"),
        CheckConstraint("evidence <> ''", name="has_evidence"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decision_has_time"),
        CheckConstraint("(decided_by IS NULL) = (decision_reason IS NULL)", name="decision_has_reason"),
        CheckConstraint("decided_by <> user_id", name="not_ones_own_decision"),
        CheckConstraint("state <> 'dismissed' OR decided_by IS NOT NULL", name="a_person_dismisses"),
        Index("ix_detected_conflict_application_id", "application_id", "state"),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"), index=True)
    kind: Mapped[str]
    evidence: Mapped[str] = mapped_column(info=DIGEST)
    state: Mapped[str]
    found_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None] = mapped_column(info=DIGEST)
