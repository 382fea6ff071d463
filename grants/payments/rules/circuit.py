"""How an order is kept in its circuit: four people, no own account, never more than is payable. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.payments.states import Step

STEP_PEOPLE: Mapping[Step, str] = {
    Step.PREPARED: "the initiator",
    Step.VERIFIED: "the verifier",
    Step.AUTHORISED: "the authorising officer",
    Step.SENT: "the accounting officer",
}


Signed = Mapping[Step, UUID]


def refuse_same_person(signed: Signed, step: Step, user_id: UUID | None) -> None:
    """Four different people on each order: refuse whoever already took another step."""
    faults.point("four_eyes")
    if user_id is None:
        raise Refused("A person must take this step, not the program.")
    for earlier, person in signed.items():
        if person == user_id and earlier is not step:
            raise Refused(
                f"You are {STEP_PEOPLE[earlier]} of this order; {STEP_PEOPLE[step]} must be somebody else. Ask a colleague with that role."
            )


def refuse_own_account(people: Iterable[UUID | None], user_id: UUID | None) -> None:
    """Nobody verifies or authorises an order to an account he or she entered or confirmed (I15); sending and booking
    what others approved is open to them."""
    faults.point("four_eyes")
    if user_id in set(people):
        raise Refused(
            "You entered or confirmed the bank account of this order, so you cannot verify or authorise it. Ask a colleague."
        )


def refuse_over_payable(payable: Money, ordered: Money, amount: Money) -> None:
    """The orders of a request together never exceed what is payable (I12)."""
    faults.point("ceiling")
    left = payable - ordered
    if amount <= ZERO:
        raise Invalid("The amount is missing.", {"amount": "Enter an amount above zero."})
    if amount > left:
        raise Refused(
            f"{left} of {payable} is left to order; {amount} is {amount - left} more. Lower the amount, or cancel another order first."
        )


def refuse_value_date(value_on: date, sent_on: date, today: date) -> None:
    """The bank's value date lies between the day the file left and today."""
    if not sent_on <= value_on <= today:
        raise Invalid(
            "The value date cannot be right.",
            {
                "value_on": f"The file left on {clock.long_date(sent_on)}. Enter the day the bank booked the payment, from that day to today."
            },
        )


def shares_of(amount: Money, still_open: Sequence[tuple[UUID | None, Money]]) -> tuple[tuple[UUID | None, Money], ...]:
    """A payment over the partners in proportion to their open commitments; never more than one has open."""
    faults.point("ceiling")
    if amount > total(each for _, each in still_open):
        raise Refused(
            f"{total(each for _, each in still_open)} of the commitment is open; {amount} cannot be paid. Look at the ledger of this grant."
        )
    parts = amount.split([each.cents for _, each in still_open])
    return tuple((partner, part) for (partner, _), part in zip(still_open, parts, strict=True) if part)
