"""A bank's status report on a file it was sent (pain.002): orders are acknowledged, or rejected and booked back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import acts, faults, files
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.permissions import Actor, Permission
from grants.payments.models import BankImport, BankStatus, PaymentBatch, PaymentOrder
from grants.payments.queries.left import told_as_left
from grants.payments.rules.returns import took_for_second
from grants.payments.rules.statements.reports import Told, told_of
from grants.payments.rules.statements.values import BankFile, StatusReport
from grants.payments.services import bank_files
from grants.payments.services.booking import CameBack, book_rejected
from grants.payments.services.hands import kept_apart
from grants.payments.services.locks import lock_grants, orders_locked
from grants.payments.states import AT_BANK, ORDER, BatchState, ImportState, OrderState, StatusOutcome


@dataclass(frozen=True, slots=True)
class ReportApplied:
    """How many orders a report acknowledged, and how many it rejected."""

    acknowledged: int
    rejected: int


@act("bank_report.apply", needs=Permission.BANK_STATEMENT_IMPORT, says="took over {subject} as the bank reports it")
def apply_report(actor: Actor, import_id: UUID) -> ReportApplied:
    """Apply a report that was read: RJCT rejects (E9a), any other word of the bank acknowledges and posts nothing.

    A refusal because the bank has the file or payment already is noted: the first may be executed. What the bank rejects after it booked it, or after a line said that it left, is refused and named: only a return brings that money back. A second time
    changes nothing.
    """
    # Locked before money: of two workers with the same report the second finds it applied.
    brought = locked(BankImport, import_id)
    acts.subject("bank_import", import_id)
    ready = brought.kind == BankFile.REPORT.value and brought.state == ImportState.IMPORTED.value
    known = db.session.scalar(select(BankStatus.id).where(BankStatus.import_id == import_id).limit(1))
    if not ready or known is not None:
        return ReportApplied(0, 0)
    report = read_kept(brought)
    told = told_of(report, _orders_of(report))
    ids = [each.order_id for each in told if each.order_id is not None]
    grants = lock_grants(list(db.session.scalars(select(PaymentOrder.grant_id).where(PaymentOrder.id.in_(ids)))))
    orders = {order.id: order for order in orders_locked(ids)}
    acts.reason(f"As the bank told in {brought.reference}.")
    return _apply(actor, brought, told, orders, grants)


def read_kept(brought: BankImport) -> StatusReport:
    """The report as it was brought, read again; raises :class:`Refused` for what is none."""
    (kept,) = files.listed("bank_import", brought.id, "file")
    with files.genuine(kept).open("rb") as file:
        return bank_files.read_report(file)


def _orders_of(report: StatusReport) -> dict[str, tuple[UUID, int]]:
    """The orders of the file a report answers, by their end-to-end id, each with its cents."""
    rows = db.session.execute(
        select(PaymentOrder.end_to_end_id, PaymentOrder.id, PaymentOrder.amount)
        .join(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .where(PaymentBatch.message_id == report.original_message_id, PaymentBatch.state == BatchState.SENT.value)
        .order_by(PaymentOrder.reference)
    )
    return {end_to_end_id or "": (order_id, amount.cents) for end_to_end_id, order_id, amount in rows}


def _apply(
    actor: Actor,
    brought: BankImport,
    told: tuple[Told, ...],
    orders: Mapping[UUID, PaymentOrder],
    grants: Mapping[UUID, Grant],
) -> ReportApplied:
    rejected: list[CameBack] = []
    acknowledged = 0
    paid, shut = told_as_left(list(orders)), kept_apart(actor.user_id, orders.values())
    for each in told:
        order = orders.get(each.order_id) if each.order_id else None
        outcome = _outcome(actor, order, each, grants, is_paid=each.order_id in paid, is_shut=each.order_id in shut)
        if outcome is StatusOutcome.REJECTED:
            assert order is not None, "an order is rejected"
            rejected.append(CameBack(order, grants[order.grant_id], each.reason or "MS03", acts.today()))
        elif outcome is StatusOutcome.ACKNOWLEDGED:
            assert order is not None, "an order is acknowledged"
            ORDER.move(order, "acknowledge")
            acknowledged += 1
        db.session.add(
            BankStatus(
                import_id=brought.id,
                order_id=order.id if order else None,
                end_to_end_id=each.end_to_end_id,
                status=each.status,
                reason=each.reason,
                outcome=outcome.value,
                told_at=acts.moment(),
            )
        )
    book_rejected(rejected)
    return ReportApplied(acknowledged, len(rejected))


def _outcome(
    actor: Actor, order: PaymentOrder | None, each: Told, grants: Mapping[UUID, Grant], *, is_paid: bool, is_shut: bool
) -> StatusOutcome:
    faults.point("matching")
    if order is None:
        return StatusOutcome.UNKNOWN
    grant = grants[order.grant_id]
    faults.point("conflict")
    mine = actor.may(Permission.BANK_STATEMENT_IMPORT, agreements.scope(grant))
    if not mine or agreements.in_conflict_with(actor, grant.id):
        return StatusOutcome.LEFT
    state = OrderState(order.state)
    if each.rejects and took_for_second(each.reason):
        return StatusOutcome.NOTED
    if each.rejects:
        if state in AT_BANK and not is_paid:
            # As by hand: whoever is kept apart from an order does not say that the bank refused it.
            faults.point("four_eyes")
            return StatusOutcome.LEFT if is_shut else StatusOutcome.REJECTED
        return StatusOutcome.LATE if is_paid or state is OrderState.EXECUTED else StatusOutcome.NOTED
    return StatusOutcome.ACKNOWLEDGED if each.acknowledges and state is OrderState.SENT else StatusOutcome.NOTED
