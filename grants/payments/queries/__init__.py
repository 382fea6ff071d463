"""What views, acts and later stages read of payments; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.payments.queries.checks import checked, verify
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
    why_gone,
)
from grants.payments.queries.recoveries import grant_recovery
from grants.payments.queries.requests import (
    forecast,
    request,
    request_id_of,
)
from grants.payments.queries.waiting import Inbox, duties, exportable, inbox

__all__ = [
    "ROWS_MAX",
    "GrantPayments",
    "Inbox",
    "account_numbers",
    "batch",
    "batch_id_of",
    "batch_view",
    "batches",
    "checked",
    "duties",
    "exportable",
    "forecast",
    "grant_payments",
    "grant_recovery",
    "inbox",
    "ledger",
    "ledger_entry",
    "ledger_lines",
    "lock_of",
    "order",
    "order_id_of",
    "order_ids_of",
    "request",
    "request_id_of",
    "stood",
    "verify",
    "why_gone",
]
