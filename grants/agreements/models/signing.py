"""What is offered for signature, the signatures, and the versions of an agreement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import OfferEnd, OfferSubject, Side, SignatureMethod
from grants.core.db import DIGEST, Row, points_to, state_check


class AgreementOffer(Row):
    """A text put before both sides to be signed, frozen: page, paper and hash read it from then on, whatever is renamed later.

    One is open at a time; one that was taken back stays with its text.
    """

    __tablename__ = "agreement_offer"
    __table_args__ = (
        UniqueConstraint("grant_id", "offer_no"),
        state_check(OfferSubject, "subject"),
        state_check(OfferEnd, "ended_why"),
        CheckConstraint("offer_no > 0", name="number_counts"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
        CheckConstraint("needs_city BETWEEN 1 AND 5 AND needs_programme BETWEEN 1 AND 5", name="needs_in_range"),
        CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended_has_time"),
        Index("uq_agreement_offer_one_open", "grant_id", unique=True, postgresql_where=column("ended_at").is_(None)),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    offer_no: Mapped[int]
    subject: Mapped[str]
    text: Mapped[dict[str, Any]] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    # How many people of each side sign it.
    needs_city: Mapped[int]
    needs_programme: Mapped[int]
    # Empty for one of before offers were rows.
    offered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    offered_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None]


class AgreementSignature(Row):
    """A recorded acceptance by one person of a side, with exactly the text that was accepted and its hash.

    It is never changed or deleted. When an offer is taken back its signatures stay, as history of that offer.
    """

    __tablename__ = "agreement_signature"
    __table_args__ = (
        ForeignKeyConstraint(
            ["grant_id", "offer_no"],
            ["agreement_offer.grant_id", "agreement_offer.offer_no"],
            name="fk_agreement_signature_grant_id_offer_no",
            deferrable=True,
            initially="DEFERRED",
        ),
        # Nobody signs twice, for whichever side.
        Index(
            "uq_agreement_signature_person",
            "grant_id",
            "offer_no",
            "signed_by",
            unique=True,
        ),
        state_check(Side, "side"),
        state_check(SignatureMethod, "method"),
        CheckConstraint("offer_no > 0", name="of_an_offer"),
        CheckConstraint("octet_length(document_sha256) = 32", name="document_sha256_length"),
        CheckConstraint("power_id IS NULL OR side = 'city'", name="power_of_city"),
        CheckConstraint("role_id IS NULL OR side = 'programme'", name="role_of_programme"),
        CheckConstraint(
            "(method = 'uploaded') = (upload_id IS NOT NULL) AND (upload_id IS NULL) = (signed_on IS NULL)",
            name="uploaded_has_document",
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    offer_no: Mapped[int]
    side: Mapped[str]
    signed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    signed_at: Mapped[datetime]
    # As it was at the signature: people may rename themselves later.
    name: Mapped[str] = mapped_column(info=DIGEST)
    capacity: Mapped[str]
    method: Mapped[str] = mapped_column(default=SignatureMethod.RECORDED.value)
    # Of a signature on an uploaded document: which, and the day that stands beside it.
    upload_id: Mapped[UUID | None] = mapped_column(points_to("signed_upload.id"))
    signed_on: Mapped[date | None]
    # By what the person signed, and as it was in words: the accepted answer about the power to sign for the city, the dated
    # role of the programme. Empty in signatures of before it was kept.
    power_id: Mapped[UUID | None] = mapped_column(points_to("preparation_fact.id"))
    role_id: Mapped[UUID | None] = mapped_column(points_to("role_grant.id"))
    power: Mapped[str | None]
    document: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    document_sha256: Mapped[bytes] = mapped_column(LargeBinary)


class AgreementVersion(Row):
    """What is in force from a day on, until the next version: the offer that both sides signed."""

    __tablename__ = "agreement_version"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        ForeignKeyConstraint(
            ["grant_id", "offer_no"],
            ["agreement_offer.grant_id", "agreement_offer.offer_no"],
            name="fk_agreement_version_grant_id_offer_no",
            deferrable=True,
            initially="DEFERRED",
        ),
        UniqueConstraint("grant_id", "offer_no"),
        CheckConstraint("number > 0", name="number_counts"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    offer_no: Mapped[int]
    in_force_on: Mapped[date]
    in_force_at: Mapped[datetime]
