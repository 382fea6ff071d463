"""Applications, their consortium, frozen submissions and the eligibility check: tables and constraints, no verbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, Index, LargeBinary, UniqueConstraint, column, literal_column
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from grants.applications.rules.exporting import ListForm
from grants.applications.states import ApplicationState, BatchWork, Origin, PartnerRole, PartnerState, Verdict
from grants.core.db import DERIVED, DIGEST, NOT_AUDITED, Base, Row, points_to, state_check
from grants.core.money import Money

# A reference as it sorts: its number as twelve digits, so that A-10000 stands behind A-9999.
REFERENCE_KEY = (
    "regexp_replace(reference, '[0-9]+$', '') || lpad(coalesce(substring(reference, '[0-9]+$'), ''), 12, '0')"
)
# What a search looks through: the words, the reference by its parts (its number with and without zeros), the whole euros.
SEARCH_VECTOR = (
    "to_tsvector('simple'::regconfig, search_words || ' ' || translate(lower(reference), '-', ' ') || "
    "coalesce(' no' || ltrim(substring(reference, '[0-9]+$'), '0'), '') || coalesce(' eur' || (requested / 100)::text, ''))"
)
# What has no amount or was never sent stands first in these orders; written out, so that the indexes fit whatever is asked.
NO_AMOUNT, NEVER = "-1", "'-infinity'::timestamptz"


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
        CheckConstraint("call_version_read BETWEEN 1 AND call_version", name="read_up_to_its_version"),
        CheckConstraint(
            "draft_title IS NOT NULL OR (draft_acronym IS NULL AND draft_summary IS NULL)", name="drafted_whole"
        ),
        CheckConstraint("draft_title IS NULL OR submission_id IS NOT NULL", name="drafted_after_sending"),
        CheckConstraint("(told_state IS NULL) = (told_since IS NULL)", name="told_has_time"),
        CheckConstraint(
            "told_state IS NULL OR (told_state IN ('under_evaluation', 'reserve') "
            "AND state IN ('selected', 'reserve', 'below_threshold', 'not_funded') AND state <> told_state)",
            name="untold_is_decided",
        ),
        CheckConstraint("(own_closes_at IS NULL) = (own_closes_reason IS NULL)", name="own_deadline_has_reason"),
        Index("ix_application_call_state", "call_id", "state", "reference"),
        Index("ix_application_newest", "created_at", "id"),
        # Counting by state reads this alone.
        Index("ix_application_counted", "state", "call_id", postgresql_include=["id", "submission_id", "origin"]),
        # The orders of the list, each from either end.
        Index("ix_application_by_reference", "reference_key", unique=True),
        Index("ix_application_by_title", "title_key", "reference_key"),
        Index("ix_application_by_lead", "lead_key", "reference_key"),
        Index("ix_application_by_state", "state", "reference_key"),
        Index("ix_application_by_age", "state_since", "reference_key"),
        Index("ix_application_by_asked", literal_column(f"coalesce(requested, {NO_AMOUNT})"), "reference_key"),
        Index("ix_application_by_sent", literal_column(f"coalesce(submitted_at, {NEVER})"), "reference_key"),
        Index("ix_application_searched", "search_vector", postgresql_using="gin"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    acronym: Mapped[str | None]
    summary: Mapped[str | None] = mapped_column(info=DIGEST)
    # What the team wrote since the version that stands was sent: nobody else reads it before it is sent too.
    draft_title: Mapped[str | None]
    draft_acronym: Mapped[str | None]
    draft_summary: Mapped[str | None] = mapped_column(info=DIGEST)
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
    # Which version of the call the draft answers, and up to which its team has read what changed.
    call_version: Mapped[int] = mapped_column(default=1)
    call_version_read: Mapped[int] = mapped_column(default=1)
    # Later than the deadline of the call, where this one applicant was given more time.
    own_closes_at: Mapped[datetime | None]
    own_closes_reason: Mapped[str | None]
    # The state its team reads while a decision stands that no letter has told, and since when it was in it.
    told_state: Mapped[str | None]
    told_since: Mapped[datetime | None] = mapped_column(info=NOT_AUDITED)
    # Title, cities and reference folded to plain letters, so that \u201cLodz\u201d finds \u201cŁódź\u201d.
    search_text: Mapped[str] = mapped_column(info=DERIVED)
    # Title, and town or name of the lead, folded: what the list is ordered by.
    title_key: Mapped[str] = mapped_column(default="", info=DERIVED)
    lead_key: Mapped[str] = mapped_column(default="", info=DERIVED)
    # Every word a search finds it by, folded, in each spelling of its umlauts.
    search_words: Mapped[str] = mapped_column(default="", info=DERIVED)
    # Since when it is in its state; the core stamps it with the act's moment whenever the state changes.
    state_since: Mapped[datetime] = mapped_column(info=NOT_AUDITED)
    reference_key: Mapped[str] = mapped_column(Computed(REFERENCE_KEY, persisted=True), deferred=True, info=DERIVED)
    search_vector: Mapped[str] = mapped_column(
        TSVECTOR, Computed(SEARCH_VECTOR, persisted=True), deferred=True, info=DERIVED
    )


class SavedList(Row):
    """A list of applications under a name: filter, order and columns as an address holds them, for its owner and whom they
    share it with: everybody who reads the applications of a call, or those of them who hold one role."""

    __tablename__ = "saved_list"
    __table_args__ = (
        UniqueConstraint("owner_id", "name"),
        CheckConstraint("shared_role IS NULL OR shared_call_id IS NOT NULL", name="role_of_a_call"),
    )

    owner_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    # Stands in addresses; counted over everybody's.
    number: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(info=DIGEST)
    address: Mapped[str] = mapped_column(info=DIGEST)
    shared_call_id: Mapped[UUID | None] = mapped_column(points_to("call.id"), index=True)
    shared_role: Mapped[str | None]


class FirstList(Row):
    """Which saved list a person sees first when they open the list of applications."""

    __tablename__ = "first_list"

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), unique=True)
    list_id: Mapped[UUID] = mapped_column(points_to("saved_list.id"), index=True)


class ListFile(Row):
    """A list of applications asked for as a file and made by a job: its owner's alone, removed some days after it was made."""

    __tablename__ = "list_file"
    __table_args__ = (
        state_check(ListForm, "form"),
        CheckConstraint(
            "(made_at IS NULL) = (rows_count IS NULL) AND (made_at IS NULL) = (reach_sha256 IS NULL)", name="made_whole"
        ),
        Index("ix_list_file_created_at", "created_at"),
    )

    owner_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    # Stands in addresses; counted over everybody's.
    number: Mapped[int] = mapped_column(unique=True)
    # Filter, order and columns, as a kept list holds them.
    address: Mapped[str] = mapped_column(info=DIGEST)
    form: Mapped[str]
    # Without the lines that say what it is; a workbook has them on a sheet of their own, always.
    bare: Mapped[bool]
    job_id: Mapped[UUID] = mapped_column(points_to("job.id"))
    made_at: Mapped[datetime | None]
    rows_count: Mapped[int | None]
    # What its owner could read when it was made; with any other reach it is not handed out.
    reach_sha256: Mapped[bytes | None] = mapped_column(LargeBinary, info=NOT_AUDITED)


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


class ApplicationNotice(Row):
    """Which version of the call's privacy notice somebody of the team accepted; a newer one is a new row."""

    __tablename__ = "application_notice"
    __table_args__ = (UniqueConstraint("application_id", "user_id", "number"),)

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    number: Mapped[int]


class ApplicationTakeover(Row):
    """Somebody of the team asks that another person leads, because the lead is gone; staff answer."""

    __tablename__ = "application_takeover"
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered_by_somebody"),
        CheckConstraint("(answered_at IS NULL) = (granted IS NULL)", name="answered_with_a_word"),
        Index(
            "uq_application_takeover_open",
            "application_id",
            unique=True,
            postgresql_where=column("answered_at").is_(None),
        ),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    lead_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    asked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    reason: Mapped[str] = mapped_column(info=DIGEST)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    granted: Mapped[bool | None]


class ApplicationServing(Row):
    """An action or barrier of a city's contract that an application serves, and how; in own words where no list has it."""

    __tablename__ = "application_serving"
    __table_args__ = (
        UniqueConstraint("application_id", "position", deferrable=True, initially="DEFERRED"),
        CheckConstraint("(action_id IS NULL) <> (own_title IS NULL)", name="listed_or_own"),
    )

    application_id: Mapped[UUID] = mapped_column(points_to("application.id"))
    position: Mapped[int]
    action_id: Mapped[UUID | None] = mapped_column(points_to("city_action.id"), index=True)
    own_title: Mapped[str | None]
    sentence: Mapped[str] = mapped_column(info=DIGEST)


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
    # Which version of the call it answers; its content holds the form as it was asked.
    call_version: Mapped[int] = mapped_column(default=1)
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
    """Applications that one officer passed in one go, or wrote to, each by an act of its own."""

    __tablename__ = "eligibility_batch"
    __table_args__ = (state_check(BatchWork, "work"),)

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    asked_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    work: Mapped[str]


class EligibilityBatchItem(Row):
    """One application of a batch in the version whose facts or letter the officer saw, and the job that does it."""

    __tablename__ = "eligibility_batch_item"
    __table_args__ = (UniqueConstraint("batch_id", "application_id"),)

    batch_id: Mapped[UUID] = mapped_column(points_to("eligibility_batch.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    submission_id: Mapped[UUID] = mapped_column(points_to("submission.id"))
    job_id: Mapped[UUID] = mapped_column(points_to("job.id"))


class CallTrial(Row):
    """A dry run of a call by one of its managers: everything written in it, in one column that no other table knows."""

    __tablename__ = "call_trial"
    __table_args__ = (UniqueConstraint("call_id", "user_id"),)

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    content: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)


class StageInvitation(Row):
    """The invitation to a second stage: which concept, to which call, and the full proposal once it is started."""

    __tablename__ = "stage_invitation"
    __table_args__ = (UniqueConstraint("call_id", "concept_id"), UniqueConstraint("started_id"))

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    concept_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    note: Mapped[str | None] = mapped_column(info=DIGEST)
    started_id: Mapped[UUID | None] = mapped_column(points_to("application.id"))


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
