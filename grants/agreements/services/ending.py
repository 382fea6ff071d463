"""How a grant ends before it is in force: dropped by the programme, declined by the city."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from grants.agreements import queries
from grants.agreements.models import (
    Grant,
)
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    GrantSummary,
)
from grants.agreements.services.offering import end_offer, refuse_both_sides
from grants.agreements.services.preparing import summary_of
from grants.agreements.states import (
    GRANT,
    OfferEnd,
    Side,
)
from grants.applications.models import Application
from grants.applications.states import APPLICATION
from grants.awards import queries as awards
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import Invalid
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event, legs_e3


@act(
    "agreement.drop", needs=Permission.AGREEMENT_PREPARE, scope=scope_of, says="dropped {subject} before its signature"
)
def drop(actor: Actor, grant_id: UUID, *, reason: str) -> GrantSummary:
    """Drop a preparation: the application is dropped and its reserve goes back to the call (E3)."""
    grant = locked(Grant, grant_id)
    if not reason.strip():
        raise Invalid("Give the reason.", {"reason": "Say why the preparation failed; the applicant will read it."})
    acts.reason(reason.strip())
    GRANT.move(grant, "drop")
    end_offer(grant, OfferEnd.DROPPED)
    application = locked(Application, grant.application_id)
    APPLICATION.move(application, "drop")
    complains = calls.call_by_id(application.call_id).content.complaints is not None
    _tell_of_end(application, "agreement_dropped", queries.team(application.id), reason.strip(), complains=complains)
    release_reserve(grant, "preparation failed")
    return summary_of(grant)


@act(
    "agreement.decline",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=scope_of,
    says="declined {subject} for the city before its signature",
)
def decline(actor: Actor, grant_id: UUID, *, reason: str) -> GrantSummary:
    """Whoever would sign for the city says that it does not take the grant: its reserve goes back to the call (E3)."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    if not reason.strip():
        raise Invalid(
            "Give the reason.", {"reason": "Say why the city does not take the grant; the programme reads it."}
        )
    refuse_both_sides(actor, grant, Side.CITY, deed="decline")
    acts.reason(reason.strip())
    GRANT.move(grant, "decline")
    end_offer(grant, OfferEnd.DECLINED)
    application = locked(Application, grant.application_id)
    APPLICATION.move(application, "decline")
    office = {each.id for each in identity.users_with(Permission.AGREEMENT_PREPARE, queries.scope(grant))}
    told = office | set(queries.team(application.id))
    _tell_of_end(application, "agreement_declined", sorted(told), reason.strip(), by=actor.name)
    release_reserve(grant, "declined by the city")
    return summary_of(grant)


def _tell_of_end(
    application: Application, template: str, told: Sequence[UUID], reason: str, **more: str | bool
) -> None:
    people.mail(
        told,
        template,
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        reason=reason,
        **more,
    )


def release_reserve(grant: Grant, why: str) -> None:
    """Book that what was reserved for a grant that ended before its signature is the call's again (E3)."""
    ledger.post(
        Event.RESERVE_RELEASED,
        source_key=f"grant:{grant.id}:dropped",
        effective_on=acts.today(),
        description=f"{grant.reference}: {why}, reserve released",
        legs=legs_e3(
            awards.item_of(grant.application_id).amount,
            Dimensions(fund_source_id=grant.fund_source_id, call_id=grant.call_id, document_id=grant.application_id),
        ),
    )
