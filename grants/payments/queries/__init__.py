"""What views, acts and later stages read of payments; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.payments.queries.ageing import AgeingPage, ageing, due_checked
from grants.payments.queries.checks import checked, verify
from grants.payments.queries.expected import add_up, grant_strip, outlooks
from grants.payments.queries.forecasts import (
    ForecastPage,
    KeptPage,
    kept_before,
    kept_by_the_program,
    kept_forecast,
    whole_forecast,
)
from grants.payments.queries.forecasts import forecast as forecast_page
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
    "AgeingPage",
    "Basis",
    "ForecastPage",
    "GrantPayments",
    "Inbox",
    "KeptPage",
    "account_numbers",
    "add_up",
    "ageing",
    "basis_of",
    "batch",
    "batch_id_of",
    "batch_view",
    "batches",
    "checked",
    "due_checked",
    "duties",
    "forecast",
    "forecast_page",
    "grant_payments",
    "grant_recovery",
    "grant_strip",
    "history",
    "inbox",
    "kept_before",
    "kept_by_the_program",
    "kept_forecast",
    "ledger",
    "ledger_entry",
    "ledger_lines",
    "lock_of",
    "moved_for",
    "open_of",
    "order",
    "order_id_of",
    "order_ids_of",
    "outlooks",
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
    "standing",
    "stood",
    "verify",
    "whole_forecast",
    "why_gone",
]
