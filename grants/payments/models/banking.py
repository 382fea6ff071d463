"""The bank accounts the programme itself pays from."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, column, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check
from grants.payments.states import OwnAccountState


class OwnAccount(Row):
    """An account of a programme: entered by one person, confirmed by another, and never rewritten.

    Another number or name is another account. The address is that of the holder, in parts, as a bank file tells it.
    """

    __tablename__ = "own_account"
    __table_args__ = (
        state_check(OwnAccountState),
        CheckConstraint("iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'", name="iban_form"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_form"),
        # Money is in euro everywhere; an account of another currency could not be proved against the ledger.
        CheckConstraint("currency = 'EUR'", name="currency_is_euro"),
        CheckConstraint("num_nulls(confirmed_by, confirmed_at, evidence) IN (0, 3)", name="confirmation_whole"),
        CheckConstraint("num_nulls(closed_by, closed_at, close_reason) IN (0, 3)", name="closing_whole"),
        CheckConstraint("state <> 'confirmed' OR confirmed_by IS NOT NULL", name="confirmed_has_person"),
        CheckConstraint("state <> 'proposed' OR confirmed_by IS NULL", name="proposed_has_none"),
        CheckConstraint("(state = 'closed') = (closed_by IS NOT NULL)", name="closed_has_person"),
        CheckConstraint("confirmed_by <> entered_by", name="confirmed_by_another"),
        # A statement names its account by the number alone.
        Index(
            "uq_own_account_iban", "iban", unique=True, postgresql_where=column("state") != literal_column("'closed'")
        ),
    )

    programme_id: Mapped[UUID] = mapped_column(points_to("programme.id"), index=True)
    reference: Mapped[str] = mapped_column(unique=True)
    holder: Mapped[str]
    iban: Mapped[str]
    bic: Mapped[str | None]
    country: Mapped[str]
    town: Mapped[str]
    postcode: Mapped[str | None]
    street: Mapped[str | None]
    building: Mapped[str | None]
    currency: Mapped[str]
    state: Mapped[str]
    entered_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    entered_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    evidence: Mapped[str | None]
    closed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
