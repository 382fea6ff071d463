"""Pages of payments, each in the module of its subject; here is what the program takes from them."""

from __future__ import annotations

from grants.payments.views import (
    amounts,
    answering,
    approvals,
    circuit,
    distribution,
    elsewhere,
    executions,
    forecasts,
    funds,
    grants,
    interest,
    keeping,
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
    "amounts",
    "answering",
    "approvals",
    "bp",
    "circuit",
    "distribution",
    "elsewhere",
    "executions",
    "forecasts",
    "funds",
    "grants",
    "interest",
    "keeping",
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
