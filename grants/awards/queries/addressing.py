"""Whom a letter of decision is addressed to, and who writes it, as the register has them."""

from __future__ import annotations

from sqlalchemy import ScalarSelect, select

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import PartnerRole, PartnerState
from grants.awards.rules.letterhead import GrantingAuthority
from grants.calls.rules import CallView
from grants.core.together import Asking
from grants.identity import queries as identity
from grants.identity.models import Organisation, User

# Where the leading organisation of an application is.
ADDRESS = (Organisation.street, Organisation.postcode, Organisation.town, Organisation.country_code)


def contact_of_lead() -> ScalarSelect[str]:
    """Who speaks for the lead of an :class:`Application` and has an account that works."""
    return (
        select(User.name)
        .join(ApplicationPartner, ApplicationPartner.contact_user_id == User.id)
        .where(
            ApplicationPartner.application_id == Application.id,
            ApplicationPartner.role == PartnerRole.COORDINATOR.value,
            ApplicationPartner.state == PartnerState.ACCEPTED.value,
            User.disabled_at.is_(None),
        )
        .correlate(Application)
        .scalar_subquery()
    )


def granting_authority(call: CallView) -> Asking[GrantingAuthority]:
    """The programme of a call with the organisation that runs it, where one is named."""
    known = call.programme.organisation_id
    found = yield from identity.organisations.asking([known] if known else [])
    return GrantingAuthority(call.programme.name, found.get(known) if known else None, call.content.signing)
