"""Pre-financing that was approved and is not paid: what a balance would claim back although nobody had it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select

from grants.agreements.states import IN_ADVANCE
from grants.core.money import ZERO, Money
from grants.core.together import Asking, ask, reader
from grants.identity.models import Organisation, User
from grants.payments.models import PaymentCancellation, PaymentOrder, PaymentRequest
from grants.payments.queries.offsets import set_off_cents
from grants.payments.queries.stopping import ends_before_its_time
from grants.payments.rules.ahead import UnpaidAhead
from grants.payments.states import AT_BANK, CAME_BACK, DECIDED, OrderState


@reader
def unpaid_ahead(grant_id: UUID) -> Asking[tuple[UnpaidAhead, ...]]:
    """The approved pre-financing of a grant that is not wholly paid, with the orders that are to pay it. One statement."""
    live = (PaymentOrder.state != OrderState.CANCELLED.value) & PaymentOrder.reissue_of.is_(None)
    cents = cast(PaymentOrder.amount, BigInteger)
    paid = func.coalesce(func.sum(cents).filter(PaymentOrder.state == OrderState.EXECUTED.value), 0)
    ordered = func.coalesce(func.sum(cents).filter(live), 0)
    waiting = func.array_agg(PaymentOrder.reference).filter(
        PaymentOrder.state.not_in([each.value for each in (OrderState.CANCELLED, OrderState.EXECUTED, *CAME_BACK)])
    )
    left = func.array_agg(PaymentOrder.reference).filter(PaymentOrder.state.in_([each.value for each in AT_BANK]))
    ends = ends_before_its_time(grant_id)
    statement = (
        select(
            *(PaymentRequest.reference, PaymentRequest.payable, paid.label("paid"), ordered.label("ordered")),
            *(set_off_cents(PaymentRequest.id).label("off"), waiting.label("waiting"), left.label("at_bank")),
            ends.label("ends"),
        )
        .outerjoin(PaymentOrder, PaymentOrder.request_id == PaymentRequest.id)
        .where(
            PaymentRequest.grant_id == grant_id,
            PaymentRequest.kind.in_([each.value for each in IN_ADVANCE]),
            PaymentRequest.state.in_([each.value for each in DECIDED]),
        )
        .group_by(PaymentRequest.id)
        .order_by(PaymentRequest.number)
    )
    found = []
    for row in (yield from ask(statement)):
        payable = row.payable or ZERO
        unpaid = payable - Money(int(row.paid) + int(row.off))
        at_bank = tuple(sorted(row.at_bank or ()))
        found.append(UnpaidAhead(row.reference, unpaid, tuple(sorted(row.waiting or ())), at_bank, row.ends))
    return tuple(each for each in found if each.left > ZERO)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What of approved pre-financing was cancelled unpaid, when, by whom and why; of which partner, where only its part was."""

    amount: Money
    retained: Money
    on: date
    by: str
    reason: str
    partner: str | None


@reader
def cancellations(request_id: UUID) -> Asking[tuple[Cancelled, ...]]:
    """What of a request was cancelled, oldest first. One statement."""
    row = PaymentCancellation
    statement = (
        select(row.amount, row.retained, row.cancelled_on, User.name, row.reason, Organisation.name.label("partner"))
        .join(User, User.id == row.cancelled_by)
        .outerjoin(Organisation, Organisation.id == row.organisation_id)
        .where(row.request_id == request_id)
        .order_by(row.number)
    )
    return tuple(Cancelled(*each) for each in (yield from ask(statement)))
