"""The states of a payment request, which the authoriser decides, of an order, which the circuit carries out, of a recovery, and of
the programme's own bank accounts."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class RequestState(StrEnum):
    """A request is opened by the signed schedule or an accepted report; cleared means decided with nothing to pay.

    Cancelled is pre-financing that was approved and of which nothing was paid: it counts as never approved.

    Registered and verified where its call asks for it. That its clock is suspended is no state: it stays what it was.
    """

    SUBMITTED = "submitted"
    RETURNED = "returned_for_completion"
    REGISTERED = "registered"
    VERIFIED = "verified"
    APPROVED = "approved"
    PARTLY_APPROVED = "partly_approved"
    REJECTED = "rejected"
    CLEARED = "cleared"
    PAID = "paid"
    CANCELLED = "cancelled"


R = RequestState
DECIDED = (R.APPROVED, R.PARTLY_APPROVED)
DECIDABLE = (R.SUBMITTED, R.REGISTERED, R.VERIFIED)
UNDECIDED = (*DECIDABLE, R.RETURNED)

REQUEST = Machine(
    "payment request",
    RequestState,
    R.SUBMITTED,
    [
        Transition("register", (R.SUBMITTED,), R.REGISTERED, Permission.PAYMENT_REQUEST_REGISTER),
        Transition("return", (R.SUBMITTED, R.REGISTERED), R.RETURNED, Permission.PAYMENT_REQUEST_REGISTER),
        Transition("complete", (R.RETURNED,), R.SUBMITTED, Permission.PAYMENT_REQUEST_SUBMIT),
        Transition("verify", (R.REGISTERED,), R.VERIFIED, Permission.PAYMENT_REQUEST_VERIFY),
        # Another amount: what was verified falls away.
        Transition("renew", (R.VERIFIED,), R.REGISTERED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("approve", DECIDABLE, R.APPROVED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("approve_in_part", DECIDABLE, R.PARTLY_APPROVED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("reject", UNDECIDED, R.REJECTED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("clear", DECIDED, R.CLEARED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("pay", DECIDED, R.PAID, Permission.PAYMENT_ORDER_EXECUTE),
        Transition("set_off", DECIDED, R.PAID, Permission.RECOVERY_OFFSET),
        # What was approved ahead and not paid is not paid any more: all of it, or what a part that was paid left.
        Transition("cancel", DECIDED, R.CANCELLED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("cancel_rest", DECIDED, R.PAID, Permission.PAYMENT_REQUEST_DECIDE),
        # What was paid came back: it is to be paid again, and the decision stands as it was.
        Transition("come_back", (R.PAID,), R.APPROVED, Permission.BANK_STATEMENT_IMPORT),
        Transition("come_back_in_part", (R.PAID,), R.PARTLY_APPROVED, Permission.BANK_STATEMENT_IMPORT),
    ],
)


class SuspensionReason(StrEnum):
    """Why the clock of a payment is stopped (F5)."""

    NOT_DUE = "not_due"
    MISSING_DOCUMENTS = "missing_documents"
    ELIGIBILITY = "eligibility"
    IRREGULARITY = "irregularity"
    VISIBILITY = "visibility"


class ClockEvent(StrEnum):
    """What a request counts its days from."""

    IN_FORCE = "in_force"
    RECEIPT = "receipt"
    APPROVAL = "approval"
    REGISTRATION = "registration"
    AGAIN = "again"
    COMPLETION = "completion"
    INTEREST = "interest"
    STATEMENT = "statement"


class OrderState(StrEnum):
    """One order on its way through the circuit; in a file it waits for the payer, sent means it left and the money is in transit.

    Rejected means the bank never booked it, returned that the money came back after it had: either is issued again by
    another order.
    """

    PREPARED = "prepared"
    VERIFIED = "verified"
    AUTHORISED = "authorised"
    IN_FILE = "in_file"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    EXECUTED = "executed"
    BANK_REJECTED = "bank_rejected"
    RETURNED = "returned"
    CANCELLED = "cancelled"


O = OrderState  # noqa: E741 -- one letter for the table below, as in the other stages
BEFORE_FILE = (O.PREPARED, O.VERIFIED, O.AUTHORISED)
# What has not left for the bank: what waits in a file can still be taken out.
NOT_LEFT = (*BEFORE_FILE, O.IN_FILE)
# What the bank has and has not booked, and what came back from it.
AT_BANK = (O.SENT, O.ACKNOWLEDGED)
CAME_BACK = (O.BANK_REJECTED, O.RETURNED)
# Whatever still needs somebody: what came back does until it is issued again.
ON_ITS_WAY = (*NOT_LEFT, *AT_BANK, *CAME_BACK)
# What the bank booked, whatever came of it later.
BOOKED = (O.EXECUTED, O.RETURNED)

ORDER = Machine(
    "payment order",
    OrderState,
    O.PREPARED,
    [
        Transition("verify", (O.PREPARED,), O.VERIFIED, Permission.PAYMENT_ORDER_VERIFY),
        Transition("authorise", (O.VERIFIED,), O.AUTHORISED, Permission.PAYMENT_ORDER_AUTHORISE),
        Transition("put_in_file", (O.AUTHORISED,), O.IN_FILE, Permission.PAYMENT_FILE_BUILD),
        Transition("take_out", (O.IN_FILE,), O.AUTHORISED, Permission.PAYMENT_FILE_DISCARD),
        Transition("send", (O.IN_FILE,), O.SENT, Permission.PAYMENT_FILE_SEND),
        Transition("acknowledge", (O.SENT,), O.ACKNOWLEDGED, Permission.BANK_STATEMENT_IMPORT),
        Transition("execute", AT_BANK, O.EXECUTED, Permission.PAYMENT_ORDER_EXECUTE),
        Transition("bank_reject", AT_BANK, O.BANK_REJECTED, Permission.BANK_STATEMENT_IMPORT),
        # The bank said no and carried it out: two people book the line that says so.
        Transition("pay_after_all", (O.BANK_REJECTED,), O.EXECUTED, Permission.BANK_LINE_CONFIRM),
        Transition("return", (O.EXECUTED,), O.RETURNED, Permission.BANK_STATEMENT_IMPORT),
        # Another amount or account: every signature falls away.
        Transition("change", BEFORE_FILE, O.PREPARED, Permission.PAYMENT_ORDER_PREPARE),
        Transition("cancel", BEFORE_FILE, O.CANCELLED, Permission.PAYMENT_ORDER_CANCEL),
    ],
)


class BatchState(StrEnum):
    """A file of orders: its content is frozen while it is made and checked; it leaves once, or is void for ever."""

    BUILDING = "building"
    READY = "ready"
    REFUSED = "refused"
    SENT = "sent"
    DISCARDED = "discarded"


B = BatchState
BEFORE_SENT = (B.BUILDING, B.READY, B.REFUSED)

BATCH = Machine(
    "payment file",
    BatchState,
    B.BUILDING,
    [
        Transition("make", (B.BUILDING,), B.READY, Permission.PAYMENT_FILE_BUILD),
        Transition("refuse", (B.BUILDING,), B.REFUSED, Permission.PAYMENT_FILE_BUILD),
        Transition("send", (B.READY,), B.SENT, Permission.PAYMENT_FILE_SEND),
        Transition("discard", BEFORE_SENT, B.DISCARDED, Permission.PAYMENT_FILE_DISCARD),
    ],
)


class RecoveryOrigin(StrEnum):
    """What a debt rests on: the balance, costs rejected after they were accepted, or an audit."""

    BALANCE = "balance"
    REJECTED_COSTS = "rejected_costs"
    AUDIT = "audit"


class RecoveryState(StrEnum):
    """A debt is proposed, told beforehand and answered, confirmed by another person, and owed from its debit note on.

    It ends paid, waived with a document, or cancelled. That it is overdue or to be reminded of is no state: it is derived.
    """

    PROPOSED = "proposed"
    PRE_INFORMED = "pre_informed"
    OBSERVED = "observed"
    CONFIRMED = "confirmed"
    ISSUED = "issued"
    PART_PAID = "part_paid"
    PAID = "paid"
    WAIVED = "waived"
    CANCELLED = "cancelled"


D = RecoveryState
# What is no debt yet; what stands in the books as owed; and what of it can be paid, since its debit note is out.
UNCONFIRMED = (D.PROPOSED, D.PRE_INFORMED, D.OBSERVED)
PAYABLE_BACK = (D.ISSUED, D.PART_PAID)
OWED = (D.CONFIRMED, *PAYABLE_BACK)

RECOVERY = Machine(
    "recovery",
    RecoveryState,
    D.PROPOSED,
    [
        Transition("inform", (D.PROPOSED,), D.PRE_INFORMED, Permission.RECOVERY_PROPOSE),
        Transition("observe", (D.PRE_INFORMED,), D.OBSERVED, Permission.RECOVERY_OBSERVE),
        Transition("confirm", (D.PRE_INFORMED, D.OBSERVED), D.CONFIRMED, Permission.RECOVERY_CONFIRM),
        Transition("issue", (D.CONFIRMED,), D.ISSUED, Permission.RECOVERY_ISSUE),
        Transition("book", PAYABLE_BACK, D.PAID, Permission.RECOVERY_BOOK),
        Transition("book_part", PAYABLE_BACK, D.PART_PAID, Permission.RECOVERY_BOOK),
        Transition("set_off", PAYABLE_BACK, D.PAID, Permission.RECOVERY_OFFSET),
        Transition("set_off_part", PAYABLE_BACK, D.PART_PAID, Permission.RECOVERY_OFFSET),
        Transition("waive", PAYABLE_BACK, D.WAIVED, Permission.RECOVERY_WAIVE),
        # Nothing of it was paid: what the books hold of it is reversed.
        Transition("cancel", (*UNCONFIRMED, D.CONFIRMED, D.ISSUED), D.CANCELLED, Permission.RECOVERY_CANCEL),
    ],
)


class InterestState(StrEnum):
    """Interest on what came late is booked by one person, then confirmed or refused by another."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


INTEREST = Machine(
    "interest on a late debt",
    InterestState,
    InterestState.PROPOSED,
    [
        Transition("confirm", (InterestState.PROPOSED,), InterestState.CONFIRMED, Permission.INTEREST_CONFIRM),
        Transition("refuse", (InterestState.PROPOSED,), InterestState.REFUSED, Permission.INTEREST_CONFIRM),
    ],
)


class DistributionState(StrEnum):
    """That a coordinator passed money on is reported by it, then confirmed or refused by another side, or withdrawn."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


PO = DistributionState

DISTRIBUTION = Machine(
    "distribution",
    DistributionState,
    PO.REPORTED,
    [
        Transition("confirm", (PO.REPORTED,), PO.CONFIRMED, Permission.DISTRIBUTION_CONFIRM),
        Transition("refuse", (PO.REPORTED,), PO.REFUSED, Permission.DISTRIBUTION_CONFIRM),
        Transition("withdraw", (PO.REPORTED,), PO.WITHDRAWN, Permission.DISTRIBUTION_REPORT),
        # What is waived needs no answer any more.
        Transition("waive", (PO.REPORTED,), PO.REFUSED, Permission.DISTRIBUTION_WAIVE),
    ],
)


class ReversalState(StrEnum):
    """A reversal of an entry of the ledger is proposed by one person, then confirmed or refused by another, or withdrawn."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


V = ReversalState

REVERSAL = Machine(
    "reversal",
    ReversalState,
    V.PROPOSED,
    [
        Transition("confirm", (V.PROPOSED,), V.CONFIRMED, Permission.LEDGER_CONFIRM_REVERSAL),
        Transition("refuse", (V.PROPOSED,), V.REFUSED, Permission.LEDGER_CONFIRM_REVERSAL),
        Transition("withdraw", (V.PROPOSED,), V.WITHDRAWN, Permission.LEDGER_PROPOSE_REVERSAL),
    ],
)


class RuleState(StrEnum):
    """A circuit or a limit is proposed by one administrator, then confirmed or refused by another, or withdrawn."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


RULE = Machine(
    "rule of the circuit",
    RuleState,
    RuleState.PROPOSED,
    [
        Transition("confirm", (RuleState.PROPOSED,), RuleState.CONFIRMED, Permission.CIRCUIT_CONFIRM),
        Transition("refuse", (RuleState.PROPOSED,), RuleState.REFUSED, Permission.CIRCUIT_CONFIRM),
        Transition("withdraw", (RuleState.PROPOSED,), RuleState.WITHDRAWN, Permission.CIRCUIT_SET),
    ],
)


class OwnAccountState(StrEnum):
    """An account of the programme is proposed by one person, confirmed by another, and closed for new payments."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    CLOSED = "closed"


OWN_ACCOUNT = Machine(
    "own account",
    OwnAccountState,
    OwnAccountState.PROPOSED,
    [
        Transition("confirm", (OwnAccountState.PROPOSED,), OwnAccountState.CONFIRMED, Permission.OWN_ACCOUNT_CONFIRM),
        Transition(
            "close",
            (OwnAccountState.PROPOSED, OwnAccountState.CONFIRMED),
            OwnAccountState.CLOSED,
            Permission.OWN_ACCOUNT_CLOSE,
        ),
    ],
)


class ImportState(StrEnum):
    """A file of the bank is read by a worker after it was brought, and imported whole or refused whole."""

    READING = "reading"
    IMPORTED = "imported"
    REFUSED = "refused"


IMPORT = Machine(
    "bank import",
    ImportState,
    ImportState.READING,
    [
        Transition("import", (ImportState.READING,), ImportState.IMPORTED, Permission.BANK_STATEMENT_IMPORT),
        Transition("refuse", (ImportState.READING,), ImportState.REFUSED, Permission.BANK_STATEMENT_IMPORT),
    ],
)


class BookedAs(StrEnum):
    """What a line of the bank was booked as; an unidentified receipt waits to be told what for, what is set aside is booked nowhere."""

    ORDER = "order"
    FILE = "file"
    RECOVERY = "recovery"
    FUNDING = "funding"
    UNIDENTIFIED = "unidentified"
    CHARGE = "charge"
    RETURN = "return"
    REPAID = "repaid"
    SET_ASIDE = "set_aside"


class Explained(StrEnum):
    """What a person may say of a line that is open."""

    ORDER = "order"
    FILE = "file"
    RECOVERY = "recovery"
    FUNDING = "funding"
    UNIDENTIFIED = "unidentified"
    CHARGE = "charge"
    RETURN = "return"
    REPAID = "repaid"
    SET_ASIDE = "set_aside"


class StatusOutcome(StrEnum):
    """What came of the bank's word on one order: late is a rejection of what it had booked or told as booked, left is one for somebody else."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    LATE = "late"
    NOTED = "noted"
    LEFT = "left"
    UNKNOWN = "unknown"


class ClaimState(StrEnum):
    """What a person says a line of the bank is, until another person confirms or refuses it, or it is withdrawn."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


C = ClaimState

CLAIM = Machine(
    "explanation",
    ClaimState,
    C.PROPOSED,
    [
        Transition("confirm", (C.PROPOSED,), C.CONFIRMED, Permission.BANK_LINE_CONFIRM),
        Transition("refuse", (C.PROPOSED,), C.REFUSED, Permission.BANK_LINE_CONFIRM),
        Transition("withdraw", (C.PROPOSED,), C.WITHDRAWN, Permission.BANK_LINE_EXPLAIN),
    ],
)


class Step(StrEnum):
    """The steps of the circuit, which says which of them need different people: all four where nothing else was set."""

    PREPARED = "prepared"
    VERIFIED = "verified"
    AUTHORISED = "authorised"
    SENT = "sent"


class CertificateState(StrEnum):
    """A certificate on financial statements is wanted, brought by the city, and accepted; or the programme does without it."""

    WANTED = "wanted"
    BROUGHT = "brought"
    ACCEPTED = "accepted"
    DONE_WITHOUT = "done_without"


CERTIFICATE = Machine(
    "certificate",
    CertificateState,
    CertificateState.WANTED,
    [
        Transition(
            "bring",
            (CertificateState.WANTED, CertificateState.DONE_WITHOUT),
            CertificateState.BROUGHT,
            Permission.REPORT_SUBMIT,
        ),
        Transition("accept", (CertificateState.BROUGHT,), CertificateState.ACCEPTED, Permission.REPORT_ACCEPT),
        Transition("return", (CertificateState.BROUGHT,), CertificateState.WANTED, Permission.REPORT_ACCEPT),
        Transition("do_without", (CertificateState.WANTED,), CertificateState.DONE_WITHOUT, Permission.REPORT_ACCEPT),
    ],
)
