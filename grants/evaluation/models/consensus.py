"""What the evaluators of one application agree on."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, NOT_AUDITED, Row, points_to, state_check
from grants.evaluation.states import Answer, ConsensusState


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
    # By field, how often it was written: the number of the version that stands.
    numbers: Mapped[dict[str, Any]] = mapped_column(info=NOT_AUDITED)
    proposed_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    # Who agreed to these very words and when; emptied when they change.
    agreed_by: Mapped[list[Any]]
    # A view that could not be reconciled, recorded by the chair.
    minority_view: Mapped[str | None] = mapped_column(info=DIGEST)
    # Of one that was agreed and opened again: what it came to and why it was opened, in words, until it is agreed anew.
    reopened: Mapped[dict[str, Any] | None] = mapped_column(info=DIGEST)


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


class ConsensusWriting(Row):
    """Every mark and every text of a consensus that ever stood, field by field, the present one included.

    ``field`` is the name of the field on the form; its audit is that of the consensus.
    """

    __tablename__ = "consensus_writing"
    __table_args__ = (
        UniqueConstraint("consensus_id", "field", "number"),
        CheckConstraint("number >= 1", name="number_counts"),
    )
    __audited__ = False

    consensus_id: Mapped[UUID] = mapped_column(points_to("consensus.id"))
    field: Mapped[str]
    number: Mapped[int]
    text: Mapped[str] = mapped_column(info=DIGEST)
    saved_at: Mapped[datetime]
    saved_by: Mapped[UUID | None]


class ConsensusVersion(Row):
    """The scores and words of a consensus as somebody kept them whole, to be proposed or by the button; kept for good.

    What is stored while somebody types makes none of these: each field has versions of its own.
    """

    __tablename__ = "consensus_version"
    __table_args__ = (UniqueConstraint("consensus_id", "number"), CheckConstraint("number >= 1", name="from_one"))

    consensus_id: Mapped[UUID] = mapped_column(points_to("consensus.id"))
    number: Mapped[int]
    written_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    written_at: Mapped[datetime]
    # Criterion to its half points and words.
    marks: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    text: Mapped[str] = mapped_column(info=DIGEST)


class ConsensusAnswer(Row):
    """What an evaluator said to one version: that it is theirs too, or what they hold instead. By name, kept for good.

    The chair who closes it with a minority view leaves that view here, and who opens it again why: both stay with the version.

    Who says something else afterwards to the same version has a row more; the last one counts.
    """

    __tablename__ = "consensus_answer"
    __table_args__ = (
        Index("ix_consensus_answer_version_id", "version_id"),
        state_check(Answer, "answer"),
        CheckConstraint("(answer = 'approve') = (words = '')", name="all_but_approval_has_words"),
    )

    version_id: Mapped[UUID] = mapped_column(points_to("consensus_version.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    answer: Mapped[str]
    words: Mapped[str] = mapped_column(info=DIGEST)
    answered_at: Mapped[datetime]
