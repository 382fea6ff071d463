"""Where things of evaluation lie: the scope of each, locked in the order every act of this stage takes its locks."""

from __future__ import annotations

import functools
from uuid import UUID

from sqlalchemy import Select, bindparam, select

from grants.applications.models import Application
from grants.calls.models import Call
from grants.core.db import db, get, locked
from grants.core.errors import NotFound
from grants.core.permissions import Scope
from grants.evaluation.models import Assignment, ConflictDeclaration, ScoreShift


def call_scope(call_id: UUID) -> Scope:
    """A call, locked: what seats and declarations of its applications queue on."""
    return Scope.of(("call", locked(Call, call_id).id))


def application_scope(application_id: UUID) -> Scope:
    """An application, locked, in its call. No more is read of it than where it lies: a save every few seconds asks this."""
    row = db.session.execute(_place_locked(), {"application_id": application_id}).one_or_none()
    if row is None:
        raise NotFound
    return Scope.of(("application", row.id), ("call", row.call_id))


@functools.cache
def _place_locked() -> Select[UUID, UUID]:
    """What :func:`application_scope` asks, put together once."""
    place = select(Application.id, Application.call_id).where(Application.id == bindparam("application_id"))
    return place.with_for_update(of=Application)


def declaration_scope(declaration_id: UUID) -> Scope:
    """A declaration lies where its application lies. The call is locked first, as whoever declares or publishes does."""
    application_id = db.session.scalar(
        select(ConflictDeclaration.application_id).where(ConflictDeclaration.id == declaration_id)
    )
    if application_id is None:
        raise NotFound
    scope = application_of_call_scope(application_id)
    locked(ConflictDeclaration, declaration_id)
    return scope


def application_of_call_scope(application_id: UUID) -> Scope:
    """An application; its call is locked first, as whoever declares or publishes does."""
    # Not the row: read before its lock it would stay in the session as it was.
    call_id = db.session.scalar(select(Application.call_id).where(Application.id == application_id))
    if call_id is None:
        raise NotFound
    call_scope(call_id)
    return application_scope(application_id)


def seat_scope(seat_id: UUID) -> Scope:
    """A seat lies where its application lies, which is locked before it."""
    return application_scope(get(Assignment, seat_id).application_id)


def shift_scope(shift_id: UUID) -> Scope:
    """A move of a score lies where its application lies."""
    return application_scope(get(ScoreShift, shift_id).application_id)
