"""Who speaks for a grant: contacts and signatories."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import queries
from grants.agreements.models import (
    Grant,
)
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    ContactInput,
    DismissInput,
)
from grants.agreements.states import (
    SIGNED,
    ContactRole,
    GrantState,
)
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import normal_email

# The role by which each part is held, in the application the grant came of.
ROLES = {ContactRole.LEAD: Role.APPLICATION_LEAD, ContactRole.SIGNATORY: Role.SIGNATORY}


@act(
    "agreement.appoint",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="named who signs and answers for a city in an agreement",
)
def appoint(actor: Actor, grant_id: UUID, given: ContactInput) -> UUID:
    """Name somebody of the coordinator as its contact or signatory; everybody of the coordinator is told by mail.

    Who belongs to a city, its own people or an administrator say, never who prepares its agreement.
    """
    grant = locked(Grant, grant_id)
    members = {member.id: member for member in identity.members(grant.coordinator_id)}
    found = identity.person_by_email(normal_email(given.email))
    faults.point("four_eyes")
    if found is not None and found.id == actor.user_id:
        raise Invalid("You cannot name yourself.", {"email": "Name somebody of the city; you act for the programme."})
    if found is not None:
        people.refuse_staff(found.id)
    coordinator = identity.organisation(grant.coordinator_id)
    if found is None or found.id not in members:
        raise Invalid(
            "This person does not belong to the coordinator.",
            {
                "email": f"This address is not among the people of {coordinator.name}. Somebody of {coordinator.name} adds "
                "the person first (on the page “Organisation”, with “Add a colleague”), or an administrator does; then name them here."
            },
        )
    people.give_role(found.id, ROLES[given.role], kind="application", object_id=grant.application_id)
    people.mail(
        sorted({*members, *(each.user_id for each in queries.contacts(grant.application_id))}),
        "agreement_appointed",
        "grant",
        grant.id,
        reference=grant.reference,
        coordinator=coordinator.name,
        person_name=found.name,
        email=found.email,
        part=given.role.words,
        officer=actor.name,
    )
    return found.id


@act(
    "agreement.dismiss",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="ended the part of a person of the city in agreement {subject}",
)
def dismiss(actor: Actor, grant_id: UUID, given: DismissInput) -> None:
    """End what a contact or signatory of the coordinator may do for this grant, at once; the person is told why.

    Where the person does not belong to the city at all (a mistyped address), their membership ends too.
    """
    grant = locked(Grant, grant_id)
    if not given.reason.strip():
        raise Invalid("Give the reason.", {"reason": "Say in a sentence why; the person reads it."})
    acts.reason(given.reason.strip())
    same = [each for each in queries.contacts(grant.application_id) if each.role is given.role]
    person = next((each for each in same if each.handle == given.handle), None)
    if person is None:
        raise Refused("This person has this part no more. Reload the page to see who acts for the city now.")
    signed = GrantState(grant.state) in SIGNED or queries.view(grant).signatures
    if signed and len(same) == 1:
        raise Refused(
            f"{person.name} is the only one left who {given.role.does}, and the agreement is signed. Name another person first."
        )
    role = ROLES[given.role]
    people.end_role(person.user_id, role, kind="application", object_id=grant.application_id)
    if given.leaves:
        people.leave(person.user_id, grant.coordinator_id)
    people.mail(
        [person.user_id],
        "agreement_dismissed",
        "grant",
        grant.id,
        reference=grant.reference,
        coordinator=identity.organisation(grant.coordinator_id).name,
        part=given.role.words,
        reason=given.reason.strip(),
        leaves=given.leaves,
    )
