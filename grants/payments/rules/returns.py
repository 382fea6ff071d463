"""Payments the bank rejects or returns: why, in words, and when they are issued again. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from grants.core import clock, faults
from grants.core.errors import Refused
from grants.payments.states import CAME_BACK, OrderState

# The codes of ISO 20022 that banks use most (external status and return reasons), in words a city understands.
REASONS: Mapping[str, str] = {
    "AC01": "the account number is wrong",
    "AC04": "the account is closed",
    "AC06": "the account is blocked",
    "AG01": "the bank does not allow this kind of payment on the account",
    "AG02": "the bank does not know this kind of payment",
    "AM05": "the bank took it for a second time of the same payment",
    "BE04": "the address of the holder is missing or wrong",
    "CUST": "the holder asked for it",
    "FOCR": "the payment was called back",
    "FR01": "the bank suspects fraud",
    "MD07": "the holder is no more",
    "MS02": "the holder refused it",
    "MS03": "the bank gives no reason",
    "RC01": "the BIC of the bank is wrong",
    "RR01": "the account of the payer is missing",
    "RR03": "the name or address of the payee is missing",
    "RR04": "a rule of the country forbids it",
}
# Paid to the same account again it would come back again.
OTHER_ACCOUNT = ("AC01", "AC04", "AC06")
# A file or payment taken for a second one: of the first, nothing is said, and the bank may have carried it out.
_SECOND = re.compile(r"(?<![A-Z0-9])(AM05|DU0[1-5]|DUPL)(?![A-Z0-9])")
TOOK_FOR_SECOND = (
    "The bank took it for a second one, so the first may be executed. It is not rejected here: wait for the statement, or "
    "ask the bank what it did with the first."
)


def codes_in(reason: str) -> tuple[str, ...]:
    """The codes we know that a reason names, wherever they stand: banks give several, and people type them their own way.

    >>> codes_in("MS03; ac04 account closed"), codes_in("account closed")
    (('MS03', 'AC04'), ())
    """
    return tuple(code for code in re.findall(r"[A-Z0-9]+", reason.upper()) if code in REASONS)


def reason_words(reason: str) -> str:
    """Why a payment came back, in words, with what the bank added.

    >>> reason_words("AC04: konto gesperrt")
    'the account is closed (AC04: konto gesperrt)'
    """
    said = ", and ".join(REASONS[code] for code in dict.fromkeys(codes_in(reason)))
    return f"{said} ({reason})" if said else reason or "the bank gives no reason"


def needs_other_account(reason: str) -> bool:
    """Whether the payee must have another account confirmed before it is paid again.

    >>> needs_other_account("AC04; AM05"), needs_other_account("MS03; AC04: closed"), needs_other_account("MS03")
    (True, True, False)
    """
    return not set(OTHER_ACCOUNT).isdisjoint(codes_in(reason))


def took_for_second(reason: str) -> bool:
    """Whether the bank refused a file or payment because it has it already.

    >>> took_for_second("DU01: file seen before"), took_for_second("AC04: am0512")
    (True, False)
    """
    return _SECOND.search(reason.upper()) is not None


def refuse_second(reason: str) -> None:
    """What the bank has already is not rejected: issued again it would be paid twice."""
    faults.point("matching")
    if took_for_second(reason):
        raise Refused(TOOK_FOR_SECOND)


def refuse_told_as_left(reference: str, line: int | None) -> None:
    """What the bank says it paid is not rejected by another word of it."""
    if line is not None:
        raise Refused(
            f"Line {line} of the bank says that {reference} was paid, so it is not rejected. Have the line booked as "
            f"{reference}; if the money comes back, it is booked as a return."
        )


def refuse_paid_before(earlier: str, line: int | None) -> None:
    """What was paid, or the bank says it was, is not issued again: it would be paid twice."""
    if line is None:
        raise Refused(f"{earlier} was paid after all, so it is not issued again. Cancel what stands for it.")
    raise Refused(
        f"Line {line} of the bank says that {earlier} was paid, so it is not issued again. Cancel what stands for it; then "
        f"two people book the line as {earlier}. If a statement takes the line back, it is issued again."
    )


def refuse_reissue(
    reference: str, state: OrderState, reason: str, *, same_account: bool, issued_as: str | None
) -> None:
    """Only what came back is issued again, once, and to another account where the bank says that this one is of no use."""
    faults.point("ceiling")
    if state not in CAME_BACK:
        raise Refused(f"{reference} did not come back from the bank, so it is not issued again.")
    if issued_as is not None:
        raise Refused(f"{reference} is issued again already, as {issued_as}.")
    if same_account and needs_other_account(reason):
        raise Refused(
            f"{reference} came back because {reason_words(reason)}. The city enters another bank account and a second "
            "person confirms it; then the payment is issued again."
        )


def refuse_came_back_day(on: date, since: date, today: date) -> None:
    """The day the bank said no lies between the day the file left and today."""
    if not since <= on <= today:
        raise Refused(
            f"The file left on {clock.long_date(since)}. Enter the day the bank said so, from that day to today."
        )
