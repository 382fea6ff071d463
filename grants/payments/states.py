"""The states of a payment request, which the authoriser decides, of an order, which four people carry out, of a recovery, and of
the programme's own bank accounts."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class RequestState(StrEnum):
    """A request is opened by the signed schedule or an accepted report; cleared means decided with nothing to pay."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    PARTLY_APPROVED = "partly_approved"
    REJECTED = "rejected"
    CLEARED = "cleared"
    PAID = "paid"


R = RequestState
DECIDED = (R.APPROVED, R.PARTLY_APPROVED)

REQUEST = Machine(
    "payment request",
    RequestState,
    R.SUBMITTED,
    [
        Transition("approve", (R.SUBMITTED,), R.APPROVED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("approve_in_part", (R.SUBMITTED,), R.PARTLY_APPROVED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("reject", (R.SUBMITTED,), R.REJECTED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("clear", DECIDED, R.CLEARED, Permission.PAYMENT_REQUEST_DECIDE),
        Transition("pay", DECIDED, R.PAID, Permission.PAYMENT_ORDER_EXECUTE),
    ],
)


class OrderState(StrEnum):
    """One order on its way through the circuit; exported means it left in a list and the money is in transit."""

    PREPARED = "prepared"
    VERIFIED = "verified"
    AUTHORISED = "authorised"
    EXPORTED = "exported"
    EXECUTED = "executed"
    CANCELLED = "cancelled"


O = OrderState  # noqa: E741 -- one letter for the table below, as in the other stages
BEFORE_EXPORT = (O.PREPARED, O.VERIFIED, O.AUTHORISED)

ORDER = Machine(
    "payment order",
    OrderState,
    O.PREPARED,
    [
        Transition("verify", (O.PREPARED,), O.VERIFIED, Permission.PAYMENT_ORDER_VERIFY),
        Transition("authorise", (O.VERIFIED,), O.AUTHORISED, Permission.PAYMENT_ORDER_AUTHORISE),
        Transition("export", (O.AUTHORISED,), O.EXPORTED, Permission.PAYMENT_ORDER_EXECUTE),
        Transition("execute", (O.EXPORTED,), O.EXECUTED, Permission.PAYMENT_ORDER_EXECUTE),
        # Another amount or account: every signature falls away.
        Transition("change", BEFORE_EXPORT, O.PREPARED, Permission.PAYMENT_ORDER_PREPARE),
        Transition("cancel", BEFORE_EXPORT, O.CANCELLED, Permission.PAYMENT_ORDER_CANCEL),
    ],
)


class RecoveryState(StrEnum):
    """What was paid too much is owed from the day it is established until it is paid back, or waived with a reason."""

    ESTABLISHED = "established"
    PAID = "paid"
    WAIVED = "waived"


RECOVERY = Machine(
    "recovery",
    RecoveryState,
    RecoveryState.ESTABLISHED,
    [
        Transition("book", (RecoveryState.ESTABLISHED,), RecoveryState.PAID, Permission.RECOVERY_BOOK),
        Transition("waive", (RecoveryState.ESTABLISHED,), RecoveryState.WAIVED, Permission.RECOVERY_WAIVE),
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


class Step(StrEnum):
    """The steps that the circuit keeps apart: four different people on each order."""

    PREPARED = "prepared"
    VERIFIED = "verified"
    AUTHORISED = "authorised"
    EXPORTED = "exported"
