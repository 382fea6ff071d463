"""What starts the days of a payment, and what a payment request passes before its decision: data of the call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grants.calls.states import ClockStart, RequestPath

_STARTS: Mapping[ClockStart, str] = {
    ClockStart.RECEIPT: "from the day the report came in",
    ClockStart.REGISTRATION: "from the registration of the payment request, not from the day the report came in",
    ClockStart.APPROVAL: "from the approval of the report, not from the day it came in",
}
_PASSES: Mapping[RequestPath, str] = {
    RequestPath.DECIDED: "a payment request is decided as it comes in",
    RequestPath.REGISTERED: "a payment request is registered before it is decided",
    RequestPath.VERIFIED: "a payment request is registered, verified by another person and then decided by a third",
}


@dataclass(frozen=True, slots=True)
class PaymentClock:
    """What starts the days of interim payments and of the balance; pre-financing counts from entry into force always."""

    starts: ClockStart = ClockStart.RECEIPT
    passes: RequestPath = RequestPath.DECIDED

    @property
    def words(self) -> str:
        """Both as one sentence, without its full stop.

        >>> PaymentClock().words
        'The days of interim payments and of the balance count from the day the report came in; a payment request is decided as it comes in'
        """
        return f"The days of interim payments and of the balance count {_STARTS[self.starts]}; {_PASSES[self.passes]}"

    @property
    def contradicts(self) -> bool:
        """Whether days would count from a registration that nobody makes."""
        return self.starts is ClockStart.REGISTRATION and self.passes is RequestPath.DECIDED


PLAIN_CLOCK = PaymentClock()
