"""What views, acts and later stages read of grants; the modules beside this one say how."""

from __future__ import annotations

from grants.agreements.queries.bank_accounts import accounts, proposed_account
from grants.agreements.queries.conditions import answered_for, conditions, conditions_now, evidence, reach_of
from grants.agreements.queries.duty import duties
from grants.agreements.queries.lapsing import ending
from grants.agreements.queries.lists import found_by_name, grants, is_declined, selected_without_grant
from grants.agreements.queries.reach import (
    id_of,
    in_conflict_with,
    lies_in,
    readable,
    scope,
    scope_of,
    scope_of_view,
    visible,
)
from grants.agreements.queries.reading import contacts, grant, milestones, team, time_limits_of, view

__all__ = [
    "accounts",
    "answered_for",
    "conditions",
    "conditions_now",
    "contacts",
    "duties",
    "ending",
    "evidence",
    "found_by_name",
    "grant",
    "grants",
    "id_of",
    "in_conflict_with",
    "is_declined",
    "lies_in",
    "milestones",
    "proposed_account",
    "reach_of",
    "readable",
    "scope",
    "scope_of",
    "scope_of_view",
    "selected_without_grant",
    "team",
    "time_limits_of",
    "view",
    "visible",
]
