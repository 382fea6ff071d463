"""What secures the money of a grant: certificates on financial statements before the balance, guarantees before pre-financing."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.states import CertificateState


class FinancialCertificate(Row):
    """The certificate on the financial statements of one beneficiary, wanted from the moment the balance opens.

    ``contribution`` is what its accepted reports gave it over the whole action, by which it is asked for.
    """

    __tablename__ = "financial_certificate"
    __table_args__ = (
        UniqueConstraint("grant_id", "organisation_id"),
        UniqueConstraint("grant_id", "number"),
        state_check(CertificateState),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint(
            "state NOT IN ('brought', 'accepted') OR num_nulls(issuer, issued_on, brought_at, brought_by) = 0",
            name="brought_whole",
        ),
        CheckConstraint(
            "state NOT IN ('accepted', 'done_without') OR num_nulls(judged_at, judged_by) = 0", name="judged_has_person"
        ),
        CheckConstraint("state <> 'done_without' OR words IS NOT NULL", name="done_without_has_reason"),
        CheckConstraint("state <> 'accepted' OR judged_by <> brought_by", name="judged_by_another"),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"))
    number: Mapped[int]
    state: Mapped[str]
    contribution: Mapped[Money]
    # Who certified, and on which day; the paper is a file of this row.
    issuer: Mapped[str | None]
    issued_on: Mapped[date | None]
    brought_at: Mapped[datetime | None]
    brought_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    judged_at: Mapped[datetime | None]
    judged_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    # Why it was returned, or done without; the city reads it.
    words: Mapped[str | None] = mapped_column(info=DIGEST)


class PaymentGuarantee(Row):
    """A financial guarantee for the pre-financing of a grant, until it ends: given back, or recorded in error."""

    __tablename__ = "payment_guarantee"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("guarantor <> ''", name="has_guarantor"),
        CheckConstraint(
            "num_nulls(ended_at, ended_by, end_reason) IN (0, 3)",
            name="ended_whole",
        ),
        Index("uq_payment_guarantee_stands", "grant_id", unique=True, postgresql_where=column("ended_at").is_(None)),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    guarantor: Mapped[str]
    amount: Mapped[Money]
    # Its last day.
    valid_until: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    end_reason: Mapped[str | None]
