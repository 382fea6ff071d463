"""What the bank told: the files that were brought, the statements in them, and every line once."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.rules.statements.values import Direction
from grants.payments.states import BookedAs, ClaimState, Explained, ImportState, StatusOutcome


class BankImport(Row):
    """One file of the bank as it was brought; a worker reads it, whole or not at all."""

    __tablename__ = "bank_import"
    __table_args__ = (
        state_check(ImportState),
        CheckConstraint("kind IN ('camt.053', 'camt.054', 'pain.002', 'csv')", name="kind_known"),
        CheckConstraint("(state = 'refused') = (problem IS NOT NULL)", name="refused_has_problem"),
        CheckConstraint("(state = 'imported') = (lines_new IS NOT NULL)", name="imported_has_lines"),
        CheckConstraint("num_nulls(lines_new, lines_known) IN (0, 2)", name="lines_whole"),
        CheckConstraint("lines_new >= 0 AND lines_known >= 0", name="lines_not_negative"),
        # A file that was refused may come again, once what was missing is there.
        Index("uq_bank_import_sha256", "sha256", unique=True, postgresql_where=column("state") != "refused"),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True, info={"audit": "none"})
    reference: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(info=DIGEST)
    sha256: Mapped[str]
    state: Mapped[str]
    uploaded_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    uploaded_at: Mapped[datetime]
    problem: Mapped[str | None]
    lines_new: Mapped[int | None]
    lines_known: Mapped[int | None]


class BankStatement(Row):
    """One statement of an account of the programme: it begins with the balance the one before it closed with."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        UniqueConstraint("own_account_id", "position"),
        UniqueConstraint("previous_id"),
        CheckConstraint("(position = 1) = (previous_id IS NULL)", name="first_follows_none"),
        CheckConstraint("from_on <= to_on", name="days_in_order"),
        CheckConstraint("position > 0 AND lines >= 0", name="counts_not_negative"),
    )

    own_account_id: Mapped[UUID] = mapped_column(points_to("own_account.id"))
    import_id: Mapped[UUID] = mapped_column(points_to("bank_import.id"), index=True)
    previous_id: Mapped[UUID | None] = mapped_column(points_to("bank_statement.id"))
    position: Mapped[int]
    identifier: Mapped[str]
    bank_number: Mapped[str]
    from_on: Mapped[date]
    to_on: Mapped[date]
    opening: Mapped[Money]
    closing: Mapped[Money]
    lines: Mapped[int]


class BankLine(Row):
    """One movement of an account, whichever files tell of it; a notice tells of it before its statement does.

    What the bank says of it is never changed. What it was booked as is filled once: with the order it executes, the file
    it pays whole or the recovery it pays back, and the entry that moved the account. A receipt nobody knew what for is
    told later, and keeps the entry of the day it came.
    """

    __tablename__ = "bank_line"
    __table_args__ = (
        UniqueConstraint("own_account_id", "line_key"),
        CheckConstraint("amount > 0", name="amount_positive"),
        state_check(Direction, "direction"),
        CheckConstraint("line_key ~ '^[0-9a-f]{64}$'", name="line_key_form"),
        CheckConstraint("parts > 0", name="parts_positive"),
        CheckConstraint("(booked_as IS NULL) = (matched_at IS NULL)", name="match_whole"),
        CheckConstraint(f"booked_as IN ({', '.join(repr(each.value) for each in BookedAs)})", name="booked_as_known"),
        CheckConstraint(
            "(coalesce(booked_as, '') IN ('order', 'return')) = (order_id IS NOT NULL)", name="order_is_named"
        ),
        CheckConstraint("(coalesce(booked_as, '') = 'file') = (batch_id IS NOT NULL)", name="file_is_named"),
        CheckConstraint("coalesce(booked_as, '') <> 'recovery' OR recovery_id IS NOT NULL", name="recovery_is_named"),
        CheckConstraint(
            "(coalesce(booked_as, 'file') IN ('file', 'set_aside')) = (entry_id IS NULL)", name="booked_has_entry"
        ),
        CheckConstraint(
            "booked_as NOT IN ('order', 'file', 'charge', 'repaid') OR direction = 'debit'", name="paid_is_debit"
        ),
        CheckConstraint(
            "booked_as NOT IN ('recovery', 'funding', 'unidentified', 'return') OR direction = 'credit'",
            name="received_is_credit",
        ),
        CheckConstraint("(identified_at IS NULL) = (identified_as IS NULL)", name="identified_whole"),
        CheckConstraint("identified_at IS NULL OR booked_as = 'unidentified'", name="identified_was_not"),
        CheckConstraint("identified_as IN ('recovery', 'funding', 'return')", name="identified_as_known"),
        Index("ix_bank_line_account_day", "own_account_id", "booked_on", "number"),
        Index("ix_bank_line_statement", "statement_id", "booked_on", "number"),
        Index("ix_bank_line_unmatched", "booked_on", "number", postgresql_where=column("matched_at").is_(None)),
        Index(
            "ix_bank_line_unidentified",
            "booked_on",
            "number",
            postgresql_where="booked_as = 'unidentified' AND identified_at IS NULL",
        ),
        # A bank books an order, and a file, once.
        Index("uq_bank_line_order", "order_id", unique=True, postgresql_where="booked_as = 'order'"),
        Index("uq_bank_line_return", "order_id", unique=True, postgresql_where="booked_as = 'return'"),
        Index("uq_bank_line_batch", "batch_id", unique=True),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True, info={"audit": "none"})
    own_account_id: Mapped[UUID] = mapped_column(points_to("own_account.id"))
    import_id: Mapped[UUID] = mapped_column(points_to("bank_import.id"), index=True)
    statement_id: Mapped[UUID | None] = mapped_column(points_to("bank_statement.id"))
    line_key: Mapped[str]
    amount: Mapped[Money]
    direction: Mapped[str]
    is_reversal: Mapped[bool]
    booked_on: Mapped[date]
    value_on: Mapped[date | None]
    bank_reference: Mapped[str]
    end_to_end_id: Mapped[str]
    instruction_id: Mapped[str]
    payment_id: Mapped[str]
    transaction_code: Mapped[str]
    return_reason: Mapped[str]
    counterparty: Mapped[str] = mapped_column(info=DIGEST)
    counterparty_iban: Mapped[str] = mapped_column(info=DIGEST)
    remittance: Mapped[str] = mapped_column(info=DIGEST)
    parts: Mapped[int]
    booked_as: Mapped[str | None]
    order_id: Mapped[UUID | None] = mapped_column(points_to("payment_order.id"), index=True)
    batch_id: Mapped[UUID | None] = mapped_column(points_to("payment_batch.id"))
    recovery_id: Mapped[UUID | None] = mapped_column(points_to("recovery.id"), index=True)
    entry_id: Mapped[UUID | None] = mapped_column(points_to("ledger_entry.id"), unique=True)
    matched_at: Mapped[datetime | None]
    identified_at: Mapped[datetime | None]
    identified_as: Mapped[str | None]


class BankClaim(Row):
    """What one person says a line of the bank is, where its references do not say so: another person confirms it.

    One at a time for a line, and each stays on the record as it ended.
    """

    __tablename__ = "bank_claim"
    __table_args__ = (
        state_check(ClaimState),
        state_check(Explained, "explained"),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("(explained IN ('order', 'return')) = (order_id IS NOT NULL)", name="order_is_named"),
        CheckConstraint("(explained IN ('recovery', 'repaid')) = (recovery_id IS NOT NULL)", name="recovery_is_named"),
        CheckConstraint("(explained = 'file') = (batch_id IS NOT NULL)", name="file_is_named"),
        CheckConstraint("(explained = 'funding') = (fund_source_id IS NOT NULL)", name="fund_is_named"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided_has_date"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decision_whole"),
        CheckConstraint("(state = 'withdrawn') = (decided_by = proposed_by)", name="decided_by_another"),
        CheckConstraint("(state = 'refused') = (refuse_reason IS NOT NULL)", name="refused_has_reason"),
        Index("uq_bank_claim_open", "line_id", unique=True, postgresql_where="state = 'proposed'"),
        Index("ix_bank_claim_line_id", "line_id"),
    )

    line_id: Mapped[UUID] = mapped_column(points_to("bank_line.id"))
    explained: Mapped[str]
    order_id: Mapped[UUID | None] = mapped_column(points_to("payment_order.id"))
    batch_id: Mapped[UUID | None] = mapped_column(points_to("payment_batch.id"))
    recovery_id: Mapped[UUID | None] = mapped_column(points_to("recovery.id"))
    fund_source_id: Mapped[UUID | None] = mapped_column(points_to("fund_source.id"))
    reason: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime | None]
    refuse_reason: Mapped[str | None]


class BankStatus(Row):
    """What the bank said of one order in a status report (pain.002), and what came of it here; never changed."""

    __tablename__ = "bank_status"
    __table_args__ = (
        UniqueConstraint("import_id", "end_to_end_id"),
        state_check(StatusOutcome, "outcome"),
        CheckConstraint("order_id IS NOT NULL OR outcome = 'unknown'", name="known_has_order"),
    )

    import_id: Mapped[UUID] = mapped_column(points_to("bank_import.id"))
    order_id: Mapped[UUID | None] = mapped_column(points_to("payment_order.id"), index=True)
    end_to_end_id: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str]
    outcome: Mapped[str]
    told_at: Mapped[datetime]
