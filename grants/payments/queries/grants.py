"""A grant's payments page, and what its money stands at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView
from grants.agreements.states import ENDED, IN_ADVANCE, PaymentKind
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.ledger import queries as books
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.orders import ROWS_MAX, order_views
from grants.payments.queries.recoveries import recoveries_of, to_propose
from grants.payments.queries.requests import allowed_by, request_views
from grants.payments.queries.securing import certificates_of, guarantees_of
from grants.payments.rules import (
    MoneyPosition,
    OrderView,
    RecoveryView,
    RequestView,
)
from grants.payments.rules.securing import CertificateView, GuaranteeView
from grants.payments.states import OrderState


@dataclass(frozen=True, slots=True)
class GrantPayments:
    """The payments page of a grant: where its money stands, its schedule, requests and orders."""

    grant: GrantView
    position: MoneyPosition
    requests: tuple[RequestView, ...]
    orders: tuple[OrderView, ...]
    recoveries: tuple[RecoveryView, ...]
    to_recover: Money
    certificates: tuple[CertificateView, ...] = ()
    guarantees: tuple[GuaranteeView, ...] = ()

    @property
    def guaranteed(self) -> bool:
        """Whether a guarantee stands."""
        return any(each.ended_at is None for each in self.guarantees)

    @property
    def paid_late(self) -> frozenset[str]:
        """The requests of which something was paid after their due day, by reference; interest bears none."""
        due = {each.reference: each.due_on for each in self.requests if each.kind is not PaymentKind.LATE_INTEREST}
        executed = [each for each in self.orders if each.state is OrderState.EXECUTED and each.value_on is not None]
        return frozenset(
            each.request_reference
            for each in executed
            if each.request_reference in due
            and each.value_on is not None
            and each.value_on > due[each.request_reference]
        )

    def may_ask_again(self, request: RequestView) -> bool:
        """Whether the city may ask again for a rejected request: pre-financing only while no termination is confirmed.

        Additional pre-financing until the balance is asked for.
        """
        ahead = request.kind in IN_ADVANCE
        goes_on = self.grant.running and self.grant.final_amount is None
        if request.kind is PaymentKind.ADDITIONAL and any(each.kind is PaymentKind.BALANCE for each in self.requests):
            return False
        return goes_on and request.may_be_asked_again and not (ahead and self.grant.ended_on is not None)


@reader
def grant_payments(actor: Actor, reference: str) -> Asking[GrantPayments]:
    """A grant's payments for everybody who may read its agreement, in four statements; raises :class:`NotFound`."""
    row = yield from agreements.readable.asking(actor, reference)
    about: list[Asking[Any]] = [
        agreements.view.asking(row),
        _requests(row.id),
        _orders(row.id),
        recoveries_of(row.id),
        books.of.asking(grant_id=row.id),
        certificates_of.asking(row.id),
        guarantees_of.asking(row.id),
    ]
    grant, requests, orders, recoveries, balances, certificates, guarantees = yield from side_by_side(about)
    limits = allowed_by(grant)
    position = rules.position(balances, limits, ended=grant.state in ENDED)
    to_recover = to_propose(grant.final_amount, position.prefinancing_open, recoveries)
    return GrantPayments(grant, position, requests, orders, recoveries, to_recover, certificates, guarantees)


def _requests(grant_id: UUID) -> Asking[tuple[RequestView, ...]]:
    found = yield from ask(
        select(PaymentRequest)
        .where(PaymentRequest.grant_id == grant_id)
        .order_by(PaymentRequest.number)
        .limit(ROWS_MAX)
    )
    return (yield from request_views.asking(found))


def _orders(grant_id: UUID) -> Asking[tuple[OrderView, ...]]:
    found = yield from ask(
        select(PaymentOrder).where(PaymentOrder.grant_id == grant_id).order_by(PaymentOrder.reference).limit(ROWS_MAX)
    )
    return (yield from order_views.asking(found))
