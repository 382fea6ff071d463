"""Pre-financing of a grant or a part that is to end: what was approved and not paid yet is not paid ahead of its costs any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from grants.agreements.models import Grant
from grants.agreements.services import refuse_prefinancing
from grants.core.db import db
from grants.core.errors import Refused
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments.models import PaymentOrder
from grants.payments.queries.stopping import ahead_of_end, held_back
from grants.payments.rules.ahead import refuse_held_back


def refuse_ahead(grant: Grant, request_id: UUID) -> None:
    """Refuse to pay what a request pre-finances once a termination of its grant is confirmed, or of a partner's part in it.

    After the balance it pays for costs: what the balance found too much is set off first, and the rest may be paid. Where a part
    ends, what falls on it is cancelled first, and the rest is paid.
    """
    if _stopped([request_id]):
        _refuse(grant)
    refuse_held_back(held_back([request_id]))


def refuse_orders_ahead(orders: Sequence[PaymentOrder], grants: Mapping[UUID, Grant]) -> None:
    """The same of orders that are to leave in one file; names the order. Mostly none is, at two statements."""
    asked = [order.request_id for order in orders]
    ahead, held = _stopped(asked), held_back(asked)
    for order in orders:
        try:
            if order.request_id in ahead:
                _refuse(grants[order.grant_id])
            refuse_held_back([each for each in held if each.request_id == order.request_id])
        except Refused as error:
            raise Refused(f"{order.reference}: {error} Take it out of the file, or cancel it.") from error


def _stopped(requests: Sequence[UUID]) -> set[UUID]:
    """Which of these requests pre-finance a grant whose termination is confirmed."""
    return set(db.session.scalars(ahead_of_end(requests)))


def _refuse(grant: Grant) -> None:
    if grant.final_amount is not None:
        found = books.of(grant_id=grant.id)
        if not found[Account.PREFINANCING] and not found[Account.RECOVERY_RECEIVABLE]:
            return
    refuse_prefinancing(grant, approved=True)
