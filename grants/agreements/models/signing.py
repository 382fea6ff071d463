"""The signatures of an agreement."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import Side
from grants.core.db import DIGEST, Row, points_to, state_check


class AgreementSignature(Row):
    """A recorded acceptance by one side, with exactly the text that was accepted and its hash.

    It is never changed or deleted. When an offer is taken back its signatures stay, as history of that offer.
    """

    __tablename__ = "agreement_signature"
    __table_args__ = (
        UniqueConstraint("grant_id", "offer_no", "side"),
        state_check(Side, "side"),
        CheckConstraint("offer_no > 0", name="of_an_offer"),
        CheckConstraint("octet_length(document_sha256) = 32", name="document_sha256_length"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    offer_no: Mapped[int]
    side: Mapped[str]
    signed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    signed_at: Mapped[datetime]
    # As it was at the signature: people may rename themselves later.
    name: Mapped[str] = mapped_column(info=DIGEST)
    capacity: Mapped[str]
    document: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    document_sha256: Mapped[bytes] = mapped_column(LargeBinary)
