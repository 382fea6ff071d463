"""Who acts: a person with every permission resolved to its places."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Set
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


def actor_for(
    user_id: UUID, *, session_id: UUID | None = None, fresh: bool = False, at: datetime | None = None
) -> Actor:
    """The person with every permission resolved to its places, in one statement, with a bar in two; raises
    :class:`NotFound` if disabled.
    """
    return actor_of(
        db.session.execute(_rights(), {"user_id": user_id, "at": at or clock.now()}).all(), user_id, session_id, fresh
    )


def actor_of(rows: Iterable[Any], user_id: UUID, session_id: UUID | None, fresh: bool) -> Actor:
    """The person of the rows of :func:`rights_of`; raises :class:`NotFound` where none tells a name."""
    names, roles, organisations, bars = [], [], set(), set()
    for row in rows:
        match row[0]:
            case "person":
                names.append(row[1])
            case "role":
                roles.append((Role(row[1]), EVERYWHERE if row[3] is None else (row[2], row[3])))
            case "member":
                organisations.add(row[3])
            case "bar":
                bars.add((row[2], row[3]))
    if not names:
        raise NotFound
    granted = {(str(permission), EVERYWHERE) for permission in policy.EVERYBODY}
    held = frozenset(role for role, _ in roles)
    for role, place in roles:
        granted |= {(str(permission), place) for permission in policy.permissions_held(role, beside=held)}
        granted |= {
            (str(permission), ("organisation", organisation))
            for permission in policy.IN_OWN_ORGANISATION.get(role, ())
            for organisation in organisations
        }
    return Actor(
        user_id=user_id,
        name=names[0],
        granted=frozenset(granted),
        bars=_with_what_lies_in(bars),
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
    """The name, roles, memberships and bars of a person at a moment, each a row of a word, two texts and an id."""
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
    ]


def is_kept_from(user_id: UUID, kind: str, object_id: UUID) -> bool:
    """Whether a conflict keeps a person from a thing now: what was queued for them before is not sent."""
    rows = db.session.execute(
        select(AccessBar.kind, AccessBar.object_id).where(AccessBar.user_id == user_id, spans(AccessBar, clock.now()))
    )
    return (kind, object_id) in _with_what_lies_in({(row[0], row[1]) for row in rows})


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
