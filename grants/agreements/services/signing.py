"""Offering a grant and signing it: what both sides sign is one text, and the last signature brings it into force."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import queries, rules
from grants.agreements.models import (
    Grant,
)
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    GrantSummary,
    GrantView,
)
from grants.agreements.services import offering
from grants.agreements.services.acceding import ask_accessions
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.preparing import summary_of
from grants.agreements.states import (
    GRANT,
    GrantState,
    OfferEnd,
    OfferSubject,
    Side,
)
from grants.applications.models import Application
from grants.applications.states import APPLICATION
from grants.awards import queries as awards
from grants.cities import queries as cities
from grants.cities import services as city_writes
from grants.cities.states import Part
from grants.core import acts, files, jobs
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import Conflict, NotFound, Problems, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event, legs_e3, legs_e4, legs_e5

FIRST_VERSION = rules.version_role(1)


@act(
    "agreement.offer",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="offered agreement {subject} for signature",
)
def offer(actor: Actor, grant_id: UUID, *, document_sha256: str) -> GrantSummary:
    """Offer exactly the text whose hash was shown, once every condition is met; the terms are then fixed.

    Raises :class:`Conflict` where the text is another by now.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    rules.refuse_after(grant.preparation_ends_on, acts.today())
    shown = queries.view(grant)
    found = queries.conditions_now(shown)
    problems = rules.offer_problems(shown, found, signers=queries.signers_of_programme(shown))
    if problems:
        raise Problems("The agreement cannot be offered yet.", problems)
    text = queries.text_of(shown)
    offering.refuse_without_packages(text)
    GRANT.move(grant, "offer")
    offering.refuse_other_text(document_sha256, text)
    signing = rules.signing_rule(shown, rules.power_in(rules.power_of(found)))
    offering.open_offer(actor, grant, OfferSubject.AGREEMENT, text, signing)
    people.mail(offering.signers(grant), "agreement_offered", "grant", grant.id, reference=grant.reference)
    return summary_of(grant)


@act(
    "agreement.take_back",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="took agreement {subject} back from signature",
)
def take_back(actor: Actor, grant_id: UUID, *, offer_no: int, reason: str) -> GrantSummary:
    """Take an offer back to change something; its text and the signatures given to it stay on record and no longer count.

    Raises :class:`Conflict` where another offer than ``offer_no`` stands by now.
    """
    grant = locked(Grant, grant_id)
    acts.reason(reason)
    GRANT.move(grant, "take_back")
    if grant.offer_no != offer_no:
        raise Conflict(
            "Another offer stands than the one you opened this page for, so it was not taken back. Read it, then take it back."
        )
    offering.end_offer(grant, OfferEnd.TAKEN_BACK)
    return summary_of(grant)


@act(
    "agreement.sign_city",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=scope_of,
    says="signed agreement {subject} for the city",
)
def sign_city(actor: Actor, grant_id: UUID, *, capacity: str, document_sha256: str) -> GrantSummary:
    """The coordinator accepts exactly the text whose hash was shown."""
    return _sign(actor, grant_id, Side.CITY, capacity, document_sha256)


@act(
    "agreement.sign_programme",
    needs=Permission.AGREEMENT_SIGN_PROGRAMME,
    scope=scope_of,
    says="signed agreement {subject} for the programme",
)
def sign_programme(actor: Actor, grant_id: UUID, *, capacity: str, document_sha256: str) -> GrantSummary:
    """The programme accepts exactly the text whose hash was shown."""
    refuse_conflict(actor, grant_id)
    return _sign(actor, grant_id, Side.PROGRAMME, capacity, document_sha256)


def _sign(actor: Actor, grant_id: UUID, side: Side, capacity: str, document_sha256: str) -> GrantSummary:
    grant = locked(Grant, grant_id)
    if grant.state != GrantState.READY_TO_SIGN.value:
        raise Refused("This agreement is not offered for signature. Reload the page to see where it stands.")
    rules.refuse_after(grant.preparation_ends_on, acts.today())
    shown = queries.view(grant)
    done = offering.sign(actor, grant, shown, side, capacity=capacity, document_sha256=document_sha256)
    if done == frozenset(Side):
        enter_into_force(grant, shown)
    return summary_of(grant)


def enter_into_force(grant: Grant, shown: GrantView) -> None:
    """Both have signed: the grant is awarded, its maximum committed budgetarily (E4), then legally (E5)."""
    application = locked(Application, grant.application_id)
    GRANT.move(grant, "enter_into_force")
    APPLICATION.move(application, "award")
    grant.in_force_at = acts.moment()
    version = offering.new_version(grant, shown)
    ask_accessions(grant, version.number, queries.offered_text(grant.id, version.offer_no))
    today = acts.today()
    dims = Dimensions(fund_source_id=grant.fund_source_id, call_id=grant.call_id, document_id=grant.application_id)
    of_grant = Dimensions(grant.fund_source_id, grant.call_id, grant.id, document_id=grant.id)
    left = awards.item_of(grant.application_id).amount - grant.maximum
    if left:
        ledger.post(
            Event.RESERVE_RELEASED,
            source_key=f"grant:{grant.id}:reserve_released",
            effective_on=today,
            description=f"{grant.reference}: reserved more than awarded",
            legs=legs_e3(left, dims),
        )
    ledger.post(
        Event.COMMITTED,
        source_key=f"grant:{grant.id}:committed",
        effective_on=today,
        description=f"{grant.reference}: budgetary commitment",
        legs=legs_e4(grant.maximum, dims),
    )
    ledger.post(
        Event.SIGNED,
        source_key=f"grant:{grant.id}:signed",
        effective_on=today,
        description=f"{grant.reference}: grant agreement signed by both sides",
        legs=legs_e5([(each.organisation_id, each.maximum) for each in shown.beneficiaries], of_grant),
    )
    _note_participation(grant, shown)
    jobs.queue(
        "jobs.reporting.open_reports",
        subject=("grant", grant.id),
        unique=f"open_reports:{grant.id}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
    )
    jobs.queue(
        "jobs.payments.open_prefinancing",
        subject=("grant", grant.id),
        unique=f"prefinancing:{grant.id}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
    )


def _note_participation(grant: Grant, shown: GrantView) -> None:
    """Write into the register of cities who now takes part, so that later calls can ask whether a city was a pilot."""
    for each in shown.beneficiaries:
        for city in cities.of_organisation(each.organisation_id):
            city_writes.record_participation(
                city.id,
                call_label=shown.call_title,
                pilot_key=grant.reference,
                pilot_title=grant.title,
                role=Part.LEAD if each.is_coordinator else Part.PARTNER,
            )


@act(
    "agreement.open_document",
    needs=Permission.AGREEMENT_READ,
    scope=queries.lies_in,
    says="opened the agreement {subject} on paper",
)
def open_document(actor: Actor, grant_id: UUID, role: str = FIRST_VERSION) -> FileView:
    """Hand out a printed version or offer, once it is made; who took it is kept. ``role`` as :func:`rules.version_role` names it."""
    acts.subject("grant_agreement", grant_id)
    found = files.listed("grant", grant_id, role)
    if not found:
        raise NotFound
    return found[0]
