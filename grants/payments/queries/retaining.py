"""Legal holds, and how long the records of grants are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.legal_holds import LegalHold
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.states import HeldKind
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import User
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments.rules.retaining import HoldView, Retained, retained
from grants.programmes import queries as programmes
from grants.programmes.models import FundSource

HOLDS_SHOWN_MAX = 200
_lifter = aliased(User)
_OWED = (Account.RECOVERY_RECEIVABLE.value, Account.INTEREST_RECEIVABLE.value)


@dataclass(frozen=True, slots=True)
class RetentionLine:
    """A grant with the clock of its records."""

    reference: str
    name: str
    fund_number: str
    final_paid_on: date | None
    retained: Retained


@dataclass(frozen=True, slots=True)
class RetentionPage:
    """The holds, and the grants with how long their records are kept."""

    holds: tuple[HoldView, ...]
    grants: Rows[RetentionLine]

    @property
    def rests(self) -> bool:
        """Whether one of the holds shown stands."""
        return any(each.stands for each in self.holds)


@reader
def holds(actor: Actor) -> Asking[tuple[HoldView, ...]]:
    """The holds on what this person may read, those that stand first, then the newest."""
    rows = yield from ask(_holds(actor).limit(HOLDS_SHOWN_MAX))
    return tuple(_view(row) for row in rows)


def hold(actor: Actor, number: int) -> HoldView:
    """One hold; raises :class:`NotFound` where this person may not read what it lies on."""
    row = db.session.execute(_holds(actor).where(LegalHold.number == number)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row)


def _holds(actor: Actor) -> Any:
    by_grant = and_(LegalHold.kind == HeldKind.GRANT.value, Grant.id == LegalHold.object_id)
    by_call = and_(LegalHold.kind == HeldKind.CALL.value, Call.id == LegalHold.object_id)
    return (
        select(
            *(LegalHold.id, LegalHold.version, LegalHold.number, LegalHold.kind, LegalHold.object_id, LegalHold.reason),
            *(LegalHold.set_by, LegalHold.set_at, LegalHold.lifted_at, LegalHold.lift_reason),
            func.coalesce(Grant.reference, Call.reference).label("reference"),
            func.coalesce(Grant.acronym, Grant.title, Call.title).label("title"),
            *(User.name.label("setter"), _lifter.name.label("lifter")),
        )
        .join(User, User.id == LegalHold.set_by)
        .outerjoin(_lifter, _lifter.id == LegalHold.lifted_by)
        .outerjoin(Grant, by_grant)
        .outerjoin(Call, by_call)
        .where(
            or_(and_(Grant.id.is_not(None), agreements.visible(actor, Permission.LEDGER_READ)), _call_is_read(actor))
        )
        .order_by(LegalHold.lifted_at.is_not(None), LegalHold.number.desc())
    )


def _call_is_read(actor: Actor) -> ColumnElement[bool]:
    if actor.everywhere(Permission.LEDGER_READ):
        return Call.id.is_not(None)
    reached = actor.places(Permission.LEDGER_READ, "call")
    return Call.id.in_(reached) if reached else false()


def _view(row: Any) -> HoldView:
    return HoldView(
        id=row.id,
        version=row.version,
        number=row.number,
        kind=HeldKind(row.kind),
        object_id=row.object_id,
        name=row.reference,
        title=row.title,
        reason=row.reason,
        set_by_id=row.set_by,
        set_by=row.setter,
        set_on=clock.in_zone(row.set_at).date(),
        lifted_by=row.lifter or "",
        lifted_on=clock.in_zone(row.lifted_at).date() if row.lifted_at else None,
        lift_reason=row.lift_reason or "",
    )


def named(actor: Actor, reference: str) -> tuple[HeldKind, UUID]:
    """The grant or call behind a reference; raises :class:`NotFound` where this person may not hold it."""
    typed = reference.strip().upper()
    seen = agreements.visible(actor, Permission.LEGAL_HOLD_SET)
    grant_id = db.session.scalar(select(Grant.id).where(Grant.reference == typed, seen))
    if grant_id is not None:
        return HeldKind.GRANT, grant_id
    call_id = db.session.scalar(select(Call.id).where(Call.reference == typed))
    if call_id is None or not actor.may(Permission.LEGAL_HOLD_SET, Scope.of(("call", call_id))):
        raise NotFound
    return HeldKind.CALL, call_id


def held_scope(kind: HeldKind, object_id: UUID) -> Scope:
    """Where a hold lies: in its grant, or in its call."""
    return agreements.lies_in(object_id) if kind is HeldKind.GRANT else Scope.of(("call", object_id))


@reader
def retention(actor: Actor, page: Page) -> Asking[RetentionPage]:
    """The holds, and the grants that entered into force with the clock of each. Three statements."""
    about: list[Asking[Any]] = [holds.asking(actor), _grants(actor, page)]
    shown, grants = yield from side_by_side(about)
    return RetentionPage(shown, grants)


def _grants(actor: Actor, page: Page) -> Asking[Rows[RetentionLine]]:
    statement = _with_fund().where(agreements.visible(actor, Permission.LEDGER_READ), Grant.in_force_at.is_not(None))
    if page.after:
        statement = statement.where(Grant.reference > page.after)
    rows = yield from ask(statement.order_by(Grant.reference).limit(page.limit))
    made = yield from _lines(rows)
    return cut(made, page, key=lambda line: line.reference)


@reader
def retained_of(grant_id: UUID) -> Asking[Retained]:
    """The clock of one grant. Two statements."""
    lines = yield from _lines((yield from ask(_with_fund().where(Grant.id == grant_id))))
    return lines[0].retained


def _with_fund() -> Any:
    return select(
        *(Grant.id, Grant.call_id, Grant.reference, func.coalesce(Grant.acronym, Grant.title).label("name")),
        *(Grant.state, Grant.maximum, Grant.final_amount),
        *(FundSource.number, FundSource.final_paid_on, FundSource.kept_years, FundSource.kept_years_small),
        FundSource.small_grant_max,
    ).join(FundSource, FundSource.id == Grant.fund_source_id)


def _lines(rows: Sequence[Any]) -> Asking[list[RetentionLine]]:
    ids = [row.id for row in rows]
    about: list[Asking[Any]] = [_held_on([*ids, *{row.call_id for row in rows}]), _owing(ids)]
    held, owing = yield from side_by_side(about)
    return [
        RetentionLine(
            row.reference,
            row.name,
            row.number,
            row.final_paid_on,
            retained(
                programmes.keeping(row),
                row.final_amount if row.final_amount is not None else row.maximum,
                closed=row.state == GrantState.CLOSED.value,
                owes=row.id in owing,
                held=[*held.get(row.id, ()), *held.get(row.call_id, ())],
            ),
        )
        for row in rows
    ]


def _held_on(object_ids: Collection[UUID]) -> Asking[dict[UUID, list[tuple[date, date | None]]]]:
    """From when until when holds lay on these grants and calls."""
    rows = yield from ask(
        select(LegalHold.object_id, LegalHold.set_at, LegalHold.lifted_at)
        .where(LegalHold.object_id.in_(object_ids))
        .order_by(LegalHold.number)
    )
    found: dict[UUID, list[tuple[date, date | None]]] = {}
    for row in rows:
        lifted = clock.in_zone(row.lifted_at).date() if row.lifted_at else None
        found.setdefault(row.object_id, []).append((clock.in_zone(row.set_at).date(), lifted))
    return found


def _owing(grant_ids: Sequence[UUID]) -> Asking[frozenset[UUID]]:
    """The grants of which money is still to be recovered."""
    rows = yield from ask(books.sums_by_grant(select(Grant.id).where(Grant.id.in_(grant_ids))))
    return frozenset(row.grant_id for row in rows if row.account in _OWED and row.debits != row.credits)
