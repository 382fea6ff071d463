"""Who takes part in a grant for its cities: whom its mails go to, and who belongs to one partner."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements.queries.reading import contacts
from grants.applications.models import ApplicationPartner
from grants.applications.queries import partners
from grants.applications.states import PartnerState
from grants.core.db import db
from grants.identity import queries as identity
from grants.identity.policy import Role


def team(application_id: UUID) -> list[UUID]:
    """Everybody who acts for the cities of a grant: contacts, signatories and the people of its partners, who joined later too.

    Who spoke only for a partner that left is told nothing more: what the others do with the grant is not theirs any more.
    """
    acting = {each.user_id for each in contacts(application_id)}
    held = identity.holders("application", application_id, (Role.APPLICATION_PARTNER, Role.PAST_PARTNER))
    acting |= {user_id for user_id, role in held.items() if role is Role.APPLICATION_PARTNER}
    named = {
        each.contact_id for each in partners(application_id) if each.contact_id and each.state is PartnerState.ACCEPTED
    }
    return sorted(acting | (named - held.keys()))


def people_of(application_id: UUID, *organisations: UUID) -> frozenset[UUID]:
    """Who belongs to these organisations, or was named by them in the application; whatever became of their part."""
    named = db.session.scalars(
        select(ApplicationPartner.contact_user_id).where(
            ApplicationPartner.application_id == application_id,
            ApplicationPartner.organisation_id.in_(organisations),
            ApplicationPartner.contact_user_id.is_not(None),
        )
    )
    members = (each.id for organisation_id in organisations for each in identity.members(organisation_id))
    return frozenset({*members, *(each for each in named if each is not None)})
