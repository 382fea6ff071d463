"""Who acts: a person with every permission resolved to its places."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Set
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    DateTime,
    Select,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    literal,
    null,
    or_,
    select,
    table,
    union_all,
)

from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import EVERYWHERE, Actor, ScopeKey
from grants.identity import policy
from grants.identity.models import AccessBar, Membership, RoleGrant, User
from grants.identity.policy import Role

# A time, or the place in a statement where one will be put.
Moment = datetime | BindParameter[datetime]


# What lies in an application by way of its grant: conflicts bar from applications, lists and jobs know these by kinds of
# their own. Named by their tables, because both are stages after this one.
_GRANT = table("grant_agreement", column("id", Uuid), column("application_id", Uuid))

_REPORT = table("periodic_report", column("id", Uuid), column("grant_id", Uuid))

# Who holds one of these may come near an application that is not their own: a conflict keeps them from it.
_OFFICES = frozenset(Role) - policy.TEAM_ROLES - policy.ROLES_OF_A_CITY - {Role.APPLICANT}

# What a later stage (evaluation) says of conflicts, once: the ids of the applications a person stands in conflict with.
_in_conflict: list[Callable[[ColumnElement[UUID], Moment], Select[Any]]] = []


def shut_by(in_conflict: Callable[[ColumnElement[UUID], Moment], Select[Any]]) -> None:
    """Take the ids of the applications a conflict shuts to a person at a moment, whatever their office."""
    _in_conflict[:] = [in_conflict]


def actor_for(
    user_id: UUID, *, session_id: UUID | None = None, fresh: bool = False, at: datetime | None = None
) -> Actor:
    """The person with every permission resolved to its places, in one statement, with a bar or a conflict in
    two; raises :class:`NotFound` if disabled.
    """
    return actor_of(
        db.session.execute(_rights(), {"user_id": user_id, "at": at or clock.now()}).all(), user_id, session_id, fresh
    )


def actor_of(rows: Iterable[Any], user_id: UUID, session_id: UUID | None, fresh: bool) -> Actor:
    """The person of the rows of :func:`rights_of`; raises :class:`NotFound` where none tells a name."""
    rows = list(rows)
    names, roles, organisations = [], [], set()
    for row in rows:
        match row[0]:
            case "person":
                names.append(row[1])
            case "role":
                roles.append((Role(row[1]), EVERYWHERE if row[3] is None else (row[2], row[3])))
            case "member":
                organisations.add(row[3])
    if not names:
        raise NotFound
    granted = {(str(permission), EVERYWHERE) for permission in policy.EVERYBODY}
    held = frozenset(role for role, _ in roles)
    # Who assesses may hold one role in a hundred places.
    words = {role: [str(permission) for permission in policy.permissions_held(role, beside=held)] for role in held}
    granted.update((word, place) for role, place in roles for word in words[role])
    granted.update(
        (str(permission), ("organisation", organisation))
        for role in held
        for permission in policy.IN_OWN_ORGANISATION.get(role, ())
        for organisation in organisations
    )
    return Actor(
        user_id=user_id,
        name=names[0],
        granted=frozenset(granted),
        bars=_bars_of(rows),
        roles=tuple(sorted({str(role) for role, _ in roles})),
        organisation_ids=frozenset(organisations),
        session_id=session_id,
        fresh=fresh,
    )


@functools.cache
def _rights() -> CompoundSelect[Any]:
    """What :func:`actor_for` asks, put together once: every job asks it, and to write it took longer than the answer."""
    return union_all(*rights_of(bindparam("user_id", type_=Uuid)))


def rights_of(person: ColumnElement[UUID]) -> list[Select[Any]]:
    """The name, roles, memberships, bars and conflicts of a person at a moment, each a row of a word, two texts and an id.

    A conflict keeps from an application from the moment it is so, not from the bar that follows once somebody looks: it
    is asked here, once for a request or a job, so that all that heeds bars heeds it.
    """
    at = bindparam("at", type_=DateTime(timezone=True))
    nothing, nowhere = literal(""), cast(null(), Uuid)
    return [
        select(literal("person"), User.name, nothing, nowhere).where(User.id == person, User.disabled_at.is_(None)),
        select(literal("role"), RoleGrant.role, RoleGrant.kind, RoleGrant.object_id).where(
            RoleGrant.user_id == person, role_holds(at)
        ),
        select(literal("member"), nothing, literal("organisation"), Membership.organisation_id).where(
            Membership.user_id == person, spans(Membership, at)
        ),
        select(literal("bar"), nothing, AccessBar.kind, AccessBar.object_id).where(
            AccessBar.user_id == person, spans(AccessBar, at)
        ),
        _conflicts_of(person, at),
    ]


def _conflicts_of(person: ColumnElement[UUID], at: Moment) -> Select[Any]:
    """The applications a conflict shuts to a person with an office; who only applies for a city is asked nothing."""
    (in_conflict,) = _in_conflict
    shut = in_conflict(person, at).subquery("shut")
    office = select(RoleGrant.id).where(
        RoleGrant.user_id == person, RoleGrant.role.in_(sorted(_OFFICES)), role_holds(at)
    )
    return select(literal("conflict"), literal(""), literal("application"), shut.c.id).where(office.exists())


def is_kept_from(user_id: UUID, kind: str, object_id: UUID) -> bool:
    """Whether a conflict keeps a person from a thing now: what was queued for them before is not sent."""
    rows = db.session.execute(_rights(), {"user_id": user_id, "at": clock.now()})
    return (kind, object_id) in _bars_of(rows.all())


def _bars_of(rows: Iterable[Any]) -> frozenset[ScopeKey]:
    """What the rows of :func:`rights_of` keep a person from: by a bar, or by a conflict that has none yet."""
    bars, in_conflict, own = set(), set(), set()
    for word, text, kind, thing in (row[:4] for row in rows):
        if word == "bar":
            bars.add((kind, thing))
        elif word == "conflict":
            in_conflict.add((kind, thing))
        elif word == "role" and text in policy.TEAM_ROLES:
            own.add((kind, thing))
    # Whoever takes part in an application reads it as their own, and judges nothing of it: the stages see to that.
    return _with_what_lies_in(bars | (in_conflict - own))


def _with_what_lies_in(bars: Set[ScopeKey]) -> frozenset[ScopeKey]:
    """Bars from applications are bars from their grants and the reports on these too."""
    if not bars:
        return frozenset()
    barred = {kind: {thing for found, thing in bars if found == kind} for kind in ("application", "grant")}
    grants = select(_GRANT.c.id).where(
        or_(_GRANT.c.application_id.in_(barred["application"]), _GRANT.c.id.in_(barred["grant"]))
    )
    reports = select(_REPORT.c.id).where(_REPORT.c.grant_id.in_(grants))
    below = union_all(
        select(literal("grant"), grants.subquery().c.id), select(literal("report"), reports.subquery().c.id)
    )
    return frozenset({*bars, *((row[0], row[1]) for row in db.session.execute(below))})


def role_holds(at: Moment) -> ColumnElement[bool]:
    """The condition that a role holds at a moment: in its dates, and confirmed where it must be."""
    return and_(spans(RoleGrant, at), or_(RoleGrant.needs_confirmation.is_(False), RoleGrant.confirmed_at.is_not(None)))


def spans(model: Any, at: Moment) -> ColumnElement[bool]:
    return and_(model.starts_at <= at, or_(model.ends_before.is_(None), model.ends_before > at))
