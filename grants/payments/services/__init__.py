"""Acts of payments: open and decide requests, carry orders through four hands, let them leave in a list, recover.

Every act here locks the call, then the grant, then its partners, then requests and orders: whoever
pays from the same grant waits, and checks what then stands.
"""

from __future__ import annotations

from grants.payments.services.bank_statements import import_statement, read_statement
from grants.payments.services.building import build, discard, make_batch_file, open_batch_file, sheet
from grants.payments.services.clock import answer_suspension, lift, suspend
from grants.payments.services.closure import close_grant, closure_problems
from grants.payments.services.elsewhere import compare, leave_record, unknown_files
from grants.payments.services.entering import confirm, enter_as_sent, propose, refuse
from grants.payments.services.orders import authorise, cancel, change, prepare, verify
from grants.payments.services.own_accounts import close_own_account, confirm_own_account, enter_own_account
from grants.payments.services.recoveries import book_receipt, establish, waive
from grants.payments.services.registering import complete, open_answer_file, register, send_back, verify_request
from grants.payments.services.requests import ask_again, decide, open_for_report, open_prefinancing, reject
from grants.payments.services.reversals import confirm_reversal, propose_reversal, refuse_reversal, withdraw_reversal
from grants.payments.services.sending import execute, export, send

__all__ = [
    "answer_suspension",
    "ask_again",
    "authorise",
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
    "confirm_own_account",
    "confirm_reversal",
    "decide",
    "discard",
    "enter_as_sent",
    "enter_own_account",
    "establish",
    "execute",
    "export",
    "import_statement",
    "leave_record",
    "lift",
    "make_batch_file",
    "open_answer_file",
    "open_batch_file",
    "open_for_report",
    "open_prefinancing",
    "prepare",
    "propose",
    "propose_reversal",
    "read_statement",
    "refuse",
    "refuse_reversal",
    "register",
    "reject",
    "send",
    "send_back",
    "sheet",
    "suspend",
    "unknown_files",
    "verify",
    "verify_request",
    "waive",
    "withdraw_reversal",
]
