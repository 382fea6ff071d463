"""What views, acts and later stages read of grants; the modules beside this one say how."""

from __future__ import annotations

from grants.agreements.queries.bank_accounts import (
    ACCOUNT_FILES,
    PayeeAccounts,
    account_file,
    accounts,
    acts_for_city,
    address_of,
    payee_accounts,
    proposed_account,
    shared_with,
    shared_with_accounts,
    waiting_by_programme,
    waiting_of,
    waiting_rules,
)
from grants.agreements.queries.conditions import answered_for, conditions, conditions_now, evidence, reach_of
from grants.agreements.queries.duty import duties
from grants.agreements.queries.holding import HOLD_FILES, holds
from grants.agreements.queries.lapsing import ending
from grants.agreements.queries.lists import found_by_name, grants, is_declined, selected_without_grant
from grants.agreements.queries.reach import (
    conflicts_among,
    id_of,
    in_conflict_with,
    lies_in,
    readable,
    scope,
    scope_of,
    scope_of_view,
    signers_of_programme,
    visible,
)
from grants.agreements.queries.reading import contacts, grant, milestones, payment_clock_of, team, time_limits_of, view
from grants.agreements.queries.revising import revised, revision, revision_now, revision_page, revision_row
from grants.agreements.queries.terminating import TERMINATION_FILES, ended_on, terminations, to_carry_out
from grants.agreements.queries.texts import offered_text, text_of
from grants.agreements.queries.transferring import flexibility, held_of, money_locked, transfers

__all__ = [
    "ACCOUNT_FILES",
    "HOLD_FILES",
    "TERMINATION_FILES",
    "PayeeAccounts",
    "account_file",
    "accounts",
    "acts_for_city",
    "address_of",
    "answered_for",
    "conditions",
    "conditions_now",
    "conflicts_among",
    "contacts",
    "duties",
    "ended_on",
    "ending",
    "evidence",
    "flexibility",
    "found_by_name",
    "grant",
    "grants",
    "held_of",
    "holds",
    "id_of",
    "in_conflict_with",
    "is_declined",
    "lies_in",
    "milestones",
    "money_locked",
    "offered_text",
    "payee_accounts",
    "payment_clock_of",
    "proposed_account",
    "reach_of",
    "readable",
    "revised",
    "revision",
    "revision_now",
    "revision_page",
    "revision_row",
    "scope",
    "scope_of",
    "scope_of_view",
    "selected_without_grant",
    "shared_with",
    "shared_with_accounts",
    "signers_of_programme",
    "team",
    "terminations",
    "text_of",
    "time_limits_of",
    "to_carry_out",
    "transfers",
    "view",
    "visible",
    "waiting_by_programme",
    "waiting_of",
    "waiting_rules",
]
