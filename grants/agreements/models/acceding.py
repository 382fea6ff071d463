"""The accession of partners to an agreement in force."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to


class Accession(Row):
    """A partner is asked to accede to an agreement by a day; it has acceded when everybody whom its power needs has signed.

    One that is not waited for any more is ended with a reason; acceding late is possible until then. Whoever comes back after it
    left is asked anew: what was before stays.
    """

    __tablename__ = "accession"
    __table_args__ = (
        CheckConstraint("opened_version > 0", name="of_a_version"),
        CheckConstraint("(acceded_at IS NULL) = (acceded_version IS NULL)", name="acceded_to_a_version"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_reason IS NULL)", name="ended_whole"
        ),
        CheckConstraint("acceded_at IS NULL OR ended_at IS NULL", name="one_end"),
        CheckConstraint("left_at IS NULL OR acceded_at IS NOT NULL", name="left_after_acceding"),
        Index(
            "uq_accession_standing",
            "grant_id",
            "organisation_id",
            unique=True,
            postgresql_where=column("ended_at").is_(None) & column("left_at").is_(None),
        ),
        Index(
            "ix_accession_waiting",
            "due_on",
            "grant_id",
            postgresql_where=column("acceded_at").is_(None) & column("ended_at").is_(None),
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    # The version of the agreement by which it was asked.
    opened_version: Mapped[int]
    # The last day, itself included.
    due_on: Mapped[date]
    acceded_at: Mapped[datetime | None]
    acceded_version: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    end_reason: Mapped[str | None] = mapped_column(info=DIGEST)
    # When a partner that had acceded left the grant.
    left_at: Mapped[datetime | None]
    # When the program told everybody that the day had passed.
    told_late_at: Mapped[datetime | None]


class AccessionSignature(Row):
    """One person accedes for a partner, to exactly the version whose hash is kept, by an accepted power."""

    __tablename__ = "accession_signature"
    __table_args__ = (
        UniqueConstraint("accession_id", "version_no", "signed_by"),
        CheckConstraint("version_no > 0", name="of_a_version"),
        CheckConstraint("octet_length(document_sha256) = 32", name="document_sha256_length"),
        CheckConstraint("(upload_id IS NULL) = (signed_on IS NULL)", name="uploaded_has_document"),
    )

    accession_id: Mapped[UUID] = mapped_column(points_to("accession.id"))
    version_no: Mapped[int]
    signed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    signed_at: Mapped[datetime]
    # As it was at the signature: people may rename themselves later.
    name: Mapped[str] = mapped_column(info=DIGEST)
    capacity: Mapped[str]
    power_id: Mapped[UUID] = mapped_column(points_to("preparation_fact.id"))
    power: Mapped[str]
    document_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    # Of a signature on an uploaded document: which, and the day that stands beside it.
    upload_id: Mapped[UUID | None] = mapped_column(points_to("signed_upload.id"))
    signed_on: Mapped[date | None]
