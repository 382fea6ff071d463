"""What is looked at before an order is verified or authorised: a tick by hand for each, kept on the signature. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grants.agreements.states import PaymentKind
from grants.core import faults
from grants.core.errors import Invalid
from grants.payments.states import Step

_GROUND: Mapping[PaymentKind, str] = {
    PaymentKind.PREFINANCING: "The agreement is signed by both sides and in force",
    PaymentKind.ADDITIONAL: "The city stated what it used of the pre-financing that was paid",
    PaymentKind.INTERIM: "The report is accepted, with its evidence",
    PaymentKind.BALANCE: "Every report is settled, with its evidence",
    PaymentKind.LATE_INTEREST: "The interest is confirmed, and its numbers are those of the late payment",
}


def ticks_of(step: Step, kind: PaymentKind) -> Mapping[str, str]:
    """What is ticked for a step of an order, as code and sentence; nothing for steps that approve nothing."""
    match step:
        case Step.VERIFIED:
            return {
                "ground": _GROUND[kind],
                "amount": "The amount of the order agrees with the decision on the request",
                "account": "The bank account is the payee’s, confirmed by somebody else with evidence",
                "once": "No other order pays the same",
            }
        case Step.AUTHORISED:
            return {
                "decided": "The request is decided, and its reason holds",
                "verified": "The verifier signed for this amount and account",
                "committed": "The budget of the grant is committed for it",
                "payee": "The payee is the coordinator of the grant, and the account theirs",
            }
        case Step.PREPARED | Step.SENT:
            return {}


def every_tick(step: Step) -> tuple[str, ...]:
    """The codes of a step, which are the same for every kind of payment."""
    return tuple(ticks_of(step, PaymentKind.PREFINANCING))


def seen(step: Step, kind: PaymentKind, ticked: Iterable[str]) -> tuple[str, ...]:
    """The sentences ticked, to be kept with the signature; refused while one is not.

    >>> seen(Step.VERIFIED, PaymentKind.INTERIM, ("ground", "amount", "account"))
    Traceback (most recent call last):
        ...
    grants.core.errors.Invalid: One line of what is looked at is not ticked.
    """
    faults.point("four_eyes")
    ticked = set(ticked)
    asked = ticks_of(step, kind)
    missing = [words for code, words in asked.items() if code not in ticked]
    if missing:
        counted = "One line" if len(missing) == 1 else f"{len(missing)} lines"
        raise Invalid(
            f"{counted} of what is looked at {'is' if len(missing) == 1 else 'are'} not ticked.",
            {
                "evidence": f"Not ticked: {'; '.join(missing)}. Look at each; where it is not so, the order is changed or cancelled."
            },
        )
    return tuple(asked.values())
