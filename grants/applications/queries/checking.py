"""The eligibility desk: conditions with their evidence and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from grants.applications import rules
from grants.applications.models import Application, ApplicationPartner, EligibilityCheck, EligibilityResult
from grants.applications.queries.reach import is_team, visible
from grants.applications.queries.submitted import submitted_content
from grants.applications.queries.whole import as_answered
from grants.applications.rules import (
    ApplicationView,
    Arrival,
    CityFact,
    ConditionAnswer,
    ConditionView,
    Desk,
    Facts,
    SubmittedContent,
)
from grants.applications.states import ApplicationState, Verdict
from grants.calls.rules import LANGUAGES, PARENT_LIST
from grants.cities.models import City, Participation
from grants.core.db import db
from grants.core.permissions import Actor, Permission, Scope
from grants.identity.models import Organisation


def reads_evidence(actor: Actor, application: ApplicationView) -> bool:
    """Evidence is the desk's own: it names other applications, so neither the team nor other readers see it."""
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    return actor.may(Permission.APPLICATION_CHECK, scope) and not is_team(actor, application.id)


def desk(actor: Actor, application: ApplicationView) -> Desk:
    """Every condition of the call with the answers so far; for the desk with evidence from submission and register."""
    content = submitted_content(application.id)
    application = replace(application, call=as_answered(application.call, application.submission))
    check = db.session.scalars(
        select(EligibilityCheck)
        .join(Application, Application.submission_id == EligibilityCheck.submission_id)
        .where(Application.id == application.id)
    ).one_or_none()
    answers = _answers(check.id) if check else {}
    organisations = [member.organisation_id for member in content.consortium]
    shown = reads_evidence(actor, application)
    facts = _facts(actor, application, content, organisations) if shown else None
    return Desk(
        conditions=tuple(
            ConditionView(
                condition,
                None if facts is None else rules.evidence_of(condition, facts),
                answers.get(condition.key, ConditionAnswer(condition.key, None)),
            )
            for condition in application.call.content.conditions
        ),
        verdict=Verdict(check.verdict) if check and check.verdict else None,
        reason=check.reason if check else None,
        decided_at=check.decided_at if check else None,
        decided_by=check.decided_by if check else None,
        version=check.version if check else 0,
        check_id=check.id if check else None,
    )


def _facts(
    actor: Actor, application: ApplicationView, content: SubmittedContent, organisations: Sequence[UUID]
) -> Facts:
    """Everything the conditions of a call may ask of the version that stands."""
    call, worked = application.call, content.budget.totals
    return Facts(
        consortium=content.consortium,
        cities=city_facts(organisations),
        elsewhere=_elsewhere(actor, application, organisations),
        sees_all=not (actor.barred("application") or actor.barred("call")),
        arrival=_arrival(application, content),
        requested={row.organisation_id: row.requested for row in worked.rows},
        budget_rules=content.budget.rules,
        answers={answer.question: answer for answer in content.dossier.answers},
        lists={each.name: each.countries for each in call.content.country_lists}
        | {PARENT_LIST: call.fund_source.rules.countries},
    )


def _arrival(application: ApplicationView, content: SubmittedContent) -> Arrival | None:
    """How the version that stands came in, by its own record."""
    sent, call = application.submission, application.call
    if sent is None:
        return None
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


def _answers(check_id: UUID) -> dict[str, ConditionAnswer]:
    rows = db.session.scalars(select(EligibilityResult).where(EligibilityResult.check_id == check_id))
    return {row.condition: ConditionAnswer(row.condition, Verdict(row.verdict), row.reason or "") for row in rows}


def city_facts(organisation_ids: Sequence[UUID]) -> tuple[CityFact, ...]:
    """What the register knows about the cities of these organisations, by name."""
    earlier: dict[UUID, list[str]] = {}
    cities = db.session.scalars(
        select(City).where(City.organisation_id.in_(organisation_ids)).order_by(City.name, City.id)
    ).all()
    rows = db.session.execute(
        select(Participation.city_id, Participation.call_label)
        .where(Participation.city_id.in_([city.id for city in cities]))
        .order_by(Participation.call_label)
    )
    for city_id, label in rows:
        earlier.setdefault(city_id, []).append(label)
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


def _elsewhere(
    actor: Actor, application: ApplicationView, organisations: Sequence[UUID]
) -> tuple[tuple[str, str], ...]:
    """Organisations of this consortium that stand in another submitted application to the call which the reader may see."""
    rows = db.session.execute(
        select(Organisation.name, Application.reference)
        .join(ApplicationPartner, ApplicationPartner.organisation_id == Organisation.id)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .where(
            Application.call_id == application.call.id,
            Application.id != application.id,
            Application.submission_id.is_not(None),
            Application.state != ApplicationState.WITHDRAWN.value,
            Organisation.id.in_(organisations),
            visible(actor),
        )
        .order_by(Organisation.name, Application.reference)
        .limit(100)
    )
    return tuple((name, reference) for name, reference in rows)
