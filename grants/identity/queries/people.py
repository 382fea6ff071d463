"""Who people are, what they did last, and who holds which role where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from grants.core import acts, clock
from grants.core.audit import AuditEvent
from grants.core.db import among, db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader
from grants.identity import policy
from grants.identity.models import AccessBar, Membership, Organisation, RoleGrant, User
from grants.identity.policy import Role
from grants.identity.queries.actors import role_holds, spans
from grants.identity.rules import Person


def person(user_id: UUID) -> Person:
    """One person; raises :class:`NotFound`."""
    found = people([user_id])
    if user_id not in found:
        raise NotFound
    return found[user_id]


@reader
def people(user_ids: Iterable[UUID]) -> Asking[dict[UUID, Person]]:
    """People by id, disabled ones too (they did what they did), in one statement."""
    wanted = set(user_ids)
    found = (yield from _people.asking(User.id.in_(wanted))) if wanted else ()
    return {person.id: person for person in found}


@dataclass(frozen=True, slots=True)
class Deed:
    """The last thing that was done to an object: by which act, by whom (the program, where nobody is named), and when."""

    verb: str
    user_id: UUID | None
    name: str
    at: datetime


def last_deed(object_kind: str, object_id: UUID) -> Deed | None:
    """Who changed an object last, for people who were a moment too late."""
    return last_deeds(object_kind, [object_id]).get(object_id)


def overtaker(actor: Actor, object_kind: str, object_id: UUID, subject: str) -> tuple[str, str, datetime] | None:
    """Who was faster, what they did to ``subject`` and when, in words for the page of whoever came second."""
    last = last_deed(object_kind, object_id)
    if last is None:
        return None
    return (
        "You" if last.user_id and last.user_id == actor.user_id else last.name,
        acts.words(last.verb, subject),
        last.at,
    )


def last_deeds(object_kind: str, object_ids: Collection[UUID]) -> dict[UUID, Deed]:
    """Who changed each of these objects last; two statements."""
    rows = db.session.scalars(
        select(AuditEvent)
        .where(AuditEvent.object_kind == object_kind, AuditEvent.object_id.in_(object_ids))
        .order_by(AuditEvent.object_id, AuditEvent.recorded_at.desc(), AuditEvent.object_version.desc().nulls_last())
        .ext(distinct_on(AuditEvent.object_id))
    ).all()
    names = people(row.user_id for row in rows if row.user_id)
    return {
        row.object_id: Deed(
            row.verb, row.user_id, names[row.user_id].name if row.user_id else "The program", row.recorded_at
        )
        for row in rows
        if row.object_id
    }


def person_by_email(email: str) -> Person | None:
    """The person of a normalised address."""
    return next(iter(_people(User.email == email)), None)


def holds_staff_role(user_id: UUID) -> bool:
    """Whether a person works for the programme or evaluates for it: a role of staff, waiting ones too."""
    found = db.session.scalar(
        select(RoleGrant.id)
        .where(
            RoleGrant.user_id == user_id,
            RoleGrant.kind != "application",
            RoleGrant.role.in_([role.value for role in Role if policy.is_staff(role)]),
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > clock.now()),
        )
        .limit(1)
    )
    return found is not None


def is_of_a_team(user_id: UUID) -> bool:
    """Whether a person takes part in an application or grant for a city."""
    found = db.session.scalar(
        select(RoleGrant.id)
        .where(
            RoleGrant.user_id == user_id,
            RoleGrant.role.in_(policy.TEAM_ROLES),
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > clock.now()),
        )
        .limit(1)
    )
    return found is not None


@reader
def users_with(permission: Permission, scope: Scope | None = None) -> Asking[tuple[Person, ...]]:
    """Who holds a permission for a thing now: enabled, not barred from it; by name."""
    return (yield from in_roles.asking(policy.roles_with(permission), scope))


@reader
def in_roles(roles: Collection[Role], scope: Scope | None = None) -> Asking[tuple[Person, ...]]:
    """Who has one of these roles for a thing now: enabled, not barred from it; by name."""
    now = clock.now()
    keys = scope.keys if scope else frozenset()
    holds = (
        select(RoleGrant.user_id)
        .where(RoleGrant.role.in_(roles), role_holds(now), _in_places(RoleGrant, keys))
        .scalar_subquery()
    )
    barred = select(AccessBar.user_id).where(spans(AccessBar, now), _at_places(AccessBar, keys)).scalar_subquery()
    return (yield from _people.asking(User.id.in_(holds), User.disabled_at.is_(None), User.id.not_in(barred)))


def users_with_each(permission: Permission, scopes: Mapping[UUID, Scope]) -> dict[UUID, frozenset[UUID]]:
    """Who holds a permission for each of many things now: enabled, not barred from it; by the key of the thing. Two statements."""
    now = clock.now()
    places = {thing for scope in scopes.values() for _, thing in scope.keys}
    enabled = select(RoleGrant.user_id, RoleGrant.kind, RoleGrant.object_id).join(User, User.id == RoleGrant.user_id)
    holds = enabled.where(
        RoleGrant.role.in_(policy.roles_with(permission)),
        role_holds(now),
        User.disabled_at.is_(None),
        RoleGrant.object_id.is_(None) | among(RoleGrant.object_id, places),
    )
    barred = select(AccessBar.user_id, AccessBar.kind, AccessBar.object_id)
    barred = barred.where(spans(AccessBar, now), among(AccessBar.object_id, places))
    held, shut = _by_place(holds), _by_place(barred)
    return {key: _at(held, scope) - _at(shut, scope, everywhere=False) for key, scope in scopes.items()}


Places = dict[tuple[str, UUID] | None, set[UUID]]


def _by_place(statement: Any) -> Places:
    """Who stands where; ``None`` is everywhere."""
    found: Places = {}
    for user_id, kind, object_id in db.session.execute(statement):
        found.setdefault(None if object_id is None else (kind, object_id), set()).add(user_id)
    return found


def _at(places: Places, scope: Scope, *, everywhere: bool = True) -> frozenset[UUID]:
    found = set(places.get(None, ())) if everywhere else set()
    return frozenset(found.union(*(places.get(key, ()) for key in scope.keys)))


@dataclass(frozen=True, slots=True)
class RoleBehind:
    """The role by which a person may do something, as a record of it keeps it."""

    id: UUID
    words: str


def role_behind(actor: Actor, permission: Permission, scope: Scope) -> RoleBehind | None:
    """The dated role that gives a person a permission for a thing now, with who gave and who confirmed it; the oldest of several."""
    return role_on(actor.user_id, permission, scope, acts.moment())


def role_on(user_id: UUID | None, permission: Permission, scope: Scope, at: datetime) -> RoleBehind | None:
    """The same at a moment that may have passed: a role that was confirmed later did not hold then."""
    gave, confirmed = aliased(User), aliased(User)
    row = db.session.execute(
        select(
            RoleGrant.id,
            RoleGrant.role,
            RoleGrant.starts_at,
            gave.name.label("gave"),
            confirmed.name.label("confirmed"),
        )
        .outerjoin(gave, gave.id == RoleGrant.assigned_by)
        .outerjoin(confirmed, confirmed.id == RoleGrant.confirmed_by)
        .where(
            RoleGrant.user_id == user_id,
            RoleGrant.role.in_(policy.roles_with(permission)),
            role_holds(at),
            or_(RoleGrant.needs_confirmation.is_(False), RoleGrant.confirmed_at <= at),
            _in_places(RoleGrant, scope.keys),
        )
        .order_by(RoleGrant.starts_at, RoleGrant.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    by = [f"given by {row.gave}"] * bool(row.gave) + [f"confirmed by {row.confirmed}"] * bool(row.confirmed)
    since = f"{policy.WORDS[Role(row.role)][0]} since {clock.long_date(clock.in_zone(row.starts_at).date())}"
    return RoleBehind(row.id, ", ".join([since, *by]))


@reader
def teams(permission: Permission, kind: str, ids: Collection[UUID]) -> Asking[dict[UUID, frozenset[UUID]]]:
    """Who holds a permission in each of these places now by a role given there: enabled, and not barred from it. One statement."""
    now = clock.now()
    barred = select(AccessBar.user_id).where(
        AccessBar.user_id == RoleGrant.user_id,
        AccessBar.kind == RoleGrant.kind,
        AccessBar.object_id == RoleGrant.object_id,
        spans(AccessBar, now),
    )
    rows = yield from ask(
        select(RoleGrant.object_id, RoleGrant.user_id)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.role.in_(policy.roles_with(permission)),
            RoleGrant.kind == kind,
            RoleGrant.object_id.in_(ids),
            role_holds(now),
            User.disabled_at.is_(None),
            ~barred.exists(),
        )
    )
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        found.setdefault(row.object_id, set()).add(row.user_id)
    return {key: frozenset(people) for key, people in found.items()}


@reader
def holders(kind: str, object_id: UUID, roles: Iterable[Role]) -> Asking[dict[UUID, Role]]:
    """Who holds one of these roles in one place now, and which; where somebody holds several, the one named first."""
    wanted = [role.value for role in roles]
    rows = yield from ask(
        select(RoleGrant.user_id, RoleGrant.role).where(
            RoleGrant.kind == kind,
            RoleGrant.object_id == object_id,
            RoleGrant.role.in_(wanted),
            role_holds(clock.now()),
        )
    )
    ordered = sorted(rows, key=lambda row: wanted.index(row.role), reverse=True)
    return {row.user_id: Role(row.role) for row in ordered}


def _in_places(model: Any, keys: Collection[tuple[str, UUID]]) -> ColumnElement[bool]:
    return or_(model.object_id.is_(None), _at_places(model, keys))


def _at_places(model: Any, keys: Collection[tuple[str, UUID]]) -> ColumnElement[bool]:
    return or_(literal(False), *(and_(model.kind == kind, model.object_id == thing) for kind, thing in sorted(keys)))


@reader
def _people(*conditions: ColumnElement[bool]) -> Asking[tuple[Person, ...]]:
    now = clock.now()
    rows = yield from ask(
        select(User.id, User.name, User.email, Organisation.name, Organisation.id)
        .outerjoin(Membership, and_(Membership.user_id == User.id, spans(Membership, now)))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(*conditions)
        # Several memberships: the oldest speaks for the person.
        .ext(distinct_on(User.name, User.id))
        .order_by(User.name, User.id, Membership.starts_at, Membership.id)
    )
    return tuple(Person(*row) for row in rows)


def members(organisation_id: UUID) -> tuple[Person, ...]:
    """Enabled people of one organisation, by name."""
    inside = select(Membership.user_id).where(
        Membership.organisation_id == organisation_id, spans(Membership, clock.now())
    )
    return _people(User.id.in_(inside.scalar_subquery()), User.disabled_at.is_(None))
