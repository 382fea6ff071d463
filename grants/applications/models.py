"""Applications, their consortium, frozen submissions and the eligibility check: tables and constraints, no verbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState, Verdict
from grants.core.db import DIGEST, NOT_AUDITED, Base, Row, points_to, state_check
from grants.core.money import Money


class Application(Row):
    """One application of a consortium to a call; the answers are its dossier, the money its budget.

    ``requested`` and ``submitted_at`` are those of the last submission, which is the one that stands.
    """

    __tablename__ = "application"
    __table_args__ = (
        state_check(ApplicationState),
        state_check(Origin, "origin"),
        CheckConstraint(
            "state IN ('draft', 'withdrawn') OR origin = 'published_outcome' OR submission_id IS NOT NULL",
            name="submitted_has_submission",
        ),
        CheckConstraint("(origin = 'published_outcome') = (source_url IS NOT NULL)", name="published_has_source"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_has_time"),
        CheckConstraint("requested IS NULL OR requested >= 0", name="requested_not_negative"),
        Index("ix_application_call_state", "call_id", "state", "reference"),
        Index("ix_application_newest", "created_at", "id"),
        # Counting by state reads this alone.
        Index("ix_application_counted", "state", "call_id", postgresql_include=["id", "submission_id", "origin"]),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    acronym: Mapped[str | None]
    summary: Mapped[str | None] = mapped_column(info=DIGEST)
    state: Mapped[str]
    origin: Mapped[str]
    source_url: Mapped[str | None]
    synthetic_note: Mapped[str | None]
    coordinator_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    dossier_id: Mapped[UUID | None] = mapped_column(points_to("dossier.id"))
    budget_id: Mapped[UUID | None] = mapped_column(points_to("budget.id"))
    submission_id: Mapped[UUID | None] = mapped_column(points_to("submission.id"))
    submitted_at: Mapped[datetime | None]
    requested: Mapped[Money | None]
    withdrawn_at: Mapped[datetime | None]
    # Title, cities and reference folded to plain letters, so that \u201cLodz\u201d finds \u201cŁódź\u201d.
    search_text: Mapped[str] = mapped_column(info={"audit": "none"})


class ApplicationTotal(Base):
    """How many applications of a state were sent to a call; a trigger keeps it, nothing else writes here."""

    __tablename__ = "application_total"
    __audited__ = False

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class ApplicationPartner(Row):
    """An organisation of the consortium, the coordinator included."""

    __tablename__ = "application_partner"
    __table_args__ = (
        UniqueConstraint("application_id", "organisation_id"),
        state_check(PartnerState),
        state_check(PartnerRole, "role"),
        Index(
            "uq_application_partner_one_coordinator",
            "application_id",
            unique=True,
            postgresql_where=column("role") == "coordinator",
        ),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    position: Mapped[int]
    role: Mapped[str]
    state: Mapped[str]
    contact_user_id: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # As the lead typed it: until the person accepts, a page shows this and not what the account says.
    invited_name: Mapped[str | None] = mapped_column(info=DIGEST)
    invited_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]


class ApplicationMember(Row):
    """A person of the team who does not speak for an organisation of it; in which role, the grant of the role says."""

    __tablename__ = "application_member"
    __table_args__ = (UniqueConstraint("application_id", "user_id"),)

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    # As the lead typed it: until the person accepts, a page shows this and not what the account says.
    invited_name: Mapped[str] = mapped_column(info=DIGEST)
    joined_at: Mapped[datetime | None]


class ApplicationSignOff(Row):
    """One confirmation of one exact version: of a partner's part, or of the whole where no organisation is named."""

    __tablename__ = "application_sign_off"
    __table_args__ = (
        UniqueConstraint("application_id", "number"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    number: Mapped[int]
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    sha256: Mapped[bytes] = mapped_column(LargeBinary)


class Submission(Row):
    """One frozen version of an application: its content, the hash of that content, and the receipt's number."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("application_id", "number"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    number: Mapped[int]
    receipt_number: Mapped[int] = mapped_column(unique=True)
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    closes_at: Mapped[datetime]
    content: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    requested: Mapped[Money]


class EligibilityCheck(Row):
    """The desk's check of one submission; the verdict comes when every condition is answered."""

    __tablename__ = "eligibility_check"
    __table_args__ = (
        UniqueConstraint("submission_id"),
        CheckConstraint("(verdict IS NULL) = (decided_at IS NULL)", name="verdict_has_time"),
        CheckConstraint("(verdict IS NULL) = (decided_by IS NULL)", name="verdict_has_person"),
        CheckConstraint("confirmed_by <> decided_by", name="second_person"),
        CheckConstraint("confirmed_by IS NULL OR verdict IS NOT NULL", name="confirmed_has_verdict"),
        CheckConstraint(
            "(proposed_by IS NULL) = (proposed_at IS NULL) AND (proposed_by IS NULL) = (proposed_reason IS NULL)",
            name="proposed_whole",
        ),
        CheckConstraint("verdict IS NULL OR proposed_by IS NULL", name="decided_is_not_proposed"),
        CheckConstraint("(returned_by IS NULL) = (return_reason IS NULL)", name="returned_has_reason"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    submission_id: Mapped[UUID] = mapped_column(points_to("submission.id"))
    verdict: Mapped[str | None]
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # The second person, without whom no application is declared not eligible.
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # Not eligible in the eyes of one person: it waits for another.
    proposed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime | None]
    proposed_reason: Mapped[str | None]
    # Who gave the last proposal back, and why.
    returned_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    return_reason: Mapped[str | None]
    # Counts, so that each saving of any answer makes a new version of the whole check.
    saves: Mapped[int] = mapped_column(info=NOT_AUDITED)


class EligibilityResult(Row):
    """The answer to one eligibility condition, with its reason."""

    __tablename__ = "eligibility_result"
    __table_args__ = (
        UniqueConstraint("check_id", "condition"),
        state_check(Verdict, "verdict"),
        CheckConstraint("verdict = 'pass' OR reason IS NOT NULL", name="fail_has_reason"),
    )

    check_id: Mapped[UUID] = mapped_column(points_to("eligibility_check.id"))
    condition: Mapped[str]
    verdict: Mapped[str]
    reason: Mapped[str | None]
    # Who answered last; of answers older than this column only the record tells.
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    answered_at: Mapped[datetime | None]


class EligibilityBatch(Row):
    """Applications that one officer passed in one go, each by an act of its own."""

    __tablename__ = "eligibility_batch"

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    asked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class EligibilityBatchItem(Row):
    """One application of a batch in the version whose facts the officer saw, and the job that passes it."""

    __tablename__ = "eligibility_batch_item"
    __table_args__ = (UniqueConstraint("batch_id", "application_id"),)

    batch_id: Mapped[UUID] = mapped_column(points_to("eligibility_batch.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    submission_id: Mapped[UUID] = mapped_column(points_to("submission.id"))
    job_id: Mapped[UUID] = mapped_column(points_to("job.id"))


class Clarification(Row):
    """A question of the desk about one submission, and the one answer to it; the submission itself never changes."""

    __tablename__ = "clarification"
    __table_args__ = (
        UniqueConstraint("application_id", "number"),
        CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)"
            " AND (answer IS NULL) = (answer_sha256 IS NULL)",
            name="answer_whole",
        ),
        CheckConstraint("octet_length(answer_sha256) = 32", name="answer_sha256_length"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdraw_reason IS NULL)",
            name="withdrawn_whole",
        ),
        CheckConstraint("answered_at IS NULL OR withdrawn_at IS NULL", name="answered_or_withdrawn"),
        CheckConstraint("answered_at < due_at", name="answered_in_time"),
        CheckConstraint("due_at = first_due_at OR extension_reason IS NOT NULL", name="extension_has_reason"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    submission_id: Mapped[UUID] = mapped_column(points_to("submission.id"), index=True)
    number: Mapped[int]
    text: Mapped[str] = mapped_column(info=DIGEST)
    # Keys of the conditions of the desk and of the questions of the form it is about.
    conditions: Mapped[list[Any]]
    questions: Mapped[list[Any]]
    asked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    first_due_at: Mapped[datetime]
    due_at: Mapped[datetime]
    extension_reason: Mapped[str | None]
    draft: Mapped[str | None] = mapped_column(info=DIGEST)
    drafted_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    answer: Mapped[str | None] = mapped_column(info=DIGEST)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # Over the answer and the hashes of its files.
    answer_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    withdraw_reason: Mapped[str | None]
    # Whether evaluators read request and answer too.
    shared: Mapped[bool]


class EligibilityLetter(Row):
    """The letter that tells a team its verdict: words of one's own until it is sent, then frozen and hashed."""

    __tablename__ = "eligibility_letter"
    __table_args__ = (
        UniqueConstraint("check_id"),
        CheckConstraint(
            "(sent_at IS NULL) = (content IS NULL) AND (sent_at IS NULL) = (sha256 IS NULL)"
            " AND (sent_at IS NULL) = (sent_by IS NULL)",
            name="sent_whole",
        ),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    check_id: Mapped[UUID] = mapped_column(points_to("eligibility_check.id"))
    note: Mapped[str | None] = mapped_column(info=DIGEST)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
