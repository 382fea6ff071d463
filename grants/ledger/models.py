"""The journal: entries and their legs, only ever added; balances are sums and stored nowhere; sums by month are kept beside it for long lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    column,
)
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Base, Row, points_to
from grants.core.money import Money
from grants.ledger.accounts import Account, Side
from grants.ledger.rules import Event


def _one_of(column: str, values: type[Account] | type[Side] | type[Event]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({_names(values)})", name=f"{column}_known")


def _names(values: Iterable[Account | Side | Event]) -> str:
    return ", ".join(f"'{value.value}'" for value in values)


class LedgerEntry(Row):
    """One event of money. ``recorded_at`` is the act's moment, or a moment up to which the books were read since;
    ``effective_on`` is the day it counts from.

    ``legs_sha256`` is audited with the entry, so that the audit chain covers the legs too.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        _one_of("event", Event),
        CheckConstraint("(event = 'E24') = (reverses_id IS NOT NULL)", name="reversal_names_its_original"),
        CheckConstraint("reverses_id <> id", name="reversal_of_another"),
        Index("ix_ledger_entry_effective_on_number", "effective_on", "number"),
    )
    # The number is not asked back while posting: then many entries are one statement, numbered in the order they were added.
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 -- SQLAlchemy reads it so

    # From the database and not from a counter row: numbers may have gaps, writers never queue for one.
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True, info={"audit": "none"})
    event: Mapped[str]
    source_key: Mapped[str] = mapped_column(unique=True)
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    description: Mapped[str]
    reverses_id: Mapped[UUID | None] = mapped_column(points_to("ledger_entry.id"), unique=True)
    legs_sha256: Mapped[str]


class LedgerLeg(Base):
    """One line of an entry; its dimensions are ids without foreign keys, checked by ``grants ledger verify``."""

    __tablename__ = "ledger_leg"
    __table_args__ = (
        _one_of("account", Account),
        _one_of("side", Side),
        CheckConstraint("cents > 0", name="cents_above_zero"),
        CheckConstraint(f"own_account_id IS NULL OR account = '{Account.BANK.value}'", name="own_account_of_bank"),
        Index("ix_ledger_leg_account_call_id", "account", "call_id"),
        Index("ix_ledger_leg_account_entry_id", "account", "entry_id", postgresql_include=["side", "cents"]),
        Index("ix_ledger_leg_account_grant_id", "account", "grant_id"),
        Index("ix_ledger_leg_call_id_entry_id", "call_id", "entry_id"),
        Index("ix_ledger_leg_category", "category", "entry_id", postgresql_where=column("category").is_not(None)),
        Index("ix_ledger_leg_document_id", "document_id"),
        Index("ix_ledger_leg_grant_id", "grant_id"),
        Index("ix_ledger_leg_organisation_id_entry_id", "organisation_id", "entry_id"),
        Index("ix_ledger_leg_period", "period", "entry_id", postgresql_where=column("period").is_not(None)),
    )

    entry_id: Mapped[UUID] = mapped_column(points_to("ledger_entry.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[str]
    side: Mapped[str]
    cents: Mapped[Money]
    fund_source_id: Mapped[UUID | None]
    call_id: Mapped[UUID | None]
    grant_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    category: Mapped[str | None]
    period: Mapped[str | None]
    document_id: Mapped[UUID | None]
    own_account_id: Mapped[UUID | None]


# What was debited and credited on an account in a month, by call and parent grant, for the running balance of long lists.
# Kept by a trigger in the transaction that posts and written by nothing else: no class, so that no session can add a row.
# It decides nothing, and the verify holds it against the legs. Months are of the effective day, and of the recorded moment
# in UTC: both times can be asked for. Posts on one call queue behind each other anyway, so its rows make nobody wait.
LEDGER_MONTH = Table(
    "ledger_month",
    Base.metadata,
    Column("account", Text, nullable=False),
    Column("call_id", Uuid),
    Column("fund_source_id", Uuid),
    Column("effective_month", Date, nullable=False),
    Column("recorded_month", Date, nullable=False),
    Column("debits", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    UniqueConstraint(
        *("account", "call_id", "fund_source_id", "effective_month", "recorded_month"),
        name="uq_ledger_month_place",
        postgresql_nulls_not_distinct=True,
    ),
)


class LedgerReading(Row):
    """Up to which moment the books were read for a statement: whatever is posted later is recorded at it or after.

    So a statement of that moment says the same whenever it is made again, although acts last a while.
    """

    __tablename__ = "ledger_reading"

    as_of: Mapped[datetime] = mapped_column(index=True)
