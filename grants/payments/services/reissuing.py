"""Acts on payments that came back: what the bank said is entered where no report tells it, and the payment is issued again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict, refuse_held
from grants.core import acts, faults, references
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.payments.models import PaymentBatch, PaymentOrder
from grants.payments.queries.left import told_as_left
from grants.payments.rules import BatchSummary, OrderSummary
from grants.payments.rules.returns import refuse_came_back_day, refuse_second, refuse_told_as_left
from grants.payments.services.booking import CameBack, book_rejected, sent_on
from grants.payments.services.building import lock_orders
from grants.payments.services.hands import refuse_signers, sign, standing_in
from grants.payments.services.holding import paid_costs_of
from grants.payments.services.locks import lock_grant, scope_of_batch, scope_of_order
from grants.payments.services.orders import (
    confirmed_account,
    order_summary,
    person_of,
    refuse_left_before,
    refuse_let_go,
    refuse_same_account,
)
from grants.payments.services.requests import programme_code
from grants.payments.services.stopping import refuse_ahead
from grants.payments.states import AT_BANK, BATCH, BatchState, OrderState, Step


@act(
    "payment_order.reissue",
    needs=Permission.PAYMENT_ORDER_PREPARE,
    scope=scope_of_order,
    says="issued the payment {subject} again",
)
def reissue(actor: Actor, order_id: UUID, *, version: int | None = None) -> OrderSummary:
    """Prepare a new order for a payment that came back: another identifier, four people anew, the same amount.

    It goes to the account that is confirmed now; where the bank said that the old one is of no use, another one must be.
    """
    earlier = locked(PaymentOrder, order_id)
    check_version(earlier, version)
    grant = lock_grant(earlier.grant_id)
    refuse_conflict(actor, grant.id)
    refuse_held(grant, paid_costs_of(earlier.request_id))
    refuse_let_go(earlier)
    refuse_ahead(grant, earlier.request_id)
    _refuse_other_payee(grant, earlier)
    refuse_left_before([earlier], itself=True)
    account = confirmed_account(earlier.payee_id)
    refuse_same_account(earlier, account.id, issued_as=_issued_as(earlier.id))
    order = PaymentOrder(
        reference=references.new_reference(programme_code(grant), acts.today().year, "P"),
        request_id=earlier.request_id,
        grant_id=grant.id,
        payee_id=earlier.payee_id,
        bank_account_id=account.id,
        amount=earlier.amount,
        due_on=earlier.due_on,
        state=OrderState.PREPARED.value,
        prepared_by=person_of(actor),
        reissue_of=earlier.id,
    )
    db.session.add(order)
    sign(actor, order, Step.PREPARED, acting=standing_in(actor, Step.PREPARED, grant.id))
    return order_summary(order)


def _refuse_other_payee(grant: Grant, earlier: PaymentOrder) -> None:
    """Like an order prepared now, it goes to who coordinates the grant now."""
    if earlier.payee_id != grant.coordinator_id:
        raise Refused(
            f"{earlier.reference} was for another organisation than coordinates the grant now, so it is not issued again to "
            "it. Ask your administrator how the payment is settled with the coordinator of now."
        )


def _issued_as(order_id: UUID) -> str | None:
    standing = select(PaymentOrder.reference).where(
        PaymentOrder.reissue_of == order_id, PaymentOrder.state != OrderState.CANCELLED.value
    )
    return db.session.scalar(standing)


@act(
    "payment_order.bank_reject",
    needs=Permission.PAYMENT_ORDER_EXECUTE,
    scope=scope_of_order,
    says="entered that the bank rejected {subject}",
)
def reject_by_bank(actor: Actor, order_id: UUID, *, reason: str, on: date, version: int | None = None) -> OrderSummary:
    """Enter by hand that the bank rejected an order before it booked it (E9a), as another person than who signed it."""
    demand_fresh(actor)
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    refuse_conflict(actor, order.grant_id)
    refuse_signers(actor.user_id, [order])
    said = _said(reason)
    refuse_came_back_day(on, _sent_on(order), acts.today())
    _refuse_left([order])
    acts.reason(said)
    book_rejected([CameBack(order, get(Grant, order.grant_id), said, on)])
    return order_summary(order)


@act(
    "payment_file.bank_reject",
    needs=Permission.PAYMENT_ORDER_EXECUTE,
    scope=scope_of_batch,
    says="entered that the bank refused the payment file {subject}",
)
def reject_file_by_bank(
    actor: Actor, batch_id: UUID, *, reason: str, on: date, version: int | None = None
) -> BatchSummary:
    """Enter by hand that the bank refused a whole file it was sent: each of its orders that it has not booked is rejected."""
    demand_fresh(actor)
    batch = locked(PaymentBatch, batch_id)
    check_version(batch, version)
    if batch.state != BatchState.SENT.value:
        BATCH.target(BatchState(batch.state), "discard")
        raise Refused("This file was not sent, so the bank refused nothing of it. Discard it instead.")
    acts.subject("payment_batch", batch_id)
    ids = list(db.session.scalars(select(PaymentOrder.id).where(PaymentOrder.batch_id == batch_id)))
    grants, orders = lock_orders(actor, ids, Permission.PAYMENT_ORDER_EXECUTE)
    waiting = [order for order in orders if OrderState(order.state) in AT_BANK]
    if not waiting:
        raise Refused("The bank has no order of this file any more: each is executed, or came back.")
    said = _said(reason)
    refuse_signers(actor.user_id, waiting)
    refuse_came_back_day(on, sent_on(waiting[0]), acts.today())
    _refuse_left(waiting)
    acts.reason(said)
    book_rejected([CameBack(order, grants[order.grant_id], said, on) for order in waiting])
    return BatchSummary(batch.id, batch.reference, batch.orders, batch.total, batch.file_sha256)


def _sent_on(order: PaymentOrder) -> date:
    if OrderState(order.state) not in AT_BANK:
        raise Refused(f"{order.reference} does not wait for the bank. Reload the page to see what stands now.")
    return sent_on(order)


def _refuse_left(orders: Sequence[PaymentOrder]) -> None:
    faults.point("matching")
    for left in told_as_left([order.id for order in orders]).values():
        refuse_told_as_left(left.reference, left.line)


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Enter what the bank said, its code first, as in AC04."})
    refuse_second(reason)
    return " ".join(reason.split())[:300]


__all__ = ["reissue", "reject_by_bank", "reject_file_by_bank"]
