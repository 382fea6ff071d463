"""What views, acts and later stages read of payments; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.payments.queries.checks import checked, verify
from grants.payments.queries.elsewhere import open_payments, sent_elsewhere, sent_elsewhere_file
from grants.payments.queries.funds import fund_money, outlasting_words
from grants.payments.queries.grants import GrantPayments, grant_payments
from grants.payments.queries.journal import ledger, ledger_entry, ledger_lines, stood
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
    "ROWS_MAX",
    "Basis",
    "GrantPayments",
    "Inbox",
    "account_numbers",
    "basis_of",
    "batch",
    "batch_id_of",
    "batch_view",
    "batches",
    "checked",
    "duties",
    "forecast",
    "fund_money",
    "grant_payments",
    "grant_recovery",
    "history",
    "inbox",
    "ledger",
    "ledger_entry",
    "ledger_lines",
    "lock_of",
    "moved_for",
    "open_of",
    "open_payments",
    "order",
    "order_id_of",
    "order_ids_of",
    "outlasting_words",
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
    "sent_elsewhere",
    "sent_elsewhere_file",
    "standing",
    "stood",
    "verify",
    "why_gone",
]
