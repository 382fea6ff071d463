"""Reads of files that were sent elsewhere: what stands open, the list, and one file with its payments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.payments.models import PaymentOrder, SentElsewhere, SentElsewhereLine
from grants.payments.rules.outside import Fate

FILES_MAX = 200
LINES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class SentElsewhereView:
    """A file that was sent and is not known here, and what was said of it."""

    id: UUID
    version: int
    message_id: str
    reference: str
    sha256: str
    account: str
    sent_at: datetime
    total: Money
    lines: int
    open: int
    is_signed: bool
    decision: Fate | None
    reason: str
    proposed_by: str
    proposed_by_id: UUID | None
    proposed_at: datetime | None
    confirmed_by: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LineView:
    """One payment of it, and the order it was recorded for."""

    order_reference: str
    end_to_end_id: str
    request_reference: str
    amount: Money
    order: str | None


def is_open() -> ColumnElement[bool]:
    """The condition that a payment of such a file, joined to it, still stops its like."""
    never = (SentElsewhere.decision == Fate.NEVER_RECEIVED.value) & SentElsewhere.confirmed_at.is_not(None)
    return SentElsewhereLine.order_id.is_(None) & ~func.coalesce(never, False)


def open_payments() -> int:
    """How many payments of files sent elsewhere stop theirs like. One statement."""
    joined = select(func.count()).select_from(SentElsewhereLine)
    joined = joined.join(SentElsewhere, SentElsewhere.id == SentElsewhereLine.sent_id)
    return db.session.scalar(joined.where(is_open())) or 0


def sees_elsewhere(actor: Actor) -> bool:
    """They name payments of any grant, also of those this database does not know: only who sees every order sees them."""
    return actor.everywhere(Permission.PAYMENT_ORDER_READ) and not actor.barred_from()


def sent_elsewhere(actor: Actor) -> tuple[SentElsewhereView, ...]:
    """The files that were sent elsewhere, the newest first. Two statements."""
    return _views(actor, SentElsewhere.id.is_not(None)) if sees_elsewhere(actor) else ()


def sent_elsewhere_file(actor: Actor, message_id: str) -> tuple[SentElsewhereView, tuple[LineView, ...]]:
    """One such file and its payments; raises :class:`NotFound`. Three statements."""
    found = _views(actor, SentElsewhere.message_id == message_id) if sees_elsewhere(actor) else ()
    if not found:
        raise NotFound
    rows = db.session.execute(
        select(SentElsewhereLine, PaymentOrder.reference)
        .outerjoin(PaymentOrder, PaymentOrder.id == SentElsewhereLine.order_id)
        .where(SentElsewhereLine.sent_id == found[0].id)
        .order_by(SentElsewhereLine.number)
        .limit(LINES_MAX)
    )
    return found[0], tuple(
        LineView(line.order_reference, line.end_to_end_id, line.request_reference, line.amount, order)
        for line, order in rows
    )


def _views(actor: Actor, wanted: ColumnElement[bool]) -> tuple[SentElsewhereView, ...]:
    of_file = select(func.count()).where(SentElsewhereLine.sent_id == SentElsewhere.id)
    rows = db.session.execute(
        select(
            SentElsewhere,
            of_file.scalar_subquery().label("lines"),
            of_file.where(is_open()).correlate(SentElsewhere).scalar_subquery().label("open"),
        )
        .where(wanted)
        .order_by(SentElsewhere.sent_at.desc(), SentElsewhere.message_id)
        .limit(FILES_MAX)
    ).all()
    people = identity.people({each for row in rows for each in (row[0].proposed_by, row[0].confirmed_by) if each})
    return tuple(
        SentElsewhereView(
            id=row.id,
            version=row.version,
            message_id=row.message_id,
            reference=row.reference,
            sha256=row.sha256,
            account=row.account,
            sent_at=row.sent_at,
            total=row.total,
            lines=lines,
            open=still,
            is_signed=row.is_signed,
            decision=Fate(row.decision) if row.decision else None,
            reason=row.reason or "",
            proposed_by=people[row.proposed_by].name if row.proposed_by else "",
            proposed_by_id=row.proposed_by,
            proposed_at=row.proposed_at,
            confirmed_by=people[row.confirmed_by].name if row.confirmed_by else "",
            confirmed_at=row.confirmed_at,
        )
        for row, lines, still in rows
    )
