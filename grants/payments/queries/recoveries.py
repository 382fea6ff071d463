"""Reads of recoveries: what was paid too much, what came back, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.rules import GrantView
from grants.agreements.states import RUNNING, PaymentKind, values
from grants.core.duties import Duty
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments.models import PaymentRequest, Recovery, RecoveryReceipt
from grants.payments.queries.requests import by_id
from grants.payments.rules import ReceiptView, RecoveryView
from grants.payments.states import RecoveryState

DUTIES_MAX = 50


@dataclass(frozen=True, slots=True)
class GrantRecovery:
    """The recovery page of a grant: the recovery, or what is still to be established."""

    grant: GrantView
    recovery: RecoveryView | None
    to_establish: Money


@reader
def grant_recovery(actor: Actor, reference: str) -> Asking[GrantRecovery]:
    """For everybody who may read the agreement, in four statements; raises :class:`NotFound`."""
    row = yield from agreements.readable.asking(actor, reference)
    about: list[Asking[Any]] = [
        agreements.view.asking(row),
        recovery_of(row.id),
        books.of.asking(accounts=(Account.PREFINANCING,), grant_id=row.id),
    ]
    grant, recovery, balances = yield from side_by_side(about)
    owed = balances[Account.PREFINANCING] if grant.final_amount is not None else ZERO
    return GrantRecovery(grant, recovery, owed)


def recovery_of(grant_id: UUID) -> Asking[RecoveryView | None]:
    """The recovery of a grant; None where none was established."""
    rows = yield from ask(select(Recovery).where(Recovery.grant_id == grant_id))
    return next(iter((yield from recovery_views.asking(rows))), None)


@reader
def recovery_views(rows: Sequence[Recovery]) -> Asking[tuple[RecoveryView, ...]]:
    """Recoveries as frozen values, in two statements however many there are."""
    if not rows:
        return ()
    about: list[Asking[Any]] = [
        by_id.asking(Grant, {row.grant_id for row in rows}),
        by_id.asking(PaymentRequest, {row.request_id for row in rows}),
        ask(
            select(RecoveryReceipt)
            .where(RecoveryReceipt.recovery_id.in_([row.id for row in rows]))
            .order_by(RecoveryReceipt.value_on, RecoveryReceipt.created_at, RecoveryReceipt.id)
        ),
    ]
    grants, requests, receipts = yield from side_by_side(about)
    involved = {who for row in rows for who in (row.established_by, row.waived_by) if who}
    people, names = yield from both(
        identity.people.asking(involved | {each.booked_by for each in receipts}),
        identity.organisations.asking({grant.coordinator_id for grant in grants.values()}),
    )
    came: dict[UUID, list[ReceiptView]] = {}
    for each in receipts:
        came.setdefault(each.recovery_id, []).append(
            ReceiptView(each.amount, each.value_on, each.bank_reference, people[each.booked_by].name, each.above)
        )
    return tuple(
        RecoveryView(
            id=row.id,
            version=row.version,
            reference=row.reference,
            state=RecoveryState(row.state),
            grant_id=row.grant_id,
            grant_reference=grants[row.grant_id].reference,
            acronym=grants[row.grant_id].acronym or grants[row.grant_id].title,
            payee=names[grants[row.grant_id].coordinator_id].name,
            request_reference=requests[row.request_id].reference,
            amount=row.amount,
            reason=row.reason,
            due_on=row.due_on,
            established_at=row.established_at,
            established_by=people[row.established_by].name,
            receipts=tuple(came.get(row.id, ())),
            waived=row.waived,
            waived_at=row.waived_at,
            waived_by=people[row.waived_by].name if row.waived_by else None,
            waive_reason=row.waive_reason,
        )
        for row in rows
    )


def recovery_duties(actor: Actor) -> Asking[list[Duty]]:
    """What was paid too much and waits: for the authoriser, for the city, for the accounting officer."""
    kinds = []
    if actor.can(Permission.RECOVERY_ESTABLISH):
        kinds.append(_to_establish(actor))
    if actor.can(Permission.RECOVERY_BOOK) or actor.can(Permission.PAYMENT_REQUEST_SUBMIT):
        kinds.append(_to_pay_back(actor))
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


def _to_establish(actor: Actor) -> Asking[list[Duty]]:
    statement = (
        select(Grant.reference, func.coalesce(Grant.acronym, Grant.title), PaymentRequest.recoverable)
        .join(PaymentRequest, PaymentRequest.grant_id == Grant.id)
        .where(
            agreements.visible(actor, Permission.RECOVERY_ESTABLISH),
            Grant.state.in_(values(RUNNING)),
            PaymentRequest.kind == PaymentKind.BALANCE.value,
            PaymentRequest.recoverable > ZERO,
            ~exists().where(Recovery.request_id == PaymentRequest.id),
        )
        .order_by(Grant.reference)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            f"Establish the recovery from {name}",
            f"{amount} was paid above the final amount; the grant cannot be closed before it is settled.",
            "Open the recovery",
            "payments.recovery",
            {"ref": reference},
        )
        for reference, name, amount in (yield from ask(statement))
    ]


def _to_pay_back(actor: Actor) -> Asking[list[Duty]]:
    permission = Permission.RECOVERY_BOOK if actor.can(Permission.RECOVERY_BOOK) else Permission.PAYMENT_REQUEST_SUBMIT
    rows = yield from ask(
        select(Recovery)
        .join(Grant, Grant.id == Recovery.grant_id)
        .where(agreements.visible(actor, permission), Recovery.state == RecoveryState.ESTABLISHED.value)
        .order_by(Recovery.due_on, Recovery.reference)
        .limit(DUTIES_MAX)
    )
    books_it = permission is Permission.RECOVERY_BOOK
    return [
        Duty(
            f"Book what {each.acronym} pays back" if books_it else f"Pay back what {each.acronym} was paid too much",
            f"{each.reference}: {each.owed} of {each.amount} is still owed by {each.payee}.",
            "Open the recovery",
            "payments.recovery",
            {"ref": each.grant_reference},
            due_at=each.due_at,
        )
        for each in (yield from recovery_views.asking(rows))
    ]
