"""A debt is set off against a payment that is due to the same city: of the same grant, or of another one (E15)."""

from __future__ import annotations

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import PaymentKind
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import NotFound, Refused
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger.rules import Event, Posting
from grants.payments.models import PaymentOffset, PaymentOrder, PaymentRequest, Recovery
from grants.payments.queries.offsets import left_to_order
from grants.payments.queries.orders import came_back
from grants.payments.queries.stopping import ahead_of_end
from grants.payments.rules import RecoverySummary
from grants.payments.rules.offsets import OffsetInput, check_offset
from grants.payments.services import parts
from grants.payments.services.holding import refuse_suspended
from grants.payments.services.letting_go import let_go
from grants.payments.services.locks import lock_grants
from grants.payments.services.passing import post_paid_of
from grants.payments.services.recoveries import owed, refuse_booking
from grants.payments.services.requests import dims_of
from grants.payments.states import DECIDED, RECOVERY, REQUEST, RecoveryState, RequestState


def scope_of_offset(given: OffsetInput) -> Scope:
    """Where the debt lies; both grants are locked here in the one order in which money is locked."""
    debt, request = get(Recovery, given.recovery_id), get(PaymentRequest, given.request_id)
    lock_grants({debt.grant_id, request.grant_id})
    return agreements.scope(get(Grant, debt.grant_id))


@act(
    "recovery.set_off",
    needs=Permission.RECOVERY_OFFSET,
    scope=scope_of_offset,
    says="set off recovery {subject} against a payment",
)
def set_off(actor: Actor, given: OffsetInput, *, version: int | None = None) -> RecoverySummary:
    """Set a debt off against what a decided request of the same city still has to pay (E15): no cash moves.

    What is left of the request is ordered and paid as before, and nothing where nothing is left. What came back of the
    pre-financing of a grant that ends is let go for it: what is left of that is ordered anew. Whoever confirmed the debt sets
    nothing of it off.
    """
    demand_fresh(actor)
    request, row = locked(PaymentRequest, given.request_id), locked(Recovery, given.recovery_id)
    check_version(row, version)
    pays, owes = get(Grant, request.grant_id), get(Grant, row.grant_id)
    faults.point("scope")
    if not actor.may(Permission.RECOVERY_OFFSET, agreements.scope(pays)):
        raise NotFound
    for grant_id in {pays.id, owes.id}:
        refuse_conflict(actor, grant_id)
    RECOVERY.target(RecoveryState(row.state), "set_off")
    refuse_booking(actor.user_id, row)
    if pays.coordinator_id != owes.coordinator_id:
        raise Refused("A debt is set off against a payment to the city that owes it, and to no other.")
    if RequestState(request.state) not in DECIDED:
        raise Refused(f"{request.reference} has nothing to pay: only an approved request has.")
    if request.kind == PaymentKind.LATE_INTEREST.value:
        raise Refused("Interest we owe is paid whole: nothing is set off against it. Choose another payment.")
    refuse_suspended(request.id)
    still, left = owed(row), left_to_order(request.id, request.payable)
    back = _let_go_for(request) if given.amount > left else ()
    check_offset(given.amount, owed=still, left=left + total(each.amount for each in back))
    made = PaymentOffset(
        request_id=request.id, recovery_id=row.id, amount=given.amount, offset_on=acts.today(), offset_by=actor.user_id
    )
    entry = parts.legs_set_off(
        *(request, dims_of(pays, request), row, dims_of(owes, row), given.amount),
        owed=still,
        returned=let_go(pays, back),
    )
    db.session.add(made)
    db.session.flush()
    words = f"{row.reference}: set off against {request.reference}"
    grants = (pays,) if pays.id == owes.id else (pays, owes)
    post_paid_of([(grants, Posting(Event.OFFSET, f"offset:{made.id}", acts.today(), words, entry))])
    RECOVERY.move(row, "set_off" if given.amount == still else "set_off_part")
    _settle(request)
    _tell(pays, request, row, given.amount)
    return RecoverySummary(row.id, row.reference, RecoveryState(row.state), owed(row), row.number)


def _let_go_for(request: PaymentRequest) -> tuple[PaymentOrder, ...]:
    """What came back of pre-financing is issued again by nobody once its grant is to end: a debt is set off against it too."""
    is_stopped = db.session.scalars(ahead_of_end([request.id])).first() is not None
    return came_back(request.id) if is_stopped else ()


def _settle(request: PaymentRequest) -> None:
    """What was set off whole, or paid but for what is set off, is paid."""
    if not left_to_order(request.id, request.payable, executed_only=True):
        REQUEST.move(request, "set_off")


def _tell(grant: Grant, request: PaymentRequest, row: Recovery, amount: Money) -> None:
    owes = get(Grant, row.grant_id)
    readers = identity.users_with(Permission.PAYMENT_REQUEST_SUBMIT, agreements.scope(owes))
    people.mail(
        [each.id for each in readers],
        "recovery_set_off",
        "grant",
        owes.id,
        reference=owes.reference,
        recovery=row.reference,
        number=str(row.number),
        request=request.reference,
        paying=grant.reference,
        amount=str(amount),
    )
