"""Reads of the programme's own bank accounts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.agreements.models import Grant
from grants.calls.models import Call
from grants.core.db import db, locked
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader
from grants.identity import queries as identity
from grants.payments.models import OwnAccount, PaymentOrder
from grants.payments.rules.own_accounts import OwnAccountView
from grants.payments.states import OwnAccountState
from grants.programmes import queries as programmes
from grants.programmes.models import Programme
from grants.programmes.rules import ProgrammeView

# A programme has a handful; the list is read whole.
ACCOUNTS_MAX = 200


def own_account_scope(account_id: UUID) -> Scope:
    """Where an account of a programme lies, read under its lock: in its programme, so that no role of one call reaches it."""
    return Scope.of(("programme", locked(OwnAccount, account_id).programme_id))


@reader
def own_accounts(actor: Actor) -> Asking[tuple[OwnAccountView, ...]]:
    """Every account of every programme this person may read, the open ones first; three statements."""
    if not actor.can(Permission.PAYMENT_ORDER_READ):
        return ()
    return (yield from _views(select(OwnAccount)))


@reader
def own_account(actor: Actor, reference: str) -> Asking[OwnAccountView]:
    """One account by its reference; raises :class:`NotFound`."""
    found: tuple[OwnAccountView, ...] = ()
    if actor.can(Permission.PAYMENT_ORDER_READ):
        found = yield from _views(select(OwnAccount).where(OwnAccount.reference == reference))
    if not found:
        raise NotFound
    return found[0]


def own_account_by_id(account_id: UUID) -> OwnAccountView:
    """One account, for an act that may pay from it."""
    return _read_by_id([account_id])[0]


@reader
def _read_by_id(ids: Collection[UUID]) -> Asking[tuple[OwnAccountView, ...]]:
    return (yield from _views(select(OwnAccount).where(OwnAccount.id.in_(ids))))


def payable_from_any(order_ids: Collection[UUID]) -> UUID:
    """The first confirmed account of the programme that pays these orders; raises :class:`NotFound` where it has none."""
    found = db.session.scalars(
        select(OwnAccount.id)
        .join(Call, Call.programme_id == OwnAccount.programme_id)
        .join(Grant, Grant.call_id == Call.id)
        .join(PaymentOrder, PaymentOrder.grant_id == Grant.id)
        .where(PaymentOrder.id.in_(order_ids), OwnAccount.state == OwnAccountState.CONFIRMED.value)
        .order_by(OwnAccount.reference)
        .limit(1)
    ).first()
    if found is None:
        raise NotFound
    return found


@reader
def paying_programmes() -> Asking[tuple[ProgrammeView, ...]]:
    """Every programme an account can be entered for, by code."""
    found = yield from programmes.programmes_by_id.asking(select(Programme.id))
    return tuple(found.values())


def own_account_row(iban: str) -> OwnAccount | None:
    """The open account of that number, for an act or a statement; None where the programme has none."""
    return db.session.scalars(
        select(OwnAccount).where(OwnAccount.iban == iban, OwnAccount.state != OwnAccountState.CLOSED.value)
    ).one_or_none()


def _views(statement: Select[Any]) -> Asking[tuple[OwnAccountView, ...]]:
    closed = OwnAccount.state == OwnAccountState.CLOSED.value
    rows = list((yield from ask(statement.order_by(closed, OwnAccount.reference).limit(ACCOUNTS_MAX))))
    if not rows:
        return ()
    people, of = yield from both(
        identity.people.asking(
            {who for row in rows for who in (row.entered_by, row.confirmed_by, row.closed_by) if who}
        ),
        programmes.programmes_by_id.asking({row.programme_id for row in rows}),
    )

    def name(user_id: UUID | None) -> str | None:
        return people[user_id].name if user_id else None

    return tuple(
        OwnAccountView(
            id=row.id,
            version=row.version,
            reference=row.reference,
            programme_id=row.programme_id,
            programme=of[row.programme_id].name,
            holder=row.holder,
            iban=row.iban,
            bic=row.bic,
            country=row.country,
            town=row.town,
            postcode=row.postcode,
            street=row.street,
            building=row.building,
            currency=row.currency,
            state=OwnAccountState(row.state),
            entered_by=row.entered_by,
            entered_by_name=people[row.entered_by].name,
            entered_at=row.entered_at,
            confirmed_by=row.confirmed_by,
            confirmed_by_name=name(row.confirmed_by),
            confirmed_at=row.confirmed_at,
            evidence=row.evidence,
            closed_by_name=name(row.closed_by),
            closed_at=row.closed_at,
            close_reason=row.close_reason,
        )
        for row in rows
    )
