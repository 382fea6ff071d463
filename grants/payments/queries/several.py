"""Reads of many requests and their grants at once, for files and statements of thousands of payments: as many statements as for one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.core.db import among, db
from grants.core.money import Money
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerLeg
from grants.ledger.queries.sums import cents_of, credits_sum, debits_sum
from grants.ledger.rules import natural
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.offsets import set_off_cents, set_off_parts_of
from grants.payments.queries.parts import kept_of
from grants.payments.rules import Amounts, Part
from grants.payments.states import OrderState

# What the orders of a request move.
MOVED = (Account.IN_TRANSIT, Account.CONSUMED, Account.RETURNED)


@dataclass(frozen=True, slots=True)
class Stands:
    """Where requests and the commitment of their grants stand: what was decided of each part, what orders moved, what was set
    off or cancelled."""

    kept: Mapping[UUID, tuple[Part, ...]]
    # By request and account, then by order.
    moved: Mapping[tuple[UUID, Account], Mapping[UUID, Amounts]]
    set_off: Mapping[UUID, Amounts]
    # The open legal commitment of each partner, by grant.
    open: Mapping[UUID, Mapping[UUID | None, Money]]

    def moved_for(self, request_id: UUID, account: Account) -> Mapping[UUID, Amounts]:
        """What the orders of a request moved on an account, by order, then by partner and category."""
        return self.moved.get((request_id, account), {})


def stands_of(request_ids: Collection[UUID], grant_ids: Collection[UUID]) -> Stands:
    """Where these requests and the commitment of these grants stand. Four statements, however many."""
    return Stands(kept_of(request_ids), _moved(request_ids), set_off_parts_of(request_ids), _open(grant_ids))


def _moved(request_ids: Collection[UUID]) -> dict[tuple[UUID, Account], dict[UUID, dict[Any, Money]]]:
    dims = (LedgerLeg.account, LedgerLeg.document_id, LedgerLeg.organisation_id, LedgerLeg.category)
    # The orders first: what a document of the ledger is, only they say.
    orders = (
        select(PaymentOrder.id, PaymentOrder.request_id)
        .where(among(PaymentOrder.request_id, request_ids))
        .cte("orders")
        .prefix_with("MATERIALIZED")
    )
    statement = (
        select(orders.c.request_id, *dims, debits_sum.label("debits"), credits_sum.label("credits"))
        .join(orders, orders.c.id == LedgerLeg.document_id)
        .where(LedgerLeg.account.in_([account.value for account in MOVED]))
        .group_by(orders.c.request_id, *dims)
        .order_by(*dims)
    )
    found: dict[tuple[UUID, Account], dict[UUID, dict[Any, Money]]] = {}
    for row in db.session.execute(statement):
        account = Account(row.account)
        if amount := natural(account, int(row.debits), int(row.credits)):
            of_order = found.setdefault((row.request_id, account), {}).setdefault(row.document_id, {})
            of_order[row.organisation_id, row.category] = amount
    return found


def _open(grant_ids: Collection[UUID]) -> dict[UUID, dict[UUID | None, Money]]:
    place = (LedgerLeg.grant_id, LedgerLeg.organisation_id)
    statement = (
        select(*place, debits_sum.label("debits"), credits_sum.label("credits"))
        .where(LedgerLeg.account == Account.LEGALLY_COMMITTED.value, among(LedgerLeg.grant_id, grant_ids))
        .group_by(*place)
        .order_by(*place)
    )
    found: dict[UUID, dict[UUID | None, Money]] = {}
    for row in db.session.execute(statement):
        amount = natural(Account.LEGALLY_COMMITTED, int(row.debits), int(row.credits))
        found.setdefault(row.grant_id, {})[row.organisation_id] = amount
    return found


def settled(request_ids: Collection[UUID]) -> set[UUID]:
    """Of which of these requests nothing is left to pay: all is executed, set off or cancelled. One statement."""
    executed = (
        select(func.coalesce(func.sum(cents_of(PaymentOrder.amount)), 0))
        .where(PaymentOrder.request_id == PaymentRequest.id, PaymentOrder.state == OrderState.EXECUTED.value)
        .correlate(PaymentRequest)
        .scalar_subquery()
    )
    paid = executed + set_off_cents(PaymentRequest.id)
    statement = select(PaymentRequest.id).where(among(PaymentRequest.id, request_ids))
    return set(db.session.scalars(statement.where(paid == cents_of(PaymentRequest.payable))))


__all__ = ["Stands", "settled", "stands_of"]
