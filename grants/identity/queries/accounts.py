"""The administrator's pages: accounts, their roles, and what waits for a second administrator."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, and_, bindparam, func, or_, select, tuple_

from grants.core import clock
from grants.core.db import db, folded
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.core.text import fold
from grants.core.together import Asking, ask, reader
from grants.identity import policy, rules
from grants.identity.models import RoleGrant, User
from grants.identity.policy import Role
from grants.identity.queries.actors import role_holds
from grants.identity.queries.people import people
from grants.identity.rules import DemoChoice, Person, RolePlace, RoleView, UserRow, standing
from grants.identity.states import RoleStanding

# Things of later stages that a role can be given for; each stage says once how they are found.
_role_places: dict[str, Callable[[], tuple[RolePlace, ...]]] = {}


def offer_role_places(kind: str, lookup: Callable[[], tuple[RolePlace, ...]]) -> None:
    """Take how a stage lists the things a role can be given for."""
    _role_places[kind] = lookup


def role_places(kind: str) -> tuple[RolePlace, ...]:
    """What a role of this kind of place can be given for, newest first."""
    lookup = _role_places.get(kind)
    return lookup() if lookup else ()


def users(actor: Actor, page: Page, *, search: str = "") -> Rows[UserRow]:
    """One page of people by name with their roles, and how many there are; needs ``user:read``.

    A page goes on after handle and lowered name of the last one.
    """
    if not actor.can(Permission.USER_READ):
        return Rows(())
    conditions: list[ColumnElement[bool]] = []
    if words := fold(search):
        conditions.append(or_(*(folded(each).contains(words, autoescape=True) for each in (User.name, User.email))))
    total = db.session.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
    name = func.lower(User.name)
    if page.after:
        # Of the last one shown the address holds the handle alone, no name.
        last = select(name).where(User.handle == page.after).scalar_subquery()
        conditions.append(tuple_(name, User.handle) > tuple_(func.coalesce(last, ""), page.after))
    found = db.session.scalars(select(User).where(*conditions).order_by(name, User.handle).limit(page.limit)).all()
    shown = cut(found, page, key=lambda row: row.handle, total=total)
    return Rows(_user_rows(list(shown.items)), shown.next_key, shown.total, shown.first)


def user(actor: Actor, handle: str) -> UserRow:
    """One person with all roles; raises :class:`NotFound` without ``user:read``."""
    found = db.session.scalars(select(User).where(User.handle == handle)).one_or_none()
    if found is None or not actor.can(Permission.USER_READ):
        raise NotFound
    return _user_rows([found])[0]


def own(actor: Actor) -> UserRow:
    """The person's own row, for the profile."""
    found = db.session.scalars(select(User).where(User.id == actor.user_id)).one_or_none()
    if found is None:
        raise NotFound
    return _user_rows([found])[0]


def own_phone(actor: Actor) -> str | None:
    """The person's own telephone number, shown to nobody else."""
    return db.session.scalar(select(User.phone).where(User.id == actor.user_id))


def own_orcid(actor: Actor) -> str | None:
    """The person's own ORCID iD; conflicts of interest are looked for by it."""
    return db.session.scalar(select(User.orcid).where(User.id == actor.user_id))


def demo_choices() -> tuple[DemoChoice, ...]:
    """Demo people for the switch on every page: one statement, by the part they play, at most 100."""
    rows = db.session.execute(_demo_people(), {"at": clock.now()})
    return _in_parts(tuple(map(tuple, rows)))


@functools.cache
def _demo_people() -> Select[str, str, str | None, str | None]:
    """What :func:`demo_choices` asks, put together once: every page of the demo asks it."""
    holds = role_holds(bindparam("at", type_=DateTime(timezone=True)))
    # A role in one thing says little of the part somebody plays, but for those of a city: who advises one has no other.
    of_a_city = [role.value for role in policy.ROLES_OF_A_CITY]
    plays = or_(RoleGrant.object_id.is_(None), RoleGrant.role.in_(of_a_city))
    return (
        select(User.handle, User.name, User.job_title, func.string_agg(RoleGrant.role, " "))
        .outerjoin(RoleGrant, and_(RoleGrant.user_id == User.id, plays, holds))
        .where(User.is_demo, User.disabled_at.is_(None))
        .group_by(User.id)
        .order_by(User.created_at, User.name)
        .limit(100)
    )


@functools.lru_cache(maxsize=4)
def _in_parts(rows: tuple[tuple[Any, ...], ...]) -> tuple[DemoChoice, ...]:
    found = [_demo_choice(*row) for row in rows]
    order = [*rules.PARTS, rules.OTHERS]
    return tuple(sorted(found, key=lambda choice: order.index(choice.part)))


def _demo_choice(handle: str, name: str, job_title: str | None, slugs: str | None) -> DemoChoice:
    roles = sorted(map(Role, (slugs or "").split()))
    words = job_title or ", ".join(policy.WORDS[role][0] for role in roles) or "No role yet"
    return DemoChoice(handle, name, words, rules.part_of(set(roles)))


def demo_users() -> tuple[UserRow, ...]:
    """Demo people with their roles, by name, at most 100."""
    rows = db.session.scalars(
        select(User).where(User.is_demo, User.disabled_at.is_(None)).order_by(User.created_at, User.name).limit(100)
    ).all()
    return _user_rows(rows)


def _user_rows(rows: Sequence[User]) -> tuple[UserRow, ...]:
    ids = [row.id for row in rows]
    names = people(ids)
    roles: dict[UUID, list[RoleView]] = {user_id: [] for user_id in ids}
    now = clock.now()
    for grant in db.session.scalars(
        select(RoleGrant).where(RoleGrant.user_id.in_(ids)).order_by(RoleGrant.starts_at, RoleGrant.role, RoleGrant.id)
    ):
        view = role_view(grant, now)
        if view.standing is not RoleStanding.ENDED:
            roles[grant.user_id].append(view)
    return tuple(
        UserRow(
            id=row.id,
            version=row.version,
            handle=row.handle,
            name=row.name,
            email=row.email,
            organisation=names[row.id].organisation,
            job_title=row.job_title,
            disabled_at=row.disabled_at,
            invited_only=row.password_hash is None and not row.is_demo,
            is_demo=row.is_demo,
            roles=tuple(roles[row.id]),
        )
        for row in rows
    )


def role_view(grant: RoleGrant, at: datetime) -> RoleView:
    """A role as a frozen value with its standing at a moment."""
    role = Role(grant.role)
    return RoleView(
        id=grant.id,
        role=role,
        title=policy.WORDS[role][0],
        kind=grant.kind,
        object_id=grant.object_id,
        standing=standing(
            starts_at=grant.starts_at,
            ends_before=grant.ends_before,
            unconfirmed=grant.needs_confirmation and grant.confirmed_at is None,
            at=at,
        ),
        starts_at=grant.starts_at,
        ends_before=grant.ends_before,
        assigned_by=grant.assigned_by,
        confirmed_by=grant.confirmed_by,
        stand_in_for=grant.stand_in_for,
    )


@reader
def roles_waiting(actor: Actor) -> Asking[tuple[tuple[Person, RoleView], ...]]:
    """Roles that wait for a second administrator, oldest first, at most 100; needs ``role:confirm``."""
    if not actor.can(Permission.ROLE_CONFIRM):
        return ()
    now = clock.now()
    grants = yield from ask(
        select(RoleGrant)
        .where(
            RoleGrant.needs_confirmation,
            RoleGrant.confirmed_at.is_(None),
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > now),
        )
        .order_by(RoleGrant.starts_at, RoleGrant.id)
        .limit(100)
    )
    names = yield from people.asking(grant.user_id for grant in grants)
    return tuple((names[grant.user_id], role_view(grant, now)) for grant in grants)


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """For administrators: roles that wait for them as the second person."""
    del at
    asked = yield from roles_waiting.asking(actor)
    waiting = [view for found, view in asked if actor.user_id not in (found.id, view.assigned_by)]
    if not waiting:
        return ()
    count = len(waiting)
    what = f"Confirm the role \u201c{waiting[0].title}\u201d" if count == 1 else f"Confirm {count} roles"
    return (
        Duty(
            what,
            "It holds only once a second administrator agrees.",
            "Look at what waits",
            "identity.roles",
        ),
    )


def needs_two_administrators(user_id: UUID) -> bool:
    """Whether a person holds, or waits for, a role that one administrator alone cannot give."""
    return user_id in needing_two({user_id})


def needing_two(user_ids: Collection[UUID]) -> frozenset[UUID]:
    guarded = [role.value for role in Role if policy.needs_confirmation(role)]
    return frozenset(
        db.session.scalars(
            select(RoleGrant.user_id).where(
                RoleGrant.user_id.in_(user_ids),
                RoleGrant.role.in_(guarded),
                or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > clock.now()),
            )
        )
    )
