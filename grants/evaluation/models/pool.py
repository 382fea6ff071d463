"""The pool of evaluators of a call."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, NOT_AUDITED, Row, points_to, state_check
from grants.evaluation.states import DeclineKind, Gender, InvitationState


class Evaluator(Row):
    """A person in the pool of one call: expertise, and how many applications this person must and may take."""

    __tablename__ = "evaluator"
    __table_args__ = (
        UniqueConstraint("call_id", "user_id"),
        CheckConstraint("load_min >= 0 AND load_min <= load_max", name="load_order"),
        CheckConstraint("load_target BETWEEN load_min AND load_max", name="load_target_between"),
        state_check(Gender, "gender"),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_code_form"),
        CheckConstraint("town <> ''", name="town_said"),
        CheckConstraint("available_from <= available_until", name="available_in_order"),
        CheckConstraint("(stepped_down_at IS NULL) = (stepped_down_why IS NULL)", name="stepped_down_why"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    country_code: Mapped[str]
    # Where this person works, where that was said: what a call may compare with the cities of a consortium.
    town: Mapped[str | None]
    languages: Mapped[list[Any]]
    topics: Mapped[list[Any]]
    # How well each topic is known, 1 to 3, and each language: reading, fluent or native.
    topic_levels: Mapped[dict[str, Any]]
    language_levels: Mapped[dict[str, Any]]
    roles: Mapped[list[Any]]
    load_min: Mapped[int]
    load_max: Mapped[int]
    # How many this person would like to have, where that was said.
    load_target: Mapped[int | None]
    # What the person says of themselves; nobody else may, and no record of a change keeps it.
    gender: Mapped[str | None] = mapped_column(info=NOT_AUDITED)
    available_from: Mapped[date | None]
    available_until: Mapped[date | None]
    # Whoever steps down from the call gets no seat any more; what they submitted stands.
    stepped_down_at: Mapped[datetime | None]
    stepped_down_why: Mapped[str | None] = mapped_column(info=DIGEST)


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


class EvaluatorOrganisation(Row):
    """For whom an evaluator works or worked, from when until when; without an end it is so now."""

    __tablename__ = "evaluator_organisation"
    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="in_order"),)

    evaluator_id: Mapped[UUID] = mapped_column(points_to("evaluator.id"), index=True)
    name: Mapped[str]
    # The entry of the register, where exactly one has that name.
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"), index=True)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]


class EvaluatorInvitation(Row):
    """That a person is asked into the pool of a call, and what they said; a person is asked once, or once more."""

    __tablename__ = "evaluator_invitation"
    __table_args__ = (
        UniqueConstraint("call_id", "user_id"),
        state_check(InvitationState),
        CheckConstraint("(state = 'invited') = (answered_at IS NULL)", name="answered"),
        state_check(DeclineKind, "declined_for"),
        CheckConstraint("declined_for IS NULL OR state = 'declined'", name="declined_for_a_reason"),
        CheckConstraint("expires_at > invited_at", name="ends_after_start"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    state: Mapped[str]
    message: Mapped[str] = mapped_column(info=DIGEST)
    # What the programme knows of the person and offers, as plain data: where their form begins.
    entry: Mapped[dict[str, Any]]
    invited_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(info=DIGEST)
    # Why somebody declined, where they were asked for it; their own words are the reason.
    declined_for: Mapped[str | None]


class EvaluatorImport(Row):
    """A long file of evaluators that jobs take over piece by piece, and how far they are; emptied once that ended."""

    __tablename__ = "evaluator_import"
    __table_args__ = (
        Index("uq_evaluator_import_one_at_once", "call_id", unique=True, postgresql_where="lines IS NOT NULL"),
        CheckConstraint("(lines IS NULL) = (shown IS NULL)", name="emptied_whole"),
        CheckConstraint("done < total OR lines IS NULL", name="emptied_at_end"),
        CheckConstraint("left_out BETWEEN 0 AND done AND done <= total", name="counts"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    # The job of the piece that comes next, or of the last one.
    job_id: Mapped[UUID] = mapped_column(points_to("job.id"))
    # Head and lines that write something, and the hash of what was shown of each: names of people, so not kept for long.
    lines: Mapped[str | None] = mapped_column(info=NOT_AUDITED)
    shown: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True), info=NOT_AUDITED)
    done: Mapped[int]
    total: Mapped[int]
    left_out: Mapped[int]


class EvaluatorAcceptance(Row):
    """That a person accepted one version of the words of a call, and the hash of these words; taken back it stays."""

    __tablename__ = "evaluator_acceptance"
    __table_args__ = (
        Index(
            "uq_evaluator_acceptance_once",
            *("user_id", "call_id", "number"),
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
        ),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why IS NULL)", name="withdrawn_why"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    number: Mapped[int]
    sha256: Mapped[bytes]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str | None]
