"""Who stands behind an application: its organisations, cities, people and topics."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, SelectBase, select

from grants.applications.models import Application, ApplicationPartner, Submission
from grants.applications.states import PartnerState
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.db import among, as_sent, ids_sent
from grants.core.together import Asking, Given, ask, reader, side_by_side
from grants.dossiers.rules import from_mapping
from grants.evaluation import rules
from grants.evaluation.queries.access import IN_EVALUATION
from grants.evaluation.rules import ApplicationHead, Consortium
from grants.identity.models import Organisation, RoleGrant
from grants.identity.policy import TEAM_ROLES
from grants.identity.queries import role_holds


@reader
def consortia(call_id: UUID) -> Asking[tuple[Consortium, ...]]:
    """The consortia of a call's applications in evaluation, by reference. Two statements."""
    return (yield from _consortia(Application.call_id == call_id, Application.state.in_(IN_EVALUATION)))


@reader
def consortia_of(application_ids: Collection[UUID]) -> Asking[tuple[Consortium, ...]]:
    """The consortia of these applications, by reference. Two statements."""
    return (yield from _consortia(among(Application.id, application_ids)))


def _consortia(*wanted: ColumnElement[bool]) -> Asking[tuple[Consortium, ...]]:
    rows = yield from ask(
        select(Application.id, Application.reference, Application.title, Application.submission_id)
        .where(*wanted)
        .order_by(Application.reference)
        # One more than a run takes: it says so where there are too many, and never leaves some out unsaid.
        .limit(rules.RUN_APPLICATIONS_MAX + 1)
    )
    ids = [row.id for row in rows]
    about: list[Asking[Any]] = [
        _members(ids),
        _topics([row.submission_id for row in rows if row.submission_id]),
        _people_of(ids),
    ]
    members, topics, people = yield from side_by_side(about)
    return tuple(_consortium(row, members[row.id], topics.get(row.id, frozenset()), people[row.id]) for row in rows)


def _members(application_ids: Sequence[UUID]) -> Asking[dict[UUID, list[Any]]]:
    """The organisations of each application in the order of the consortium, each with its contact."""
    members: dict[UUID, list[Any]] = defaultdict(list)
    of_partner = (ApplicationPartner.application_id, ApplicationPartner.contact_user_id)
    for row in (
        yield from ask(
            select(
                *(*of_partner, Organisation.id, Organisation.name, Organisation.town),
                *(Organisation.website, Organisation.country_code),
            )
            .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
            .where(
                among(ApplicationPartner.application_id, application_ids),
                ApplicationPartner.state != PartnerState.DECLINED.value,
            )
            .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
        )
    ):
        members[row.application_id].append(row)
    return members


def _consortium(row: Any, members: Sequence[Any], topics: frozenset[str], people: set[UUID]) -> Consortium:
    names = [organisation.town or organisation.name for organisation in members]
    hosts = (urlsplit(organisation.website or "").hostname or "" for organisation in members)
    return Consortium(
        row.id,
        row.reference,
        row.title,
        names[0] if names else "",
        tuple(dict.fromkeys(name for name in names[1:] if name != names[0])),
        frozenset(organisation.id for organisation in members),
        tuple(dict.fromkeys(organisation.country_code for organisation in members)),
        frozenset(organisation.town.casefold() for organisation in members if organisation.town),
        frozenset(host.removeprefix("www.") for host in hosts if host),
        frozenset({partner.contact_user_id for partner in members if partner.contact_user_id} | people),
        topics,
    )


def _topics(submission_ids: Sequence[UUID]) -> Asking[dict[UUID, frozenset[str]]]:
    rows = yield from ask(
        select(Submission.application_id, Submission.content["answers"].label("answers")).where(
            Submission.id.in_(submission_ids)
        )
    )
    return _picked(rows)


@reader
def topics_picked(application_ids: Sequence[UUID]) -> Asking[dict[UUID, frozenset[str]]]:
    """The topics each application picked in what it sent, by its id; one statement."""
    standing = select(Application.submission_id).where(among(Application.id, application_ids))
    rows = yield from ask(
        select(Submission.application_id, Submission.content["answers"].label("answers")).where(
            Submission.id.in_(standing)
        )
    )
    return _picked(rows)


def _picked(rows: Iterable[Any]) -> dict[UUID, frozenset[str]]:
    return {
        application_id: rules.topics_of(from_mapping(content)) if content else frozenset()
        for application_id, content in rows
    }


def _people_of(application_ids: Sequence[UUID]) -> Asking[dict[UUID, set[UUID]]]:
    """Who holds a city's role on each application: they may never judge it."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    city_roles = sorted(TEAM_ROLES)
    rows = yield from ask(
        select(RoleGrant.object_id, RoleGrant.user_id).where(
            RoleGrant.kind == "application",
            among(RoleGrant.object_id, application_ids),
            RoleGrant.role.in_(city_roles),
            role_holds(clock.now()),
        )
    )
    for application_id, user_id in rows:
        if application_id is not None:
            found[application_id].add(user_id)
    return found


@reader
def cities_of(application_ids: Sequence[UUID]) -> Asking[dict[UUID, str]]:
    """“Neochóra, with Vila Nova da Áçora” for each application, in one statement."""
    return joined_towns((yield from cities_named.asking(application_ids)))


@reader
def cities_named(application_ids: Sequence[UUID]) -> Asking[dict[UUID, list[str]]]:
    """The towns of each application, that of its lead first, by the names its organisations give; one statement."""
    return towns_of((yield from ask(Given(_towns(), {"applications": as_sent(application_ids)}))))


@functools.cache
def _towns() -> SelectBase:
    return town_question(lambda column: among(column, ids_sent("applications")))


def town_question(wanted: Callable[[Any], ColumnElement[bool]]) -> SelectBase:
    """What is asked for the towns of the applications whose ids ``wanted`` takes; :func:`towns_of` makes them of the rows."""
    return (
        select(ApplicationPartner.application_id, Organisation.town, Organisation.name)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(wanted(ApplicationPartner.application_id), ApplicationPartner.state != PartnerState.DECLINED.value)
        .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
    )


def towns_of(rows: Iterable[Any]) -> dict[UUID, list[str]]:
    """The towns of each application, that of its lead first, from the rows of :func:`town_question`."""
    names: dict[UUID, list[str]] = defaultdict(list)
    for application_id, town, name in rows:
        if (town or name) not in names[application_id]:
            names[application_id].append(town or name)
    return dict(names)


def joined_towns(names: Mapping[UUID, Sequence[str]]) -> dict[UUID, str]:
    """The towns of each application in a line: “Neochóra, with Vila Nova da Áçora”."""
    return {key: found[0] + (f", with {', '.join(found[1:])}" if found[1:] else "") for key, found in names.items()}


def head_of(application: Any, cities: str, call: CallView) -> ApplicationHead:
    """What the head of a page says about an application."""
    return ApplicationHead(
        application.id, application.reference, application.title, cities, call.id, call.slug, call.title
    )
