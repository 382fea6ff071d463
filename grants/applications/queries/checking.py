"""The eligibility desk: conditions with their evidence and answers, the verdict, and who is next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import aliased

from grants.applications import rules
from grants.applications.models import Application, EligibilityCheck, EligibilityResult
from grants.applications.queries.clarifying import clarifications
from grants.applications.queries.facts import facts_of
from grants.applications.queries.reach import is_team, visible
from grants.applications.queries.whole import as_answered
from grants.applications.rules import (
    ApplicationView,
    ClarificationView,
    ConditionAnswer,
    ConditionView,
    Desk,
    Facts,
    Neighbours,
    Proposal,
    SubmittedContent,
)
from grants.applications.states import ApplicationState, Verdict
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import User


def reads_evidence(actor: Actor, application: ApplicationView) -> bool:
    """Evidence is the desk's own: it names other applications, so neither the team nor other readers see it."""
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    return actor.may(Permission.APPLICATION_CHECK, scope) and not is_team(actor, application.id)


@reader
def desk(actor: Actor, application: ApplicationView) -> Asking[Desk]:
    """Every condition of the call with the answers so far; for the desk with evidence from submission and register.

    At most two statements.
    """
    found, _, _ = yield from desk_and_content.asking(actor, application)
    return found


@reader
def verdict_of(application: ApplicationView) -> Asking[Desk]:
    """Conditions, answers and verdict without evidence: what a letter tells. One statement."""
    application = replace(application, call=as_answered(application.call, application.submission))
    parts: list[Asking[Any]] = [_check(application), _answers(application)]
    checks, answers = yield from side_by_side(parts)
    asked = rules.conditions_of(application.call.content)
    return _desk(tuple(_condition(each, None, answers) for each in asked), checks, Neighbours())


@reader
def desk_and_content(
    actor: Actor, application: ApplicationView
) -> Asking[tuple[Desk, SubmittedContent | None, tuple[ClarificationView, ...]]]:
    """The same with the version that stands, for whoever reads evidence, and what was asked about it."""
    application = replace(application, call=as_answered(application.call, application.submission))
    shown = reads_evidence(actor, application)
    parts: list[Asking[Any]] = [_check(application), _answers(application), clarifications.asking(actor, application)]
    parts += (
        [_neighbours(actor, application), facts_of.asking(actor, application.call, [application.id])] if shown else []
    )
    checks, answers, asked, *rest = yield from side_by_side(parts)
    neighbours, contents = rest if rest else (Neighbours(), {})
    content, facts = contents.get(application.id, (None, None))
    conditions = tuple(
        _condition(condition, facts, answers) for condition in rules.conditions_of(application.call.content)
    )
    return _desk(conditions, checks, neighbours), content, asked


def _condition(condition: Any, facts: Facts | None, answers: Mapping[str, Any]) -> ConditionView:
    row = answers.get(condition.key)
    evidence = None if facts is None else rules.evidence_of(condition, facts)
    if row is None:
        return ConditionView(condition, evidence, ConditionAnswer(condition.key, None))
    answer = ConditionAnswer(row.condition, Verdict(row.verdict), row.reason or "")
    return ConditionView(condition, evidence, answer, row.version, row.person or "", row.answered_at)


def _desk(conditions: tuple[ConditionView, ...], checks: list[Any], neighbours: Neighbours) -> Desk:
    if not checks:
        return Desk(conditions, None, None, None, None, 0, neighbours=neighbours)
    (check,) = checks
    proposal = (
        Proposal(check.proposed_by, check.proposer, check.proposed_at, check.proposed_reason)
        if check.proposed_by
        else None
    )
    return Desk(
        conditions,
        verdict=Verdict(check.verdict) if check.verdict else None,
        reason=check.reason,
        decided_at=check.decided_at,
        decided_by=check.decided_by,
        version=check.version,
        check_id=check.id,
        decider=check.decider or "",
        confirmer=check.confirmer or "",
        proposal=proposal,
        returner=check.returner or "",
        return_reason=check.return_reason or "",
        neighbours=neighbours,
    )


def _check(application: ApplicationView) -> Asking[list[Any]]:
    people = {name: aliased(User) for name in ("decider", "confirmer", "proposer", "returner")}
    check = EligibilityCheck
    columns = (
        *(check.id, check.version, check.verdict, check.reason, check.decided_at, check.decided_by),
        *(check.proposed_by, check.proposed_at, check.proposed_reason, check.return_reason),
    )
    return ask(
        select(*columns, *(person.name.label(name) for name, person in people.items()))
        .outerjoin(people["decider"], people["decider"].id == check.decided_by)
        .outerjoin(people["confirmer"], people["confirmer"].id == check.confirmed_by)
        .outerjoin(people["proposer"], people["proposer"].id == check.proposed_by)
        .outerjoin(people["returner"], people["returner"].id == check.returned_by)
        .where(check.submission_id == _sent(application))
    )


def _sent(application: ApplicationView) -> UUID | None:
    return application.submission.id if application.submission else None


def _answers(application: ApplicationView) -> Asking[dict[str, Any]]:
    rows = yield from ask(
        select(
            *(EligibilityResult.condition, EligibilityResult.verdict, EligibilityResult.reason),
            *(EligibilityResult.version, EligibilityResult.answered_at, User.name.label("person")),
        )
        .join(EligibilityCheck, EligibilityCheck.id == EligibilityResult.check_id)
        .outerjoin(User, User.id == EligibilityResult.answered_by)
        .where(EligibilityCheck.submission_id == _sent(application))
    )
    return {row.condition: row for row in rows}


def unchecked() -> Any:
    """The condition on :class:`Application` that nobody has given or proposed a verdict on what it sent."""
    done = (
        exists()
        .where(
            EligibilityCheck.submission_id == Application.submission_id,
            EligibilityCheck.verdict.is_not(None) | EligibilityCheck.proposed_by.is_not(None),
        )
        .correlate(Application)
    )
    return and_(Application.state == ApplicationState.SUBMITTED.value, ~done)


def _neighbours(actor: Actor, application: ApplicationView) -> Asking[Neighbours]:
    """By reference; after the last one that waits for a verdict comes the first."""
    inside = (
        Application.call_id == application.call.id,
        Application.submission_id.is_not(None),
        Application.state != ApplicationState.WITHDRAWN.value,
        visible(actor),
    )
    after, before = Application.reference > application.reference, Application.reference < application.reference
    last = select(func.max(Application.reference)).where(*inside, before).scalar_subquery()
    first = select(func.min(Application.reference)).where(*inside, after).scalar_subquery()
    waiting = select(func.min(Application.reference)).where(*inside, unchecked())
    ahead, around = waiting.where(after).scalar_subquery(), waiting.where(before).scalar_subquery()
    ((previous, following, unanswered),) = yield from ask(
        select(last.label("previous"), first.label("following"), func.coalesce(ahead, around).label("unanswered"))
    )
    return Neighbours(previous, following, unanswered)
