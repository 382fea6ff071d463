"""Reads of organisations, and the addresses of their pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select

from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader
from grants.identity.models import Organisation
from grants.identity.rules import OrganisationView, handle_of
from grants.identity.states import OrganisationKind


def organisation(organisation_id: UUID) -> OrganisationView:
    """One organisation; raises :class:`NotFound`."""
    found = organisations([organisation_id])
    if organisation_id not in found:
        raise NotFound
    return found[organisation_id]


@reader
def organisations(organisation_ids: Iterable[UUID]) -> Asking[dict[UUID, OrganisationView]]:
    """Organisations by id, in one statement."""
    wanted = set(organisation_ids)
    if not wanted:
        return {}
    rows = yield from ask(select(Organisation).where(Organisation.id.in_(wanted)).order_by(Organisation.name))
    return {row.id: organisation_view(row) for row in rows}


def choosable_organisations(actor: Actor, also: Iterable[UUID] = ()) -> tuple[OrganisationView, ...]:
    """Organisations a lead may choose, by name, at most 2,000: not those that only the drafts of others describe."""
    statement = select(Organisation).where(
        or_(
            and_(Organisation.draft_only.is_(False), Organisation.same_as_id.is_(None)),
            Organisation.id.in_({*actor.organisation_ids, *also}),
        )
    )
    rows = db.session.scalars(statement.order_by(Organisation.name, Organisation.id).limit(2_000))
    return tuple(organisation_view(row) for row in rows)


def may_choose_organisation(actor: Actor, organisation_id: UUID, also: Iterable[UUID] = ()) -> bool:
    """Whether :func:`choosable_organisations` would hold this one."""
    if organisation_id in {*actor.organisation_ids, *also}:
        return True
    offered = select(Organisation.id).where(
        Organisation.id == organisation_id, Organisation.draft_only.is_(False), Organisation.same_as_id.is_(None)
    )
    return db.session.scalar(offered) is not None


def all_organisations() -> tuple[OrganisationView, ...]:
    """Every organisation by name, at most 2,000, for a choice."""
    rows = db.session.scalars(select(Organisation).order_by(Organisation.name, Organisation.id).limit(2_000))
    return tuple(organisation_view(row) for row in rows)


def organisation_view(row: Organisation) -> OrganisationView:
    """A row as a frozen value."""
    return OrganisationView(
        id=row.id,
        version=row.version,
        name=row.name,
        kind=OrganisationKind(row.kind),
        country_code=row.country_code,
        local_name=row.local_name,
        town=row.town,
        postcode=row.postcode,
        street=row.street,
        pic=row.pic,
        website=row.website,
        synthetic=row.synthetic,
        same_as_id=row.same_as_id,
    )


def organisation_by_slug(actor: Actor, slug: str) -> OrganisationView:
    """One organisation by the address of its page (“pl-northbridge”), for who may edit all of them."""
    if not actor.everywhere(Permission.ORGANISATION_EDIT):
        raise NotFound
    found = next((each for each, its in slugs({slug[:2].upper()}).items() if its == slug), None)
    if found is None:
        raise NotFound
    return organisation(found)


def organisation_vouched_for(actor: Actor, slug: str) -> OrganisationView:
    """One organisation by the address of its page, for who may say who belongs to it."""
    found = next((each for each, its in slugs({slug[:2].upper()}).items() if its == slug), None)
    if found is None or not actor.may(Permission.ORGANISATION_VOUCH, Scope.of(("organisation", found))):
        raise NotFound
    return organisation(found)


def slug_of(view: OrganisationView) -> str:
    """The address of an organisation's page."""
    return slugs({view.country_code})[view.id]


@reader
def slugs(countries: Collection[str] | Select[Any]) -> Asking[dict[UUID, str]]:
    """Addresses of pages of all organisations of some countries: country and name, numbered where two are alike."""
    given: dict[UUID, str] = {}
    taken: set[str] = set()
    for row in (
        yield from ask(
            select(Organisation.id, Organisation.country_code, Organisation.name)
            .where(Organisation.country_code.in_(countries))
            .order_by(Organisation.created_at, Organisation.id)
        )
    ):
        given[row.id] = handle_of(f"{row.country_code} {row.name}", taken)
        taken.add(given[row.id])
    return given
