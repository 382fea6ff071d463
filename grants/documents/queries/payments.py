"""Requests, orders and recoveries as they stood at a moment, whatever became of them since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, func, select, true, type_coerce

from grants.agreements.models import Beneficiary, Grant
from grants.agreements.states import PaymentKind
from grants.core import clock
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.money import Money
from grants.documents.queries.movements import Known, Place
from grants.identity.models import Organisation
from grants.ledger.models import LedgerEntry
from grants.payments.models import (
    PaymentBatch,
    PaymentCancellation,
    PaymentOffset,
    PaymentOrder,
    PaymentOrderSignature,
    PaymentRequest,
    PaymentRequestPart,
    Recovery,
    RecoveryReceipt,
)
from grants.payments.rules import reason_words
from grants.payments.states import Step
from grants.reporting.models import PeriodicReport


def day(moment: datetime | None) -> date | None:
    """The day of an instant in Brussels."""
    return None if moment is None else clock.in_zone(moment).date()


def in_place(place: Place) -> ColumnElement[bool]:
    """Grants in what a statement is about."""
    return Grant.id == place.grant_id if place.grant_id else Grant.call_id.in_(place.call_ids)


def _cents(column: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(type_coerce(column, BigInteger)), 0)


def paid_by_orders(place: Place, known: Known) -> Money:
    """What orders that the bank executed come to, less what cities paid back: from the orders, not from the ledger's legs."""
    booked = (
        select(_cents(PaymentOrder.amount))
        .join(Grant, Grant.id == PaymentOrder.grant_id)
        .join(PaymentRequest, PaymentRequest.id == PaymentOrder.request_id)
        .join(LedgerEntry, LedgerEntry.source_key == func.concat("payment_order:", PaymentOrder.id, ":booked"))
        # Interest we owed is paid beside the grant.
        .where(in_place(place), PaymentRequest.kind != PaymentKind.LATE_INTEREST.value, *known.conditions)
    )
    received = (
        select(_cents(RecoveryReceipt.amount))
        .join(Recovery, Recovery.id == RecoveryReceipt.recovery_id)
        .join(Grant, Grant.id == Recovery.grant_id)
        .join(LedgerEntry, LedgerEntry.source_key == func.concat("recovery_receipt:", RecoveryReceipt.id, ":received"))
        .where(in_place(place), *known.conditions)
    )
    return Money(int(db.session.scalar(booked) or 0)) - Money(int(db.session.scalar(received) or 0))


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One payment request as it stood; what was not decided yet has no decision."""

    reference: str
    reason: str
    submitted_on: date
    due_on: date
    requested: Money
    decided_on: date | None
    approved: Money | None
    refused: Money | None
    retained: Money | None
    cleared: Money | None
    deferred: Money | None
    payable: Money | None
    state: str


def requests(grant_id: UUID, as_of: datetime) -> list[RequestLine]:
    """Every request of a grant made before a moment, as it stood then."""
    cancelled = (PaymentCancellation.request_id == PaymentRequest.id) & (PaymentCancellation.created_at < as_of)
    rows = db.session.execute(
        select(PaymentRequest, PeriodicReport.number, PaymentCancellation.amount)
        .outerjoin(PeriodicReport, PeriodicReport.id == PaymentRequest.report_id)
        .outerjoin(PaymentCancellation, cancelled)
        .where(PaymentRequest.grant_id == grant_id, PaymentRequest.submitted_at < as_of)
        .order_by(PaymentRequest.number)
    ).all()
    return [_request_line(row, number, unpaid, as_of) for row, number, unpaid in rows]


def _request_line(
    row: PaymentRequest, report_number: int | None, cancelled: Money | None, as_of: datetime
) -> RequestLine:
    decided = row.decided_at is not None and row.decided_at < as_of
    amounts = (row.approved, row.refused, row.retained, row.cleared, row.deferred, row.payable)
    return RequestLine(
        *(row.reference, reason_words(PaymentKind(row.kind), report_number), _day(row.submitted_at), row.due_on),
        *(row.requested, day(row.decided_at) if decided else None),
        *(amounts if decided else (None,) * 6),
        _decision_words(row, cancelled) if decided else "Waits for its decision",
    )


@dataclass(frozen=True, slots=True)
class PartOfRequest:
    """What was decided of the costs of one partner and category, with the reference of its request."""

    request: str
    partner: str
    category: str | None
    requested: Money
    approved: Money
    refused: Money
    retained: Money
    cleared: Money
    deferred: Money
    payable: Money


def parts(grant_id: UUID, as_of: datetime) -> list[PartOfRequest]:
    """By whose costs the requests decided before a moment pay; nothing of those decided before that was kept."""
    part = PaymentRequestPart
    rows = db.session.execute(
        select(PaymentRequest.reference, Organisation.name, part)
        .join(part, part.request_id == PaymentRequest.id)
        .join(Organisation, Organisation.id == part.organisation_id)
        .join(Beneficiary, (Beneficiary.grant_id == grant_id) & (Beneficiary.organisation_id == part.organisation_id))
        .where(PaymentRequest.grant_id == grant_id, PaymentRequest.decided_at < as_of)
        .order_by(PaymentRequest.number, Beneficiary.position, part.category)
    )
    return [
        PartOfRequest(
            *(request, partner, row.category, row.requested, row.approved, row.refused),
            *(row.retained, row.cleared, row.deferred, row.payable),
        )
        for request, partner, row in rows
    ]


def _day(moment: datetime) -> date:
    return clock.in_zone(moment).date()


def _decision_words(row: PaymentRequest, cancelled: Money | None) -> str:
    """What was decided, and what of it was cancelled unpaid since; whether it is paid by now, its orders say."""
    if row.approved is None:
        return "Rejected"
    words = "Approved in part" if row.refused else "Approved"
    if cancelled:
        return f"{words}, {cancelled} cancelled unpaid"
    return words if row.payable else f"{words}, nothing to pay"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One payment order as it stood: the days of its steps, and the list it left in."""

    reference: str
    request: str
    prepared_on: date | None
    verified_on: date | None
    authorised_on: date | None
    batch: str | None
    sent_on: date | None
    value_on: date | None
    # None where it was cancelled: it pays nothing, and its state says what it was for.
    amount: Money | None
    state: str


def orders(grant_id: UUID, as_of: datetime) -> list[OrderLine]:
    """Every order of a grant prepared before a moment, as it stood then."""
    rows = db.session.execute(
        select(PaymentOrder, PaymentRequest.reference, PaymentBatch)
        .join(PaymentRequest, PaymentRequest.id == PaymentOrder.request_id)
        .outerjoin(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .where(PaymentOrder.grant_id == grant_id, PaymentOrder.created_at < as_of)
        .order_by(PaymentOrder.reference)
    ).all()
    ids = [row.id for row, _, _ in rows]
    signed = _signatures(ids, as_of)
    booked = _booked(ids, as_of)
    cancelled = _cancelled(ids, as_of)
    return [
        _order_line(
            *(
                row,
                request,
                batch if batch is not None and batch.sent_at is not None and batch.sent_at < as_of else None,
            ),
            *(signed.get(row.id, {}), row.id in booked, row.id in cancelled),
        )
        for row, request, batch in rows
    ]


def _order_line(
    row: PaymentOrder,
    request: str,
    batch: PaymentBatch | None,
    signed: dict[Step, tuple[datetime, Money]],
    is_booked: bool,
    is_cancelled: bool,
) -> OrderLine:
    last = max(signed.values(), default=None, key=lambda step: step[0])
    amount: Money | None = last[1] if last else row.amount
    if is_cancelled:
        state, amount = f"Cancelled, {row.amount}", None
    elif is_booked:
        state = "Executed"
    elif batch is not None:
        state = "In transit"
    else:
        state = next(
            (step.value.capitalize() for step in (Step.AUTHORISED, Step.VERIFIED, Step.PREPARED) if step in signed), "–"
        )
    days = {step: day(at) for step, (at, _) in signed.items()}
    return OrderLine(
        reference=row.reference,
        request=request,
        prepared_on=days.get(Step.PREPARED),
        verified_on=days.get(Step.VERIFIED),
        authorised_on=days.get(Step.AUTHORISED),
        batch=batch.reference if batch else None,
        sent_on=day(batch.sent_at) if batch and batch.sent_at else None,
        value_on=row.value_on if is_booked else None,
        amount=amount,
        state=state,
    )


def _signatures(order_ids: Sequence[UUID], as_of: datetime) -> dict[UUID, dict[Step, tuple[datetime, Money]]]:
    """The signatures that stood at the moment, with the amount each was given for."""
    standing = PaymentOrderSignature.voided_at.is_(None) | (PaymentOrderSignature.voided_at >= as_of)
    rows = db.session.scalars(
        select(PaymentOrderSignature)
        .where(PaymentOrderSignature.order_id.in_(order_ids), PaymentOrderSignature.signed_at < as_of, standing)
        .order_by(PaymentOrderSignature.signed_at)
    )
    found: dict[UUID, dict[Step, tuple[datetime, Money]]] = {}
    for row in rows:
        found.setdefault(row.order_id, {})[Step(row.step)] = (row.signed_at, row.amount)
    return found


def _booked(order_ids: Sequence[UUID], as_of: datetime) -> set[UUID]:
    """Orders whose booking by the bank was recorded before the moment."""
    keys = {f"payment_order:{order_id}:booked": order_id for order_id in order_ids}
    statement = select(LedgerEntry.source_key).where(
        LedgerEntry.source_key.in_(keys), LedgerEntry.recorded_at < as_of, LedgerEntry.effective_on <= _day(as_of)
    )
    return {keys[key] for key in db.session.scalars(statement)}


def _cancelled(order_ids: Sequence[UUID], as_of: datetime) -> set[UUID]:
    """Orders cancelled before the moment, by the record of acts."""
    statement = select(AuditEvent.object_id).where(
        AuditEvent.object_kind == PaymentOrder.__tablename__,
        AuditEvent.object_id.in_(order_ids),
        AuditEvent.verb == "payment_order.cancel",
        AuditEvent.recorded_at < as_of,
    )
    return {found for found in db.session.scalars(statement) if found is not None}


@dataclass(frozen=True, slots=True)
class RecoveryLine:
    """One recovery as it stood: what was owed, what came back, what was set off and what was waived."""

    reference: str
    confirmed_on: date
    due_on: date | None
    amount: Money
    received: Money
    set_off: Money
    waived: Money
    owed: Money


def recoveries(grant_id: UUID, as_of: datetime) -> list[RecoveryLine]:
    """Every recovery confirmed before a moment and not cancelled by then, as it stood then."""
    rows = db.session.scalars(
        select(Recovery)
        .where(
            Recovery.grant_id == grant_id,
            Recovery.confirmed_at < as_of,
            func.coalesce(Recovery.cancelled_at >= as_of, true()),
        )
        .order_by(Recovery.number)
    ).all()
    came: dict[UUID, Money] = {}
    receipts = select(RecoveryReceipt).where(
        RecoveryReceipt.recovery_id.in_([row.id for row in rows]), RecoveryReceipt.created_at < as_of
    )
    for receipt in db.session.scalars(receipts):
        came[receipt.recovery_id] = came.get(receipt.recovery_id, Money(0)) + receipt.amount
    off: dict[UUID, Money] = {}
    offsets = select(PaymentOffset).where(
        PaymentOffset.recovery_id.in_([row.id for row in rows]), PaymentOffset.created_at < as_of
    )
    for each in db.session.scalars(offsets):
        off[each.recovery_id] = off.get(each.recovery_id, Money(0)) + each.amount
    found = []
    for row in rows:
        assert row.confirmed_at is not None, "asked for what was confirmed"
        received, set_off = came.get(row.id, Money(0)), off.get(row.id, Money(0))
        waived = (
            row.waived if row.waived is not None and row.waived_at is not None and row.waived_at < as_of else Money(0)
        )
        found.append(
            RecoveryLine(
                *(row.reference, _day(row.confirmed_at), _due(row, as_of)),
                *(row.amount, received, set_off, waived, row.amount - received - set_off - waived),
            )
        )
    return found


def _due(row: Recovery, as_of: datetime) -> date | None:
    """The last day to pay it, once its debit note was out."""
    return row.due_on if row.at_once or (row.issued_at is not None and row.issued_at < as_of) else None
