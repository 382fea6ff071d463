"""Acts on stand-ins: appointed in writing by one administrator for a time; another confirms it as any role that moves money."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grants.core import acts, faults, files
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.identity import policy, queries, rules
from grants.identity.models import RoleGrant, User
from grants.identity.policy import Role
from grants.identity.rules.standing_in import APPOINTMENTS, StandInInput, check_stand_in, refuse_tied
from grants.identity.services.facts import look_for_conflicts_everywhere
from grants.identity.services.roles import LOOKED_FOR, refuse_team, roles_of


@act("stand_in.appoint", needs=Permission.STAND_IN_APPOINT, says="appointed {subject} as a stand-in")
def appoint_stand_in(actor: Actor, given: StandInInput, incoming: Incoming) -> UUID:
    """Let a person hold the role of another one for a time, once a second administrator confirmed it.

    It is the same role in the same place, with every prohibition: for an order the two count as one person. The role of
    a stand-in is nobody's to stand in for.
    """
    rules.demand_fresh(actor)
    held = locked(RoleGrant, given.role_id)
    role = Role(held.role)
    faults.point("four_eyes")
    if role not in policy.CIRCUIT_ROLES or held.stand_in_for is not None:
        raise Refused("Only a role of the payment circuit that is somebody's own can be stood in for.")
    if held.ends_before is not None and held.ends_before <= acts.moment():
        raise Refused("This role has ended: nobody can stand in for it. Give the role itself to another person.")
    check_stand_in(given, holder_id=held.user_id, actor_id=actor.user_id, now=acts.moment())
    person = locked(User, given.user_id)
    if person.disabled_at is not None:
        raise Refused("This person cannot sign in any more. Name another one.")
    others = roles_of(person.id, RoleGrant.kind != "application")
    here = [Role(each.role) for each in others if each.object_id in (None, held.object_id)]
    policy.refuse_role_by_hand(actor.user_id, person.id, role, here)
    policy.refuse_clash((Role(each.role) for each in others), role)
    refuse_team(person.id, role)
    if role in LOOKED_FOR:
        look_for_conflicts_everywhere()
    made = RoleGrant(
        user_id=person.id,
        role=role.value,
        kind=held.kind,
        object_id=held.object_id,
        starts_at=given.starts_at,
        ends_before=given.ends_before,
        assigned_by=actor.user_id,
        needs_confirmation=True,
        stand_in_for=held.user_id,
        stand_in_reason=given.reason.strip(),
    )
    made.stand_in_file_id = files.keep(incoming, kind=APPOINTMENTS, object_id=made.id, role="appointment").id
    acts.reason(given.reason.strip())
    db.session.add(made)
    return made.id


@act("stand_in.open_file", needs=Permission.CIRCUIT_READ, says="opened the written appointment of {subject}")
def open_appointment(actor: Actor, stand_in_id: UUID) -> FileView:
    """Hand out the written appointment of a stand-in, on the record."""
    del actor
    acts.subject("role_grant", stand_in_id)
    row = locked(RoleGrant, stand_in_id)
    if row.stand_in_file_id is None:
        raise NotFound
    return files.view(row.stand_in_file_id)


def refuse_tied_to(user_id: UUID | None, *taken: tuple[UUID | None, datetime | None]) -> None:
    """Refuse who counts as one person, now or then, with somebody who took one of these steps (0034). One statement.

    ``taken`` are who took the steps that need another person, and when. That it is the very same person is asked beside this.
    """
    refuse_tied(taken, queries.ties_of(user_id), acts.moment())
