"""Who may see which grants, and where a grant lies."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select

from grants.agreements.models import (
    Grant,
)
from grants.agreements.rules import (
    GrantView,
)
from grants.agreements.states import Side
from grants.applications.models import Application
from grants.core.db import among, db, get, locked
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader
from grants.evaluation import queries as evaluation
from grants.identity import queries as identity


def scope_of(grant_id: UUID) -> Scope:
    """Where a grant lies, read under its lock: itself, its application and its call."""
    return scope(locked(Grant, grant_id))


def lies_in(grant_id: UUID) -> Scope:
    """The same without the lock, for acts that only read."""
    return scope(get(Grant, grant_id))


def scope(grant: Grant) -> Scope:
    """Where a grant lies."""
    return Scope.of(("grant", grant.id), ("application", grant.application_id), ("call", grant.call_id))


def scope_of_view(grant: GrantView) -> Scope:
    """Where a grant lies, for pages."""
    return Scope.of(("grant", grant.id), ("application", grant.application_id), ("call", grant.call_id))


def side_of(actor: Actor, place: Scope) -> Side:
    """For whom a person acts in a grant that lies there: who answers for its cities acts for the city.

    What they may do for other grants says nothing about it.
    """
    return Side.CITY if actor.may(Permission.AGREEMENT_ANSWER, place) else Side.PROGRAMME


def visible(actor: Actor, permission: Permission = Permission.AGREEMENT_READ) -> ColumnElement[bool]:
    """The condition that a grant is in the person's reach and not barred; for every list and count."""
    barred = Grant.application_id.not_in(actor.barred("application"))
    if actor.everywhere(permission):
        return barred
    places = [
        column.in_(found)
        for column, kind in ((Grant.id, "grant"), (Grant.application_id, "application"), (Grant.call_id, "call"))
        if (found := actor.places(permission, kind))
    ]
    return (or_(*places) if places else false()) & barred


def id_of(actor: Actor, reference: str) -> UUID:
    """The id behind a reference; raises :class:`NotFound` where the person may not know it."""
    found = db.session.scalar(select(Grant.id).where(Grant.reference == reference, visible(actor)))
    if found is None:
        raise NotFound
    return found


@reader
def readable(actor: Actor, reference: str) -> Asking[Grant]:
    """The row of a grant, for reads of other stages beside :func:`view`; raises :class:`NotFound`."""
    found = yield from ask(select(Grant).where(Grant.reference == reference, visible(actor)))
    if not found:
        raise NotFound
    row: Grant = found[0]
    return row


def conflicts_among(actor: Actor, grant_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of these grants with whose application this person stands in conflict. One statement."""
    wanted = (
        select(Grant.id)
        .join(Application, Application.id == Grant.application_id)
        .where(among(Grant.id, grant_ids), evaluation.in_conflict(actor.user_id))
    )
    return frozenset(db.session.scalars(wanted)) if actor.user_id is not None else frozenset()


def in_conflict_with(actor: Actor, grant_id: UUID) -> bool:
    """Whether this person stands in conflict with the application behind a grant, by what they said or what was found."""
    wanted = (
        select(Application.id)
        .join(Grant, Grant.application_id == Application.id)
        .where(Grant.id == grant_id, evaluation.in_conflict(actor.user_id))
    )
    return actor.user_id is not None and db.session.scalar(wanted) is not None


def signers_of_programme(grant: GrantView) -> int:
    """How many people may sign this grant for the programme."""
    return len(identity.users_with(Permission.AGREEMENT_SIGN_PROGRAMME, scope_of_view(grant)))
