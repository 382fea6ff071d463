"""Acts of payments: open and decide requests, carry orders through the hands of their circuit, let them leave in a list, recover.

Every act here locks the call, then the grant, then its partners, then requests and orders: whoever
pays from the same grant waits, and checks what then stands.
"""

from __future__ import annotations

from grants.payments.services.additional import ask_additional
from grants.payments.services.bank_reports import apply_report
from grants.payments.services.bank_statements import import_statement, read_statement
from grants.payments.services.booking_lines import book_lines
from grants.payments.services.building import build, discard, make_batch_file, open_batch_file, sheet
from grants.payments.services.cancelling import cancel_request
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
from grants.payments.services.distribution import (
    confirm_passed_on,
    open_proof,
    refuse_passed_on,
    report_passed_on,
    waive_distribution,
    withdraw_passed_on,
)
from grants.payments.services.elsewhere import compare, leave_record, unknown_files
from grants.payments.services.entering import confirm, enter_as_sent, propose, refuse
from grants.payments.services.executions import import_executions
from grants.payments.services.explaining import confirm_claim, explain, refuse_claim, withdraw_claim
from grants.payments.services.following import follow_agreement
from grants.payments.services.forecasts import keep_forecast, keep_monthly
from grants.payments.services.interest import (
    book_interest,
    confirm_interest,
    open_interest_waiver,
    refuse_interest,
    waive_interest,
)
from grants.payments.services.late_interest import book_late_interest, confirm_late_interest, refuse_late_interest
from grants.payments.services.legal_holds import lift_legal_hold, set_hold
from grants.payments.services.offsetting import set_off
from grants.payments.services.orders import authorise, cancel, change, prepare, verify
from grants.payments.services.own_accounts import close_own_account, confirm_own_account, enter_own_account
from grants.payments.services.recoveries import book_receipt
from grants.payments.services.recovering import (
    cancel_recovery,
    confirm_recovery,
    inform,
    issue,
    observe,
    open_waiver,
    propose_recovery,
    remind,
    waive,
)
from grants.payments.services.registering import complete, open_answer_file, register, send_back, verify_request
from grants.payments.services.reissuing import reissue, reject_by_bank, reject_file_by_bank
from grants.payments.services.requests import ask_again, decide, open_for_report, open_prefinancing, reject
from grants.payments.services.reversals import confirm_reversal, propose_reversal, refuse_reversal, withdraw_reversal
from grants.payments.services.securing import (
    accept_certificate,
    bring_certificate,
    do_without_certificate,
    end_guarantee,
    open_certificate,
    open_guarantee,
    record_guarantee,
    return_certificate,
)
from grants.payments.services.sending import execute, export, send

__all__ = [
    "accept_certificate",
    "answer_suspension",
    "apply_report",
    "ask_additional",
    "ask_again",
    "authorise",
    "book_interest",
    "book_late_interest",
    "book_lines",
    "book_receipt",
    "bring_certificate",
    "build",
    "cancel",
    "cancel_recovery",
    "cancel_request",
    "change",
    "close_grant",
    "close_own_account",
    "closure_problems",
    "compare",
    "complete",
    "confirm",
    "confirm_circuit",
    "confirm_claim",
    "confirm_interest",
    "confirm_late_interest",
    "confirm_limit",
    "confirm_own_account",
    "confirm_passed_on",
    "confirm_recovery",
    "confirm_reversal",
    "decide",
    "discard",
    "do_without_certificate",
    "end_guarantee",
    "enter_as_sent",
    "enter_own_account",
    "execute",
    "explain",
    "export",
    "follow_agreement",
    "import_executions",
    "import_statement",
    "inform",
    "issue",
    "keep_forecast",
    "keep_monthly",
    "leave_record",
    "lift",
    "lift_legal_hold",
    "make_batch_file",
    "observe",
    "open_answer_file",
    "open_batch_file",
    "open_certificate",
    "open_for_report",
    "open_guarantee",
    "open_interest_waiver",
    "open_prefinancing",
    "open_proof",
    "open_waiver",
    "prepare",
    "propose",
    "propose_circuit",
    "propose_limit",
    "propose_recovery",
    "propose_reversal",
    "read_statement",
    "record_guarantee",
    "refuse",
    "refuse_circuit",
    "refuse_claim",
    "refuse_interest",
    "refuse_late_interest",
    "refuse_limit",
    "refuse_passed_on",
    "refuse_reversal",
    "register",
    "reissue",
    "reject",
    "reject_by_bank",
    "reject_file_by_bank",
    "remind",
    "report_passed_on",
    "return_certificate",
    "send",
    "send_back",
    "set_hold",
    "set_off",
    "sheet",
    "suspend",
    "unknown_files",
    "verify",
    "verify_request",
    "waive",
    "waive_distribution",
    "waive_interest",
    "withdraw_circuit",
    "withdraw_claim",
    "withdraw_limit",
    "withdraw_passed_on",
    "withdraw_reversal",
]
