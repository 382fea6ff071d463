"""Roles and bars: the plain helpers by which stages give and end them, and the acts of administrators."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import policy, queries, rules
from grants.identity.models import (
    AccessBar,
    RoleGrant,
    User,
)
from grants.identity.policy import WORDS, Role
from grants.identity.rules import (
    RoleInput,
)
from grants.identity.services.facts import look_for_conflicts_everywhere

# Who holds one of these must have no conflict of interest with what they judge or decide, and it is looked for.
LOOKED_FOR = policy.roles_with(Permission.CONFLICT_DECLARE) | policy.OFFICERS


def give_role(
    user_id: UUID,
    role: Role,
    *,
    kind: str | None = None,
    object_id: UUID | None = None,
    until: datetime | None = None,
) -> UUID:
    """Give a role in one place, or everywhere without a place; given again, only its end changes."""
    assert not policy.needs_confirmation(role), "this role is assigned and confirmed by two administrators"
    assert (kind is None) == (object_id is None), "a place is a kind and an id"
    if role in policy.TEAM_ROLES:
        refuse_staff(user_id)
    now = acts.moment()
    held = roles_of(user_id, RoleGrant.role == role.value, *_at(RoleGrant, kind, object_id))
    if held:
        held[0].ends_before = until
        return held[0].id
    grant = RoleGrant(
        user_id=user_id,
        role=role.value,
        kind=kind or "everywhere",
        object_id=object_id,
        starts_at=now,
        ends_before=until,
        needs_confirmation=False,
    )
    db.session.add(grant)
    return grant.id


def end_role(user_id: UUID, role: Role, *, kind: str | None = None, object_id: UUID | None = None) -> None:
    """End a role in one place now; nothing happens where it is not held."""
    for grant in roles_of(user_id, RoleGrant.role == role.value, *_at(RoleGrant, kind, object_id)):
        grant.ends_before = acts.moment()


def bar(user_id: UUID, kind: str, object_id: UUID, *, until: datetime | None = None) -> UUID:
    """Keep a person from a thing from now on; barred again, only the end changes."""
    for standing in _bars_of(user_id, kind, object_id):
        standing.ends_before = until
        return standing.id
    found = AccessBar(user_id=user_id, kind=kind, object_id=object_id, starts_at=acts.moment(), ends_before=until)
    db.session.add(found)
    return found.id


def bar_all(kind: str, pairs: Collection[tuple[UUID, UUID]], *, until: datetime | None = None) -> None:
    """The same for many people and things at once: (person, thing), in one statement and one insertion."""
    if not pairs:
        return
    now = acts.moment()
    rows = db.session.scalars(
        select(AccessBar)
        .where(
            AccessBar.kind == kind,
            AccessBar.user_id.in_({user_id for user_id, _ in pairs}),
            AccessBar.object_id.in_({object_id for _, object_id in pairs}),
            or_(AccessBar.ends_before.is_(None), AccessBar.ends_before > now),
        )
        .order_by(AccessBar.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    standing = {(row.user_id, row.object_id): row for row in rows}
    for user_id, object_id in pairs:
        found = standing.get((user_id, object_id))
        if found is not None:
            found.ends_before = until
        else:
            db.session.add(AccessBar(user_id=user_id, kind=kind, object_id=object_id, starts_at=now, ends_before=until))


def lift_bar(user_id: UUID, kind: str, object_id: UUID) -> None:
    """End the bar of a person from a thing now; nothing happens where none stands."""
    for standing in _bars_of(user_id, kind, object_id):
        standing.ends_before = acts.moment()


def end_bars(kind: str, object_ids: Collection[UUID], at: datetime) -> int:
    """Give every bar that stands before these things one end, under lock; returns how many stand."""
    standing = db.session.scalars(
        select(AccessBar)
        .where(
            AccessBar.kind == kind,
            AccessBar.object_id.in_(object_ids),
            or_(AccessBar.ends_before.is_(None), AccessBar.ends_before > acts.moment()),
        )
        .order_by(AccessBar.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for each in standing:
        each.ends_before = at
    return len(standing)


def refuse_staff(user_id: UUID) -> None:
    """Refuse a person who works for the programme or evaluates for it as part of an applicant’s team.

    Says no more than that it is not possible: who holds which role is not for applicants to know, but oneself.
    """
    faults.point("four_eyes")
    if queries.holds_staff_role(user_id):
        if user_id == acts.running_act().actor.user_id:
            raise Refused(
                "You work for the programme or evaluate for it, so you cannot take part in an application. "
                "A colleague of your organisation must do this."
            )
        sentence = "This person cannot take part in an application. Name somebody else of the organisation."
        raise Invalid(sentence, {"email": sentence})


def refuse_team(user_id: UUID, role: Role) -> None:
    """Refuse a role of staff to a person who takes part in an application: who applies does not decide."""
    if policy.is_staff(role) and queries.is_of_a_team(user_id):
        raise Refused(
            "This person takes part in an application or a grant for a city, so they cannot work for the programme or evaluate. "
            "Choose another person, or end their part first; it stands among their roles."
        )


def why_not_staff(user_id: UUID, role: Role) -> str:
    """Why this person must not be given a role of staff, as a sentence; empty where nothing stands against it."""
    if queries.is_of_a_team(user_id):
        return "This person takes part in an application or a grant for a city, so they cannot work for the programme or evaluate."
    held = {Role(grant.role) for grant in roles_of(user_id, RoleGrant.kind != "application")}
    other = policy.clash(held - {role}, role)
    if other is None:
        return ""
    return f"One person cannot be both {policy.WORDS[other][0].lower()} and {policy.WORDS[role][0].lower()}."


def roles_of(user_id: UUID, *conditions: ColumnElement[bool]) -> Sequence[RoleGrant]:
    """The person's roles that did not end, locked."""
    return db.session.scalars(
        select(RoleGrant)
        .where(
            RoleGrant.user_id == user_id,
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > acts.moment()),
            *conditions,
        )
        .order_by(RoleGrant.starts_at, RoleGrant.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _at(model: type[RoleGrant], kind: str | None, object_id: UUID | None) -> tuple[ColumnElement[bool], ...]:
    if object_id is None:
        return (model.object_id.is_(None),)
    return (model.kind == kind, model.object_id == object_id)


def _bars_of(user_id: UUID, kind: str, object_id: UUID) -> Sequence[AccessBar]:
    return db.session.scalars(
        select(AccessBar)
        .where(
            AccessBar.user_id == user_id,
            AccessBar.kind == kind,
            AccessBar.object_id == object_id,
            or_(AccessBar.ends_before.is_(None), AccessBar.ends_before > acts.moment()),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


@act("role.assign", needs=Permission.ROLE_ASSIGN, says="gave {subject} a role")
def assign_role(actor: Actor, user_id: UUID, values: RoleInput) -> UUID:
    """Give a role by hand; one that moves money or gives out roles waits until another administrator confirms it."""
    rules.demand_fresh(actor)
    locked(User, user_id)
    if values.call_id is not None and values.role not in policy.ROLES_OF_A_CALL:
        sentence = f"“{WORDS[values.role][0]}” is not given for one call. Choose “Everywhere”, or another role."
        raise Invalid(sentence, {"place": sentence})
    held = roles_of(user_id, RoleGrant.kind != "application")
    here = [Role(grant.role) for grant in held if grant.object_id in (None, values.call_id)]
    policy.refuse_role_by_hand(actor.user_id, user_id, values.role, here)
    # What must stay apart stays apart wherever each is held.
    policy.refuse_clash((Role(grant.role) for grant in held), values.role)
    refuse_team(user_id, values.role)
    if values.ends_before is not None and values.ends_before <= acts.moment():
        raise Invalid(
            "The role would have ended already.", {"ends_before": "Choose a day after today, or leave it empty."}
        )
    if values.role in LOOKED_FOR:
        look_for_conflicts_everywhere()
    return assign_now(actor, user_id, values)


def assign_now(actor: Actor, user_id: UUID, values: RoleInput) -> UUID:
    grant = RoleGrant(
        user_id=user_id,
        role=values.role.value,
        kind="everywhere" if values.call_id is None else "call",
        object_id=values.call_id,
        starts_at=acts.moment(),
        ends_before=values.ends_before,
        assigned_by=actor.user_id,
        needs_confirmation=policy.needs_confirmation(values.role) and not _first_administrators(actor, values.role),
    )
    db.session.add(grant)
    return grant.id


def _first_administrators(actor: Actor, role: Role) -> bool:
    """Whether this makes one of the first two administrators, at the server: before them nobody could confirm.

    Never through the web, where one administrator alone could so make a second of their own
    (docs/decisions/0004-second-administrator.md).
    """
    if role is not Role.ADMINISTRATOR or actor.user_id is not None:
        return False
    db.session.flush()
    held = db.session.scalar(
        select(func.count(RoleGrant.user_id.distinct()))
        .join(User, User.id == RoleGrant.user_id)
        .where(RoleGrant.role == role.value, queries.role_holds(acts.moment()), User.disabled_at.is_(None))
    )
    return (held or 0) < 2


@act("role.confirm", needs=Permission.ROLE_CONFIRM, says="confirmed a role of {subject}")
def confirm_role(actor: Actor, grant_id: UUID) -> None:
    """Confirm a role that another administrator assigned; it holds from now on."""
    rules.demand_fresh(actor)
    grant = locked(RoleGrant, grant_id)
    if not grant.needs_confirmation or grant.confirmed_at is not None:
        raise Refused("This role does not wait to be confirmed.")
    if grant.ends_before is not None and grant.ends_before <= acts.moment():
        raise Refused("This role has ended. Assign it again if it is still needed.")
    policy.refuse_confirming(actor.user_id, grant.user_id, grant.assigned_by)
    faults.point("four_eyes")
    if grant.stand_in_for is not None and grant.stand_in_for == actor.user_id:
        raise Refused("It is you who is stood in for. Another administrator must confirm it.")
    refuse_confirming_for_ones_maker(actor, grant.assigned_by)
    locked(User, grant.user_id)
    others = roles_of(grant.user_id, RoleGrant.kind != "application", RoleGrant.id != grant.id)
    policy.refuse_clash((Role(other.role) for other in others), Role(grant.role))
    refuse_team(grant.user_id, Role(grant.role))
    grant.confirmed_by = actor.user_id
    grant.confirmed_at = acts.moment()


def refuse_confirming_for_ones_maker(actor: Actor, assigned_by: UUID | None) -> None:
    """Refuse a confirmer whom the assigner alone made administrator, as was possible before a second had to agree."""
    if actor.user_id is None or assigned_by is None:
        return
    faults.point("four_eyes")
    own = roles_of(actor.user_id, RoleGrant.role == Role.ADMINISTRATOR.value)
    if own and all(each.assigned_by == assigned_by and each.confirmed_at is None for each in own):
        raise Refused(
            "Whoever proposed this also made you administrator, alone. Another administrator must confirm it."
        )


@act("role.end", needs=Permission.ROLE_ASSIGN, says="ended a role of {subject}")
def end_assigned_role(actor: Actor, grant_id: UUID) -> None:
    """End a role given by hand, withdraw one that waits, or end a person's part in an application.

    It stops holding with the next request.
    """
    grant = locked(RoleGrant, grant_id)
    if grant.role == Role.ASSIGNED_EVALUATOR.value:
        raise Refused(f"\u201c{WORDS[Role(grant.role)][0]}\u201d belongs to one application; it is ended there.")
    if grant.ends_before is not None and grant.ends_before <= acts.moment():
        raise Refused("This role has ended already.")
    if grant.role == Role.ADMINISTRATOR.value:
        refuse_losing_the_last_administrator(grant.user_id)
    if grant.object_id is not None:
        for refuse in _keepers:
            refuse(grant.user_id, Role(grant.role), grant.object_id)
    grant.ends_before = acts.moment()


_keepers: list[Callable[[UUID, Role, UUID], object]] = []


def parts_kept_by(refuse: Callable[[UUID, Role, UUID], object]) -> None:
    """Register what a later stage refuses when a person's part in one thing is to be ended: person, role, thing."""
    _keepers.append(refuse)


def refuse_losing_the_last_administrator(user_id: UUID) -> None:
    """Administrators are locked together, so that two of them cannot end each other in the same moment."""
    holders = db.session.execute(
        select(RoleGrant.user_id, User.disabled_at)
        .join(User, User.id == RoleGrant.user_id)
        .where(RoleGrant.role == Role.ADMINISTRATOR.value, queries.role_holds(acts.moment()))
        .order_by(RoleGrant.id)
        .with_for_update(of=RoleGrant)
    ).all()
    others = {row.user_id for row in holders if row.disabled_at is None} - {user_id}
    if any(row.user_id == user_id for row in holders) and not others:
        raise Refused("This is the last administrator. Make another person administrator first.")
