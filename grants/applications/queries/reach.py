"""Which applications a person reaches, and how others say what stands in the way."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Text, Uuid, and_, bindparam, case, false, or_, select

from grants.applications.models import Application
from grants.applications.states import ApplicationState, Origin
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope

LIST_ROWS_MAX = 200


FOR_CALL_MAX = 2_000


DUTIES_MAX = 50


def scope_of(application_id: UUID) -> Scope:
    """Where an application lies, read under its lock: itself and its call."""
    row = db.session.execute(_held(), {"application_id": application_id}).one_or_none()
    if row is None:
        raise NotFound
    return Scope.of(("application", row.id), ("call", row.call_id))


@functools.cache
def _held() -> Select[Any]:
    """What :func:`scope_of` asks, put together once: almost every act on an application begins with it."""
    columns = Application.__table__.c
    return (
        select(columns.id, columns.call_id)
        .where(columns.id == bindparam("application_id", type_=Uuid))
        .with_for_update(of=Application.__table__)
    )


def lies_in(application_id: UUID) -> Scope:
    """The same without the lock, for acts that only read: neither ever changes."""
    row = get(Application, application_id)
    return Scope.of(("application", row.id), ("call", row.call_id))


def is_team(actor: Actor, application_id: UUID) -> bool:
    """Whether the person belongs to this application itself, and so sees its draft."""
    return application_id in actor.places(Permission.APPLICATION_READ, "application")


# What a later stage (evaluation) says of conflicts, once: how one sees that a person declared none with an application.
_declared_clear: list[Callable[[UUID | None], ColumnElement[bool]]] = []


def opens_when(declared_clear: Callable[[UUID | None], ColumnElement[bool]]) -> None:
    """Take the condition on :class:`Application` under which it opens to a person who must declare conflicts."""
    _declared_clear[:] = [declared_clear]


def _declared(actor: Actor) -> ColumnElement[bool]:
    """Whoever must declare conflicts reads what they declared clear of, and what was published elsewhere; else nothing."""
    clear = [condition(actor.user_id) for condition in _declared_clear]
    return or_(Application.origin == Origin.PUBLISHED_OUTCOME.value, *(clear or [false()]))


def declared_clear_by(actor: Actor) -> tuple[UUID, ...]:
    """The applications with which a person who must declare conflicts declared none, in order; none for everybody else."""
    if not (actor.can(Permission.CONFLICT_DECLARE) and _declared_clear):
        return ()
    conditions = [condition(actor.user_id) for condition in _declared_clear]
    return tuple(db.session.scalars(select(Application.id).where(*conditions).order_by(Application.id)))


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition every list, count and search of applications carries."""
    own = Application.id.in_(actor.places(Permission.APPLICATION_READ, "application"))
    staff: ColumnElement[bool] = Application.call_id.in_(actor.places(Permission.APPLICATION_READ, "call"))
    if actor.everywhere(Permission.APPLICATION_READ):
        staff = Application.id.is_not(None)
    if actor.can(Permission.CONFLICT_DECLARE):
        staff = and_(staff, _declared(actor))
    return and_(or_(own, and_(staff, was_sent())), *not_barred(actor))


def untold() -> ColumnElement[bool]:
    """Applications with an outcome their team does not know: no letter has told it, and the results are not public.

    Who moved up from the reserve list was on it when they became public, and learns the rest by a letter all the same.
    """
    public = select(Call.id).where(Call.results_public_at <= clock.now())
    return and_(Application.told_state.is_not(None), or_(untold_when_public(), Application.call_id.not_in(public)))


def untold_when_public() -> ColumnElement[bool]:
    """Those of them that the publication of the results does not tell: who was told the reserve list and moved up since."""
    return Application.told_state.is_not_distinct_from(ApplicationState.RESERVE.value)


def is_untold(application_id: UUID) -> bool:
    """Whether the team of one application reads another state than it is in, for an act that holds its lock."""
    return db.session.scalar(select(Application.id).where(Application.id == application_id, untold())) is not None


def state_to_team() -> ColumnElement[str]:
    """The state of an application as its team reads it."""
    return case((untold(), Application.told_state), else_=Application.state)


def state_since_to_team() -> ColumnElement[datetime]:
    """Since when an application is in the state its team reads."""
    return case((untold(), Application.told_since), else_=Application.state_since)


def told_apart(actor: Actor) -> ColumnElement[bool] | None:
    """Of which applications this person reads what their team was told, not what is stored; None where of none."""
    own = actor.places(Permission.APPLICATION_READ, "application")
    return and_(Application.id.in_(own), untold()) if own else None


def state_to(actor: Actor) -> SQLColumnExpression[str]:
    """The same as this person reads it: the programme what is decided, a team what it was told."""
    told = told_apart(actor)
    return Application.state if told is None else case((told, Application.told_state), else_=Application.state)


def state_since_to(actor: Actor) -> SQLColumnExpression[datetime]:
    """Since when an application is in the state this person reads."""
    told = told_apart(actor)
    if told is None:
        return Application.state_since
    return case((told, Application.told_since), else_=Application.state_since)


def was_sent() -> ColumnElement[bool]:
    """Applications others than their team may ever see: sent once, or known by a published outcome."""
    return or_(Application.submission_id.is_not(None), Application.origin == Origin.PUBLISHED_OUTCOME.value)


def sees_calls_whole(actor: Actor) -> bool:
    """Whether the person sees all that was sent to some calls, but for what is shut to them: totals then say how many."""
    somewhere = actor.everywhere(Permission.APPLICATION_READ) or actor.places(Permission.APPLICATION_READ, "call")
    return bool(somewhere) and not actor.can(Permission.CONFLICT_DECLARE)


def not_barred(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Applications this person is not kept from, by themselves or by their call."""
    barred, calls = actor.barred("application"), actor.barred("call")
    found: list[ColumnElement[bool]] = []
    if barred:
        found.append(Application.id.not_in(barred))
    if calls:
        found.append(Application.call_id.not_in(calls))
    return tuple(found)


def id_of(actor: Actor, reference: str) -> UUID:
    """The id of an application this person may see; :class:`NotFound` for every other."""
    return placed(actor, reference)[0]


def placed(actor: Actor, reference: str) -> tuple[UUID, Scope]:
    """The same, and where the application lies, in one statement."""
    asked = select(Application.id, Application.call_id).where(Application.reference == reference, visible(actor))
    row = db.session.execute(asked).one_or_none()
    if row is None:
        raise NotFound
    return row.id, Scope.of(("application", row.id), ("call", row.call_id))


def team_id_of(actor: Actor, reference: str) -> UUID:
    """The id of an application this person writes in; :class:`NotFound` for every other."""
    row = db.session.execute(_named(), {"reference": reference}).one_or_none()
    if row is None or not is_team(actor, row.id):
        raise NotFound
    if row.id in actor.barred("application") or row.call_id in actor.barred("call"):
        raise NotFound
    application_id: UUID = row.id
    return application_id


@functools.cache
def _named() -> Select[Any]:
    """What :func:`team_id_of` asks, put together once: every save while one types begins with it."""
    columns = Application.__table__.c
    return select(columns.id, columns.call_id).where(columns.reference == bindparam("reference", type_=Text))
