"""Tables of the decision letters: words of a call, mailings two people stand behind, one row a letter. No verbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import LetterState, MailingState, Outcome
from grants.core.db import DIGEST, Row, points_to, state_check


class LetterText(Row):
    """A version of the words of one outcome's letter; a newer one is a new row."""

    __tablename__ = "letter_text"
    __table_args__ = (
        UniqueConstraint("call_id", "outcome", "number"),
        state_check(Outcome, "outcome"),
        CheckConstraint("number >= 1", name="from_one"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    outcome: Mapped[str]
    number: Mapped[int]
    text: Mapped[str]
    written_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    written_at: Mapped[datetime]


class LetterMailing(Row):
    """Letters that leave together: prepared by one person, sent or given back by another."""

    __tablename__ = "letter_mailing"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(MailingState),
        CheckConstraint("confirmed_by <> prepared_by", name="second_person"),
        CheckConstraint("returned_by <> prepared_by", name="returned_by_another"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed_has_time"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_has_person"),
        CheckConstraint("(state = 'returned') = (return_reason IS NOT NULL)", name="returned_has_reason"),
        CheckConstraint("(returned_by IS NULL) = (return_reason IS NULL)", name="returned_has_person"),
        CheckConstraint("(returned_by IS NULL) = (returned_at IS NULL)", name="returned_has_time"),
        Index("uq_letter_mailing_one_open", "call_id", unique=True, postgresql_where="state = 'prepared'"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    state: Mapped[str]
    prepared_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    prepared_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    returned_at: Mapped[datetime | None]
    return_reason: Mapped[str | None]


class DecisionLetter(Row):
    """One letter as it was prepared, and as it was sent: what was looked at, what left, each with its hash."""

    __tablename__ = "decision_letter"
    __table_args__ = (
        UniqueConstraint("mailing_id", "application_id"),
        state_check(LetterState),
        state_check(Outcome, "outcome"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
        CheckConstraint("octet_length(sent_sha256) = 32", name="sent_sha256_length"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_has_time"),
        CheckConstraint(
            "(sent_at IS NULL) = (sent_content IS NULL) AND (sent_at IS NULL) = (sent_sha256 IS NULL)",
            name="sent_has_content",
        ),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failed_has_reason"),
        CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged_has_person"),
        CheckConstraint("acknowledged_at IS NULL OR sent_at IS NOT NULL", name="acknowledged_once_sent"),
        # Each decision on an application is told once.
        Index(
            "uq_decision_letter_one", "selection_id", "application_id", "outcome", unique=True,
            postgresql_where="state <> 'dropped'",
        ),
        Index("ix_decision_letter_application_id", "application_id"),
    )  # fmt: skip

    mailing_id: Mapped[UUID] = mapped_column(points_to("letter_mailing.id"))
    selection_id: Mapped[UUID] = mapped_column(points_to("selection.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    outcome: Mapped[str]
    state: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    sent_content: Mapped[dict[str, Any] | None] = mapped_column(info=DIGEST)
    sent_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    acknowledged_at: Mapped[datetime | None]


class LetterLeftOut(Row):
    """An application whose letter is left out by name, with the reason and when its team was told; taken in again, the row stays."""

    __tablename__ = "letter_left_out"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_has_person"),
        CheckConstraint("(told_at IS NULL) = (told_by IS NULL)", name="told_has_person"),
        Index("uq_letter_left_out_one_open", "application_id", unique=True, postgresql_where="ended_at IS NULL"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    reason: Mapped[str]
    left_out_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    left_out_at: Mapped[datetime]
    ended_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    ended_at: Mapped[datetime | None]
    told_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    told_at: Mapped[datetime | None]


class ResultsPublication(Row):
    """From when the results of a call shall be public: proposed by one person, published or given back by another."""

    __tablename__ = "results_publication"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(MailingState),
        CheckConstraint("confirmed_by <> prepared_by", name="second_person"),
        CheckConstraint("returned_by <> prepared_by", name="returned_by_another"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed_has_time"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_has_person"),
        CheckConstraint("(state = 'returned') = (return_reason IS NOT NULL)", name="returned_has_reason"),
        CheckConstraint("(returned_by IS NULL) = (return_reason IS NULL)", name="returned_has_person"),
        Index("uq_results_publication_one_open", "call_id", unique=True, postgresql_where="state = 'prepared'"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    state: Mapped[str]
    # The moment on the clock of the call, or at once.
    given: Mapped[dict[str, Any]]
    # Why they are published although somebody was not told by a letter; empty where everybody was.
    without_letters: Mapped[str]
    prepared_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    prepared_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    return_reason: Mapped[str | None]
