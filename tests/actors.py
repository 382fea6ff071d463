"""The people of the tests, by name: \u201cana the applicant\u201d, \u201ceva the evaluator\u201d, \u201cfin the finance initiator\u201d.

Each function makes the person once per database, with password and role, and returns the Actor. Asked again,
it returns the same person with the rights they hold now. ``sign_in`` gives a test client a real session.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.core import acts
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity import queries
from grants.identity.models import Organisation, User
from grants.identity.policy import Role
from grants.identity.rules import Where
from grants.identity.services import signing_in
from grants.identity.states import OrganisationKind
from grants.identity.views import SESSION_KEY
from tests.factories import identity as factory

NORTHBRIDGE = "Municipality of Northbridge"
SOUTHPORT = "Municipality of Southport"


@contextmanager
def _arranging() -> Iterator[None]:
    """Arrange, also where the test arranges already."""
    if acts._arranging.get():
        yield
        db.session.flush()
        return
    with arranging():
        yield


def organisation(
    name: str = NORTHBRIDGE, *, kind: OrganisationKind = OrganisationKind.MUNICIPALITY, country_code: str = "PL"
) -> UUID:
    """The organisation of that name, made once."""
    found = db.session.scalars(select(Organisation.id).where(Organisation.name == name)).first()
    if found is not None:
        return found
    with _arranging():
        return factory.organisation(name, kind=kind, country_code=country_code).id


def person(name: str, *roles: Role, organisation_name: str | None = None, is_demo: bool = False) -> UUID:
    """The person of that name, made once with these roles, as a member of an organisation if one is named."""
    found = db.session.scalars(select(User.id).where(User.name == name)).first()
    if found is not None:
        return found
    organisation_id = organisation(organisation_name) if organisation_name else None
    with _arranging():
        return factory.user(name, *roles, organisation_id=organisation_id, is_demo=is_demo).id


def actor(user_id: UUID, *, fresh: bool = True) -> Actor:
    """The actor of a person with the rights held now; fresh, as if the password had just been confirmed."""
    return queries.actor_for(user_id, fresh=fresh)


def give(user_id: UUID, role: Role, kind: str, object_id: UUID) -> Actor:
    """Give a role in one place (``give(eva().user_id, Role.ASSIGNED_EVALUATOR, "application", id)``)."""
    with _arranging():
        factory.role(user_id, role, kind=kind, object_id=object_id)
    return actor(user_id)


def ana(organisation_name: str = NORTHBRIDGE) -> Actor:
    """Ana, the applicant of Northbridge."""
    return actor(person("Ana Kowalska", Role.APPLICANT, organisation_name=organisation_name))


def marek(organisation_name: str = SOUTHPORT) -> Actor:
    """Marek, the applicant of the partner city Southport."""
    return actor(person("Marek Nowak", Role.APPLICANT, organisation_name=organisation_name))


def sid(organisation_name: str = NORTHBRIDGE) -> Actor:
    """Sid, who signs for Northbridge once he is signatory of an application (see ``give``)."""
    return actor(person("Sid Mayor", Role.APPLICANT, organisation_name=organisation_name))


def eva() -> Actor:
    """Eva, an evaluator."""
    return actor(person("Eva Konstantin", Role.EVALUATOR))


def emil() -> Actor:
    """Emil, an evaluator."""
    return actor(person("Emil Larsen", Role.EVALUATOR))


def eni() -> Actor:
    """Eni, an evaluator."""
    return actor(person("Eni Rossi", Role.EVALUATOR))


def zoe() -> Actor:
    """Zoë, the chair of the panel."""
    return actor(person("Zoe Chair", Role.PANEL_CHAIR))


def mia() -> Actor:
    """Mia, a member of the panel."""
    return actor(person("Mia Member", Role.PANEL_MEMBER))


def ingrid() -> Actor:
    """Ingrid, the programme manager."""
    return actor(person("Ingrid Manager", Role.PROGRAMME_MANAGER))


def eli() -> Actor:
    """Eli, the eligibility officer."""
    return actor(person("Eli Desk", Role.ELIGIBILITY_OFFICER))


def ella() -> Actor:
    """Ella, the second eligibility officer."""
    return actor(person("Ella Second", Role.ELIGIBILITY_OFFICER))


def pia() -> Actor:
    """Pia, the project officer."""
    return actor(person("Pia Officer", Role.PROJECT_OFFICER))


def fin() -> Actor:
    """Fin, the finance initiator."""
    return actor(person("Fin Initiator", Role.FINANCE_INITIATOR))


def vera() -> Actor:
    """Vera, the finance verifier."""
    return actor(person("Vera Verifier", Role.FINANCE_VERIFIER))


def otto() -> Actor:
    """Otto, the authorising officer."""
    return actor(person("Otto Authoriser", Role.AUTHORISING_OFFICER))


def olga() -> Actor:
    """Olga, the second authorising officer."""
    return actor(person("Olga Second", Role.AUTHORISING_OFFICER))


def carl() -> Actor:
    """Carl, the accounting officer."""
    return actor(person("Carl Accountant", Role.ACCOUNTING_OFFICER))


def greta() -> Actor:
    """Greta, who signs agreements for the programme."""
    return actor(person("Greta Signatory", Role.PROGRAMME_SIGNATORY))


def nuria() -> Actor:
    """Nuria, the auditor."""
    return actor(person("Nuria Auditor", Role.AUDITOR))


def ada() -> Actor:
    """Ada, an administrator."""
    return actor(person("Ada Admin", Role.ADMINISTRATOR))


def adam() -> Actor:
    """Adam, another administrator."""
    return actor(person("Adam Admin", Role.ADMINISTRATOR))


def program() -> Actor:
    """The program itself, as a job runs it that follows from an act: it opens payment requests."""
    return system_actor("the program", [Permission.PAYMENT_REQUEST_OPEN])


def nobody() -> Actor:
    """Noa, who can sign in and holds no role."""
    return actor(person("Noa Norole"))


# One person for each role that holds everywhere, for tests of every route.
BY_ROLE = {
    Role.ADMINISTRATOR: ada,
    Role.PROGRAMME_MANAGER: ingrid,
    Role.ELIGIBILITY_OFFICER: eli,
    Role.PROJECT_OFFICER: pia,
    Role.EVALUATOR: eva,
    Role.PANEL_CHAIR: zoe,
    Role.PANEL_MEMBER: mia,
    Role.FINANCE_INITIATOR: fin,
    Role.FINANCE_VERIFIER: vera,
    Role.AUTHORISING_OFFICER: otto,
    Role.ACCOUNTING_OFFICER: carl,
    Role.AUDITOR: nuria,
    Role.APPLICANT: ana,
    Role.PROGRAMME_SIGNATORY: greta,
}


def sign_in(client: FlaskClient, user_id: UUID | None) -> FlaskClient:
    """Sign a person in on this client through the real sessions, without typing the password."""
    assert user_id is not None
    password_set_at = db.session.scalar(select(User.password_set_at).where(User.id == user_id))
    token = signing_in._start(
        user_id, Where("127.0.0.1", "test client"), seen_password_set_at=password_set_at, rehashed=None
    )
    with client.session_transaction() as cookie:
        cookie.clear()
        cookie[SESSION_KEY] = token
        cookie["_fresh"] = True
    return client


def client_of(app: Flask, actor: Actor) -> FlaskClient:
    """A new browser in which this person is signed in."""
    return sign_in(app.test_client(), actor.user_id)
