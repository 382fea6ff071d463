"""Who stands in for whom, and who holds the roles of the payment circuit now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from grants.core import clock
from grants.core.files import StoredFile
from grants.core.together import Asking, ask, reader
from grants.identity import policy
from grants.identity.models import RoleGrant, User
from grants.identity.policy import Role
from grants.identity.queries.actors import role_holds
from grants.identity.rules.standing_in import StandIn, Tie, ties_among

SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role of the circuit somebody holds now, in one place or everywhere, for themselves or for somebody."""

    id: UUID
    user_id: UUID
    name: str
    role: Role
    kind: str
    object_id: UUID | None
    stand_in_for: UUID | None


@reader
def stand_ins(user_id: UUID | None = None) -> Asking[tuple[StandIn, ...]]:
    """Every stand-in, the newest first, at most two hundred; of one person those on either side."""
    person, holder = aliased(User), aliased(User)
    asked = (
        select(
            *(RoleGrant.id, RoleGrant.user_id, person.name, RoleGrant.stand_in_for, holder.name.label("for_name")),
            *(RoleGrant.role, RoleGrant.kind, RoleGrant.object_id, RoleGrant.starts_at, RoleGrant.ends_before),
            *(RoleGrant.stand_in_reason, RoleGrant.assigned_by, RoleGrant.confirmed_by, RoleGrant.confirmed_at),
            *(StoredFile.name.label("file_name"), StoredFile.sha256),
        )
        .join(person, person.id == RoleGrant.user_id)
        .join(holder, holder.id == RoleGrant.stand_in_for)
        .join(StoredFile, StoredFile.id == RoleGrant.stand_in_file_id)
        .order_by(RoleGrant.starts_at.desc(), RoleGrant.id)
        .limit(SHOWN_MAX)
    )
    if user_id is not None:
        asked = asked.where(or_(RoleGrant.user_id == user_id, RoleGrant.stand_in_for == user_id))
    rows = yield from ask(asked)
    return tuple(_stand_in(row) for row in rows)


@reader
def ties_of(user_id: UUID | None) -> Asking[tuple[Tie, ...]]:
    """With whom a person counts as one, at any time; nobody for the program. One statement."""
    if user_id is None:
        return ()
    found = yield from stand_ins.asking(user_id)
    return ties_among(found, user_id)


def _stand_in(row: Any) -> StandIn:
    return StandIn(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        for_id=row.stand_in_for,
        for_name=row.for_name,
        role=Role(row.role),
        kind=row.kind,
        object_id=row.object_id,
        starts_at=row.starts_at,
        ends_before=row.ends_before,
        reason=row.stand_in_reason,
        assigned_by=row.assigned_by,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        file_name=row.file_name,
        sha256=row.sha256,
    )


@reader
def circuit_roles(
    user_id: UUID | None = None, *roles: Role, at: datetime | None = None
) -> Asking[tuple[HeldRole, ...]]:
    """Who holds these roles of the circuit (all where none is named), enabled, by name; or what one person holds of them."""
    wanted = [role.value for role in (roles or policy.CIRCUIT_ROLES)]
    asked = (
        select(
            *(RoleGrant.id, RoleGrant.user_id, User.name, RoleGrant.role, RoleGrant.kind, RoleGrant.object_id),
            RoleGrant.stand_in_for,
        )
        .join(User, User.id == RoleGrant.user_id)
        .where(RoleGrant.role.in_(wanted), role_holds(at or clock.now()), User.disabled_at.is_(None))
        .order_by(User.name, User.id, RoleGrant.id)
        .limit(SHOWN_MAX)
    )
    if user_id is not None:
        asked = asked.where(RoleGrant.user_id == user_id)
    rows = yield from ask(asked)
    return tuple(HeldRole(row[0], row[1], row[2], Role(row[3]), *row[4:]) for row in rows)
