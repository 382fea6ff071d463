"""What views, acts and later stages read of payments; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.payments.queries.absences import absences
from grants.payments.queries.ageing import AgeingPage, ageing, due_checked
from grants.payments.queries.ahead import cancellations
from grants.payments.queries.bank_candidates import entry_of
from grants.payments.queries.checks import checked, verify
from grants.payments.queries.circuit import circuit_page, hands_of, limits_page, stand_ins_page
from grants.payments.queries.closing import ClosingPage, checklist, closing_lines, closing_page, lines_of
from grants.payments.queries.distribution import (
    DistributionPage,
    distribution_page,
    passed_on_checked,
)
from grants.payments.queries.elsewhere import open_payments, sent_elsewhere, sent_elsewhere_file
from grants.payments.queries.expected import add_up, grant_strip, outlooks
from grants.payments.queries.finals import final_kept, final_limits
from grants.payments.queries.forecasts import (
    ForecastPage,
    KeptPage,
    kept_before,
    kept_by_the_program,
    kept_forecast,
    whole_forecast,
)
from grants.payments.queries.forecasts import forecast as forecast_page
from grants.payments.queries.funds import fund_money, outlasting_words
from grants.payments.queries.grants import GrantPayments, grant_payments
from grants.payments.queries.held import held_for_partners
from grants.payments.queries.journal import LEDGER_COLUMNS, ledger, ledger_entry, ledger_lines, stood
from grants.payments.queries.late_interest import interest_origin
from grants.payments.queries.lists import batch, batch_id_of, batch_to_send, batch_view, batches
from grants.payments.queries.offsets import offset_choices, offset_views, set_off
from grants.payments.queries.orders import (
    ROWS_MAX,
    account_numbers,
    lock_of,
    order,
    order_id_of,
    order_ids_of,
    payments_to,
    statuses_in,
    statuses_of,
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
from grants.payments.queries.recipients import RecipientsPage, recipients
from grants.payments.queries.recoveries import GrantRecoveries, grant_recoveries, recovery_in
from grants.payments.queries.requests import (
    forecast,
    history,
    parts_decided,
    request,
    request_id_of,
)
from grants.payments.queries.retaining import RetentionPage, held_scope, hold, holds, named, retention
from grants.payments.queries.reversals import reversal_page, reversals
from grants.payments.queries.securing import certificates_of, guarantees_of, secured
from grants.payments.queries.statements import accounts_of_grant, receiving_accounts
from grants.payments.queries.waiting import Inbox, duties, inbox, payable_orders

__all__ = [
    "LEDGER_COLUMNS",
    "ROWS_MAX",
    "AgeingPage",
    "Basis",
    "ClosingPage",
    "DistributionPage",
    "ForecastPage",
    "GrantPayments",
    "GrantRecoveries",
    "Inbox",
    "KeptPage",
    "RecipientsPage",
    "RetentionPage",
    "absences",
    "account_numbers",
    "accounts_of_grant",
    "add_up",
    "ageing",
    "basis_of",
    "batch",
    "batch_id_of",
    "batch_to_send",
    "batch_view",
    "batches",
    "cancellations",
    "certificates_of",
    "checked",
    "checklist",
    "circuit_page",
    "closing_lines",
    "closing_page",
    "distribution_page",
    "due_checked",
    "duties",
    "entry_of",
    "final_kept",
    "final_limits",
    "forecast",
    "forecast_page",
    "fund_money",
    "grant_payments",
    "grant_recoveries",
    "grant_strip",
    "guarantees_of",
    "hands_of",
    "held_for_partners",
    "held_scope",
    "history",
    "hold",
    "holds",
    "inbox",
    "interest_origin",
    "kept_before",
    "kept_by_the_program",
    "kept_forecast",
    "ledger",
    "ledger_entry",
    "ledger_lines",
    "limits_page",
    "lines_of",
    "lock_of",
    "moved_for",
    "named",
    "offset_choices",
    "offset_views",
    "open_of",
    "open_payments",
    "order",
    "order_id_of",
    "order_ids_of",
    "outlasting_words",
    "outlooks",
    "own_account",
    "own_account_by_id",
    "own_account_scope",
    "own_accounts",
    "parts_decided",
    "parts_kept",
    "passed_on_checked",
    "payable_from_any",
    "payable_orders",
    "paying_programmes",
    "payments_to",
    "receiving_accounts",
    "recipients",
    "recovery_in",
    "request",
    "request_id_of",
    "retention",
    "reversal_page",
    "reversals",
    "secured",
    "sent_elsewhere",
    "sent_elsewhere_file",
    "set_off",
    "stand_ins_page",
    "standing",
    "statuses_in",
    "statuses_of",
    "stood",
    "verify",
    "whole_forecast",
    "why_gone",
]
