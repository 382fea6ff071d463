"""Acts by which orders leave in a list and are booked by the bank, and the list as a file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.core import acts, clock, faults, files, jobs, references
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Event
from grants.payments import queries, rules
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest
from grants.payments.rules import BatchSummary, BatchView, OrderSummary
from grants.payments.services import parts
from grants.payments.services.holding import refuse_suspended
from grants.payments.services.locks import scope_of_batch, scope_of_grant, scope_of_order
from grants.payments.services.orders import order_summary, payable_account, sign, signed
from grants.payments.services.requests import dims_of, programme_code, tell, today
from grants.payments.states import ORDER, REQUEST, OrderState, Step

BATCH_ORDERS_MAX = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@act("payment_order.export", needs=Permission.PAYMENT_ORDER_EXECUTE, says="exported {subject} for the bank")
def export(actor: Actor, order_ids: tuple[UUID, ...], *, control_total: Money) -> BatchSummary:
    """Let authorised orders leave in one list (E7: payable becomes money in transit); a job then makes the file.

    ``control_total`` is what the accounting officer typed: it must be the sum of the orders.
    """
    demand_fresh(actor)
    if not 0 < len(set(order_ids)) <= BATCH_ORDERS_MAX:
        raise Invalid(f"Choose between 1 and {BATCH_ORDERS_MAX} orders.", {"orders": "Tick the orders to export."})
    orders = _lock_orders(actor, order_ids)
    summed = total(order.amount for order in orders)
    if summed != control_total:
        raise Invalid(
            "The control total does not match.",
            {"control_total": f"The orders ticked sum to {summed}. Compare them with your own list."},
        )
    series = programme_code(get(Grant, orders[0].grant_id))
    batch = PaymentBatch(
        reference=_batch_reference(series),
        exported_at=acts.moment(),
        exported_by=actor.user_id,
        orders=len(orders),
        total=summed,
    )
    db.session.add(batch)
    for order in orders:
        _send(actor, order, batch)
    jobs.queue(
        "jobs.payments.make_batch_file",
        subject=("payment_batch", batch.id),
        unique=f"payment_batch:{batch.id}",
        batch_id=str(batch.id),
    )
    return BatchSummary(batch.id, batch.reference, len(orders), summed)


def _lock_orders(actor: Actor, order_ids: Sequence[UUID]) -> list[PaymentOrder]:
    """The orders, their grants locked in one order for everybody; each must lie in the person's scope."""
    grants = db.session.execute(
        select(Grant.call_id, Grant.id)
        .join(PaymentOrder, PaymentOrder.grant_id == Grant.id)
        .where(PaymentOrder.id.in_(order_ids))
        .distinct()
        .order_by(Grant.call_id, Grant.id)
    ).all()
    faults.point("scope")
    for _, grant_id in grants:
        if not actor.may(Permission.PAYMENT_ORDER_EXECUTE, scope_of_grant(grant_id)):
            raise NotFound
        refuse_conflict(actor, grant_id)
    orders = [locked(PaymentOrder, order_id) for order_id in sorted(set(order_ids))]
    return sorted(orders, key=lambda order: order.reference)


def _send(actor: Actor, order: PaymentOrder, batch: PaymentBatch) -> None:
    faults.point("four_eyes")
    rules.refuse_same_person(signed(order), Step.EXPORTED, actor.user_id)
    payable_account(order)
    refuse_suspended(order.request_id)
    ORDER.move(order, "export")
    order.exported_by, order.batch_id = actor.user_id, batch.id
    sign(actor, order, Step.EXPORTED)
    grant = get(Grant, order.grant_id)
    ledger.post(
        Event.ORDER_SENT,
        source_key=f"payment_order:{order.id}:sent",
        effective_on=today(),
        description=f"{order.reference}: sent in {batch.reference}",
        legs=legs.legs_e7(parts.sent(order), dims_of(grant, order)),
    )


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
    faults.point("four_eyes")
    rules.refuse_same_person(
        {step: person for step, person in signed(order).items() if step is not Step.EXPORTED},
        Step.EXPORTED,
        actor.user_id,
    )
    ORDER.target(OrderState(order.state), "execute")
    assert order.batch_id is not None, "an exported order stands in a list"
    sent_on = clock.in_zone(get(PaymentBatch, order.batch_id).exported_at).date()
    rules.refuse_value_date(value_on, sent_on, today())
    ORDER.move(order, "execute")
    order.executed_by, order.value_on = actor.user_id, value_on
    ledger.post(
        Event.ORDER_BOOKED,
        source_key=f"payment_order:{order.id}:booked",
        effective_on=value_on,
        description=f"{order.reference}: booked by the bank",
        legs=parts.legs_booked(order, dims_of(grant, order)),
    )
    _settle(grant, order.request_id)
    return order_summary(order)


def _settle(grant: Grant, request_id: UUID) -> None:
    request = locked(PaymentRequest, request_id)
    db.session.flush()
    paid = db.session.scalars(
        select(PaymentOrder.amount).where(
            PaymentOrder.request_id == request_id, PaymentOrder.state == OrderState.EXECUTED.value
        )
    ).all()
    if total(paid) == request.payable:
        REQUEST.move(request, "pay")
        tell(grant, "payment_executed", request)


def _batch_reference(programme_code: str) -> str:
    series = f"{programme_code}-{today().year}-B"
    return f"{series}-{references.next_number(series):04d}"


@act(
    "payment_batch.make_file",
    needs=Permission.PAYMENT_ORDER_EXECUTE,
    scope=scope_of_batch,
    says="made the file of batch {subject}",
)
def make_batch_file(actor: Actor, batch_id: UUID) -> BatchSummary:
    """Make the list of a batch as XLSX, once: its hash is then frozen, and a second time gives the same file."""
    batch = locked(PaymentBatch, batch_id)
    _refuse_conflict_with_any(actor, batch_id)
    if batch.file_id is None:
        file = files.keep_bytes(
            sheet(queries.batch_view(batch)),
            name=f"{batch.reference}.xlsx",
            media_type=XLSX,
            kind="payment_batch",
            object_id=batch.id,
            role="list",
        )
        batch.file_id, batch.file_sha256 = file.id, file.sha256
    return BatchSummary(batch.id, batch.reference, batch.orders, batch.total, batch.file_sha256)


@act(
    "payment_batch.open_file",
    needs=Permission.PAYMENT_ORDER_EXECUTE,
    scope=scope_of_batch,
    says="opened the file of batch {subject}",
)
def open_batch_file(actor: Actor, batch_id: UUID) -> FileView:
    """Open the list with its account numbers, on the record."""
    batch = locked(PaymentBatch, batch_id)
    acts.subject("payment_batch", batch_id)
    _refuse_conflict_with_any(actor, batch_id)
    if batch.file_id is None:
        raise Refused("The list is still being made. Wait a moment and reload the page.")
    return files.view(batch.file_id)


def _refuse_conflict_with_any(actor: Actor, batch_id: UUID) -> None:
    grants = select(PaymentOrder.grant_id).where(PaymentOrder.batch_id == batch_id).distinct()
    for grant_id in db.session.scalars(grants.order_by(PaymentOrder.grant_id)):
        refuse_conflict(actor, grant_id)


def sheet(batch: BatchView) -> bytes:
    """The list as XLSX: the same bytes whenever it is made, text never a formula, amounts as numbers."""
    import xlsxwriter

    accounts = queries.account_numbers([order.id for order in batch.orders])
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # Without a fixed time each file would differ.
    book.set_properties({"title": f"Payment list {batch.reference}", "created": batch.exported_at.replace(tzinfo=None)})
    bold, amount = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    page = book.add_worksheet("Payments")
    page.write_row(0, 0, ("Order", "Beneficiary", "Account holder", "IBAN", "BIC", "Amount, EUR", "Reference"), bold)
    page.set_column(0, 6, 26)
    for line, order in enumerate(batch.orders, start=1):
        account = accounts[order.id]
        for column, text in enumerate((order.reference, order.payee, account.holder, account.iban, account.bic)):
            if text:
                page.write_string(line, column, text)
        page.write_number(line, 5, _decimal(order.amount), amount)
        page.write_string(line, 6, f"{order.reference} {order.reason}")
    end = len(batch.orders) + 2
    page.write_string(end, 0, f"{len(batch.orders)} orders, control total", bold)
    page.write_number(end, 5, _decimal(batch.total), amount)
    book.close()
    return written.getvalue()


def _decimal(amount: Money) -> Decimal:
    return Decimal(amount.cents) / 100
