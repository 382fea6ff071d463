"""Reads of the journal: balances at any as-of moment, entries page by page, one entry whole, and the checks of it all."""

from __future__ import annotations

from grants.ledger.queries.checks import PROBLEMS_MAX, dimension_ids, verify
from grants.ledger.queries.exports import BALANCE_COLUMNS, JOURNAL_COLUMNS, balance_rows, journal_rows
from grants.ledger.queries.journal import (
    ActLine,
    EntryFilter,
    EntryRow,
    EntryView,
    amount_of,
    count_entries,
    entries,
    entry,
    leaves_out,
    legs,
    source_keys,
)
from grants.ledger.queries.sums import (
    BalanceRow,
    balance,
    balances,
    grants_balances,
    of,
    partners_consumed,
    partners_open,
    trial_balance,
)

__all__ = [
    "BALANCE_COLUMNS",
    "JOURNAL_COLUMNS",
    "PROBLEMS_MAX",
    "ActLine",
    "BalanceRow",
    "EntryFilter",
    "EntryRow",
    "EntryView",
    "amount_of",
    "balance",
    "balance_rows",
    "balances",
    "count_entries",
    "dimension_ids",
    "entries",
    "entry",
    "grants_balances",
    "journal_rows",
    "leaves_out",
    "legs",
    "of",
    "partners_consumed",
    "partners_open",
    "source_keys",
    "trial_balance",
    "verify",
]
