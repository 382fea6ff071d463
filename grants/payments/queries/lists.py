"""Reads of the lists in which orders left."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.payments.models import PaymentBatch, PaymentOrder
from grants.payments.queries.orders import order_views, visible_orders
from grants.payments.rules import (
    BatchView,
)


def batch_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind a batch's reference; raises :class:`NotFound` where the person may not know it."""
    return _batch_row(actor, reference).id


def batch(actor: Actor, reference: str) -> BatchView:
    """One list of orders that left together; raises :class:`NotFound`."""
    return batch_view(_batch_row(actor, reference))


def batches(actor: Actor, *, limit: int = 20) -> tuple[tuple[str, datetime, int, Money], ...]:
    """Reference, moment, number of orders and total of the newest lists the person may see."""
    mine = visible_orders(actor, select(PaymentOrder.batch_id)).where(PaymentOrder.batch_id.is_not(None))
    rows = db.session.scalars(
        select(PaymentBatch)
        .where(PaymentBatch.id.in_(mine.scalar_subquery()))
        .order_by(PaymentBatch.exported_at.desc(), PaymentBatch.reference.desc())
        .limit(limit)
    )
    return tuple((row.reference, row.exported_at, row.orders, row.total) for row in rows)


def batch_view(row: PaymentBatch) -> BatchView:
    """A batch as a frozen value; who may see it was decided by the caller."""
    orders = db.session.scalars(
        select(PaymentOrder).where(PaymentOrder.batch_id == row.id).order_by(PaymentOrder.reference)
    ).all()
    return BatchView(
        id=row.id,
        reference=row.reference,
        exported_at=row.exported_at,
        exported_by=identity.person(row.exported_by).name,
        orders=order_views(orders),
        total=row.total,
        file_name=files.view(row.file_id).name if row.file_id else None,
        file_sha256=row.file_sha256,
    )


def _batch_row(actor: Actor, reference: str) -> PaymentBatch:
    """A batch all of whose orders the person may see."""
    row = db.session.scalars(select(PaymentBatch).where(PaymentBatch.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    seen = db.session.scalar(
        visible_orders(actor, select(func.count(PaymentOrder.id))).where(PaymentOrder.batch_id == row.id)
    )
    if seen != row.orders:
        raise NotFound
    return row
