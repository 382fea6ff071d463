"""One organisation across the stages: what the register holds, its cities, its applications and grants in the reader's reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.agreements.states import GrantState
from grants.applications import queries as applications
from grants.applications.rules import ApplicationRow
from grants.cities import queries as cities
from grants.cities.rules import CityView
from grants.core.paging import Page, Rows
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import Organisation
from grants.identity.queries import Alike
from grants.identity.rules import Fact, FactLine, OrganisationView, why_not_validate
from grants.identity.states import FactKind

# Of each so many are shown, newest first; the lists of applications and grants have the rest.
SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class GrantOf:
    """A grant of an organisation, and whether it leads it."""

    reference: str
    title: str
    state: GrantState
    declined: bool
    leads: bool


@dataclass(frozen=True, slots=True)
class OrganisationHub:
    """Everything the page of one organisation shows; what the reader may not see is not in it."""

    facts: tuple[Fact, ...]
    history: Rows[FactLine]
    cities: tuple[CityView, ...]
    applications: tuple[ApplicationRow, ...]
    grants: tuple[GrantOf, ...]
    alike: tuple[Alike, ...]
    same_as: tuple[OrganisationView, str] | None
    # Where the reader changes the details; empty where they may not.
    edits: bool
    validates: bool
    # Why this reader, who validates facts, cannot validate these.
    not_by_reader: dict[FactKind, str]


@reader
def organisation_hub(actor: Actor, view: OrganisationView, asked: Page) -> Asking[OrganisationHub]:
    """The page of one organisation, in three statements; the caller has seen that the person reads it."""
    about: list[Asking[Any]] = [
        _of_stages(actor, view),
        identity.facts.asking(view.id),
        identity.fact_history.asking(view.id, asked),
        cities.of_organisation.asking(view.id),
        identity.looking_alike.asking(actor, view),
        _standing(view),
        _not_by_reader(actor, view),
    ]
    (found, own_grants), facts, history, its_cities, alike, same_as, not_by_reader = yield from side_by_side(about)
    return OrganisationHub(
        facts=facts,
        history=history,
        cities=its_cities,
        applications=found,
        grants=own_grants,
        alike=alike,
        same_as=same_as,
        edits=actor.everywhere(Permission.ORGANISATION_EDIT) or identity.is_of_it(actor, view.id),
        validates=actor.everywhere(Permission.ORGANISATION_VALIDATE),
        not_by_reader=not_by_reader,
    )


def _not_by_reader(actor: Actor, view: OrganisationView) -> Asking[dict[FactKind, str]]:
    if not actor.everywhere(Permission.ORGANISATION_VALIDATE):
        return {}
    stated = yield from identity.statements_of.asking(view.id)
    own = actor.organisation_ids
    found = {
        kind: why_not_validate(stated_by=stated.get(kind), actor_id=actor.user_id, organisation_id=view.id, own=own)
        for kind in FactKind
    }
    return {kind: why for kind, why in found.items() if why}


def _of_stages(actor: Actor, view: OrganisationView) -> Asking[tuple[tuple[ApplicationRow, ...], tuple[GrantOf, ...]]]:
    """Its applications and its grants, in one statement."""
    grants = (
        select(
            Grant.reference,
            Grant.title,
            Grant.state,
            agreements.is_declined().label("declined"),
            Beneficiary.is_coordinator,
        )
        .join(Beneficiary, Beneficiary.grant_id == Grant.id)
        .where(Beneficiary.organisation_id == view.id, agreements.visible(actor))
        .order_by(Grant.reference.desc())
        .limit(SHOWN_MAX)
    )
    found, rows = yield from both(applications.of_organisation.asking(actor, view.id, size=SHOWN_MAX), ask(grants))
    return found, tuple(
        GrantOf(row.reference, row.title, GrantState(row.state), row.declined, row.is_coordinator) for row in rows
    )


def _standing(view: OrganisationView) -> Asking[tuple[OrganisationView, str] | None]:
    """The entry that stands for this one, with the address of its page."""
    if view.same_as_id is None:
        return None
    lies_in = select(Organisation.country_code).where(Organisation.id == view.same_as_id)
    found, addresses = yield from both(identity.organisations.asking([view.same_as_id]), identity.slugs.asking(lies_in))
    return found[view.same_as_id], addresses[view.same_as_id]
