"""Signed documents that were uploaded instead of a signature that is recorded here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import Side, UploadKind, UploadState
from grants.core.db import DIGEST, Row, points_to, state_check


class SignedUpload(Row):
    """A signed document of one side of an offer, or of a partner that accedes to the version of that offer: who signed it on
    which day, what a job found in it, and who checked it.

    Another person than the one who uploaded it accepts or refuses it; only then its signatures count. Until then who uploaded
    it may withdraw it.
    """

    __tablename__ = "signed_upload"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        ForeignKeyConstraint(
            ["grant_id", "offer_no"],
            ["agreement_offer.grant_id", "agreement_offer.offer_no"],
            name="fk_signed_upload_grant_id_offer_no",
            deferrable=True,
            initially="DEFERRED",
        ),
        state_check(Side, "side"),
        state_check(UploadKind, "kind"),
        state_check(UploadState),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("(kind = 'scan') = (original_kept_at IS NOT NULL)", name="scan_has_original"),
        CheckConstraint("(findings IS NULL) = (read_at IS NULL)", name="read_whole"),
        CheckConstraint(
            "(state IN ('accepted', 'refused')) = (checked_by IS NOT NULL) AND (state = 'proposed') = (checked_at IS NULL)"
            " AND (checked_at IS NULL) = (words IS NULL)",
            name="checked_whole",
        ),
        CheckConstraint("checked_by <> uploaded_by", name="two_people"),
        CheckConstraint("accession_id IS NULL OR side = 'city'", name="accession_of_city"),
        CheckConstraint("state <> 'accepted' OR findings IS NOT NULL", name="accepted_was_read"),
        Index(
            "uq_signed_upload_waiting",
            "grant_id",
            "offer_no",
            "side",
            unique=True,
            postgresql_where=(column("state") == UploadState.PROPOSED.value) & column("accession_id").is_(None),
        ),
        Index(
            "uq_signed_upload_waiting_accession",
            "accession_id",
            unique=True,
            postgresql_where=column("state") == UploadState.PROPOSED.value,
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    offer_no: Mapped[int]
    side: Mapped[str]
    # Of a partner that accedes by it; its side is that of the city.
    accession_id: Mapped[UUID | None] = mapped_column(points_to("accession.id"))
    kind: Mapped[str]
    file_id: Mapped[UUID] = mapped_column(points_to("stored_file.id"))
    # Of a scan: where the paper is kept.
    original_kept_at: Mapped[str | None] = mapped_column(info=DIGEST)
    signers: Mapped[list[Any]] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    uploaded_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    uploaded_at: Mapped[datetime]
    # What the job read in the file; it proves nothing by itself.
    findings: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    read_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default=UploadState.PROPOSED.value)
    checked_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # When it was accepted, refused or withdrawn, and the words of whoever did.
    checked_at: Mapped[datetime | None]
    words: Mapped[str | None] = mapped_column(info=DIGEST)
