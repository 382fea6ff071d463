"""Reads of reports: one with its figures, those of a grant, and what people must do about them; the modules beside this one say how."""

from __future__ import annotations

from grants.reporting.queries.reports import (
    accepted_by_organisation,
    asks_receipts,
    content,
    costs,
    duties,
    fingerprint,
    inside,
    list_hash,
    milestone_scope,
    names,
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
    "list_hash",
    "milestone_scope",
    "names",
    "numbered",
    "of_grant",
    "own_rows",
    "pays_lump_sums",
    "report",
    "scope_of",
    "unsettled",
]
