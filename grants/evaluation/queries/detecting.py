"""What conflicts of interest are looked for in: people, consortia and what both shared before, each read once for a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Label, and_, func, literal, or_, select, union
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import ApplicationState, PartnerState
from grants.calls import queries as calls
from grants.cities.models import City
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Permission
from grants.evaluation.models import DetectedConflict, Evaluator, EvaluatorOrganisation
from grants.evaluation.queries.besides import LOOKED_AT, besides
from grants.evaluation.queries.earlier import past
from grants.evaluation.rules.detecting import (
    Candidate,
    ComparedApplication,
    Entity,
    Found,
    Somebody,
    detect,
)
from grants.evaluation.states import DetectedKind, DetectedState
from grants.identity.models import Membership, Organisation, OrganisationFact, RoleGrant, User
from grants.identity.policy import OFFICERS, TEAM_ROLES, roles_with
from grants.identity.queries import role_holds
from grants.identity.states import FactKind

# What one takes part in competes whatever was decided about it; what was withdrawn left the call, a draft never came to it.
COMPETING = tuple(
    state.value for state in ApplicationState if state not in (ApplicationState.DRAFT, ApplicationState.WITHDRAWN)
)
NUMBERS: Mapping[FactKind, str] = {
    FactKind.PIC: "PIC",
    FactKind.VAT: "VAT number",
    FactKind.REGISTRATION: "registration number",
    FactKind.ROR: "ROR iD",
}
# Who of those that declare also judges; officers decide about papers, wherever they come from.
JUDGES = roles_with(Permission.CONFLICT_DECLARE)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found about a call, and what there was to look at."""

    found: tuple[Found, ...]
    people: int
    applications: int


def look(call_id: UUID) -> Looked:
    """Everything that joins who judges or decides in a call to its applications, in a fixed number of statements."""
    rules = calls.call_by_id(call_id).content.conflict_rules
    since = _years_ago(rules.past_consortium_years)
    partners = _partners(Application.call_id == call_id, Application.state.in_(LOOKED_AT))
    team = _team(call_id)
    judging = _judging(call_id)
    people = _people({*judging, *(user_id for _, user_id in team)})
    memberships = _memberships(people, since)
    named = _said_by_evaluators(call_id, since, memberships)
    entities = _entities(
        {organisation_id for _, organisation_id in partners}
        | {organisation_id for found in memberships.values() for organisation_id in found}
        | {pooled.organisation_id for pooled in judging.values() if pooled.organisation_id}
    )
    beside = besides(call_id, judging, since)
    candidates = [
        replace(
            _candidate(people[user_id], memberships[user_id], pooled, entities, named.get(user_id, ())),
            advised=tuple(sorted(beside.advised.get(user_id, ()))),
            joined=beside.joined.get(user_id, {}),
        )
        for user_id, pooled in sorted(judging.items())
        if user_id in people
    ]
    applications = [
        replace(each, wrote=frozenset(beside.wrote.get(each.application_id, ())))
        for each in _compared_applications(partners, team, people, memberships, entities)
    ]
    own = {entity.id for candidate in candidates for entity in candidate.entities}
    shared = past(call_id, own, since) if rules.past_consortium_years else ()
    found = detect(candidates, applications, shared, rules, takes_part(call_id), beside.dismissed)
    return Looked(found, len(candidates), len(applications))


def takes_part(call_id: UUID, user_id: UUID | None = None) -> frozenset[tuple[UUID, UUID]]:
    """(person, application) of whom it stands that they take part in it, under whatever account: what others compete with.

    Who acts for an application takes part in it, whatever was decided about that before; whoever acts for it no more
    competes with none for its sake. What a person confirmed stands until a person dismisses it. An application that was
    withdrawn competes with none.
    """
    wanted = (
        select(DetectedConflict.user_id, DetectedConflict.application_id)
        .join(Application, Application.id == DetectedConflict.application_id)
        .where(
            Application.call_id == call_id,
            Application.state.in_(COMPETING),
            DetectedConflict.state == DetectedState.CONFIRMED.value,
            # That two accounts are one person stands once a person said so.
            DetectedConflict.kind.in_((DetectedKind.OWN_APPLICATION.value, DetectedKind.SAME_PERSON.value)),
            DetectedConflict.decided_by.is_not(None),
        )
    )
    confirmed = frozenset((row.user_id, row.application_id) for row in db.session.execute(wanted))
    acting = frozenset((each, application_id) for application_id, each in _team(call_id, COMPETING))
    return frozenset(pair for pair in confirmed | acting if user_id is None or pair[0] == user_id)


def acts_for(user_id: UUID, call_id: UUID) -> frozenset[UUID]:
    """The applications of a call that this person acts for now, by role or as the contact of a partner."""
    return frozenset(application_id for application_id, each in _team(call_id, COMPETING) if each == user_id)


def _years_ago(years: int) -> datetime:
    return clock.end_of_day(clock.add_months(clock.today(), -12 * years))


def _partners(*wanted: Any) -> list[tuple[UUID, UUID]]:
    """(application, organisation) of every consortium, in its order."""
    rows = db.session.execute(
        select(ApplicationPartner.application_id, ApplicationPartner.organisation_id)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .where(*wanted, ApplicationPartner.state != PartnerState.DECLINED.value)
        .order_by(Application.reference, ApplicationPartner.position)
    )
    return [(application_id, organisation_id) for application_id, organisation_id in rows]


def _team(call_id: UUID, states: Collection[str] = LOOKED_AT) -> list[tuple[UUID, UUID]]:
    """(application, person) of who acts for each application, by role or as the contact of a partner."""
    wanted = (Application.call_id == call_id, Application.state.in_(states))
    by_role = (
        select(Application.id, RoleGrant.user_id)
        .join(RoleGrant, and_(RoleGrant.kind == "application", RoleGrant.object_id == Application.id))
        .where(*wanted, RoleGrant.role.in_(sorted(TEAM_ROLES)), role_holds(clock.now()))
    )
    contacts = (
        select(Application.id, ApplicationPartner.contact_user_id)
        .join(ApplicationPartner, ApplicationPartner.application_id == Application.id)
        .where(
            *wanted,
            ApplicationPartner.contact_user_id.is_not(None),
            ApplicationPartner.state != PartnerState.DECLINED.value,
        )
    )
    rows: Sequence[Any] = db.session.execute(union(by_role, contacts)).all()
    return sorted((row[0], row[1]) for row in rows)


@dataclass(frozen=True, slots=True)
class _Judging:
    """What the pool says of somebody who must have no conflict, and whether they judge."""

    organisation_id: UUID | None = None
    country: str = ""
    town: str = ""
    judges: bool = False


def _judging(call_id: UUID) -> dict[UUID, _Judging]:
    """Who must have no conflict in this call."""
    town = func.coalesce(Evaluator.town, "")
    pooled = select(Evaluator.user_id, Evaluator.organisation_id, Evaluator.country_code, town, literal(True)).where(
        Evaluator.call_id == call_id
    )
    nothing = (literal(None, Evaluator.organisation_id.type), literal(""), literal(""))
    here = or_(RoleGrant.object_id.is_(None), RoleGrant.object_id == call_id)
    holds = [
        select(RoleGrant.user_id, *nothing, literal(judges)).where(
            RoleGrant.role.in_(sorted(role.value for role in roles)), here, role_holds(clock.now())
        )
        for roles, judges in ((_panel(), True), (OFFICERS, False))
    ]
    found: dict[UUID, _Judging] = {}
    for user_id, organisation_id, country, said, judges in db.session.execute(pooled.union_all(*holds)):
        before = found.get(user_id, _Judging())
        found[user_id] = _Judging(
            before.organisation_id or organisation_id,
            before.country or country,
            before.town or said,
            before.judges or judges,
        )
    return found


def _panel() -> frozenset[Any]:
    """Roles that judge in every call they hold for; an evaluator only where they are in the pool."""
    reads = roles_with(Permission.ASSESSMENT_READ_ALL)
    return JUDGES & reads


def _people(user_ids: Collection[UUID]) -> dict[UUID, Any]:
    rows = db.session.execute(
        select(User.id, User.name, User.email, User.orcid).where(User.id.in_(user_ids), User.disabled_at.is_(None))
    )
    return {row.id: row for row in rows}


def _memberships(user_ids: Iterable[UUID], since: datetime) -> dict[UUID, list[UUID]]:
    """The organisations each person belongs to or belonged to since then, the oldest first."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    rows = db.session.execute(
        select(Membership.user_id, Membership.organisation_id)
        .where(
            Membership.user_id.in_(list(user_ids)),
            or_(Membership.ends_before.is_(None), Membership.ends_before > since),
        )
        .order_by(Membership.user_id, Membership.starts_at, Membership.id)
    )
    for user_id, organisation_id in rows:
        if organisation_id not in found[user_id]:
            found[user_id].append(organisation_id)
    return found


def _said_by_evaluators(
    call_id: UUID, since: datetime, memberships: dict[UUID, list[UUID]]
) -> dict[UUID, list[tuple[UUID, str]]]:
    """For whom evaluators say they work or worked since then: those of the register join the memberships.

    The others come back by their names, with an id of their own: they are compared by name alone.
    """
    named: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    rows = db.session.execute(
        select(
            *(Evaluator.user_id, EvaluatorOrganisation.id, EvaluatorOrganisation.name),
            EvaluatorOrganisation.organisation_id,
        )
        .join(Evaluator, Evaluator.id == EvaluatorOrganisation.evaluator_id)
        .where(
            Evaluator.call_id == call_id,
            or_(EvaluatorOrganisation.ends_on.is_(None), EvaluatorOrganisation.ends_on >= since.date()),
        )
        .order_by(Evaluator.user_id, EvaluatorOrganisation.name, EvaluatorOrganisation.id)
    )
    for user_id, row_id, name, organisation_id in rows:
        if organisation_id is None:
            named[user_id].append((row_id, name))
        elif organisation_id not in memberships[user_id]:
            memberships[user_id].append(organisation_id)
    return named


def _entities(organisation_ids: Collection[UUID]) -> dict[UUID, Entity]:
    """Organisations as they are compared; an entry that points to another one counts as that."""
    found: dict[UUID, Entity] = {}
    numbers, proven = _numbers(organisation_ids)
    for row in db.session.execute(
        select(
            *(Organisation.id, Organisation.name, Organisation.country_code, Organisation.town, Organisation.website),
            *(Organisation.pic, Organisation.same_as_id, _cities_of()),
        ).where(Organisation.id.in_(organisation_ids))
    ):
        own = numbers[row.id] | ({(NUMBERS[FactKind.PIC], row.pic)} if row.pic else set())
        found[row.id] = Entity(
            row.same_as_id or row.id, row.name, row.country_code, row.town or "", frozenset(own), _host(row.website),
            frozenset(proven[row.id]), tuple(row.cities or ()),
        )  # fmt: skip
    return found


def _cities_of() -> Label[Any]:
    """The names of the cities an organisation acts for, in English and as they are called there."""
    own = (City.organisation_id == Organisation.id,)
    names = union(
        select(City.name.label("name")).where(*own).correlate(Organisation),
        select(City.local_name).where(*own, City.local_name.is_not(None)).correlate(Organisation),
    ).subquery("names")
    return select(func.array_agg(aggregate_order_by(names.c.name, names.c.name))).scalar_subquery().label("cities")


def _host(website: str | None) -> str:
    text = website or ""
    host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    return host.removeprefix("www.")


Numbers = dict[UUID, set[tuple[str, str]]]


def _numbers(organisation_ids: Collection[UUID]) -> tuple[Numbers, Numbers]:
    """What registers call each organisation: the newest line of each kind; and of these what is validated today."""
    found: Numbers = defaultdict(set)
    proven: Numbers = defaultdict(set)
    today = clock.today()
    other = aliased(OrganisationFact)
    newest = (
        select(func.max(other.number))
        .where(other.organisation_id == OrganisationFact.organisation_id, other.kind == OrganisationFact.kind)
        .correlate(OrganisationFact)
        .scalar_subquery()
    )
    validated = and_(
        OrganisationFact.validated_on.is_not(None),
        or_(OrganisationFact.valid_until.is_(None), OrganisationFact.valid_until > today),
    )
    for organisation_id, kind, value, is_proven in db.session.execute(
        select(OrganisationFact.organisation_id, OrganisationFact.kind, OrganisationFact.value, validated).where(
            OrganisationFact.organisation_id.in_(organisation_ids),
            OrganisationFact.kind.in_([kind.value for kind in NUMBERS]),
            OrganisationFact.number == newest,
            OrganisationFact.value != "",
        )
    ):
        number = (NUMBERS[FactKind(kind)], value)
        found[organisation_id].add(number)
        if is_proven:
            proven[organisation_id].add(number)
    return found, proven


def _candidate(
    person: Any,
    belongs: Iterable[UUID],
    pooled: _Judging,
    entities: Mapping[UUID, Entity],
    named: Iterable[tuple[UUID, str]] = (),
) -> Candidate:
    country = pooled.country
    own = dict.fromkeys([*belongs, *([pooled.organisation_id] if pooled.organisation_id else [])])
    found = tuple(entities[each] for each in own if each in entities)
    countries = {each.country_code for each in found} | ({country} if country else set())
    # Most people work in the country they give; without one there is nothing to compare a mere name with.
    found += tuple(Entity(row_id, name, country) for row_id, name in named if country)
    said = _somebody(person, None)
    return Candidate(said, found, frozenset(countries), pooled.judges, works_in=(country, pooled.town))


def _somebody(person: Any, organisation_id: UUID | None) -> Somebody:
    return Somebody(person.id, person.name, person.email, person.orcid, organisation_id)


def _compared_applications(
    partners: Iterable[tuple[UUID, UUID]],
    team: Iterable[tuple[UUID, UUID]],
    people: Mapping[UUID, Any],
    memberships: Mapping[UUID, list[UUID]],
    entities: Mapping[UUID, Entity],
) -> list[ComparedApplication]:
    consortium: dict[UUID, dict[UUID, Entity]] = defaultdict(dict)
    for application_id, organisation_id in partners:
        entity = entities[organisation_id]
        consortium[application_id].setdefault(entity.id, entity)
    acting: dict[UUID, list[Somebody]] = defaultdict(list)
    for application_id, user_id in team:
        if user_id in people:
            own = [entities[each].id for each in memberships.get(user_id, ()) if each in entities]
            inside = next((each for each in own if each in consortium[application_id]), None)
            acting[application_id].append(_somebody(people[user_id], inside))
    return [ComparedApplication(key, tuple(found.values()), tuple(acting[key])) for key, found in consortium.items()]


def standing_detections(
    call_id: UUID, user_id: UUID | None = None
) -> dict[tuple[UUID, UUID, str, UUID | None], DetectedConflict]:
    """Every fact kept about what is looked at in a call, or about one person there, under lock, by what tells one from another.

    For the act that looks anew: what was found about an application that is no longer looked at stands as it was.
    """
    whose = [] if user_id is None else [DetectedConflict.user_id == user_id]
    rows = db.session.scalars(
        select(DetectedConflict)
        .join(Application, Application.id == DetectedConflict.application_id)
        .where(Application.call_id == call_id, Application.state.in_(LOOKED_AT), *whose)
        .with_for_update(of=DetectedConflict)
        .execution_options(populate_existing=True)
    )
    return {(row.user_id, row.application_id, row.kind, row.organisation_id): row for row in rows}


def calls_looked_at(organisation_id: UUID | None = None) -> tuple[UUID, ...]:
    """Calls in which somebody may still decide about an application; with an organisation, those it matters to."""
    wanted = select(Application.call_id).where(Application.state.in_(LOOKED_AT)).distinct()
    if organisation_id is not None:
        partner = select(ApplicationPartner.application_id).where(ApplicationPartner.organisation_id == organisation_id)
        people = select(Membership.user_id).where(Membership.organisation_id == organisation_id)
        concerned = or_(
            Evaluator.organisation_id == organisation_id,
            Evaluator.user_id.in_(people),
        )
        pooled = select(Evaluator.call_id).where(concerned)
        officers = (
            select(RoleGrant.id)
            .where(
                RoleGrant.user_id.in_(people),
                RoleGrant.role.in_(sorted(role.value for role in OFFICERS | _panel())),
                role_holds(clock.now()),
            )
            .exists()
        )
        wanted = wanted.where(or_(Application.id.in_(partner), Application.call_id.in_(pooled), officers))
    return tuple(sorted(db.session.scalars(wanted)))
