"""Pages of payments, each in the module of its subject; here is what the program takes from them."""

from __future__ import annotations

from grants.payments.views import (
    answering,
    approvals,
    circuit,
    elsewhere,
    forecasts,
    funds,
    grants,
    ledger,
    lists,
    orders,
    own_accounts,
    recoveries,
    requests,
    reversals,
    securing,
    statements,
)
from grants.payments.views.frame import NAVIGATION, bp

__all__ = [
    "NAVIGATION",
    "answering",
    "approvals",
    "bp",
    "circuit",
    "elsewhere",
    "forecasts",
    "funds",
    "grants",
    "ledger",
    "lists",
    "orders",
    "own_accounts",
    "recoveries",
    "requests",
    "reversals",
    "securing",
    "statements",
]
