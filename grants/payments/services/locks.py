"""The one order in which money is locked, and where requests, orders and lists lie."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.calls.models import Call
from grants.core.db import among, db, get, locked
from grants.core.permissions import Scope
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest
from grants.reporting.models import PeriodicReport


def lock_grant(grant_id: UUID) -> Grant:
    """The grant, locked after its call and before its partners: the one order in which money is locked."""
    call_id = select(Grant.call_id).where(Grant.id == grant_id).scalar_subquery()
    db.session.scalars(select(Call.id).where(Call.id == call_id).with_for_update()).all()
    grant = locked(Grant, grant_id)
    db.session.scalars(
        select(Beneficiary.id).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.id).with_for_update()
    ).all()
    return grant


def lock_grants(grant_ids: Collection[UUID]) -> dict[UUID, Grant]:
    """Several grants with their calls and partners, locked in the same order; three statements however many."""
    calls = select(Grant.call_id).where(among(Grant.id, grant_ids))
    db.session.scalars(select(Call.id).where(Call.id.in_(calls)).order_by(Call.id).with_for_update()).all()
    statement = select(Grant).where(among(Grant.id, grant_ids)).order_by(Grant.call_id, Grant.id).with_for_update()
    grants = {grant.id: grant for grant in db.session.scalars(statement.execution_options(populate_existing=True))}
    partners = select(Beneficiary.id).where(among(Beneficiary.grant_id, list(grants))).order_by(Beneficiary.id)
    db.session.scalars(partners.with_for_update()).all()
    return grants


def orders_locked(order_ids: Collection[UUID]) -> list[PaymentOrder]:
    """These orders under their locks, once their grants are locked."""
    wanted = select(PaymentOrder).where(among(PaymentOrder.id, order_ids)).order_by(PaymentOrder.id).with_for_update()
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def requests_locked(request_ids: Collection[UUID]) -> list[PaymentRequest]:
    """These requests under their locks, once their grants are locked."""
    wanted = select(PaymentRequest).where(among(PaymentRequest.id, request_ids)).order_by(PaymentRequest.id)
    return list(db.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)))


def scope_of_grant(grant_id: UUID) -> Scope:
    """Where a grant lies, its money locked."""
    return agreements.scope(lock_grant(grant_id))


def scope_of_report(report_id: UUID) -> Scope:
    """Where the grant of a report lies, its money locked."""
    return scope_of_grant(get(PeriodicReport, report_id).grant_id)


def scope_of_request(request_id: UUID) -> Scope:
    """Where the grant of a request lies, its money locked."""
    return scope_of_grant(get(PaymentRequest, request_id).grant_id)


def scope_of_order(order_id: UUID) -> Scope:
    """Where the grant of an order lies, its money locked."""
    return scope_of_grant(get(PaymentOrder, order_id).grant_id)


def scope_of_batch(batch_id: UUID) -> Scope:
    """Where the orders of a batch lie: all their grants and calls."""
    locked(PaymentBatch, batch_id)
    wanted = [UUID(str(each["order_id"])) for each in get(PaymentBatch, batch_id).content]
    keys: set[tuple[str, UUID]] = set()
    for grant in db.session.scalars(
        select(Grant)
        .join(PaymentOrder, PaymentOrder.grant_id == Grant.id)
        .where((PaymentOrder.batch_id == batch_id) | PaymentOrder.id.in_(wanted))
    ):
        keys |= agreements.scope(grant).keys
    return Scope(frozenset(keys))
