"""The bank accounts of payees, and how long a new one waits before it is paid to."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import BankAccountState, CheckChannel, PayeeMatch
from grants.core.db import DIGEST, Row, points_to, state_check


class BankAccount(Row):
    """A payee's account: entered by one person, confirmed by another; at most one is confirmed for an organisation.

    ``asks_evidence`` is false of rows from before evidence, check and address were asked for: they stand as they were taken.
    """

    __tablename__ = "bank_account"
    __table_args__ = (
        state_check(BankAccountState),
        CheckConstraint("state <> 'confirmed' OR confirmed_by IS NOT NULL", name="confirmed_has_person"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> entered_by", name="two_people"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_has_time"),
        CheckConstraint(
            "NOT asks_evidence OR (evidence_on IS NOT NULL AND town IS NOT NULL AND country_code IS NOT NULL)",
            name="entered_whole",
        ),
        CheckConstraint(
            "NOT asks_evidence OR confirmed_at IS NULL"
            " OR (channel IS NOT NULL AND checked_on IS NOT NULL AND evidence IS NOT NULL AND payee_match IS NOT NULL)",
            name="checked_whole",
        ),
        CheckConstraint("confirmed_at IS NULL OR payee_match <> 'no_match'", name="no_match_not_confirmed"),
        CheckConstraint("(payee_match = 'close_match') = (payee_match_name IS NOT NULL)", name="close_match_has_name"),
        CheckConstraint(
            "(payee_match IN ('match', 'close_match')) = (payee_matched_on IS NOT NULL)", name="match_has_day"
        ),
        CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name="ended_has_person"),
        CheckConstraint(
            "NOT asks_evidence OR (state IN ('replaced', 'refused')) = (ended_at IS NOT NULL)", name="ended_has_time"
        ),
        CheckConstraint("NOT asks_evidence OR state <> 'refused' OR end_reason IS NOT NULL", name="refused_has_reason"),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_code_form"),
        state_check(CheckChannel, "channel"),
        state_check(PayeeMatch, "payee_match"),
        Index(
            "uq_bank_account_one_confirmed",
            "organisation_id",
            unique=True,
            postgresql_where=column("state") == "confirmed",
        ),
        Index("ix_bank_account_iban", "iban"),
    )

    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    holder: Mapped[str] = mapped_column(info=DIGEST)
    iban: Mapped[str] = mapped_column(info=DIGEST)
    bic: Mapped[str | None]
    # Of the holder, as a bank file writes it.
    town: Mapped[str | None]
    country_code: Mapped[str | None]
    postcode: Mapped[str | None]
    street: Mapped[str | None] = mapped_column(info=DIGEST)
    building: Mapped[str | None]
    state: Mapped[str]
    entered_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    entered_at: Mapped[datetime]
    asks_evidence: Mapped[bool] = mapped_column(default=True)
    # The day of the bank's document; the file itself stands beside the row.
    evidence_on: Mapped[date | None]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    # What the second person compared, by which way and on which day.
    evidence: Mapped[str | None]
    channel: Mapped[str | None]
    checked_on: Mapped[date | None]
    payee_match: Mapped[str | None]
    payee_match_name: Mapped[str | None] = mapped_column(info=DIGEST)
    payee_matched_on: Mapped[date | None]
    # Who entered or confirmed what replaced it, or refused it, and when.
    ended_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(info=DIGEST)


class AccountWaiting(Row):
    """From a day on accounts wait so long between confirmation and payment: rules of a programme, never changed, only followed."""

    __tablename__ = "account_waiting"
    __table_args__ = (
        CheckConstraint("days BETWEEN 0 AND 90 AND marked_days BETWEEN 0 AND 90", name="days_in_range"),
        CheckConstraint("reason <> ''", name="has_reason"),
        UniqueConstraint("programme_id", "number"),
    )

    programme_id: Mapped[UUID] = mapped_column(points_to("programme.id"))
    number: Mapped[int]
    starts_on: Mapped[date]
    days: Mapped[int]
    marked_days: Mapped[int]
    reason: Mapped[str]
    set_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    set_at: Mapped[datetime]
