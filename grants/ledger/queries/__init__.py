"""Reads of the journal: balances at any as-of moment, entries page by page, one entry whole, and the checks of it all."""

from __future__ import annotations

from grants.ledger.queries.checks import Standing, checked, dimension_ids, standing, verify
from grants.ledger.queries.exports import JOURNAL_COLUMNS, journal_rows
from grants.ledger.queries.funds import of_fund, summed
from grants.ledger.queries.journal import (
    EntryFilter,
    EntryRow,
    EntryView,
    count_entries,
    entries,
    entry,
    leaves_out,
    legs,
    source_keys,
    visible,
)
from grants.ledger.queries.moments import budgets_of_calls, committed_and_paid, out_of_order, stood
from grants.ledger.queries.sums import (
    at_places,
    available_cents,
    balance,
    balances,
    cents_of,
    grants_balances,
    of,
    partners_consumed,
    partners_open,
    sides,
    sums_by_grant,
    trial_balance,
)

__all__ = [
    "JOURNAL_COLUMNS",
    "EntryFilter",
    "EntryRow",
    "EntryView",
    "Standing",
    "at_places",
    "available_cents",
    "balance",
    "balances",
    "budgets_of_calls",
    "cents_of",
    "checked",
    "committed_and_paid",
    "count_entries",
    "dimension_ids",
    "entries",
    "entry",
    "grants_balances",
    "journal_rows",
    "leaves_out",
    "legs",
    "of",
    "of_fund",
    "out_of_order",
    "partners_consumed",
    "partners_open",
    "sides",
    "source_keys",
    "standing",
    "stood",
    "summed",
    "sums_by_grant",
    "trial_balance",
    "verify",
    "visible",
]
