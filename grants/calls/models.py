"""Tables of calls: the call with its content, every deadline it ever had, and the versions of its documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.calls.rules import VersionKind
from grants.calls.states import CallState
from grants.core.db import DIGEST, NOT_AUDITED, Row, points_to, state_check
from grants.core.money import Money


class Call(Row):
    """A call for proposals. ``content`` holds every sourced value by key; ``grants.calls.rules`` gives it its types."""

    __tablename__ = "call"
    __table_args__ = (
        state_check(CallState),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug_is_plain"),
        CheckConstraint(
            "state <> 'published' OR (opens_at IS NOT NULL AND (total_cents IS NOT NULL OR NOT pays)"
            " AND published_at IS NOT NULL)",
            name="published_is_complete",
        ),
        CheckConstraint("total_cents IS NULL OR total_cents > 0", name="total_positive"),
        CheckConstraint("published_at IS NULL OR parent_rules IS NOT NULL", name="opened_with_rules"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_moment"),
        CheckConstraint("state <> 'published' OR version_number >= 1", name="published_has_version"),
    )

    programme_id: Mapped[UUID] = mapped_column(points_to("programme.id"), index=True)
    fund_source_id: Mapped[UUID] = mapped_column(points_to("fund_source.id"), index=True)
    reference: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    # The identifier the granting body gave the call, where it has one.
    published_id: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str]
    year: Mapped[int]
    state: Mapped[str]
    # An invented call says so on every page.
    synthetic: Mapped[bool]
    content: Mapped[dict[str, Any]]
    # The rules of the parent grant as they stood when the call was published; a draft follows those that stand now.
    parent_rules: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    zone: Mapped[str]
    opens_at: Mapped[datetime | None]
    # A learning call or an expression of interest pays nothing, and so has no total.
    pays: Mapped[bool] = mapped_column(default=True)
    total_cents: Mapped[Money | None]
    # The call for concepts that a full proposal follows.
    follows_id: Mapped[UUID | None] = mapped_column(points_to("call.id"), index=True)
    results_public_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    # The number of the version that everybody reads; 0 before publication.
    version_number: Mapped[int] = mapped_column(default=0)


class CallVersion(Row):
    """One published version of a call with its whole content; a correction of wording stands within its version."""

    __tablename__ = "call_version"
    __table_args__ = (
        UniqueConstraint("call_id", "number", "correction"),
        state_check(VersionKind, "kind"),
        CheckConstraint("number >= 1 AND correction >= 0", name="counted_from_one"),
        CheckConstraint("(kind = 'correction') = (correction > 0)", name="correction_is_counted"),
        CheckConstraint("kind = 'published' OR reason <> ''", name="change_has_reason"),
        CheckConstraint(
            "(kind = 'corrigendum') = (deadline_decision IS NOT NULL)"
            " AND (deadline_decision IS NULL OR deadline_reason <> '')",
            name="corrigendum_reviews_deadline",
        ),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    correction: Mapped[int]
    kind: Mapped[str]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]
    reason: Mapped[str]
    changes: Mapped[list[Any]] = mapped_column(info=DIGEST)
    content: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    # Whether the deadline was kept or moved with it; the audit keeps who decided.
    deadline_decision: Mapped[str | None]
    deadline_reason: Mapped[str]


class CallWorkingCopy(Row):
    """The content of a published call as it is being changed; nobody outside reads it, and it goes with publication."""

    __tablename__ = "call_working_copy"
    __table_args__ = (UniqueConstraint("call_id"),)

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    content: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)


class CallOneExtension(Row):
    """That one applicant got more time, and why; to whom stands with the application alone."""

    __tablename__ = "call_one_extension"
    __table_args__ = (CheckConstraint("reason <> ''", name="has_reason"),)

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    given_at: Mapped[datetime]
    reason: Mapped[str]


class CallDeadline(Row):
    """One deadline of a call; the one with the highest number counts, the others stay as history."""

    __tablename__ = "call_deadline"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        CheckConstraint("number >= 1", name="counted_from_one"),
        CheckConstraint("announced_at IS NULL OR number = 1 OR reason IS NOT NULL", name="extension_has_reason"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    number: Mapped[int]
    closes_at: Mapped[datetime]
    zone: Mapped[str]
    # What was printed, word by word; the instant above is what counts.
    literal: Mapped[str]
    reason: Mapped[str | None]
    public_note: Mapped[str | None]
    # Empty for a deadline that came with an imported call: the day of its announcement is not known.
    announced_at: Mapped[datetime | None]
    confidence: Mapped[str]
    source: Mapped[str | None]


class CallQuestion(Row):
    """A question answered for everybody: a draft of the desk, or published under a number that stays.

    ``question`` and ``answer`` are the newest text; everything that was ever public is in its versions.
    """

    __tablename__ = "call_question"
    __table_args__ = (
        UniqueConstraint("call_id", "entry"),
        UniqueConstraint("call_id", "number"),
        CheckConstraint("(number IS NULL) = (published_at IS NULL)", name="numbered_is_published"),
        CheckConstraint("(number IS NULL) = (versions = 0)", name="published_has_version"),
        CheckConstraint("told BETWEEN 0 AND versions", name="told_of_versions"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    # What the desk calls it, from the first draft on; the public number comes with publication.
    entry: Mapped[int]
    number: Mapped[int | None]
    question: Mapped[str]
    answer: Mapped[str]
    # The section of the form it is about, by its key.
    section: Mapped[str | None]
    # The information session at which it was asked, by its number in the call.
    session: Mapped[int | None]
    published_at: Mapped[datetime | None]
    # How many versions there are, and up to which people were told.
    versions: Mapped[int] = mapped_column(info=NOT_AUDITED)
    told: Mapped[int] = mapped_column(info=NOT_AUDITED)


class CallQuestionVersion(Row):
    """What was public of a question, word by word, and why it was corrected."""

    __tablename__ = "call_question_version"
    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        CheckConstraint("(number = 1) = (note IS NULL)", name="correction_has_note"),
    )

    question_id: Mapped[UUID] = mapped_column(points_to("call_question.id"))
    number: Mapped[int]
    question: Mapped[str]
    answer: Mapped[str]
    note: Mapped[str | None]
    published_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class CallQuestionSource(Row):
    """Who asked it: one conversation is answered by one question, several may be answered by the same."""

    __tablename__ = "call_question_source"
    __table_args__ = (UniqueConstraint("conversation_id"),)

    question_id: Mapped[UUID] = mapped_column(points_to("call_question.id"), index=True)
    conversation_id: Mapped[UUID] = mapped_column(points_to("conversation.id"))


class CallSession(Row):
    """An information session: when and where it is, and afterwards where its recording is."""

    __tablename__ = "call_session"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    title: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str]
    link: Mapped[str | None]
    recording: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]


class CallPrivacyNotice(Row):
    """One version of what people are told about their data in a call; a newer one asks everybody again."""

    __tablename__ = "call_privacy_notice"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        CheckConstraint("(number = 1) = (note IS NULL)", name="later_has_note"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    # What changed against the version before.
    note: Mapped[str | None]
    published_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class CallExpertTerms(Row):
    """One version of the words evaluators of a call accept; without content none are demanded any more."""

    __tablename__ = "call_expert_terms"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        CheckConstraint("(number = 1) = (note IS NULL)", name="later_has_note"),
        CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name="words_have_hash"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sha256: Mapped[bytes | None]
    # What changed against the version before.
    note: Mapped[str | None]
    published_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class CallDrawSeed(Row):
    """The seed of a draw by lot, made when a call that draws is published; only its SHA-256 is told until it is drawn."""

    __tablename__ = "call_draw_seed"
    __table_args__ = (
        UniqueConstraint("call_id"),
        CheckConstraint("seed_sha256 = encode(sha256(convert_to(seed, 'UTF8')), 'hex')", name="sha256_of_seed"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    # In no history and in no export: the confirmed decision tells it.
    seed: Mapped[str] = mapped_column(info=NOT_AUDITED)
    seed_sha256: Mapped[str]


class CallDocument(Row):
    """One version of the documents of a call, with what changed against the version before."""

    __tablename__ = "call_document"
    __table_args__ = (UniqueConstraint("call_id", "label"),)

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"), index=True)
    label: Mapped[str]
    published_on: Mapped[date]
    what: Mapped[str]
    changes: Mapped[list[Any]]
    source: Mapped[str | None]
    confidence: Mapped[str]
