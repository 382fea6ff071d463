"""Who stands behind an application: its organisations, cities, people and topics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application, ApplicationPartner, Submission
from grants.applications.states import PartnerState
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.db import db
from grants.core.together import Asking, ask, reader
from grants.dossiers.rules import from_mapping
from grants.evaluation import rules
from grants.evaluation.queries.access import IN_EVALUATION, ROWS_MAX
from grants.evaluation.rules import ApplicationHead, Consortium
from grants.identity.models import Organisation, RoleGrant
from grants.identity.policy import TEAM_ROLES
from grants.identity.queries import role_holds


def consortia(
    call_id: UUID, *, only: Collection[UUID] | None = None, states: Collection[str] = IN_EVALUATION
) -> tuple[Consortium, ...]:
    """The consortia of a call's applications in these states (or of those named), by reference. Four statements."""
    condition = Application.id.in_(only) if only is not None else Application.state.in_(states)
    rows = db.session.execute(
        select(Application.id, Application.reference, Application.title, Application.submission_id)
        .where(Application.call_id == call_id, condition)
        .order_by(Application.reference)
        .limit(ROWS_MAX)
    ).all()
    ids = [row.id for row in rows]
    members: dict[UUID, list[tuple[ApplicationPartner, Organisation]]] = defaultdict(list)
    for partner, organisation in db.session.execute(
        select(ApplicationPartner, Organisation)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(ApplicationPartner.application_id.in_(ids), ApplicationPartner.state != PartnerState.DECLINED.value)
        .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
    ):
        members[partner.application_id].append((partner, organisation))
    topics = _topics([row.submission_id for row in rows if row.submission_id])
    people = _people_of(ids)
    return tuple(_consortium(row, members[row.id], topics.get(row.id, frozenset()), people[row.id]) for row in rows)


def _consortium(
    row: Any, members: Sequence[tuple[ApplicationPartner, Organisation]], topics: frozenset[str], people: set[UUID]
) -> Consortium:
    names = [organisation.town or organisation.name for _, organisation in members]
    hosts = (urlsplit(organisation.website or "").hostname or "" for _, organisation in members)
    return Consortium(
        row.id,
        row.reference,
        row.title,
        names[0] if names else "",
        tuple(dict.fromkeys(name for name in names[1:] if name != names[0])),
        frozenset(organisation.id for _, organisation in members),
        tuple(dict.fromkeys(organisation.country_code for _, organisation in members)),
        frozenset(organisation.town.casefold() for _, organisation in members if organisation.town),
        frozenset(host.removeprefix("www.") for host in hosts if host),
        frozenset({partner.contact_user_id for partner, _ in members if partner.contact_user_id} | people),
        topics,
    )


def _topics(submission_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    rows = db.session.execute(
        select(Submission.application_id, Submission.content["answers"]).where(Submission.id.in_(submission_ids))
    )
    return {
        application_id: rules.topics_of(from_mapping(content)) if content else frozenset()
        for application_id, content in rows
    }


def _people_of(application_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """Who holds a city's role on each application: they may never judge it."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    city_roles = sorted(TEAM_ROLES)
    for application_id, user_id in db.session.execute(
        select(RoleGrant.object_id, RoleGrant.user_id).where(
            RoleGrant.kind == "application",
            RoleGrant.object_id.in_(application_ids),
            RoleGrant.role.in_(city_roles),
            role_holds(clock.now()),
        )
    ):
        if application_id is not None:
            found[application_id].add(user_id)
    return found


@reader
def cities_of(application_ids: Sequence[UUID]) -> Asking[dict[UUID, str]]:
    """“Neochóra, with Vila Nova da Áçora” for each application, in one statement."""
    names: dict[UUID, list[str]] = defaultdict(list)
    rows = yield from ask(
        select(ApplicationPartner.application_id, Organisation.town, Organisation.name)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(
            ApplicationPartner.application_id.in_(application_ids),
            ApplicationPartner.state != PartnerState.DECLINED.value,
        )
        .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
    )
    for application_id, town, name in rows:
        if (town or name) not in names[application_id]:
            names[application_id].append(town or name)
    return {key: found[0] + (f", with {', '.join(found[1:])}" if found[1:] else "") for key, found in names.items()}


def head_of(application: Application, call: CallView) -> ApplicationHead:
    """What the head of a page says about an application."""
    cities = cities_of([application.id]).get(application.id, "")
    return ApplicationHead(
        application.id, application.reference, application.title, cities, call.id, call.slug, call.title
    )
