"""When a payment is due, and what its day rests on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from grants.agreements.states import PaymentKind
from grants.calls.rules import TimeLimits
from grants.core import clock
from grants.payments.states import ClockEvent

WORDS: Mapping[PaymentKind, str] = {
    PaymentKind.PREFINANCING: "Pre-financing",
    PaymentKind.ADDITIONAL: "Additional pre-financing",
    PaymentKind.INTERIM: "Interim payment",
    PaymentKind.BALANCE: "Payment of the balance",
    PaymentKind.LATE_INTEREST: "Interest for late payment",
}


def prefinancing_due_on(in_force_on: date, starts_on: date, limits: TimeLimits) -> date:
    """So many days after entry into force or before the start, whichever is later.

    >>> prefinancing_due_on(date(2023, 5, 1), date(2023, 6, 1), TimeLimits(30, 10, 60, 90, 90))
    datetime.date(2023, 5, 31)
    """
    return max(clock.add_days(in_force_on, limits.prefinancing), clock.add_days(starts_on, -limits.before_start))


def report_due_on(kind: PaymentKind, received_on: date, limits: TimeLimits) -> date:
    """So many days after the report that opens the payment was received."""
    return clock.add_days(received_on, limits.balance if kind is PaymentKind.BALANCE else limits.interim)


def again_due_on(kind: PaymentKind, asked_on: date, limits: TimeLimits) -> date:
    """A request that is made again starts its time anew."""
    return clock.add_days(asked_on, days_of(kind, limits))


def days_of(kind: PaymentKind, limits: TimeLimits) -> int:
    """How many days the agreement gives for a payment of this kind."""
    match kind:
        case PaymentKind.PREFINANCING | PaymentKind.ADDITIONAL:
            return limits.prefinancing
        case PaymentKind.INTERIM | PaymentKind.LATE_INTEREST:
            return limits.interim
        case PaymentKind.BALANCE:
            return limits.balance
        case _:
            assert_never(kind)


@dataclass(frozen=True, slots=True)
class DueBasis:
    """What the due day of a request rests on: the grant's own time limits, and the day they count from, if they do yet."""

    kind: PaymentKind
    limits: TimeLimits
    limits_on: date
    counted_from: date | None
    starts_on: date
    event: ClockEvent | None

    @property
    def words(self) -> str:
        """Why it is due on its day, as one sentence without its full stop."""
        taken = f"time limits of the call as the agreement took them over on {clock.long_date(self.limits_on)}"
        days = f"{days_of(self.kind, self.limits)} days after"
        if self.event is None or self.counted_from is None:
            return f"{days} it is registered complete, which it is not yet; {taken}"
        since = clock.long_date(self.counted_from)
        match self.event:
            case ClockEvent.AGAIN:
                return f"{days} it was asked for again on {since}; {taken}"
            case ClockEvent.COMPLETION:
                return f"{days} it was completed on {since}; {taken}"
            case ClockEvent.REGISTRATION:
                return f"{days} it was registered on {since}; {taken}"
            case ClockEvent.APPROVAL:
                return f"{days} the report was settled on {since}; {taken}"
            case ClockEvent.RECEIPT:
                return f"{days} the report came in on {since}; {taken}"
            case ClockEvent.STATEMENT:
                return f"{days} the statement of use came in on {since}; {taken}"
            case ClockEvent.INTEREST:
                return f"{days} it was confirmed on {since}; {taken}"
            case ClockEvent.IN_FORCE:
                return (
                    f"{days} the agreement came into force on {since}, "
                    f"or {self.limits.before_start} days before the start on {clock.long_date(self.starts_on)} where that is later; {taken}"
                )
            case _:
                assert_never(self.event)
