"""A grant's payments page, and what its money stands at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView
from grants.agreements.states import ENDED
from grants.core.db import db
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor
from grants.ledger import queries as books
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentRequest, Recovery
from grants.payments.queries.orders import ROWS_MAX, order_views
from grants.payments.queries.recoveries import recovery_views
from grants.payments.queries.requests import request_views
from grants.payments.rules import (
    Limits,
    MoneyPosition,
    OrderView,
    RecoveryView,
    RequestView,
)


@dataclass(frozen=True, slots=True)
class GrantPayments:
    """The payments page of a grant: where its money stands, its schedule, requests and orders."""

    grant: GrantView
    position: MoneyPosition
    requests: tuple[RequestView, ...]
    orders: tuple[OrderView, ...]
    recovery: RecoveryView | None
    to_recover: Money


def grant_payments(actor: Actor, reference: str) -> GrantPayments:
    """A grant's payments for everybody who may read its agreement; raises :class:`NotFound`."""
    grant = agreements.grant(actor, reference)
    requests = db.session.scalars(
        select(PaymentRequest).where(PaymentRequest.grant_id == grant.id).order_by(PaymentRequest.number)
    ).all()
    orders = db.session.scalars(
        select(PaymentOrder).where(PaymentOrder.grant_id == grant.id).order_by(PaymentOrder.reference).limit(ROWS_MAX)
    ).all()
    limits = Limits(grant.maximum, grant.limits.interim_ceiling, grant.limits.prefinancing, grant.limits.retention)
    recoveries = recovery_views(db.session.scalars(select(Recovery).where(Recovery.grant_id == grant.id)).all())
    position = rules.position(books.of(grant_id=grant.id), limits, ended=grant.state in ENDED)
    return GrantPayments(
        grant,
        position,
        request_views(requests),
        order_views(orders),
        recoveries[0] if recoveries else None,
        position.prefinancing_open if grant.final_amount is not None else ZERO,
    )
