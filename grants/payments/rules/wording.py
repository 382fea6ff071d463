"""Where a request, an order or a grant stands and what comes next, as sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from grants.agreements.states import GrantState, PaymentKind
from grants.core.money import Money, plain
from grants.payments.rules.additional import STATED_ANEW
from grants.payments.rules.showing import RequestView
from grants.payments.states import DECIDED, OrderState, RequestState


def order_next(state: OrderState) -> str:
    """Where an order stands and who acts on it next, as a sentence."""
    match state:
        case OrderState.PREPARED:
            return "It is prepared; the verifier looks at it next."
        case OrderState.VERIFIED:
            return "It is verified; the authorising officer signs next."
        case OrderState.AUTHORISED:
            return "It is authorised; the accounting officer puts it into a payment file next."
        case OrderState.IN_FILE:
            return "It stands in a payment file that has not been sent; the accounting officer sends the file, or discards it."
        case OrderState.SENT:
            return "It left for the bank; the accounting officer enters the value date when the bank has booked it."
        case OrderState.ACKNOWLEDGED:
            return "The bank has it and has not booked it yet; its statement says when it did."
        case OrderState.BANK_REJECTED:
            return "The bank rejected it before it paid; the initiator issues it again by a new order, which is signed anew by everybody who must."
        case OrderState.RETURNED:
            return "The money came back; the initiator issues it again by a new order, which is signed anew by everybody who must."
        case OrderState.EXECUTED:
            return "The bank has booked it; nothing more is to be done."
        case OrderState.CANCELLED:
            return "It is cancelled; what it held can be put into a new order on the page of its request."
        case _:
            assert_never(state)


_DEED_WORDS = {
    "answer": "Its payment is suspended; the coordinator answers the notice, and the programme lets the clock go on.",
    "lift": "Its payment is suspended and the coordinator has answered; the initiator looks at the answer and lets the clock go on.",
    "complete": "It was returned to be completed; the coordinator completes it.",
    "register": "It waits to be registered by the initiator, or returned to be completed.",
    "check": "It is registered; the verifier looks at it next.",
    "decide": "It waits for the decision of the authorising officer.",
}


def request_next(found: RequestView) -> str:
    """Where a request stands and what comes next, as a sentence."""
    if found.deed in _DEED_WORDS and (found.is_open or found.state in DECIDED):
        return _DEED_WORDS[found.deed]
    match found.state:
        case RequestState.SUBMITTED | RequestState.RETURNED | RequestState.REGISTERED | RequestState.VERIFIED:
            return _DEED_WORDS["decide"]
        case RequestState.APPROVED | RequestState.PARTLY_APPROVED if found.to_order:
            return f"It is decided; the initiator prepares an order for the {found.to_order} that is in none yet."
        case RequestState.APPROVED | RequestState.PARTLY_APPROVED:
            return "It is decided and wholly in orders; it is paid when the bank has booked them."
        case RequestState.REJECTED if found.kind is PaymentKind.ADDITIONAL:
            return "It is rejected and nothing is paid for it; the coordinator may state anew what was used until the balance is asked for."
        case RequestState.REJECTED:
            return "It is rejected and nothing is paid for it; the coordinator may answer the reason and ask again until the balance is decided."
        case RequestState.CLEARED:
            return "It is settled without a payment; nothing more is to be done."
        case RequestState.PAID:
            return "It is paid; nothing more is to be done."
        case RequestState.CANCELLED:
            return "It was approved and never paid, and is cancelled; it counts as not paid, and nothing more is to be done."
        case _:
            assert_never(found.state)


def again_refusal(found: RequestView, final_amount: Money | None) -> str | None:
    """Why a request cannot be asked for again, or None where it may."""
    if found.replaced_by is not None:
        return f"It was asked for again already, as {found.replaced_by}."
    if found.state is not RequestState.REJECTED:
        return "Only a rejected request can be asked for again; this one is not rejected."
    if found.kind is PaymentKind.ADDITIONAL:
        return STATED_ANEW
    if final_amount is not None:
        return f"The final amount of the grant is decided: {final_amount}. Nothing more can be asked for on top of it."
    return None


@dataclass(frozen=True, slots=True)
class PaymentNotes:
    """What stands under a grant's maximum and its open part, and where its requests will be."""

    maximum: str
    open: str
    no_requests: str


def payment_notes(state: GrantState, amount_note: str | None, room: Money, *, declined: bool) -> PaymentNotes:
    """What a grant's payments page says of its money, as true of a grant that is not signed or ended as of one in force.

    ``declined`` where its city ended it before both signed.
    """
    left = f"room before the balance: EUR\u00a0{plain(room)}"
    first = "The first request opens by itself when both sides have signed the agreement; later ones when a report is settled."
    match state:
        case GrantState.IN_FORCE:
            return PaymentNotes(amount_note or "as signed", left, first)
        case GrantState.TERMINATED:
            return PaymentNotes(
                amount_note or "as signed",
                f"{left}; nothing more is pre-financed",
                "The balance opens by itself when the final report is settled.",
            )
        case GrantState.CLOSED:
            return PaymentNotes(
                amount_note or "as signed",
                "what was not used went back to the call",
                "None will be: the grant is closed.",
            )
        case GrantState.PREPARATION | GrantState.READY_TO_SIGN:
            return PaymentNotes(amount_note or "not signed yet", left, first)
        case GrantState.DROPPED:
            return PaymentNotes(
                f"never signed: {amount_note}" if amount_note else "never signed",
                "its money went back to the call",
                f"None will be: the grant was {_ended(declined)} before its agreement was signed.",
            )
        case _:
            assert_never(state)


def _ended(declined: bool) -> str:
    """What was done to a grant that never came into force: the programme drops, a city declines."""
    return "declined" if declined else "dropped"


def close_refusal(state: GrantState, *, declined: bool) -> str | None:
    """Why a grant in this state is not closed now, and what comes first; None where it may be tried."""
    match state:
        case GrantState.IN_FORCE | GrantState.TERMINATED:
            return None
        case GrantState.CLOSED:
            return "This grant is closed already, and a closed grant is not opened again. Its payments and reports stay as they are."
        case GrantState.PREPARATION | GrantState.READY_TO_SIGN:
            return "This grant is not in force yet: its agreement is signed first. To end its preparation before that, drop it on its own page."
        case GrantState.DROPPED:
            return f"This grant was {_ended(declined)} before its agreement was signed; there is nothing to close."
        case _:
            assert_never(state)
