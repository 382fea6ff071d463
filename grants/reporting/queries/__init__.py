"""Reads of reports: one with its figures, those of a grant, and what people must do about them."""

from __future__ import annotations

from grants.reporting.queries.reports import (
    accepted_by_organisation,
    asks_receipts,
    content,
    costs,
    duties,
    fingerprint,
    inside,
    milestone_scope,
    nothing,
    numbered,
    of_grant,
    own_rows,
    pays_lump_sums,
    report,
    scope_of,
    unsettled,
)

__all__ = [
    "accepted_by_organisation",
    "asks_receipts",
    "content",
    "costs",
    "duties",
    "fingerprint",
    "inside",
    "milestone_scope",
    "nothing",
    "numbered",
    "of_grant",
    "own_rows",
    "pays_lump_sums",
    "report",
    "scope_of",
    "unsettled",
]
