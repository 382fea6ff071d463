"""Reads of reports: one with its figures, those of a grant, and what people must do about them; the modules beside this one say how."""

from __future__ import annotations

from grants.reporting.queries.reports import (
    DUTIES_MAX,
    Inside,
    accepted_by_organisation,
    accepted_costs,
    content,
    costs,
    duties,
    fingerprint,
    inside,
    list_hash,
    milestone_scope,
    names,
    names_of,
    numbered,
    of_grant,
    own_rows,
    report,
    scope_of,
    unsettled,
)

__all__ = [
    "DUTIES_MAX",
    "Inside",
    "accepted_by_organisation",
    "accepted_costs",
    "content",
    "costs",
    "duties",
    "fingerprint",
    "inside",
    "list_hash",
    "milestone_scope",
    "names",
    "names_of",
    "numbered",
    "of_grant",
    "own_rows",
    "report",
    "scope_of",
    "unsettled",
]
