"""What was set off against payments: read from either side, and what can be; and what of a payment was cancelled unpaid."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, union_all
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import IN_ADVANCE, PaymentKind
from grants.core.db import among, db
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader
from grants.identity.models import User
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.sums import credits_sum, debits_sum
from grants.ledger.rules import Event
from grants.payments.models import PaymentCancellation, PaymentOffset, PaymentOrder, PaymentRequest, Recovery
from grants.payments.queries.stopping import ends_before_its_time
from grants.payments.rules.offsets import OffsetChoice, OffsetView, SetOff
from grants.payments.states import CAME_BACK, DECIDED, OrderState

CHOICES_MAX = 100


# What no order pays of what is payable: it is set off against a debt (E15), or cancelled unpaid (E27). Whoever asks what is
# left to pay asks for both.
TAKEN_OFF = (PaymentOffset, PaymentCancellation)
_TAKEN_OFF_BY = (Event.OFFSET, Event.APPROVED_CANCELLED)

# The orders that hold what they were prepared for. What came back is still ordered, by itself and by no order that issues it
# again, until it is let go.
HOLDING = (
    PaymentOrder.state != OrderState.CANCELLED.value,
    PaymentOrder.reissue_of.is_(None),
    PaymentOrder.let_go_on.is_(None),
)


def set_off_of(request_id: UUID) -> Money:
    """What of a request is set off against debts, or cancelled: no order pays it."""
    taken = (select(model.amount).where(model.request_id == request_id) for model in TAKEN_OFF)
    return total(db.session.scalars(union_all(*taken)))


def left_to_order(request_id: UUID, payable: Money | None, *, executed_only: bool = False) -> Money:
    """What of a decided request is neither in a live order nor set off; with ``executed_only`` not paid yet nor set off."""
    statement = select(PaymentOrder.amount).where(PaymentOrder.request_id == request_id)
    if executed_only:
        statement = statement.where(PaymentOrder.state == OrderState.EXECUTED.value)
    else:
        statement = statement.where(*HOLDING)
    return (payable or ZERO) - total(db.session.scalars(statement)) - set_off_of(request_id)


def set_off_cents(request_id: Any) -> ColumnElement[Any]:
    """The same inside a statement about requests, in cents."""
    offsets, cancelled = (_sum_of(model, request_id) for model in TAKEN_OFF)
    return offsets + cancelled


def _cancelled_of(request_id: Any) -> ColumnElement[Any]:
    return _sum_of(PaymentCancellation, request_id)


def _sum_of(model: Any, request_id: Any) -> ColumnElement[Any]:
    return (
        select(func.coalesce(func.sum(books.cents_of(model.amount)), 0))
        .where(model.request_id == request_id)
        .correlate(request_id.class_)
        .scalar_subquery()
    )


def set_off_parts(request_id: UUID) -> dict[Any, Money]:
    """What of each part of a request was set off or cancelled, as booked, by partner and category. One statement."""
    return set_off_parts_of([request_id]).get(request_id, {})


def set_off_parts_of(request_ids: Collection[UUID]) -> dict[UUID, dict[Any, Money]]:
    """The same of many requests, by request. One statement."""
    dims = (LedgerLeg.document_id, LedgerLeg.organisation_id, LedgerLeg.category)
    statement = (
        select(*dims, (debits_sum - credits_sum).label("cents"))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            among(LedgerLeg.document_id, request_ids),
            LedgerLeg.account == Account.PAYABLE.value,
            LedgerEntry.event.in_([event.value for event in _TAKEN_OFF_BY]),
        )
        .group_by(*dims)
        .order_by(*dims)
    )
    found: dict[UUID, dict[Any, Money]] = {}
    for row in db.session.execute(statement):
        found.setdefault(row.document_id, {})[row.organisation_id, row.category] = Money(int(row.cents))
    return found


@reader
def offset_views(
    *, requests: Iterable[UUID] = (), recoveries: Iterable[UUID] = ()
) -> Asking[dict[UUID, list[OffsetView]]]:
    """What was set off of these requests, or of these debts, by their ids. One statement."""
    wanted_requests, wanted_debts = list(requests), list(recoveries)
    statement = _offsets().where(
        PaymentOffset.request_id.in_(wanted_requests) | PaymentOffset.recovery_id.in_(wanted_debts)
    )
    found: dict[UUID, list[OffsetView]] = {}
    for row in (yield from ask(statement)):
        key = row.request_id if row.request_id in wanted_requests else row.recovery_id
        found.setdefault(key, []).append(_view(row))
    return found


def _offsets() -> Any:
    return (
        select(
            *(PaymentOffset.request_id, PaymentOffset.recovery_id, PaymentOffset.amount, PaymentOffset.offset_on),
            *(PaymentRequest.reference.label("request"), PaymentRequest.payable),
            Recovery.reference.label("recovery"),
            Recovery.number,
            Grant.reference.label("debtor"),
            User.name.label("person"),
            _cancelled_of(PaymentRequest.id).label("cancelled"),
        )
        .join(PaymentRequest, PaymentRequest.id == PaymentOffset.request_id)
        .join(Recovery, Recovery.id == PaymentOffset.recovery_id)
        .join(Grant, Grant.id == Recovery.grant_id)
        .join(User, User.id == PaymentOffset.offset_by)
        .order_by(PaymentOffset.offset_on, PaymentOffset.created_at, PaymentOffset.id)
    )


def _view(row: Any) -> OffsetView:
    return OffsetView(row.request, row.recovery, row.debtor, row.number, row.amount, row.offset_on, row.person)


@reader
def set_off(request_reference: str) -> Asking[SetOff | None]:
    """A decided request gross and less what was set off; None where nothing was. The page asked for it may be read. One
    statement."""
    rows = yield from ask(_offsets().where(PaymentRequest.reference == request_reference))
    if not rows:
        return None
    return SetOff(rows[0].payable, tuple(_view(row) for row in rows), Money(int(rows[0].cancelled)))


def _let_go_by_offset() -> ColumnElement[bool]:
    """Inside a statement about orders of requests: what came back and is not issued again, because its grant is to end."""
    again = aliased(PaymentOrder)
    issued = exists().where(again.reissue_of == PaymentOrder.id, again.state != OrderState.CANCELLED.value)
    stopped = ends_before_its_time(PaymentRequest.grant_id).correlate(PaymentRequest)
    return (
        PaymentRequest.kind.in_([each.value for each in IN_ADVANCE])
        & PaymentOrder.state.in_([state.value for state in CAME_BACK])
        & ~issued.correlate(PaymentOrder)
        & stopped
    )


@reader
def offset_choices(actor: Actor, grant_id: UUID) -> Asking[tuple[OffsetChoice, ...]]:
    """The payments due to the city of a grant that its debt can be set off against, where this person may. One statement."""
    debtor = select(Grant.coordinator_id).where(Grant.id == grant_id).scalar_subquery()
    ordered = (
        select(func.coalesce(func.sum(books.cents_of(PaymentOrder.amount)), 0))
        .where(PaymentOrder.request_id == PaymentRequest.id, *HOLDING, ~_let_go_by_offset())
        .correlate(PaymentRequest)
        .scalar_subquery()
    )
    left = func.coalesce(books.cents_of(PaymentRequest.payable), 0) - ordered - set_off_cents(PaymentRequest.id)
    statement = (
        select(PaymentRequest.id, PaymentRequest.reference, Grant.reference.label("grant"), left.label("left"))
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(
            agreements.visible(actor, Permission.RECOVERY_OFFSET),
            PaymentRequest.state.in_([state.value for state in DECIDED]),
            Grant.coordinator_id == debtor,
            # Interest is paid outside the grant: nothing is set off against it.
            PaymentRequest.kind != PaymentKind.LATE_INTEREST.value,
            left > 0,
        )
        .order_by(PaymentRequest.due_on, PaymentRequest.reference)
        .limit(CHOICES_MAX)
    )
    return tuple(
        OffsetChoice(row.id, row.reference, row.grant, Money(int(row.left))) for row in (yield from ask(statement))
    )
