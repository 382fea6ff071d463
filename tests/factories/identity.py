"""People, organisations and roles as rows; call these inside ``arranging()``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grants.core import clock
from grants.core.db import db
from grants.identity import rules
from grants.identity.models import AccessBar, Membership, Organisation, RoleGrant, User
from grants.identity.policy import MONEY_ROLES, Role
from grants.identity.services import hash_of
from grants.identity.states import OrganisationKind

PASSWORD = "violet tram under snow"
# Of PASSWORD, with the parameters of the program: made once, so that tests do not wait for argon2.
_hashes: dict[str, str] = {}


def password_hash(password: str = PASSWORD) -> str:
    """The stored form of a password."""
    if password not in _hashes:
        _hashes[password] = hash_of(password)
    return _hashes[password]


def organisation(
    name: str = "Municipality of Northbridge",
    *,
    kind: OrganisationKind = OrganisationKind.MUNICIPALITY,
    country_code: str = "PL",
    synthetic: bool = True,
) -> Organisation:
    """An organisation; the country is real, the municipality is not."""
    made = Organisation(
        name=name, kind=kind.value, country_code=country_code, town=name.rpartition(" ")[2], synthetic=synthetic
    )
    db.session.add(made)
    return made


def user(
    name: str = "Ana Kowalska",
    *roles: Role,
    email: str | None = None,
    password: str | None = PASSWORD,
    organisation_id: UUID | None = None,
    is_demo: bool = False,
    handle: str | None = None,
) -> User:
    """A person with a password and roles that hold everywhere."""
    now = clock.now()
    password = None if is_demo else password
    made = User(
        name=name,
        handle=handle or rules.handle_of(name),
        email=email or f"{rules.handle_of(name).replace('-', '.')}@example.eu",
        password_hash=password_hash(password) if password else None,
        password_set_at=now if password else None,
        is_demo=is_demo,
    )
    db.session.add(made)
    for given in roles:
        role(made.id, given)
    if organisation_id:
        db.session.add(Membership(user_id=made.id, organisation_id=organisation_id, starts_at=now))
    return made


def role(
    user_id: UUID,
    given: Role,
    *,
    kind: str = "everywhere",
    object_id: UUID | None = None,
    starts_at: datetime | None = None,
    ends_before: datetime | None = None,
    assigned_by: UUID | None = None,
    waiting: bool = False,
) -> RoleGrant:
    """A role that holds (a money role as if it had been confirmed), or one that waits for confirmation."""
    made = RoleGrant(
        user_id=user_id,
        role=given.value,
        kind=kind,
        object_id=object_id,
        starts_at=starts_at or clock.now(),
        ends_before=ends_before,
        assigned_by=assigned_by,
        needs_confirmation=waiting,
    )
    assert not waiting or given in MONEY_ROLES
    db.session.add(made)
    return made


def bar(user_id: UUID, kind: str, object_id: UUID, *, ends_before: datetime | None = None) -> AccessBar:
    """A bar that stands from now on."""
    made = AccessBar(user_id=user_id, kind=kind, object_id=object_id, starts_at=clock.now(), ends_before=ends_before)
    db.session.add(made)
    return made
