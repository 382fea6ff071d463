"""A grant's payments page, and what its money stands at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView
from grants.core.db import db
from grants.core.permissions import Actor
from grants.ledger import queries as books
from grants.ledger.rules import Balances
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.orders import ROWS_MAX, order_views
from grants.payments.queries.requests import request_views
from grants.payments.rules import (
    Limits,
    MoneyPosition,
    OrderView,
    RequestView,
)


@dataclass(frozen=True, slots=True)
class GrantPayments:
    """The payments page of a grant: where its money stands, its schedule, requests and orders."""

    grant: GrantView
    position: MoneyPosition
    requests: tuple[RequestView, ...]
    orders: tuple[OrderView, ...]


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
    return GrantPayments(
        grant, rules.position(books.of(grant_id=grant.id), limits), request_views(requests), order_views(orders)
    )


def money_of(grant_ids: Sequence[UUID]) -> dict[UUID, Balances]:
    """The balances of grants, for pages that list them."""
    return books.grants_balances(grant_ids)
