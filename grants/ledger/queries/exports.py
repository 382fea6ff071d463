"""The journal as rows, for files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from grants.core.db import db
from grants.ledger import rules
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.journal import leg_of
from grants.ledger.rules import NOW, AsOf

JOURNAL_COLUMNS = (
    "entry",
    "event",
    "effective_on",
    "recorded_at",
    "description",
    "source_key",
    "reverses",
    "leg",
    "account",
    "account_title",
    "debit_cents",
    "credit_cents",
    *rules.DIMENSIONS,
)


def journal_rows(*, as_of: AsOf | None = None) -> Iterator[tuple[Any, ...]]:
    """Every leg as one row of ``JOURNAL_COLUMNS``, by entry number and leg, streamed. One statement."""
    original = aliased(LedgerEntry)
    statement = (
        select(LedgerLeg, LedgerEntry, original.number, original.effective_on)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .outerjoin(original, original.id == LedgerEntry.reverses_id)
        .order_by(LedgerEntry.number, LedgerLeg.position)
        .execution_options(yield_per=2_000)
    )
    moment = as_of or NOW
    if moment.recorded_before is not None:
        statement = statement.where(LedgerEntry.recorded_at < moment.recorded_before)
    if moment.effective_to is not None:
        statement = statement.where(LedgerEntry.effective_on <= moment.effective_to)
    for row, head, reversed_number, reversed_on in db.session.execute(statement):
        leg = leg_of(row)
        yield (
            rules.reference(head.number, head.effective_on),
            head.event,
            head.effective_on,
            head.recorded_at,
            head.description,
            head.source_key,
            rules.reference(reversed_number, reversed_on) if reversed_number else None,
            row.position,
            leg.account.value,
            leg.account.label,
            leg.debit_cents,
            leg.credit_cents,
            *(getattr(leg.dims, name) for name in rules.DIMENSIONS),
        )
