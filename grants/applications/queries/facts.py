"""What form, register and other applications say of what was sent: for one application or for a page of them, in two statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications import rules
from grants.applications.models import Application, ApplicationPartner, ApplicationSignOff, Submission
from grants.applications.queries.reach import visible
from grants.applications.queries.submitted import content_of
from grants.applications.rules import Arrival, CityFact, Facts, SubmittedContent
from grants.applications.states import ApplicationState
from grants.calls.rules import LANGUAGES, PARENT_LIST, CallView
from grants.cities.models import City, Participation
from grants.core import clock
from grants.core.files import StoredFile, last_verdict
from grants.core.permissions import Actor
from grants.core.scanning import Clearance, clearance
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation, User

# How many other applications of the organisations on one page are named.
ELSEWHERE_MAX = 2_000


@reader
def facts_of(
    actor: Actor, call: CallView, application_ids: Collection[UUID]
) -> Asking[dict[UUID, tuple[SubmittedContent, Facts]]]:
    """The version that stands of each application to one call, and everything its conditions may ask; two statements."""
    rows = yield from ask(
        select(Submission, Application.reference.label("own_reference"))
        .join(Application, Application.submission_id == Submission.id)
        .where(Application.id.in_(application_ids))
    )
    contents = {row.application_id: content_of(row) for row in rows}
    organisations = {m.organisation_id for content in contents.values() for m in content.consortium}
    file_ids = {file.file_id for content in contents.values() for file in content.files}
    beside: list[Asking[Any]] = [
        cities_of.asking(organisations),
        _elsewhere(actor, call.id, organisations),
        _cleared(file_ids),
        _signed(call.zone, contents),
    ]
    cities, elsewhere, cleared, signed = yield from side_by_side(beside)
    sees_all = not (actor.barred("application") or actor.barred("call"))
    made = {}
    for row in rows:
        content = contents[row.application_id]
        members = {member.organisation_id for member in content.consortium}
        others = [each for each in elsewhere if each[0] in members and each[2] != row.own_reference]
        made[row.application_id] = (
            content,
            Facts(
                consortium=content.consortium,
                cities=tuple(city for city in cities if city.organisation_id in members),
                elsewhere=tuple((name, reference) for _, name, reference in others),
                sees_all=sees_all,
                arrival=_arrival(call, row, content),
                requested={part.organisation_id: part.requested for part in content.budget.totals.rows},
                budget_rules=content.budget.rules,
                answers={answer.question: answer for answer in content.dossier.answers},
                lists={each.name: each.countries for each in call.content.country_lists}
                | {PARENT_LIST: call.fund_source.rules.countries},
                form=rules.form_facts(
                    content,
                    {key for key, found in cleared.items() if found is Clearance.INFECTED},
                    {key for key, found in cleared.items() if found is Clearance.WAITING},
                    signed.get(row.application_id, ()),
                ),
            ),
        )
    return made


@reader
def cities_of(organisation_ids: Collection[UUID]) -> Asking[tuple[CityFact, ...]]:
    """What the register knows about the cities of these organisations, by name; one statement."""
    cities, parts = yield [
        select(City).where(City.organisation_id.in_(organisation_ids)).order_by(City.name, City.id),
        select(Participation.city_id, Participation.call_label)
        .join(City, City.id == Participation.city_id)
        .where(City.organisation_id.in_(organisation_ids))
        .order_by(Participation.call_label),
    ]
    earlier: dict[UUID, list[str]] = {}
    for row in parts:
        earlier.setdefault(row.city_id, []).append(row.call_label)
    return tuple(
        CityFact(
            organisation_id=city.organisation_id,
            name=city.name,
            country_code=city.country_code,
            population=city.population,
            mission_city=city.mission_city,
            earlier=tuple(earlier.get(city.id, ())),
        )
        for city in cities
        if city.organisation_id is not None
    )


def _elsewhere(actor: Actor, call_id: UUID, organisations: Collection[UUID]) -> Asking[list[tuple[UUID, str, str]]]:
    """(organisation, its name, reference) of every submitted application to the call which the reader may see."""
    rows = yield from ask(
        select(Organisation.id, Organisation.name, Application.reference)
        .join(ApplicationPartner, ApplicationPartner.organisation_id == Organisation.id)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .where(
            Application.call_id == call_id,
            Application.submission_id.is_not(None),
            Application.state != ApplicationState.WITHDRAWN.value,
            Organisation.id.in_(organisations),
            visible(actor),
        )
        .order_by(Organisation.name, Application.reference)
        .limit(ELSEWHERE_MAX)
    )
    return [tuple(row) for row in rows]


def _cleared(file_ids: Collection[UUID]) -> Asking[dict[UUID, Clearance]]:
    """Whether each file may be opened."""
    rows = yield from ask(
        select(StoredFile.id, StoredFile.uploaded, last_verdict().label("verdict")).where(StoredFile.id.in_(file_ids))
    )
    return {row.id: clearance(uploaded=row.uploaded, verdict=row.verdict) for row in rows}


def _signed(zone: str, contents: Mapping[UUID, SubmittedContent]) -> Asking[dict[UUID, tuple[str, ...]]]:
    """Who signed exactly the version that was sent, in words."""
    hashes = {application_id: bytes.fromhex(content.sha256) for application_id, content in contents.items()}
    rows = yield from ask(
        select(ApplicationSignOff.application_id, ApplicationSignOff.created_at, User.name)
        .join(User, User.id == ApplicationSignOff.user_id)
        .where(
            ApplicationSignOff.application_id.in_(hashes),
            ApplicationSignOff.organisation_id.is_(None),
            ApplicationSignOff.sha256.in_(hashes.values()),
        )
        .order_by(ApplicationSignOff.number)
    )
    found: dict[UUID, tuple[str, ...]] = {}
    for row in rows:
        line = f"{row.name} signed it on {clock.long_date(clock.in_zone(row.created_at, zone).date())}."
        found[row.application_id] = (*found.get(row.application_id, ()), line)
    return found


def _arrival(call: CallView, sent: Any, content: SubmittedContent) -> Arrival:
    """How the version that stands came in, by its own record."""
    roles = {file.role for file in content.files}
    return Arrival(
        sent.submitted_at,
        sent.closes_at,
        call.zone,
        LANGUAGES.get(call.content.language, call.content.language),
        tuple(file.name for file in content.files),
        tuple(
            wanted.label
            for wanted in call.content.attachments
            if wanted.required and rules.attachment_role(wanted.key) not in roles
        ),
    )
