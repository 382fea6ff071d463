"""Requests, orders and recoveries as they stood at a moment, whatever became of them since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, func, select, true, type_coerce, union_all

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
    """What orders that the bank executed come to, less what it returned and what cities paid back: from the documents, not
    from the ledger's legs.

    What was set off counts as paid on the grant that pays and as paid back on the one that owes. What came back for a
    closed grant opened no commitment, and is left out here too.
    """
    paid = _booked_cents(place, known, "booked") - _booked_cents(place, known, "returned")
    owes = _back_condition(place)
    received = (
        select(_cents(RecoveryReceipt.amount))
        .join(Recovery, Recovery.id == RecoveryReceipt.recovery_id)
        .join(Grant, Grant.id == Recovery.grant_id)
        .join(LedgerEntry, LedgerEntry.source_key == _receipt_key())
        .where(owes, *known.conditions)
    )
    offset = select(_cents(PaymentOffset.amount)).join(LedgerEntry, LedgerEntry.source_key == _offset_key())
    set_off = (
        offset.join(PaymentRequest, PaymentRequest.id == PaymentOffset.request_id)
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(in_place(place), *known.conditions)
    )
    back = (
        offset.join(Recovery, Recovery.id == PaymentOffset.recovery_id)
        .join(Grant, Grant.id == Recovery.grant_id)
        .where(owes, *known.conditions)
    )
    return Money(paid + _sum_of(set_off) - _sum_of(received) - _sum_of(back))


def _booked_cents(place: Place, known: Known, word: str) -> int:
    """What orders come to that the ledger booked by this word; interest we owed is paid beside the grant."""
    return _sum_of(
        select(_cents(PaymentOrder.amount))
        .join(Grant, Grant.id == PaymentOrder.grant_id)
        .join(PaymentRequest, PaymentRequest.id == PaymentOrder.request_id)
        .join(LedgerEntry, LedgerEntry.source_key == func.concat("payment_order:", PaymentOrder.id, f":{word}"))
        .where(in_place(place), PaymentRequest.kind != PaymentKind.LATE_INTEREST.value, *known.conditions)
    )


def _back_condition(place: Place) -> ColumnElement[bool]:
    """Money of a grant in that place that came back before the grant was closed."""
    return in_place(place) & func.coalesce(LedgerEntry.recorded_at < Grant.closed_at, true())


def back_after_closure(place: Place, known: Known) -> dict[UUID | None, Money]:
    """What came back, or was set off, of a debt of each grant once it was closed: no commitment opened again. One statement."""
    late = in_place(place) & (LedgerEntry.recorded_at >= Grant.closed_at)
    received = (
        select(Grant.id.label("id"), type_coerce(RecoveryReceipt.amount, BigInteger).label("cents"))
        .join(Recovery, Recovery.grant_id == Grant.id)
        .join(RecoveryReceipt, RecoveryReceipt.recovery_id == Recovery.id)
        .join(LedgerEntry, LedgerEntry.source_key == _receipt_key())
        .where(late, *known.conditions)
    )
    set_off = (
        select(Grant.id, type_coerce(PaymentOffset.amount, BigInteger))
        .join(Recovery, Recovery.grant_id == Grant.id)
        .join(PaymentOffset, PaymentOffset.recovery_id == Recovery.id)
        .join(LedgerEntry, LedgerEntry.source_key == _offset_key())
        .where(late, *known.conditions)
    )
    both = union_all(received, set_off).subquery()
    statement = select(both.c.id, func.sum(both.c.cents)).group_by(both.c.id)
    return {grant_id: Money(int(cents)) for grant_id, cents in db.session.execute(statement)}


def _receipt_key() -> ColumnElement[str]:
    return func.concat("recovery_receipt:", RecoveryReceipt.id, ":received")


def _offset_key() -> ColumnElement[str]:
    return func.concat("offset:", PaymentOffset.id)


def _sum_of(statement: Any) -> int:
    return int(db.session.scalar(statement) or 0)


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
    row = PaymentCancellation
    cancelled = (
        select(row.request_id, _cents(row.amount).label("off"), _cents(row.retained).label("kept"))
        .where(row.created_at < as_of)
        .group_by(row.request_id)
        .subquery()
    )
    rows = db.session.execute(
        select(PaymentRequest, PeriodicReport.number, cancelled.c.off, cancelled.c.kept)
        .outerjoin(PeriodicReport, PeriodicReport.id == PaymentRequest.report_id)
        .outerjoin(cancelled, cancelled.c.request_id == PaymentRequest.id)
        .where(PaymentRequest.grant_id == grant_id, PaymentRequest.submitted_at < as_of)
        .order_by(PaymentRequest.number)
    ).all()
    return [
        _request_line(row, number, Money(int(off or 0)), Money(int(kept or 0)), as_of)
        for row, number, off, kept in rows
    ]


def _request_line(
    row: PaymentRequest, report_number: int | None, never_paid: Money, fell_away: Money, as_of: datetime
) -> RequestLine:
    decided = row.decided_at is not None and row.decided_at < as_of
    retained, payable = row.retained, row.payable
    if never_paid:
        assert payable is not None and retained is not None, "only what was approved is cancelled"
        retained, payable = retained - fell_away, payable - never_paid
    amounts = (row.approved, row.refused, retained, row.cleared, row.deferred, payable)
    return RequestLine(
        *(row.reference, reason_words(PaymentKind(row.kind), report_number), _day(row.submitted_at), row.due_on),
        *(row.requested, day(row.decided_at) if decided else None),
        *(amounts if decided else (None,) * 6),
        _decision_words(row, never_paid) if decided else "Waits for its decision",
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


def _decision_words(row: PaymentRequest, never_paid: Money) -> str:
    """What was decided; whether it is paid by now, its orders say."""
    if row.approved is None:
        return "Rejected"
    words = "Approved in part" if row.refused else "Approved"
    if never_paid:
        return f"{words}, {never_paid} cancelled unpaid"
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
    # None where it was cancelled or came back: it pays nothing, and its state says what it was for.
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
    told = _told_by_bank(ids, as_of)
    cancelled = _cancelled(ids, as_of)
    return [
        _order_line(
            *(
                row,
                request,
                batch if batch is not None and batch.sent_at is not None and batch.sent_at < as_of else None,
            ),
            *(signed.get(row.id, {}), told.get(row.id, frozenset()), row.id in cancelled),
        )
        for row, request, batch in rows
    ]


def _order_line(
    row: PaymentOrder,
    request: str,
    batch: PaymentBatch | None,
    signed: dict[Step, tuple[datetime, Money]],
    told: Collection[str],
    is_cancelled: bool,
) -> OrderLine:
    last = max(signed.values(), default=None, key=lambda step: step[0])
    amount: Money | None = last[1] if last else row.amount
    is_booked = "booked" in told
    if is_cancelled:
        state, amount = f"Cancelled, {row.amount}", None
    elif "returned" in told:
        state, amount = f"Returned by the bank, {row.amount}", None
    elif "rejected" in told and not is_booked:
        state, amount = f"Rejected by the bank, {row.amount}", None
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


def _told_by_bank(order_ids: Sequence[UUID], as_of: datetime) -> dict[UUID, set[str]]:
    """What of each order the bank had done, as recorded before the moment: booked, rejected, returned."""
    keys = {
        f"payment_order:{order_id}:{word}": (order_id, word)
        for order_id in order_ids
        for word in ("booked", "rejected", "returned")
    }
    statement = select(LedgerEntry.source_key).where(
        LedgerEntry.source_key.in_(keys), LedgerEntry.recorded_at < as_of, LedgerEntry.effective_on <= _day(as_of)
    )
    found: dict[UUID, set[str]] = {}
    for key in db.session.scalars(statement):
        order_id, word = keys[key]
        found.setdefault(order_id, set()).add(word)
    return found


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
