"""Requests that wait for their decision follow an amended agreement and moved maxima: they ask for what is allowed now."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.states import IN_ADVANCE, PaymentKind
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.payments.models import PaymentRequest
from grants.payments.queries.additional import use_of
from grants.payments.services.locks import lock_grant, scope_of_grant
from grants.payments.services.requests import final_amount
from grants.payments.states import REQUEST, UNDECIDED, RequestState


@act(
    "payment_request.follow_agreement",
    needs=Permission.PAYMENT_REQUEST_OPEN,
    scope=scope_of_grant,
    says="let the open payment requests of {subject} follow its amended agreement",
)
def follow_agreement(actor: Actor, grant_id: UUID) -> int:
    """Pre-financing and balance that nobody decided yet ask for what the agreement allows now; what was verified is verified
    anew. What was decided stands. Returns how many changed; safe to run twice.
    """
    grant = lock_grant(grant_id)
    rows = db.session.scalars(
        select(PaymentRequest)
        .where(
            PaymentRequest.grant_id == grant_id,
            PaymentRequest.kind.in_([*(each.value for each in IN_ADVANCE), PaymentKind.BALANCE.value]),
            PaymentRequest.state.in_([each.value for each in UNDECIDED]),
        )
        .order_by(PaymentRequest.number)
        .with_for_update()
    ).all()
    changed = 0
    for row in rows:
        now = _asked_now(grant, row)
        if row.requested == now:
            continue
        acts.reason(f"What the agreement allows has changed: {now} instead of {row.requested}.")
        row.requested = now
        changed += 1
        if RequestState(row.state) is RequestState.VERIFIED:
            REQUEST.move(row, "renew")
            row.verified_at = row.verified_by = None
    return changed


def _asked_now(grant: Grant, row: PaymentRequest) -> Money:
    match PaymentKind(row.kind):
        case PaymentKind.PREFINANCING:
            return grant.prefinancing
        case PaymentKind.ADDITIONAL:
            used = use_of(row.id)
            assert used is not None, "a statement of use opened it"
            return used.asked(grant.additional)
        case _:
            return final_amount(grant)
