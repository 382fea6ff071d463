"""Pre-financing that was approved and never paid is cancelled before the balance: nobody was paid ahead (E27)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import IN_ADVANCE, PaymentKind
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
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
from grants.payments.queries.offsets import left_to_order
from grants.payments.queries.orders import came_back
from grants.payments.rules import Amounts, RequestSummary
from grants.payments.rules.ahead import cancellable
from grants.payments.rules.circuit import refuse_impersonating
from grants.payments.services import parts
from grants.payments.services.letting_go import let_go, together
from grants.payments.services.locks import lock_grant, scope_of_request
from grants.payments.services.requests import dims_of, request_summary, tell
from grants.payments.states import DECIDED, REQUEST, RequestState


@act(
    "payment_request.cancel",
    needs=Permission.PAYMENT_REQUEST_DECIDE,
    scope=scope_of_request,
    says="cancelled what was never paid of payment request {subject}",
)
def cancel_request(
    actor: Actor, request_id: UUID, *, reason: str, of: UUID | None = None, version: int | None = None
) -> RequestSummary:
    """Cancel what of approved pre-financing was never paid (E27), before the balance is decided: what is in no order, and what
    the bank sent back and nobody issued again.

    What accepted costs cleared of it is due for them and stays to be paid, by another order where it came back. ``of`` names a
    partner whose part ends: then only what falls on it is cancelled.
    """
    demand_fresh(actor)
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    grant = lock_grant(request.grant_id)
    refuse_conflict(actor, grant.id)
    refuse_impersonating(actor.on_behalf_of)
    back = came_back(request.id)
    _refuse_uncancellable(grant, request, back)
    found = _to_cancel(grant, request, back, of)
    if not clean_text(reason):
        raise Invalid(
            "The reason is missing.", {"reason": "Say why it is not paid any more; the coordinator reads it."}
        )
    acts.reason(clean_text(reason))
    _post(grant, request, found, back)
    db.session.add(
        PaymentCancellation(
            request_id=request.id,
            number=found.number,
            organisation_id=of,
            amount=found.amount,
            retained=found.retained,
            reason=clean_text(reason),
            cancelled_on=acts.today(),
            cancelled_by=actor.user_id,
        )
    )
    db.session.flush()
    if not left_to_order(request.id, request.payable, executed_only=True):
        REQUEST.move(request, "cancel" if found.is_last_of_all else "cancel_rest")
    tell(grant, "payment_cancelled", request, amount=str(found.amount))
    return request_summary(request)


@dataclass(frozen=True, slots=True)
class _Cancelling:
    """What is cancelled of a request, of one partner where only its part is, and what of what was retained falls away."""

    number: int
    amount: Money
    retained: Money
    of: UUID | None
    # Whether nothing of the request was or will be paid.
    is_last_of_all: bool

    def own(self, held: Amounts) -> dict[PartKey, Money]:
        """What of these amounts it may be taken from."""
        return {key: each for key, each in held.items() if self.of is None or key[0] == self.of}


def _refuse_uncancellable(grant: Grant, request: PaymentRequest, back: Sequence[PaymentOrder]) -> None:
    faults.point("ceiling")
    if PaymentKind(request.kind) not in IN_ADVANCE:
        raise Refused("Only pre-financing is cancelled: what was approved for costs is due for them.")
    if RequestState(request.state) not in DECIDED:
        raise Refused("Nothing of this request waits to be paid, so nothing of it is cancelled.")
    if grant.final_amount is not None:
        raise Refused(
            "The final amount of this grant is decided and counts it. Set what is to be recovered off against it instead."
        )
    unpaid = left_to_order(request.id, request.payable, executed_only=True)
    if unpaid != left_to_order(request.id, request.payable) + total(each.amount for each in back):
        raise Refused("Part of it is in an order. Cancel the order first, or wait until the bank has booked it.")


def _to_cancel(grant: Grant, request: PaymentRequest, back: Sequence[PaymentOrder], of: UUID | None) -> _Cancelling:
    earlier = db.session.scalars(select(PaymentCancellation).where(PaymentCancellation.request_id == request.id)).all()
    gone = total(each.amount for each in earlier)
    if of is None:
        unpaid = left_to_order(request.id, request.payable, executed_only=True)
        nothing_paid = unpaid + gone == request.payable
        kept = (request.retained or ZERO) - total(each.retained for each in earlier)
        outstanding = total(queries.standing(grant.id, Account.PREFINANCING).values())
    else:
        unpaid, nothing_paid, kept, outstanding = _falling_on(grant, request, back, of)
    amount, retained = cancellable(unpaid, kept if nothing_paid else ZERO, outstanding)
    if not amount:
        raise Refused(
            "Accepted costs have cleared all of it: it is due for them and is paid, after the balance where the grant is to end."
        )
    return _Cancelling(len(earlier) + 1, amount, retained, of, is_last_of_all=gone + amount == request.payable)


def _falling_on(
    grant: Grant, request: PaymentRequest, back: Sequence[PaymentOrder], of: UUID
) -> tuple[Money, bool, Money, Money]:
    """What falls on a partner whose part ends: unpaid, whether that is all of its part, retained, and paid ahead or to be."""
    bond = agreements.bonds(grant.id).get(of)
    if bond is None:
        raise NotFound
    if bond.ends_before is None:
        raise Refused(f"The part of {bond.name} does not end, so what falls on it is not cancelled alone.")
    returned = queries.moved_for(request.id, Account.RETURNED)
    unpaid = rules.by_partner(parts.payable_left(request)).get(of, ZERO)
    unpaid += total(rules.by_partner(returned.get(each.id, {})).get(of, ZERO) for each in back)
    own = [each for each in queries.parts_kept(request.id) if each.organisation_id == of]
    held = rules.by_partner(queries.standing(grant.id, Account.PREFINANCING)).get(of, ZERO)
    return unpaid, unpaid == total(each.payable for each in own), total(each.retained for each in own), max(held, ZERO)


def _post(grant: Grant, request: PaymentRequest, found: _Cancelling, back: Sequence[PaymentOrder]) -> None:
    left = parts.payable_left(request)
    returned = let_go(grant, back)
    for key, amount in together(returned).items():
        left[key] = left.get(key, ZERO) + amount
    unpaid = rules.within(found.amount, found.own(left))
    kept = rules.within(found.retained, found.own(queries.standing(grant.id, Account.RETENTION)))
    whose: dict[PartKey, Money] = {}
    for of_part in (unpaid, kept):
        for key, part in of_part.items():
            whose[key] = whose.get(key, ZERO) + part
    ahead = rules.held_by(
        found.amount + found.retained, queries.standing(grant.id, Account.PREFINANCING), rules.by_partner(whose)
    )
    key = f"payment_request:{request.id}:{Event.APPROVED_CANCELLED.value}"
    ledger.post(
        Event.APPROVED_CANCELLED,
        source_key=key if found.number == 1 else f"{key}:{found.number}",
        effective_on=acts.today(),
        description=f"{request.reference}: approved pre-financing cancelled unpaid",
        legs=legs.legs_e27(unpaid, dims_of(grant, request), retained=kept, ahead=ahead, returned=returned),
    )
