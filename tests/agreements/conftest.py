"""The demo's grants as the ground for tests: one in preparation, one in force, one closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from grants.agreements import queries
from grants.agreements.rules import GrantView
from grants.agreements.states import ContactRole
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.files import StoredFile
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.demo.preparing import Sides
from grants.identity import queries as identity
from grants.identity import services
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from grants.identity.rules import ColleagueInput
from grants.identity.rules.standing_in import APPOINTMENTS
from tests.agreements.amending import Amended, agreed
from tests.factories import identity as factory
from tests.keyed import keys_in_forms
from tests.worlds import World, Worlds

__all__ = ["keys_in_forms"]

# Grant titles of the demo by the state they are in.
IN_PREPARATION, IN_FORCE, CLOSED = "Cool Courtyards", "Roof by Roof", "CoLAB"

Find = Callable[[str], GrantView]


def actor(key: str) -> Actor:
    """A person of the demo by their key, as they are now."""
    return by_mail("signe.holm@demo.example" if key == "administrator" else f"{key.replace('_', '.')}@demo.example")


def by_mail(email: str) -> Actor:
    """A person by their address, as they are now."""
    found = identity.person_by_email(email)
    assert found is not None
    return identity.actor_for(found.id, fresh=True)


def colleague(organisation_id: UUID, name: str, email: str) -> Actor:
    """A new person of an organisation, added by the administrator."""
    services.add_colleague(actor("administrator"), organisation_id, ColleagueInput(name, email))
    return by_mail(email)


def hold(key: str, role: Role) -> None:
    """Give a person a role everywhere, without the second administrator."""
    with arranging():
        db.session.add(
            RoleGrant(
                user_id=actor(key).user_id,
                role=role.value,
                kind="everywhere",
                starts_at=clock.now(),
                needs_confirmation=False,
            )
        )


def hold_in(key: str, role: Role, application_id: UUID) -> None:
    """Give a person a role in one application."""
    with arranging():
        db.session.add(
            RoleGrant(
                user_id=actor(key).user_id,
                role=role.value,
                kind="application",
                object_id=application_id,
                starts_at=clock.now(),
                needs_confirmation=False,
            )
        )


def tie(user_id: UUID | None, to: UUID | None) -> None:
    """Let a person stand in for another one, confirmed in writing by two administrators."""
    begins = clock.now() - timedelta(hours=1)
    with arranging():
        first, second = (factory.user(name) for name in ("Ada First", "Adam Second"))
        db.session.flush()
        written = StoredFile(
            kind=APPOINTMENTS, object_id=first.id, role="appointment", name="appointment.pdf", media_type="application/pdf",
            size_bytes=1, sha256="0" * 64, version_no=1, uploaded=True,
        )  # fmt: skip
        db.session.add(written)
        db.session.flush()
        db.session.add(
            RoleGrant(
                user_id=user_id,
                role=Role.FINANCE_INITIATOR.value,
                kind="everywhere",
                starts_at=begins,
                ends_before=begins + timedelta(days=10),
                needs_confirmation=True,
                assigned_by=first.id,
                confirmed_by=second.id,
                confirmed_at=begins,
                stand_in_for=to,
                stand_in_file_id=written.id,
                stand_in_reason="Parental leave.",
            )
        )


def sides_of(found: GrantView) -> Sides:
    """Who answers for the city of a grant, and the two officers."""
    lead = next(each for each in found.contacts if each.role is ContactRole.LEAD)
    return Sides(lambda: by_mail(lead.email), lambda: actor("officer"), lambda: actor("manager"))


@pytest.fixture
def grant(demo_app: Flask) -> Find:
    """Find a grant of the demo by its title or acronym."""

    def find(name: str) -> GrantView:
        reader = actor("auditor")
        for row in queries.grants(reader, Page(size=200)).items:
            if name in (row.acronym, row.title):
                return queries.grant(reader, row.reference)
        raise AssertionError(f"no grant {name}")

    return find


@pytest.fixture(scope="session")
def agreed_world(worlds: Worlds) -> World[Amended]:
    """A grant in force that can be amended, made once a run."""
    return worlds.of(agreed)


@pytest.fixture
def found(app: Flask, agreed_world: World[Amended]) -> Amended:
    """The same, as it was made."""
    return agreed_world.told()
