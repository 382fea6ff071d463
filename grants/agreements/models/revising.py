"""The revision of a grant's budget and description of action: where it stands, what was sent, and what was said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import RevisionKind, RevisionState, Verdict
from grants.core.db import DIGEST, Row, points_to, state_check


class GrantRevision(Row):
    """Where budget and description of a grant in preparation stand; a grant from before they were its own has none."""

    __tablename__ = "grant_revision"
    __table_args__ = (state_check(RevisionState), UniqueConstraint("grant_id"))

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    state: Mapped[str]


class RevisionVersion(Row):
    """Budget and description frozen when the city sent them, or when an officer said that no revision is needed."""

    __tablename__ = "revision_version"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        # What a verdict copies of it, so that the database compares the two people.
        UniqueConstraint("id", "sent_by"),
        state_check(RevisionKind, "kind"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("kind <> 'none_needed' OR words <> ''", name="none_needed_has_words"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    kind: Mapped[str]
    words: Mapped[str] = mapped_column(info=DIGEST)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    sent_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    sent_at: Mapped[datetime]


class RevisionVerdict(Row):
    """Accepted, or returned with words, by another person than the one who sent it; what was accepted may be returned later."""

    __tablename__ = "revision_verdict"
    __table_args__ = (
        UniqueConstraint("revision_id", "number"),
        ForeignKeyConstraint(
            ["revision_id", "sent_by"],
            ["revision_version.id", "revision_version.sent_by"],
            name="fk_revision_verdict_revision_id_sent_by",
            deferrable=True,
            initially="DEFERRED",
        ),
        state_check(Verdict, "verdict"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("decided_by <> sent_by", name="two_people"),
        CheckConstraint("verdict <> 'returned' OR words <> ''", name="returned_has_words"),
    )

    revision_id: Mapped[UUID]
    number: Mapped[int]
    sent_by: Mapped[UUID]
    verdict: Mapped[str]
    words: Mapped[str] = mapped_column(info=DIGEST)
    decided_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime]
