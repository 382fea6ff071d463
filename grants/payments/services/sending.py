"""Acts by which a file of orders leaves for the bank, and by which the bank's booking is entered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.core import acts, clock, faults, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Refused
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Event, Posting
from grants.payments import queries, rules
from grants.payments.models import PaymentBatch, PaymentOrder
from grants.payments.rules import Amounts, BatchSummary, OrderSummary
from grants.payments.rules.pay_runs import (
    FileInput,
    FileLayout,
    lines_of,
    refuse_findings,
    refuse_other_figures,
    refuse_other_lines,
)
from grants.payments.rules.sepa.checks import fitted
from grants.payments.services import pain, parts
from grants.payments.services.booking import Executed, book_executed, sent_again, sent_on
from grants.payments.services.building import (
    build,
    lines_now,
    lock_orders,
    make_batch_file,
    refuse_stopped,
    run_of_batch,
    sheet,
)
from grants.payments.services.elsewhere import ask_for_record, refuse_folder_away
from grants.payments.services.hands import refuse_hands, sign
from grants.payments.services.interest_orders import legs_of_interest, paying_interest
from grants.payments.services.locks import scope_of_batch, scope_of_order
from grants.payments.services.orders import order_summary
from grants.payments.services.own_accounts import paying_account
from grants.payments.services.requests import dims_of
from grants.payments.states import BATCH, ORDER, BatchState, OrderState, Step


@act(
    "payment_file.send",
    needs=Permission.PAYMENT_FILE_SEND,
    scope=scope_of_batch,
    says="sent the payment file {subject} to the bank",
)
def send(actor: Actor, batch_id: UUID, *, count: int, control_total: Money, version: int | None = None) -> BatchSummary:
    """Let a file leave (E7 for each of its orders: payable becomes money in transit), as another person than who signed them.

    ``count`` and ``control_total`` are what the accounting officer typed from a list of their own. The frozen bytes are read
    again and held against the orders as they stand now; whatever differs refuses it.
    """
    demand_fresh(actor)
    batch = locked(PaymentBatch, batch_id)
    check_version(batch, version)
    BATCH.target(BatchState(batch.state), "send")
    ids = list(db.session.scalars(select(PaymentOrder.id).where(PaymentOrder.batch_id == batch_id)))
    grants, orders = lock_orders(actor, ids, Permission.PAYMENT_FILE_SEND)
    refuse_folder_away()
    refuse_other_figures(batch.orders, batch.total, count=count, control_total=control_total)
    _refuse_other_bytes(batch, orders, grants)
    BATCH.move(batch, "send")
    batch.sent_at, batch.sent_by = acts.moment(), actor.user_id
    leave(actor, orders, grants, on=acts.today(), told=f"sent in {batch.reference}")
    ask_for_record(batch_id)
    return BatchSummary(batch.id, batch.reference, batch.orders, batch.total, batch.file_sha256)


def leave(actor: Actor, orders: Sequence[PaymentOrder], grants: Mapping[UUID, Grant], *, on: date, told: str) -> None:
    """Orders in a file leave with it, by one person the circuit lets send each of them; what was in their way is refused."""
    hands = refuse_hands(actor, orders, Step.SENT)
    for order in orders:
        ORDER.move(order, "send")
        order.sent_by = actor.user_id
        sign(actor, order, Step.SENT, acting=hands.standing_in(Step.SENT, grants[order.grant_id].call_id))
    again = [order for order in orders if order.reissue_of is not None]
    first = [order for order in orders if order.reissue_of is None]
    interest = paying_interest(first)
    parted = parts.sent([order for order in first if order.id not in interest])
    ledger.post_many(
        [
            *(_sent(order, grants[order.grant_id], on, told, parted.get(order.id)) for order in first),
            *(_sent_again(order, grants[order.grant_id], on, told) for order in again),
        ]
    )


def _sent(order: PaymentOrder, grant: Grant, on: date, told: str, parted: Amounts | None) -> Posting:
    """Payable is in transit, part by part; interest has no parts."""
    dims = dims_of(grant, order)
    return Posting(
        Event.ORDER_SENT,
        f"payment_order:{order.id}:sent",
        on,
        f"{order.reference}: {told}",
        legs_of_interest(Event.ORDER_SENT, order, dims) if parted is None else legs.legs_e7(parted, dims),
    )


def _sent_again(order: PaymentOrder, grant: Grant, on: date, told: str) -> Posting:
    """What came back leaves again (E9c), part by part as it came back."""
    assert order.reissue_of is not None, "asked for what is issued again"
    return Posting(
        Event.ORDER_REISSUED,
        f"payment_order:{order.id}:reissued",
        on,
        f"{order.reference}: {told}, issued again",
        sent_again(order, get(PaymentOrder, order.reissue_of), grant),
    )


def _refuse_other_bytes(batch: PaymentBatch, orders: Sequence[PaymentOrder], grants: dict[UUID, Grant]) -> None:
    """The bytes are the frozen ones, say what the orders say now, and no rule of today refuses them."""
    faults.point("file_rules")
    refuse_stopped(orders, grants)
    lines = lines_of(batch.content)
    refuse_other_lines(lines, lines_now(orders), batch.total)
    assert batch.file_id is not None and batch.own_account_id is not None, "a file that is ready has bytes and account"
    account = queries.own_account_by_id(batch.own_account_id)
    paying_account(account.id, account.programme_id)
    data = files.genuine(files.view(batch.file_id)).read_bytes()
    if hashlib.sha256(data).hexdigest() != batch.file_sha256:
        raise Refused(
            "The stored file is not the one that was frozen. Tell your administrator; discard it and build another."
        )
    if batch.layout == FileLayout.XLSX:
        if data != sheet(batch.reference, batch.built_at, lines):
            raise Refused("The stored list is not that of its orders. Discard it and build another.")
        return
    run, _ = fitted(run_of_batch(batch))
    refuse_findings(pain.check_file(data, run, acts.today()))


def export(
    actor: Actor, order_ids: tuple[UUID, ...], *, control_total: Money, layout: FileLayout = FileLayout.XLSX
) -> BatchSummary:
    """Build, make and send at once, from the first account of the programme: for tests and the demo, no page uses it.

    Three acts, one after the other; where the last is refused the file stands and is sent or discarded later.
    """
    account = queries.payable_from_any(order_ids)
    built = build(actor, order_ids, FileInput(account, layout, clock.today()))
    make_batch_file(actor, built.id)
    return send(actor, built.id, count=len(set(order_ids)), control_total=control_total)


@act(
    "payment_order.execute",
    needs=Permission.PAYMENT_ORDER_EXECUTE,
    scope=scope_of_order,
    says="marked payment order {subject} as executed",
)
def execute(actor: Actor, order_id: UUID, *, value_on: date, version: int | None = None) -> OrderSummary:
    """Mark an order as booked by the bank on its value date (E8); the request is paid when nothing of it is left."""
    demand_fresh(actor)
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    grant = get(Grant, order.grant_id)
    refuse_conflict(actor, grant.id)
    refuse_hands(actor, [order], Step.SENT)
    ORDER.target(OrderState(order.state), "execute")
    rules.refuse_value_date(value_on, sent_on(order), acts.today())
    book_executed(actor.user_id, [Executed(order, grant, value_on, left_from(order))])
    return order_summary(order)


def left_from(order: PaymentOrder) -> UUID | None:
    """The account of the programme an order left from; unknown of the lists from before files named theirs."""
    assert order.batch_id is not None, "a sent order stands in a file"
    return get(PaymentBatch, order.batch_id).own_account_id
