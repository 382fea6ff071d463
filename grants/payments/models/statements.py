"""What the bank told: the files that were brought, the statements in them, and every line once."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, Row, points_to, state_check
from grants.core.money import Money
from grants.payments.rules.statements.values import Direction
from grants.payments.states import ImportState


class BankImport(Row):
    """One file of the bank as it was brought; a worker reads it, whole or not at all."""

    __tablename__ = "bank_import"
    __table_args__ = (
        state_check(ImportState),
        CheckConstraint("kind IN ('camt.053', 'camt.054')", name="kind_known"),
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

    What the bank says of it is never changed. ``order_id``, ``entry_id`` and ``matched_at`` are filled
    once, when it is found to execute an order and that is posted.
    """

    __tablename__ = "bank_line"
    __table_args__ = (
        UniqueConstraint("own_account_id", "line_key"),
        CheckConstraint("amount > 0", name="amount_positive"),
        state_check(Direction, "direction"),
        CheckConstraint("line_key ~ '^[0-9a-f]{64}$'", name="line_key_form"),
        CheckConstraint("parts > 0", name="parts_positive"),
        CheckConstraint("num_nulls(order_id, entry_id, matched_at) IN (0, 3)", name="match_whole"),
        CheckConstraint("order_id IS NULL OR direction = 'debit'", name="order_is_debit"),
        Index("ix_bank_line_account_day", "own_account_id", "booked_on", "number"),
        Index("ix_bank_line_statement", "statement_id", "booked_on", "number"),
        Index("ix_bank_line_unmatched", "booked_on", "number", postgresql_where=column("matched_at").is_(None)),
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
    order_id: Mapped[UUID | None] = mapped_column(points_to("payment_order.id"), index=True)
    entry_id: Mapped[UUID | None] = mapped_column(points_to("ledger_entry.id"), unique=True)
    matched_at: Mapped[datetime | None]
