"""The bank accounts of payees."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import BankAccountState
from grants.core.db import DIGEST, Row, points_to, state_check


class BankAccount(Row):
    """A payee's account: entered by one person, confirmed by another; at most one is confirmed for an organisation."""

    __tablename__ = "bank_account"
    __table_args__ = (
        state_check(BankAccountState),
        CheckConstraint("state <> 'confirmed' OR confirmed_by IS NOT NULL", name="confirmed_has_person"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> entered_by", name="two_people"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_has_time"),
        Index(
            "uq_bank_account_one_confirmed",
            "organisation_id",
            unique=True,
            postgresql_where=column("state") == "confirmed",
        ),
    )

    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    holder: Mapped[str] = mapped_column(info=DIGEST)
    iban: Mapped[str] = mapped_column(info=DIGEST)
    bic: Mapped[str | None]
    state: Mapped[str]
    entered_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    entered_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    evidence: Mapped[str | None]
