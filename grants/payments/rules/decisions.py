"""How an approved amount is split, what the final amount is, and what a decision must not do. The amounts are posted to the cent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from grants.agreements.states import PaymentKind
from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances
from grants.payments.states import RequestState


@dataclass(frozen=True, slots=True)
class Limits:
    """What the grant agreement allows."""

    maximum: Money
    interim_ceiling: Money
    prefinancing: Money
    retention: Money
    additional: Money = ZERO


@dataclass(frozen=True, slots=True)
class Decision:
    """How an approved amount is split; for a balance ``approved`` is the final amount and ``recoverable`` what was overpaid.

    What is ``deferred`` for want of room below the ceiling comes back in the balance; what is ``refused`` does not.
    """

    approved: Money
    payable: Money
    retained: Money = ZERO
    cleared: Money = ZERO
    deferred: Money = ZERO
    recoverable: Money = ZERO
    refused: Money = ZERO

    @property
    def booked(self) -> Money:
        """What is booked as accepted now (interim): paid, or covered by pre-financing."""
        return self.payable + self.cleared


def room(found: Balances, limits: Limits) -> Money:
    """What may still be authorised before the balance: the ceiling less everything that counts towards it."""
    faults.point("ceiling")
    return max(limits.interim_ceiling - found.counted_to_ceiling, ZERO)


def decide_prefinancing(found: Balances, limits: Limits, approved: Money) -> Decision:
    """Pre-financing of ``approved`` gross: the retention is kept out of it, once, and the ceiling holds."""
    faults.point("ceiling")
    if approved > limits.prefinancing:
        raise Refused(
            f"The agreement allows {limits.prefinancing} of pre-financing; {approved} is {approved - limits.prefinancing} more. "
            "Lower the amount."
        )
    if approved > room(found, limits):
        raise Refused(
            f"{room(found, limits)} is left below the ceiling of {limits.interim_ceiling}; {approved} is too much. Lower the amount."
        )
    retained = min(limits.retention, approved)
    return Decision(approved, payable=approved - retained, retained=retained)


def decide_additional(found: Balances, limits: Limits, approved: Money) -> Decision:
    """Additional pre-financing of ``approved``: nothing is kept out of it any more, and the ceiling holds.

    >>> advanced = Balances({Account.BANK: Money(-210), Account.RETENTION: Money(30)})
    >>> decide_additional(advanced, Limits(Money(600), Money(540), Money(240), Money(30), Money(120)), Money(100)).payable
    Money(cents=100, currency='EUR')
    """
    faults.point("ceiling")
    if approved > limits.additional:
        raise Refused(
            f"The agreement allows {limits.additional} of additional pre-financing; {approved} is {approved - limits.additional} "
            "more. Lower the amount."
        )
    if approved > room(found, limits):
        raise Refused(
            f"{room(found, limits)} is left below the ceiling of {limits.interim_ceiling}; {approved} is too much. Lower the amount."
        )
    return Decision(approved, payable=approved)


def decide_interim(found: Balances, limits: Limits, approved: Money, *, cash_max: Money | None = None) -> Decision:
    """Accepted costs of ``approved``: cash up to the ceiling, the rest covered by pre-financing, what is left deferred.

    What neither the ceiling nor outstanding pre-financing can take is not lost: it counts in the final amount.
    ``cash_max`` is what the partners whose costs these are may still be paid under their own maxima.
    """
    payable = min(approved, room(found, limits), approved if cash_max is None else cash_max)
    cleared = min(approved - payable, found[Account.PREFINANCING])
    decision = Decision(approved, payable=payable, cleared=cleared, deferred=approved - payable - cleared)
    assert found.counted_to_ceiling + decision.payable <= max(limits.interim_ceiling, found.counted_to_ceiling)
    return decision


@dataclass(frozen=True, slots=True)
class FinalSteps:
    """What the balance books, in order: a correction of accepted costs up or down, then the release of the retention."""

    increase: Money
    decrease: Money
    outstanding: Money
    retention: Money
    outstanding_after: Money


def final_steps(found: Balances, final: Money) -> FinalSteps:
    """The amounts of E11 or E11b, and of E12, for a final amount."""
    accepted, outstanding = found[Account.GRANT_COSTS], found[Account.PREFINANCING]
    increase, decrease = max(final - accepted, ZERO), max(accepted - final, ZERO)
    after = outstanding + decrease - min(increase, outstanding)
    return FinalSteps(increase, decrease, outstanding, found[Account.RETENTION], after)


def decide_balance(found: Balances, limits: Limits, final: Money) -> Decision:
    """The final amount of the grant: what is still payable, or what was paid too much and is to be recovered.

    >>> paid = Balances({Account.BANK: Money(-510), Account.GRANT_COSTS: Money(350), Account.PREFINANCING: Money(190), Account.RETENTION: Money(30)})
    >>> decide_balance(paid, Limits(Money(600), Money(540), Money(240), Money(30)), Money(560)).payable
    Money(cents=50, currency='EUR')
    """
    faults.point("ceiling")
    if final > limits.maximum:
        raise Refused(
            f"The maximum of the grant is {limits.maximum}; a final amount of {final} is {final - limits.maximum} more. Lower it."
        )
    steps = final_steps(found, final)
    released = max(steps.retention - steps.outstanding_after, ZERO)
    owed = max(steps.increase - steps.outstanding, ZERO)
    recoverable = max(steps.outstanding_after - steps.retention, ZERO)
    decision = Decision(final, payable=owed + released, recoverable=recoverable)
    net = steps.increase - steps.decrease - steps.outstanding + steps.retention
    assert decision.payable - decision.recoverable == net, "what is paid in all is the final amount"
    return decision


def counted(accepted: Money, state: RequestState | None, approved: Money | None) -> Money:
    """What a report adds to the final amount: what its request approved of what the officer accepted.

    Nothing while its request stands rejected; the whole while none is decided.

    >>> counted(Money(100), RequestState.PARTLY_APPROVED, Money(60))
    Money(cents=60, currency='EUR')
    """
    if state is RequestState.REJECTED:
        return ZERO
    return accepted if approved is None else approved


def decide(
    kind: PaymentKind, found: Balances, limits: Limits, approved: Money, *, cash_max: Money | None = None
) -> Decision:
    """The decision on a request of this kind over ``approved``."""
    match kind:
        case PaymentKind.PREFINANCING:
            return decide_prefinancing(found, limits, approved)
        case PaymentKind.ADDITIONAL:
            return decide_additional(found, limits, approved)
        case PaymentKind.INTERIM:
            return decide_interim(found, limits, approved, cash_max=cash_max)
        case PaymentKind.BALANCE:
            return decide_balance(found, limits, approved)
        case PaymentKind.LATE_INTEREST:
            raise Refused("Interest is decided where it was reckoned, not as a request.")
        case _:
            assert_never(kind)


@dataclass(frozen=True, slots=True)
class ApprovedPart:
    """What is approved of the costs of one partner, and of one category where they are accepted by category."""

    organisation_id: UUID
    category: str | None
    approved: Money


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """What the authoriser decides: the amount approved, and why where it is less than requested.

    ``parts`` says of whose costs how much, where a cut is not spread over all of them.
    """

    approved: Money
    reason: str = ""
    parts: tuple[ApprovedPart, ...] = ()


def check_decision(requested: Money, given: DecisionInput, kind: PaymentKind) -> None:
    """Refuse an amount above the request, nothing at all (a final amount may be nothing), and a cut without a reason."""
    faults.point("ceiling")
    if given.approved > requested:
        raise Invalid(
            "More was approved than requested.",
            {"approved": f"{requested} was requested. Enter at most that."},
        )
    nothing = given.approved < ZERO if kind is PaymentKind.BALANCE else given.approved <= ZERO < requested
    if nothing:
        raise Invalid(
            "Nothing was approved.", {"approved": "Enter an amount above zero, or reject the request with a reason."}
        )
    if given.approved < requested and not given.reason.strip():
        raise Invalid(
            "The reason is missing.",
            {"reason": f"Say why {requested - given.approved} is refused; the coordinator will read it."},
        )
