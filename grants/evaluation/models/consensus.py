"""What the evaluators of one application agree on."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.evaluation.states import ConsensusState


class Consensus(Row):
    """What the evaluators of one application agree on, written by the chair. Its scores rank, never an average."""

    __tablename__ = "consensus"
    __table_args__ = (
        UniqueConstraint("application_id"),
        state_check(ConsensusState),
        CheckConstraint("(state = 'agreed') = (agreed_at IS NOT NULL)", name="agreed_has_time"),
        CheckConstraint("(state = 'draft') = (proposed_at IS NULL)", name="proposed_has_time"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    state: Mapped[str]
    text: Mapped[str] = mapped_column(info=DIGEST)
    written_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    saved_at: Mapped[datetime]
    # Counts up with each save, so that the version moves although only scores changed.
    saves: Mapped[int]
    proposed_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    # Who agreed to these very words and when; emptied when they change.
    agreed_by: Mapped[list[Any]]
    # A view that could not be reconciled, recorded by the chair.
    minority_view: Mapped[str | None] = mapped_column(info=DIGEST)


class ConsensusScore(Row):
    """The agreed score and words of one criterion; empty while the chair has not written it."""

    __tablename__ = "consensus_score"
    __table_args__ = (
        UniqueConstraint("consensus_id", "criterion"),
        CheckConstraint("half BETWEEN 0 AND 200", name="half_range"),
    )

    consensus_id: Mapped[UUID] = mapped_column(points_to("consensus.id"))
    criterion: Mapped[str]
    half: Mapped[int | None]
    comment: Mapped[str] = mapped_column(info=DIGEST)
