"""Tables of people, organisations, roles and bars, and of the machinery by which people sign in."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, NOT_AUDITED, Base, Row, points_to, state_check
from grants.identity.policy import Role
from grants.identity.states import DoubleVerdict, FactKind, LinkPurpose, OrganisationKind, SessionEnd


class User(Row):
    """A person who can sign in, or was invited to; knows nothing of how the web keeps a session."""

    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("email = lower(email) AND email LIKE '%_@_%'", name="email_normal"),
        CheckConstraint("(password_hash IS NULL) = (password_set_at IS NULL)", name="password_has_time"),
        CheckConstraint("handle ~ '^[a-z0-9-]{1,60}$'", name="handle_form"),
        CheckConstraint("orcid ~ '^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$'", name="orcid_form"),
        Index("ix_user_account_demo", "id", postgresql_where="is_demo"),
    )

    # The person in addresses of pages: made from the name, unique, never the id.
    handle: Mapped[str] = mapped_column(unique=True, default=lambda: uuid4().hex[:12], info=DIGEST)
    name: Mapped[str] = mapped_column(info=DIGEST)
    email: Mapped[str] = mapped_column(unique=True, info=DIGEST)
    phone: Mapped[str | None] = mapped_column(info=DIGEST)
    job_title: Mapped[str | None] = mapped_column(info=DIGEST)
    # Who the person is as a researcher, by the number they have everywhere.
    orcid: Mapped[str | None] = mapped_column(index=True, info=DIGEST)
    password_hash: Mapped[str | None] = mapped_column(info=NOT_AUDITED)
    password_set_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    is_demo: Mapped[bool] = mapped_column(default=False)


class Organisation(Row):
    """A legal entity: a municipality, a university, a company, the programme itself."""

    __tablename__ = "organisation"
    __table_args__ = (
        state_check(OrganisationKind, "kind"),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_code_form"),
        CheckConstraint("pic ~ '^[0-9]{9}$'", name="pic_form"),
        CheckConstraint("same_as_id <> id", name="not_same_as_itself"),
    )

    name: Mapped[str] = mapped_column(index=True)
    local_name: Mapped[str | None]
    kind: Mapped[str]
    country_code: Mapped[str] = mapped_column(index=True)
    town: Mapped[str | None]
    postcode: Mapped[str | None]
    street: Mapped[str | None]
    pic: Mapped[str | None] = mapped_column(index=True)
    website: Mapped[str | None]
    synthetic: Mapped[bool] = mapped_column(default=False)
    # Described in somebody's draft and not answered for yet: nobody else finds it in a list.
    draft_only: Mapped[bool] = mapped_column(default=False)
    # Another entry of the register that stands for the same organisation: a pointer, nothing is merged.
    same_as_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"), index=True)


# The entry that stands for an organisation: whoever is asked about conflicts is asked by it.
Index("ix_organisation_standing", func.coalesce(Organisation.same_as_id, Organisation.id))


class OrganisationFact(Row):
    """One line of the register: a fact as somebody stated it, or the same value as somebody validated it.

    The newest line of a kind is what stands; lines only ever come, so that all before it are its history. An empty
    value says that the fact was taken out.
    """

    __tablename__ = "organisation_fact"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number"),
        state_check(FactKind, "kind"),
        CheckConstraint("validated_on IS NULL OR (value <> '' AND person_id IS NOT NULL)", name="validated_is_there"),
        CheckConstraint("valid_until IS NULL OR valid_until > validated_on", name="valid_for_a_time"),
        CheckConstraint("validated_on IS NOT NULL OR valid_until IS NULL", name="valid_if_validated"),
        Index("ix_organisation_fact_kind", "organisation_id", "kind", "number"),
        Index("ix_organisation_fact_value", "kind", "value"),
    )

    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    number: Mapped[int]
    kind: Mapped[str]
    value: Mapped[str]
    source: Mapped[str | None]
    # Who stated or validated it; empty for what stood before the register kept changes.
    person_id: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    validated_on: Mapped[date | None]
    valid_until: Mapped[date | None]


class OrganisationDouble(Row):
    """What a person decided about two entries that look alike; the newest decision of a pair stands."""

    __tablename__ = "organisation_double"
    __table_args__ = (
        UniqueConstraint("organisation_id", "other_id", "number"),
        state_check(DoubleVerdict, "verdict"),
        CheckConstraint("organisation_id < other_id", name="pair_in_order"),
    )

    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    other_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    number: Mapped[int]
    verdict: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))


class Membership(Row):
    """A person belongs to an organisation for a time."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("ends_before >= starts_at", name="span"),
        Index(
            "uq_membership_open",
            "user_id",
            "organisation_id",
            unique=True,
            postgresql_where="ends_before IS NULL",
        ),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    starts_at: Mapped[datetime]
    ends_before: Mapped[datetime | None]


class RoleGrant(Row):
    """A role of a person in one place for a time; a role that moves money holds only once a second person confirmed it."""

    __tablename__ = "role_grant"
    __table_args__ = (
        state_check(Role, "role"),
        CheckConstraint("(kind = 'everywhere') = (object_id IS NULL)", name="place"),
        CheckConstraint("ends_before >= starts_at", name="span"),
        CheckConstraint("assigned_by <> user_id", name="not_to_oneself"),
        CheckConstraint("confirmed_by <> user_id AND confirmed_by <> assigned_by", name="second_person"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_has_time"),
        CheckConstraint("confirmed_by IS NULL OR needs_confirmation", name="confirmed_if_needed"),
        CheckConstraint(
            "(stand_in_for IS NULL) = (stand_in_file_id IS NULL) AND (stand_in_for IS NULL) = (stand_in_reason IS NULL)",
            name="stand_in_is_written",
        ),
        CheckConstraint(
            "stand_in_for IS NULL OR (needs_confirmation AND assigned_by IS NOT NULL AND ends_before IS NOT NULL AND role IN "
            "('finance_initiator', 'finance_verifier', 'authorising_officer', 'accounting_officer'))",
            name="stand_in_is_dated",
        ),
        CheckConstraint(
            "stand_in_for <> user_id AND stand_in_for <> assigned_by AND (confirmed_by IS NULL OR confirmed_by <> stand_in_for)",
            name="stand_in_by_others",
        ),
        Index("ix_role_grant_place", "kind", "object_id"),
        # What somebody plays, beside the thousands of grants and applications they may have a role in.
        Index("ix_role_grant_plays", "user_id", postgresql_where="object_id IS NULL OR role = 'city_advisor'"),
        Index("ix_role_grant_stand_in_for", "stand_in_for", postgresql_where="stand_in_for IS NOT NULL"),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    role: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    object_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    ends_before: Mapped[datetime | None]
    # Set where an administrator gave the role by hand; a stage's own act (starting an application) leaves it empty.
    assigned_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    needs_confirmation: Mapped[bool] = mapped_column(default=False)
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    # Of a stand-in: whose role this is while they are away, the file that says so in writing, and why.
    stand_in_for: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    stand_in_file_id: Mapped[UUID | None] = mapped_column(points_to("stored_file.id"))
    stand_in_reason: Mapped[str | None]


class AccessBar(Row):
    """A thing a person must not reach for a time, whatever roles they hold: a declared conflict of interest."""

    __tablename__ = "access_bar"
    __table_args__ = (
        CheckConstraint("ends_before >= starts_at", name="span"),
        Index("ix_access_bar_object", "kind", "object_id"),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    kind: Mapped[str]
    object_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_before: Mapped[datetime | None]


class SignInLink(Row):
    """A link for choosing a password or for confirming a new address, good once and for a time; only its hash is kept."""

    __tablename__ = "sign_in_link"
    __table_args__ = (
        state_check(LinkPurpose, "purpose"),
        CheckConstraint("used_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        CheckConstraint("(purpose = 'address') = (new_email IS NOT NULL)", name="address_has_email"),
        CheckConstraint("old_email IS NULL OR used_at IS NOT NULL", name="old_email_after_use"),
    )

    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    purpose: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info=NOT_AUDITED)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    # Of a change of address: the one to be confirmed, and the one it replaced, which is told.
    new_email: Mapped[str | None] = mapped_column(info=DIGEST)
    old_email: Mapped[str | None] = mapped_column(info=DIGEST)


class UserSession(Base):
    """One browser signed in; machinery: started and ended in acts, last-seen by bookkeeping. Only the token's hash is kept."""

    __tablename__ = "user_session"
    __audited__ = False
    __table_args__ = (
        state_check(SessionEnd, "ended_why"),
        CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended_has_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    # When the person last proved who they are; later a second factor counts here too.
    proved_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None]
    address: Mapped[str]
    browser: Mapped[str]


class SignInAttempt(Base):
    """A counter of failed tries per account or address; machinery, without audit. The account is kept as a hash."""

    __tablename__ = "sign_in_attempt"
    __audited__ = False

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    tried_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime | None]
