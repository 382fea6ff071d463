"""Which entries a mirror entry alone puts right, and of the others why it does not and what does."""

from __future__ import annotations

from collections.abc import Mapping

from grants.core.errors import Refused
from grants.ledger.rules.values import Event

# The books are the only place where these stand: once the mirror is there nothing says otherwise.
REVERSED_ALONE = frozenset({Event.BUDGET_SET, Event.FUNDING_RECEIVED, Event.BANK_CHARGED})

_SELECTION = "The selection of an application stands behind it, and would stay. Undo it where the selection is decided"
_AGREEMENT = "A signed agreement says the same, and would go on saying it. It takes an amendment of the agreement"
_REQUEST = (
    "The decision on a payment request stands behind it, and would stay decided. What was accepted too much is taken "
    "back by the balance of the grant or by a recovery"
)
_BANK = "The bank did it, and a mirror here undoes nothing there. A rejection or a return is booked where the bank reports it"
_RECOVERY = "A recovery stands behind it, and would stay as it is. On its page what comes back is booked, and what is not owed cancelled or waived"
_INTEREST = "It was worked out from dates and rates that stay. Correct it where the interest is worked out"

# Every other event, each with its reason and the way out.
NOT_REVERSED_ALONE: Mapping[Event, str] = {
    Event.RESERVED: _SELECTION,
    Event.RESERVE_RELEASED: _SELECTION,
    Event.COMMITTED: _AGREEMENT,
    Event.SIGNED: _AGREEMENT,
    Event.AMENDED: _AGREEMENT,
    Event.TRANSFERRED: _AGREEMENT,
    Event.PREFINANCING_AUTHORISED: _REQUEST,
    Event.INTERIM_AUTHORISED: _REQUEST,
    Event.FINAL_ABOVE: _REQUEST,
    Event.FINAL_BELOW: _REQUEST,
    Event.RETENTION_RELEASED: _REQUEST,
    Event.ORDER_SENT: _BANK,
    Event.ORDER_BOOKED: _BANK,
    Event.ORDER_REJECTED: _BANK,
    Event.PAYMENT_RETURNED: _BANK,
    Event.ORDER_REISSUED: _BANK,
    Event.RECOVERY_ORDERED: _RECOVERY,
    Event.RECOVERY_RECEIVED: _RECOVERY,
    Event.OFFSET: _RECOVERY,
    Event.WAIVED: _RECOVERY,
    Event.LATE_INTEREST: _INTEREST,
    Event.RECOVERY_INTEREST: _INTEREST,
    Event.APPROVED_CANCELLED: "The request it cancelled would stay cancelled. What the pilot costs is paid after its reports instead",
    Event.DECOMMITTED: "The grant is closed by it, and would stay closed. Raise the budget of the call instead",
    Event.RECEIPT_UNIDENTIFIED: "The money is on the account of the programme. Say what it is for where the line of the bank is",
    Event.DISTRIBUTED: "What a coordinator passed on stands behind it, and would stay. Correct it where the distribution is confirmed",
    Event.REVERSED: "It is a reversal itself. Post the right entry anew instead of reversing it",
}

FROM_A_LINE = (
    "It was booked from a document, such as a line of a bank statement, which would stay as it is. Correct it where that "
    "document is"
)


def why_not_reversed(event: Event, *, from_a_document: bool) -> str:
    """Why a mirror entry alone does not put an entry right, and what does; empty where it does.

    >>> why_not_reversed(Event.BUDGET_SET, from_a_document=False)
    ''
    """
    if event not in REVERSED_ALONE:
        return f"{NOT_REVERSED_ALONE[event]}."
    return f"{FROM_A_LINE}." if from_a_document else ""


def refuse_reversal(ref: str, event: Event, *, from_a_document: bool) -> None:
    """Raise :class:`Refused` with the reason unless a mirror entry alone puts the entry right."""
    why = why_not_reversed(event, from_a_document=from_a_document)
    if why:
        raise Refused(f"{ref} ({event.label}) is not reversed by itself. {why}")
