"""Acts of the eligibility desk: an answer to each condition with its reason, then the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, EligibilityCheck, EligibilityResult
from grants.applications.rules import ConditionAnswer
from grants.applications.states import APPLICATION, ApplicationState, PartnerState, Verdict
from grants.calls.rules import CallView
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import services as people


@act(
    "application.record_answers",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="noted answers in the eligibility check of {subject}",
)
def record_answers(
    actor: Actor, application_id: UUID, answers: tuple[ConditionAnswer, ...], version: int | None = None
) -> int:
    """Keep the desk's answers so far; may be done many times before the verdict. Returns the check's version."""
    _refuse_own(actor, application_id)
    _, call, check = _checkable(application_id, version)
    kept = rules.checked_answers(call.content.conditions, answers)
    _store(check, kept)
    check.saves += 1
    db.session.flush()
    return check.version


@act(
    "application.declare",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="decided on the eligibility of application {subject}",
)
def declare(
    actor: Actor,
    application_id: UUID,
    answers: tuple[ConditionAnswer, ...],
    reason: str = "",
    version: int | None = None,
) -> Verdict:
    """Keep the answers and declare the verdict they lead to: eligible, or not eligible with the reasons given."""
    _refuse_own(actor, application_id)
    application, call, check = _checkable(application_id, version)
    kept = rules.checked_answers(call.content.conditions, answers)
    _store(check, kept)
    verdict = rules.verdict_of(
        call.content.conditions, {answer.condition: answer.verdict for answer in kept if answer.verdict}
    )
    check.saves += 1
    check.verdict, check.reason = (
        verdict.value,
        reason.strip() or (None if verdict is Verdict.PASS else rules.reasons_of(call.content.conditions, kept)),
    )
    check.decided_at, check.decided_by = acts.moment(), actor.user_id
    match verdict:
        case Verdict.PASS:
            APPLICATION.move(application, "declare_eligible")
        case Verdict.FAIL:
            APPLICATION.move(application, "declare_ineligible")
    if check.reason:
        acts.reason(check.reason)
    _tell(application, call, verdict, check.reason)
    return verdict


def _refuse_own(actor: Actor, application_id: UUID) -> None:
    """Nobody checks an application they write in."""
    faults.point("four_eyes")
    if queries.is_team(actor, application_id):
        raise Refused(
            "You belong to the team of this application, so you cannot check it. Another eligibility officer must."
        )


def _checkable(application_id: UUID, version: int | None) -> tuple[Application, CallView, EligibilityCheck]:
    application = locked(Application, application_id)
    check = _check(application)
    # Version 0 is what a page shows before anybody has saved an answer. A stale page is told so first, whatever it asks.
    check_version(check, version if version != 0 or check.version else None)
    assert application.submission_id is not None, "what is checked was sent"
    # What was asked of the version that stands; a later corrigendum does not change it.
    call = queries.as_answered(queries.call_of(application), queries.submission_by_id(application.submission_id))
    faults.point("deadline")
    if call.closes_at is not None and clock.in_time(acts.moment(), call.closes_at):
        raise Refused(
            f"The call is open until {rules.said(call.closes_at, call.zone)} and the application may still be replaced. Check it after that."
        )
    if ApplicationState(application.state) is not ApplicationState.SUBMITTED:
        raise Refused(
            f"This application is {rules.words(ApplicationState(application.state))}; only a submitted one is checked for eligibility."
        )
    return application, call, check


def _check(application: Application) -> EligibilityCheck:
    if application.submission_id is None:
        raise NotFound
    found = db.session.scalars(
        select(EligibilityCheck)
        .where(EligibilityCheck.submission_id == application.submission_id)
        .with_for_update(of=EligibilityCheck)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        found = EligibilityCheck(application_id=application.id, submission_id=application.submission_id, saves=0)
        db.session.add(found)
    return found


def _store(check: EligibilityCheck, answers: Iterable[ConditionAnswer]) -> None:
    rows = {
        row.condition: row
        for row in db.session.scalars(select(EligibilityResult).where(EligibilityResult.check_id == check.id))
    }
    for answer in answers:
        assert answer.verdict is not None, "only given answers are kept"
        row = rows.get(answer.condition)
        if row is None:
            row = EligibilityResult(check_id=check.id, condition=answer.condition)
            db.session.add(row)
        row.verdict, row.reason = answer.verdict.value, answer.reason or None


def _tell(application: Application, call: CallView, verdict: Verdict, reason: str | None) -> None:
    team = [p.contact_id for p in queries.partners(application.id) if p.contact_id and p.state is PartnerState.ACCEPTED]
    people.mail(
        team,
        "application_eligibility",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        eligible=verdict is Verdict.PASS,
        reason=reason or "",
    )
