"""Reads of the lists in which orders left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, true, tuple_

from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.files import StoredFile
from grants.core.money import Money
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, alone, ask, both, reader, side_by_side
from grants.identity import queries as identity
from grants.payments.models import OwnAccount, PaymentBatch, PaymentOrder
from grants.payments.queries.circuit import hands_of
from grants.payments.queries.orders import order_views, visible_orders
from grants.payments.rules import (
    BatchView,
    OrderView,
)
from grants.payments.rules.hands import locks_of
from grants.payments.rules.pay_runs import FileLayout, lines_of
from grants.payments.rules.sepa.table import Code, Finding
from grants.payments.states import BatchState


def batch_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind a batch's reference; raises :class:`NotFound` where the person may not know it."""
    return _batch_row(actor, reference).id


def batch(actor: Actor, reference: str) -> BatchView:
    """One list of orders that left together; raises :class:`NotFound`."""
    return batch_view(_batch_row(actor, reference))


def batch_to_send(actor: Actor, reference: str) -> tuple[BatchView, tuple[str, ...]]:
    """One list of orders, and why it is not this person's to send; raises :class:`NotFound`."""
    row = _batch_row(actor, reference)
    # Whose it is to send is asked of a file that can be sent alone.
    if row.state != BatchState.READY:
        return batch_view(row), ()
    found, hands = alone(both(batch_view.asking(row), hands_of.asking(actor)))
    return found, locks_of(found, actor.user_id, hands)


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A list that left, as one line among others."""

    reference: str
    built_at: datetime
    state: BatchState
    orders: int
    total: Money

    @property
    def key(self) -> str:
        """Its place among the lists, newest first."""
        return f"{self.built_at.isoformat()}.{self.reference}"


def batches(actor: Actor, page: Page) -> Rows[BatchLine]:
    """The lists the person may see, newest first."""
    # No order points to a file that was discarded any more; whoever sees every order sees these, and looks for none of its own.
    whole = actor.everywhere(Permission.PAYMENT_ORDER_READ) and not actor.barred_from()
    mine = visible_orders(actor, select(PaymentOrder.id)).where(PaymentOrder.batch_id == PaymentBatch.id)
    statement = (
        select(PaymentBatch)
        .where(true() if whole else mine.correlate(PaymentBatch).exists())
        .order_by(PaymentBatch.built_at.desc(), PaymentBatch.reference.desc())
        .limit(page.limit)
    )
    if (key := _key(page.after)) is not None:
        statement = statement.where(tuple_(PaymentBatch.built_at, PaymentBatch.reference) < tuple_(*key))
    found = [
        BatchLine(row.reference, row.built_at, BatchState(row.state), row.orders, row.total)
        for row in db.session.scalars(statement)
    ]
    return cut(found, page, key=lambda line: line.key)


def _key(after: str | None) -> tuple[datetime, str] | None:
    """The key in an address; a broken one is as if there were none."""
    moment, _, reference = (after or "").rpartition(".")
    try:
        return clock.as_utc(datetime.fromisoformat(moment)), reference
    except (ValueError, OverflowError):
        return None


@reader
def batch_view(row: PaymentBatch) -> Asking[BatchView]:
    """A batch as a frozen value, in a constant number of statements; who may see it was decided by the caller."""
    about: list[Asking[Any]] = [
        _orders_of(row.id),
        identity.people.asking({who for who in (row.built_by, row.sent_by, row.discarded_by) if who}),
        ask(select(StoredFile.name).where(StoredFile.id == row.file_id)),
        ask(select(OwnAccount.reference).where(OwnAccount.id == row.own_account_id)),
    ]
    orders, people, names, accounts = yield from side_by_side(about)
    return BatchView(
        id=row.id,
        version=row.version,
        reference=row.reference,
        message_id=row.message_id,
        state=BatchState(row.state),
        layout=FileLayout(row.layout),
        execution_on=row.execution_on,
        account_reference=accounts[0].reference if accounts else None,
        built_at=row.built_at,
        built_by=people[row.built_by].name,
        sent_at=row.sent_at,
        sent_by=people[row.sent_by].name if row.sent_by else None,
        discarded_at=row.discarded_at,
        discarded_by=people[row.discarded_by].name if row.discarded_by else None,
        discard_reason=row.discard_reason,
        orders=orders,
        lines=lines_of(row.content),
        count=row.orders,
        total=row.total,
        findings=tuple(Finding(Code(each["code"]), each["where"], each["what"]) for each in row.problems or ()),
        file_name=names[0].name if names else None,
        file_sha256=row.file_sha256,
        recorded_at=row.recorded_at,
    )


def _orders_of(batch_id: UUID) -> Asking[tuple[OrderView, ...]]:
    found = yield from ask(
        select(PaymentOrder).where(PaymentOrder.batch_id == batch_id).order_by(PaymentOrder.reference)
    )
    return (yield from order_views.asking(found))


def _batch_row(actor: Actor, reference: str) -> PaymentBatch:
    """A batch all of whose orders the person may see, those of a discarded one too."""
    row = db.session.scalars(select(PaymentBatch).where(PaymentBatch.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    within = [UUID(each.order_id) for each in lines_of(row.content)]
    seen = db.session.scalar(
        visible_orders(actor, select(func.count(PaymentOrder.id))).where(
            (PaymentOrder.batch_id == row.id) | PaymentOrder.id.in_(within)
        )
    )
    if seen != row.orders:
        raise NotFound
    return row
