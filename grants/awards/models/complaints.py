"""The table of complaints against a negative result; the first decision stands beside the second. No verbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.applications.states import ApplicationState
from grants.awards.states import ComplaintState, Outcome, Remedy
from grants.core.db import DIGEST, Row, points_to, state_check


class Complaint(Row):
    """One complaint about one result: a draft, sent once, checked by one person, decided by two who had no part in it."""

    __tablename__ = "complaint"
    __table_args__ = (
        UniqueConstraint("application_id", "number"),
        state_check(ComplaintState),
        state_check(ApplicationState, "about"),
        state_check(Remedy, "remedy"),
        CheckConstraint(
            "(state = 'draft') = (sent_at IS NULL) AND (sent_at IS NULL) = (sent_by IS NULL)"
            " AND (sent_at IS NULL) = (sha256 IS NULL) AND (sent_at IS NULL) = (decide_at IS NULL)"
            " AND (sent_at IS NULL) = (first_decide_at IS NULL)",
            name="sent_whole",
        ),
        CheckConstraint("sent_at < due_at", name="sent_in_time"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
        CheckConstraint("decide_at = first_decide_at OR extension_reason IS NOT NULL", name="extension_has_reason"),
        CheckConstraint("(checked_by IS NULL) = (checked_at IS NULL)", name="checked_whole"),
        CheckConstraint(
            "state NOT IN ('admissible', 'inadmissible', 'under_review', 'upheld', 'rejected') OR checked_by IS NOT NULL",
            name="checked_first",
        ),
        CheckConstraint("state <> 'inadmissible' OR check_reason IS NOT NULL", name="inadmissible_has_reason"),
        CheckConstraint("member_one <> member_two", name="two_members"),
        CheckConstraint(
            "state NOT IN ('under_review', 'upheld', 'rejected') OR (member_one IS NOT NULL AND member_two IS NOT NULL)",
            name="reviewed_by_two",
        ),
        CheckConstraint("(upholds IS TRUE) = (remedy IS NOT NULL)", name="upheld_has_remedy"),
        CheckConstraint("(proposed_by IS NULL) = (upholds IS NULL)", name="proposed_whole"),
        CheckConstraint("confirmed_by <> proposed_by", name="second_person"),
        CheckConstraint(
            "(state IN ('upheld', 'rejected')) = (decided_at IS NOT NULL)"
            " AND (decided_at IS NULL) = (confirmed_by IS NULL) AND (decided_at IS NULL) = (letter IS NULL)"
            " AND (decided_at IS NULL) = (letter_sha256 IS NULL)",
            name="decided_whole",
        ),
        CheckConstraint("decided_at IS NULL OR upholds = (state = 'upheld')", name="decided_as_proposed"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdraw_reason IS NULL)",
            name="withdrawn_whole",
        ),
        CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL) AND (settled_at IS NULL) = (settled_words IS NULL)",
            name="settled_whole",
        ),
        state_check(Outcome, "settled_outcome"),
        CheckConstraint(
            "(settlement IS NULL) = (settlement_by IS NULL) AND (settlement IS NULL) = (settlement_at IS NULL)",
            name="settlement_whole",
        ),
        CheckConstraint("settled_outcome IS NULL OR settled_at IS NOT NULL", name="settled_outcome_has_time"),
        CheckConstraint("settled_outcome IS NULL OR settlement IS NOT NULL", name="settled_as_proposed"),
        CheckConstraint("settled_by <> settlement_by", name="settled_by_another"),
        # One complaint about one result at a time; one that was withdrawn may be followed by another in time.
        Index("uq_complaint_one", "application_id", "about", unique=True, postgresql_where="state <> 'withdrawn'"),
        Index("ix_complaint_call", "call_id", "state", "sent_at"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    # Which result it is about, when that reached the applicant, and before which moment a complaint is in time.
    about: Mapped[str]
    reached_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str]
    grounds: Mapped[list[Any]]
    text: Mapped[str] = mapped_column(info=DIGEST)
    drafted_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    first_decide_at: Mapped[datetime | None]
    decide_at: Mapped[datetime | None]
    extension_reason: Mapped[str | None]
    checked_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    checked_at: Mapped[datetime | None]
    check_reason: Mapped[str | None]
    member_one: Mapped[UUID | None] = mapped_column(points_to("user_account.id"), index=True)
    member_two: Mapped[UUID | None] = mapped_column(points_to("user_account.id"), index=True)
    named_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # What one of the committee proposes; the other confirms it or gives it back.
    upholds: Mapped[bool | None]
    remedy: Mapped[str | None]
    decision: Mapped[str | None]
    # Why an outcome is corrected although that breaks a rule of its list.
    despite: Mapped[str | None]
    # Which rules that answers: those that were broken when it was proposed, as a sentence.
    breached: Mapped[str | None]
    proposed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime | None]
    return_reason: Mapped[str | None]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    letter: Mapped[dict[str, Any] | None]
    letter_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The money of a corrected outcome, and what a repeated evaluation came to.
    entry_id: Mapped[UUID | None] = mapped_column(points_to("ledger_entry.id"))
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    settled_words: Mapped[str | None]
    settled_outcome: Mapped[str | None]
    # What one of the committee proposes of it, the scores and words the applicant reads with it; frozen once it is settled.
    settlement: Mapped[dict[str, Any] | None] = mapped_column(info=DIGEST)
    settlement_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    settlement_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    withdraw_reason: Mapped[str | None]
