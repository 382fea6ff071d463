"""Acts of payments: open and decide requests, carry orders through the hands of their circuit, let them leave in a list, recover.

Every act here locks the call, then the grant, then its partners, then requests and orders: whoever
pays from the same grant waits, and checks what then stands.
"""

from __future__ import annotations

from grants.payments.services.bank_reports import apply_report
from grants.payments.services.bank_statements import import_statement, read_statement
from grants.payments.services.booking import book_lines
from grants.payments.services.building import build, discard, make_batch_file, open_batch_file, sheet
from grants.payments.services.circuit import (
    confirm_circuit,
    confirm_limit,
    propose_circuit,
    propose_limit,
    refuse_circuit,
    refuse_limit,
    withdraw_circuit,
    withdraw_limit,
)
from grants.payments.services.clock import answer_suspension, lift, suspend
from grants.payments.services.closure import close_grant, closure_problems
from grants.payments.services.elsewhere import compare, leave_record, unknown_files
from grants.payments.services.entering import confirm, enter_as_sent, propose, refuse
from grants.payments.services.explaining import confirm_claim, explain, refuse_claim, withdraw_claim
from grants.payments.services.following import follow_agreement
from grants.payments.services.forecasts import keep_forecast, keep_monthly
from grants.payments.services.orders import authorise, cancel, change, prepare, verify
from grants.payments.services.own_accounts import close_own_account, confirm_own_account, enter_own_account
from grants.payments.services.recoveries import book_receipt, establish, waive
from grants.payments.services.registering import complete, open_answer_file, register, send_back, verify_request
from grants.payments.services.reissuing import reissue, reject_by_bank, reject_file_by_bank
from grants.payments.services.requests import ask_again, decide, open_for_report, open_prefinancing, reject
from grants.payments.services.reversals import confirm_reversal, propose_reversal, refuse_reversal, withdraw_reversal
from grants.payments.services.sending import execute, export, send

__all__ = [
    "answer_suspension",
    "apply_report",
    "ask_again",
    "authorise",
    "book_lines",
    "book_receipt",
    "build",
    "cancel",
    "change",
    "close_grant",
    "close_own_account",
    "closure_problems",
    "compare",
    "complete",
    "confirm",
    "confirm_circuit",
    "confirm_claim",
    "confirm_limit",
    "confirm_own_account",
    "confirm_reversal",
    "decide",
    "discard",
    "enter_as_sent",
    "enter_own_account",
    "establish",
    "execute",
    "explain",
    "export",
    "follow_agreement",
    "import_statement",
    "keep_forecast",
    "keep_monthly",
    "leave_record",
    "lift",
    "make_batch_file",
    "open_answer_file",
    "open_batch_file",
    "open_for_report",
    "open_prefinancing",
    "prepare",
    "propose",
    "propose_circuit",
    "propose_limit",
    "propose_reversal",
    "read_statement",
    "refuse",
    "refuse_circuit",
    "refuse_claim",
    "refuse_limit",
    "refuse_reversal",
    "register",
    "reissue",
    "reject",
    "reject_by_bank",
    "reject_file_by_bank",
    "send",
    "send_back",
    "sheet",
    "suspend",
    "unknown_files",
    "verify",
    "verify_request",
    "waive",
    "withdraw_circuit",
    "withdraw_claim",
    "withdraw_limit",
    "withdraw_reversal",
]
