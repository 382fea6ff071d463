"""What views, acts and later stages read of payments; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.payments.queries.absences import absences
from grants.payments.queries.checks import checked, verify
from grants.payments.queries.circuit import circuit_page, hands_of, limits_page, stand_ins_page
from grants.payments.queries.grants import GrantPayments, grant_payments
from grants.payments.queries.journal import LEDGER_COLUMNS, ledger, ledger_entry, ledger_lines, stood
from grants.payments.queries.lists import batch, batch_id_of, batch_view, batches
from grants.payments.queries.orders import (
    ROWS_MAX,
    account_numbers,
    lock_of,
    order,
    order_id_of,
    order_ids_of,
    payments_to,
    why_gone,
)
from grants.payments.queries.own_accounts import (
    own_account,
    own_account_by_id,
    own_account_scope,
    own_accounts,
    payable_from_any,
    paying_programmes,
)
from grants.payments.queries.parts import Basis, basis_of, moved_for, open_of, parts_kept, standing
from grants.payments.queries.recoveries import grant_recovery
from grants.payments.queries.requests import (
    forecast,
    history,
    parts_decided,
    request,
    request_id_of,
)
from grants.payments.queries.reversals import reversal_page, reversals
from grants.payments.queries.waiting import Inbox, duties, inbox, payable_orders

__all__ = [
    "LEDGER_COLUMNS",
    "ROWS_MAX",
    "Basis",
    "GrantPayments",
    "Inbox",
    "absences",
    "account_numbers",
    "basis_of",
    "batch",
    "batch_id_of",
    "batch_view",
    "batches",
    "checked",
    "circuit_page",
    "duties",
    "forecast",
    "grant_payments",
    "grant_recovery",
    "hands_of",
    "history",
    "inbox",
    "ledger",
    "ledger_entry",
    "ledger_lines",
    "limits_page",
    "lock_of",
    "moved_for",
    "open_of",
    "order",
    "order_id_of",
    "order_ids_of",
    "own_account",
    "own_account_by_id",
    "own_account_scope",
    "own_accounts",
    "parts_decided",
    "parts_kept",
    "payable_from_any",
    "payable_orders",
    "paying_programmes",
    "payments_to",
    "request",
    "request_id_of",
    "reversal_page",
    "reversals",
    "stand_ins_page",
    "standing",
    "stood",
    "verify",
    "why_gone",
]
