"""Reads of payment orders with their circuit, and of the accounts they go to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from grants.agreements import queries as agreements
from grants.agreements.models import BankAccount, Grant
from grants.agreements.rules import IN_CONFLICT
from grants.agreements.states import BankAccountState, PaymentKind
from grants.core import acts, clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.payments import rules
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.queries.requests import by_id, evidence_of
from grants.payments.rules import (
    AccountLine,
    OrderView,
    SignatureView,
)
from grants.payments.states import OrderState, Step
from grants.reporting.models import PeriodicReport

ROWS_MAX = 200


def order_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind an order's reference; raises :class:`NotFound` where the person may not know it."""
    found = db.session.scalar(visible_orders(actor, select(PaymentOrder.id)).where(PaymentOrder.reference == reference))
    if found is None:
        raise NotFound
    return found


def order_ids_of(actor: Actor, references: Sequence[str]) -> tuple[UUID, ...]:
    """The ids behind references; raises :class:`NotFound` when one is not there for this person."""
    statement = visible_orders(actor, select(PaymentOrder.id)).where(PaymentOrder.reference.in_(references))
    found = tuple(db.session.scalars(statement.order_by(PaymentOrder.id)))
    if len(found) != len(set(references)):
        raise NotFound
    return found


def order(actor: Actor, reference: str) -> OrderView:
    """One order with its circuit, in a constant number of statements; raises :class:`NotFound`."""
    row = db.session.scalars(
        visible_orders(actor, select(PaymentOrder)).where(PaymentOrder.reference == reference)
    ).one_or_none()
    if row is None:
        raise NotFound
    return order_views([row])[0]


def lock_of(actor: Actor, order: OrderView) -> str | None:
    """Why this person cannot take the next step of an order, or None; the act checks it again."""
    held = rules.lock_of(order, actor.user_id)
    if held is None and agreements.in_conflict_with(actor, order.grant_id):
        return IN_CONFLICT
    return held


def why_gone(actor: Actor, references: Sequence[str]) -> tuple[str, ...]:
    """For each order that was ticked and can no longer be: who did what with it, and what comes next."""
    rows = db.session.scalars(
        visible_orders(actor, select(PaymentOrder))
        .where(PaymentOrder.reference.in_(references))
        .order_by(PaymentOrder.reference)
    ).all()
    deeds = identity.last_deeds("payment_order", [row.id for row in rows])
    found = []
    for row in rows:
        last, next_step = deeds.get(row.id), rules.order_next(OrderState(row.state))
        who = ""
        if last is not None:
            name = "you" if last.user_id == actor.user_id else last.name
            at = clock.in_zone(last.at)
            who = f"{name} {acts.words(last.verb, row.reference)} on {clock.long_date(at.date())}, {at:%H:%M}. "
        found.append(f"{row.reference}: {who}{next_step}")
    return tuple(found)


def visible_orders(actor: Actor, statement: Select[Any]) -> Select[Any]:
    return statement.join(Grant, Grant.id == PaymentOrder.grant_id).where(
        agreements.visible(actor, Permission.PAYMENT_ORDER_READ)
    )


@reader
def order_views(rows: Sequence[PaymentOrder]) -> Asking[tuple[OrderView, ...]]:
    """Orders as frozen values, in two statements however many there are."""
    if not rows:
        return ()
    about: list[Asking[Any]] = [
        _requests_and_reports({row.request_id for row in rows}),
        by_id.asking(Grant, {row.grant_id for row in rows}),
        by_id.asking(BankAccount, {row.bank_account_id for row in rows}),
        by_id.asking(PaymentBatch, {row.batch_id for row in rows if row.batch_id}),
        identity.organisations.asking({row.payee_id for row in rows}),
        _signatures([row.id for row in rows]),
        _times_paid({row.bank_account_id for row in rows}),
    ]
    found = yield from side_by_side(about)
    (requests, reports), grants, accounts, batches, names, signatures, paid = found
    return tuple(
        _order_view(
            row,
            requests[row.request_id],
            reports.get(requests[row.request_id].report_id),
            grants[row.grant_id],
            _account_line(accounts[row.bank_account_id], paid.get(row.bank_account_id, 0)),
            names[row.payee_id].name,
            batches[row.batch_id].reference if row.batch_id else None,
            tuple(signatures.get(row.id, ())),
        )
        for row in rows
    )


def _requests_and_reports(request_ids: Collection[UUID]) -> Asking[tuple[dict[UUID, Any], dict[UUID, Any]]]:
    requests = yield from by_id.asking(PaymentRequest, request_ids)
    reports = yield from by_id.asking(PeriodicReport, {each.report_id for each in requests.values() if each.report_id})
    return requests, reports


def _order_view(
    row: PaymentOrder,
    asked: PaymentRequest,
    report: PeriodicReport | None,
    grant: Grant,
    account: AccountLine,
    payee: str,
    batch_reference: str | None,
    signatures: tuple[SignatureView, ...],
) -> OrderView:
    return OrderView(
        id=row.id,
        version=row.version,
        reference=row.reference,
        state=OrderState(row.state),
        amount=row.amount,
        due_on=row.due_on,
        request_reference=asked.reference,
        kind=PaymentKind(asked.kind),
        report_number=report.number if report else None,
        evidence=evidence_of(report),
        grant_id=grant.id,
        grant_reference=grant.reference,
        acronym=grant.acronym or grant.title,
        payee=payee,
        payee_id=row.payee_id,
        account=account,
        prepared_by=row.prepared_by,
        verified_by=row.verified_by,
        authorised_by=row.authorised_by,
        sent_by=row.sent_by,
        executed_by=row.executed_by,
        batch_reference=batch_reference,
        value_on=row.value_on,
        cancel_reason=row.cancel_reason,
        signatures=signatures,
    )


def _account_line(account: BankAccount, paid_before: int) -> AccountLine:
    return AccountLine(
        masked=f"{account.iban[:4]} •••• {account.iban[-4:]}",
        holder=account.holder,
        entered_by=account.entered_by,
        confirmed_by=account.confirmed_by,
        stands=account.state == BankAccountState.CONFIRMED.value,
        paid_before=paid_before,
    )


def _signatures(order_ids: Sequence[UUID]) -> Asking[dict[UUID, list[SignatureView]]]:
    rows = yield from ask(
        select(PaymentOrderSignature)
        .where(PaymentOrderSignature.order_id.in_(order_ids))
        .order_by(PaymentOrderSignature.signed_at, PaymentOrderSignature.id)
    )
    # Steps taken in one moment (a test, the demo) stand in the order of the circuit.
    rows = sorted(rows, key=lambda row: (row.signed_at, list(Step).index(Step(row.step))))
    people = yield from identity.people.asking({row.user_id for row in rows})
    found: dict[UUID, list[SignatureView]] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(
            SignatureView(
                Step(row.step),
                row.user_id,
                people[row.user_id].name,
                row.signed_at,
                row.amount,
                row.note,
                row.voided_at,
                row.voided_why,
            )
        )
    return found


def _times_paid(account_ids: Iterable[UUID]) -> Asking[dict[UUID, int]]:
    statement = (
        select(PaymentOrder.bank_account_id, func.count())
        .where(PaymentOrder.bank_account_id.in_(list(account_ids)), PaymentOrder.state == OrderState.EXECUTED.value)
        .group_by(PaymentOrder.bank_account_id)
    )
    return {account_id: int(count) for account_id, count in (yield from ask(statement))}


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """An account in full, for the list the accounting officer hands to the bank."""

    holder: str
    iban: str
    bic: str | None


def account_numbers(order_ids: Sequence[UUID]) -> dict[UUID, AccountNumber]:
    """The full accounts of orders, for the list only."""
    statement = select(PaymentOrder.id, BankAccount.holder, BankAccount.iban, BankAccount.bic).join(
        BankAccount, BankAccount.id == PaymentOrder.bank_account_id
    )
    return {
        order_id: AccountNumber(holder, iban, bic)
        for order_id, holder, iban, bic in db.session.execute(statement.where(PaymentOrder.id.in_(order_ids)))
    }
