"""Pre-financing that was approved and never paid is cancelled before the balance: nobody was paid ahead (E27)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import IN_ADVANCE, PaymentKind
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity.rules import demand_fresh
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Event, PartKey
from grants.payments import queries, rules
from grants.payments.models import PaymentCancellation, PaymentOrder, PaymentRequest
from grants.payments.queries.ahead import cancellation
from grants.payments.queries.offsets import left_to_order
from grants.payments.queries.orders import came_back
from grants.payments.rules import RequestSummary
from grants.payments.rules.ahead import cancellable
from grants.payments.rules.circuit import refuse_impersonating
from grants.payments.services import parts
from grants.payments.services.locks import lock_grant, scope_of_request
from grants.payments.services.orders import refuse_left_before
from grants.payments.services.requests import dims_of, request_summary, tell
from grants.payments.states import DECIDED, REQUEST, RequestState


@act(
    "payment_request.cancel",
    needs=Permission.PAYMENT_REQUEST_DECIDE,
    scope=scope_of_request,
    says="cancelled what was never paid of payment request {subject}",
)
def cancel_request(actor: Actor, request_id: UUID, *, reason: str, version: int | None = None) -> RequestSummary:
    """Cancel what of approved pre-financing was never paid (E27), before the balance is decided: what is in no order, and what
    the bank sent back and nobody issued again.

    What accepted costs cleared of it is due for them and stays to be paid.
    """
    demand_fresh(actor)
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    grant = lock_grant(request.grant_id)
    refuse_conflict(actor, grant.id)
    refuse_impersonating(actor.on_behalf_of)
    back = came_back(request.id)
    amount, retained = _to_cancel(grant, request, back)
    if not clean_text(reason):
        raise Invalid(
            "The reason is missing.", {"reason": "Say why it is not paid any more; the coordinator reads it."}
        )
    acts.reason(clean_text(reason))
    _post(grant, request, amount, retained, back)
    db.session.add(
        PaymentCancellation(
            request_id=request.id,
            amount=amount,
            retained=retained,
            reason=clean_text(reason),
            cancelled_on=acts.today(),
            cancelled_by=actor.user_id,
        )
    )
    db.session.flush()
    if not left_to_order(request.id, request.payable, executed_only=True):
        REQUEST.move(request, "cancel" if amount == request.payable else "cancel_rest")
    tell(grant, "payment_cancelled", request, amount=str(amount))
    return request_summary(request)


def _to_cancel(grant: Grant, request: PaymentRequest, back: Sequence[PaymentOrder]) -> tuple[Money, Money]:
    """What is cancelled of the request, and of what was retained of it."""
    faults.point("ceiling")
    if PaymentKind(request.kind) not in IN_ADVANCE:
        raise Refused("Only pre-financing is cancelled: what was approved for costs is due for them.")
    if RequestState(request.state) not in DECIDED:
        raise Refused("Nothing of this request waits to be paid, so nothing of it is cancelled.")
    if grant.final_amount is not None:
        raise Refused(
            "The final amount of this grant is decided and counts it. Set what is to be recovered off against it instead."
        )
    if cancellation(request.id) is not None:
        raise Refused(
            "A part of it was cancelled before, and what was left is due for costs. Issue again what came back of it."
        )
    unpaid = left_to_order(request.id, request.payable, executed_only=True)
    if unpaid != left_to_order(request.id, request.payable) + total(each.amount for each in back):
        raise Refused("Part of it is in an order. Cancel the order first, or wait until the bank has booked it.")
    # The bank may have paid all the same.
    refuse_left_before(back, itself=True)
    outstanding = total(queries.standing(grant.id, Account.PREFINANCING).values())
    nothing_paid = unpaid == request.payable
    amount, retained = cancellable(unpaid, (request.retained or ZERO) if nothing_paid else ZERO, outstanding)
    if not amount:
        raise Refused(
            "Accepted costs have cleared all of it: it is due for them and is paid, after the balance where the grant is to end."
        )
    if back and amount < unpaid:
        raise Refused(
            f"Accepted costs have cleared {unpaid - amount} of it, and {back[0].reference}, which came back, is paid again whole or "
            "not at all. Issue it again."
        )
    return amount, retained


def _post(grant: Grant, request: PaymentRequest, amount: Money, retained: Money, back: Sequence[PaymentOrder]) -> None:
    returned = {each.id: each for each in back}
    parted = {
        order_id: of_order
        for order_id, of_order in queries.moved_for(request.id, Account.RETURNED).items()
        if order_id in returned
    }
    payable = amount - total(each.amount for each in back)
    unpaid = rules.within(payable, parts.payable_left(request)) if payable else {}
    kept = rules.within(retained, queries.standing(grant.id, Account.RETENTION))
    whose: dict[PartKey, Money] = {}
    for of_part in (unpaid, kept, *parted.values()):
        for key, part in of_part.items():
            whose[key] = whose.get(key, ZERO) + part
    ahead = rules.held_by(amount + retained, queries.standing(grant.id, Account.PREFINANCING), rules.by_partner(whose))
    ledger.post(
        Event.APPROVED_CANCELLED,
        source_key=f"payment_request:{request.id}:{Event.APPROVED_CANCELLED.value}",
        effective_on=acts.today(),
        description=f"{request.reference}: approved pre-financing cancelled unpaid",
        legs=legs.legs_e27(
            unpaid,
            dims_of(grant, request),
            retained=kept,
            ahead=ahead,
            returned=[(of_order, dims_of(grant, returned[order_id])) for order_id, of_order in parted.items()],
        ),
    )
