"""Acts of the eligibility desk: an answer to each condition with its reason, then the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, EligibilityCheck, EligibilityResult
from grants.applications.rules import ConditionAnswer, ConditionChanged, ConditionStands
from grants.applications.states import ApplicationState, Verdict
from grants.calls.rules import CallView
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity


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
    refuse_own(actor, application_id)
    _, call, check = checkable(application_id, version)
    kept = rules.checked_answers(rules.conditions_of(call.content), answers)
    store(actor, check, kept)
    check.saves += 1
    db.session.flush()
    return check.version


@act(
    "application.answer_condition",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="answered a condition in the eligibility check of {subject}",
)
def answer_condition(actor: Actor, application_id: UUID, answer: ConditionAnswer, shown: int) -> ConditionStands:
    """Keep one answer while the officer works; ``shown`` is the number of the answer the page showed, 0 for none.

    Raises :class:`ConditionChanged` where another officer was faster, and keeps theirs.
    """
    refuse_own(actor, application_id)
    _, call, check = checkable(application_id, None)
    # A check nobody has saved anything in yet is not there for a page.
    before = check.version if check.saves else 0
    (kept,) = rules.checked_answers(rules.conditions_of(call.content), [answer]) or (None,)
    if kept is None:
        raise Invalid("Choose whether it is met; it is saved then.")
    row = db.session.scalars(
        select(EligibilityResult).where(
            EligibilityResult.check_id == check.id, EligibilityResult.condition == kept.condition
        )
    ).one_or_none()
    stands = ConditionAnswer(row.condition, Verdict(row.verdict), row.reason or "") if row else None
    if row is not None and row.version != shown and stands != kept:
        who = identity.people([row.answered_by])[row.answered_by].name if row.answered_by else "Somebody"
        at = row.answered_at or row.created_at
        raise ConditionChanged(ConditionStands(stands or kept, row.version, before, before, who, at, call.zone))
    store(actor, check, [kept])
    check.saves += 1
    db.session.flush()
    row = _results(check)[kept.condition]
    at = row.answered_at or acts.moment()
    return ConditionStands(kept, row.version, before, check.version, actor.name, at, call.zone)


@act(
    "application.declare",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="gave a verdict on the eligibility of application {subject}",
)
def declare(
    actor: Actor,
    application_id: UUID,
    answers: tuple[ConditionAnswer, ...],
    reason: str = "",
    version: int | None = None,
) -> Verdict:
    """Keep the answers and the verdict they lead to. “Eligible” is decided; “not eligible” waits for a second person.

    What the facts alone show of admissibility needs no answer typed: it is kept as this person's with the verdict.
    """
    refuse_own(actor, application_id)
    _, call, check = checkable(application_id, version)
    refuse_waiting(check, call)
    conditions = rules.conditions_of(call.content)
    kept = rules.checked_answers(conditions, answers)
    store(actor, check, (*kept, *_by_the_facts(actor, application_id, check, kept)))
    given = tuple(_answer(row) for row in _results(check).values())
    verdict = rules.verdict_of(conditions, {answer.condition: answer.verdict for answer in given if answer.verdict})
    check.saves += 1
    said = reason.strip() or (None if verdict is Verdict.PASS else rules.reasons_of(conditions, given))
    match verdict:
        case Verdict.PASS:
            decide(actor, check, verdict, said)
        case Verdict.FAIL:
            check.proposed_by, check.proposed_at, check.proposed_reason = actor.user_id, acts.moment(), said
            if said:
                acts.reason(said)
    return verdict


@act(
    "application.confirm_refusal",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="confirmed that application {subject} is not eligible",
)
def confirm_refusal(actor: Actor, application_id: UUID, version: int | None = None) -> Verdict:
    """The second person agrees: the application is not eligible. Never the one who proposed it."""
    refuse_own(actor, application_id)
    check = _proposed(actor, application_id, version)
    proposer, reason = check.proposed_by, check.proposed_reason
    check.confirmed_by = actor.user_id
    check.proposed_by = check.proposed_at = check.proposed_reason = None
    decide(actor, check, Verdict.FAIL, reason, decided_by=proposer)
    assert check.confirmed_by != check.decided_by, "two people refuse an application"
    return Verdict.FAIL


@act(
    "application.return_refusal",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="gave the verdict on application {subject} back",
)
def return_refusal(actor: Actor, application_id: UUID, why: str, version: int | None = None) -> None:
    """The second person does not agree, and says why: the answers can be changed again."""
    refuse_own(actor, application_id)
    said = why.strip()
    if not said:
        raise Invalid("Say why you give it back.", {"why": "Say why you give it back. The other officer reads it."})
    check = _proposed(actor, application_id, version)
    check.proposed_by = check.proposed_at = check.proposed_reason = None
    check.returned_by, check.return_reason = actor.user_id, said
    acts.reason(said)


def refuse_waiting(check: EligibilityCheck, call: CallView) -> None:
    """No verdict while an answer that was asked for may still come."""
    waiting = queries.open_now(check.submission_id, acts.moment())
    if waiting is not None:
        raise Refused(
            f"Question {waiting.number} to the applicant waits for its answer until {rules.said(waiting.due_at, call.zone)}. "
            "Wait for it, or withdraw the question."
        )


def _proposed(actor: Actor, application_id: UUID, version: int | None) -> EligibilityCheck:
    application = locked(Application, application_id)
    check = _check(application)
    check_version(check, version)
    if check.proposed_by is None:
        raise Refused("Nobody proposed to refuse this application. Look at the desk again.")
    refuse_replaceable(queries.call_of(application), "Confirm the verdict or give it back after that.")
    faults.point("four_eyes")
    if check.proposed_by == actor.user_id:
        raise Refused("You proposed this verdict yourself. Another eligibility officer confirms it or gives it back.")
    return check


def decide(
    actor: Actor,
    check: EligibilityCheck,
    verdict: Verdict,
    reason: str | None,
    *,
    decided_by: UUID | None = None,
) -> None:
    """Write the verdict down for good. It takes effect, and the team is told, with its letter."""
    check.verdict, check.reason = verdict.value, reason
    check.decided_at, check.decided_by = acts.moment(), decided_by or actor.user_id
    if reason:
        acts.reason(reason)


def _by_the_facts(
    actor: Actor, application_id: UUID, check: EligibilityCheck, given: Sequence[ConditionAnswer]
) -> tuple[ConditionAnswer, ...]:
    """What the facts show of admissibility and nobody answered."""
    answered = {answer.condition for answer in given} | _results(check).keys()
    view = queries.view_by_id(application_id)
    return tuple(
        ConditionAnswer(each.condition.key, Verdict.PASS)
        for each in queries.desk(actor, view).conditions
        if rules.is_admissibility(each.condition)
        and rules.is_looked_up(each.condition)
        and each.condition.key not in answered
        and each.clean
    )


def refuse_own(actor: Actor, application_id: UUID) -> None:
    """Nobody checks an application they write in."""
    faults.point("four_eyes")
    if queries.is_team(actor, application_id):
        raise Refused(
            "You belong to the team of this application, so you cannot check it. Another eligibility officer must."
        )


def refuse_replaceable(call: CallView, then: str) -> None:
    """Nothing is decided on what was sent while another version may still come; ``call`` is as the application has it."""
    faults.point("deadline")
    if call.closes_at is not None and clock.in_time(acts.moment(), call.closes_at):
        raise Refused(
            f"The call is open until {rules.said(call.closes_at, call.zone)} and the application may still be replaced. {then}"
        )


def checkable(application_id: UUID, version: int | None) -> tuple[Application, CallView, EligibilityCheck]:
    application = locked(Application, application_id)
    check = _check(application)
    # Version 0 is what a page shows before anybody has saved an answer. A stale page is told so first, whatever it asks.
    check_version(check, version if version != 0 or check.version else None)
    assert application.submission_id is not None, "what is checked was sent"
    # What was asked of the version that stands; a later corrigendum does not change it.
    call = queries.as_answered(queries.call_of(application), queries.submission_by_id(application.submission_id))
    refuse_replaceable(call, "Check it after that.")
    if ApplicationState(application.state) is not ApplicationState.SUBMITTED:
        raise Refused(
            f"This application is {rules.words(ApplicationState(application.state))}; only a submitted one is checked for eligibility."
        )
    if check.proposed_by is not None:
        raise Refused(
            "It is proposed not to be eligible and waits for a second person. Whoever that is gives it back before an answer changes."
        )
    if check.verdict is not None:
        raise Refused("It has its verdict already.")
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


def store(actor: Actor, check: EligibilityCheck, answers: Iterable[ConditionAnswer]) -> None:
    """Keep answers with who gave each; one that says what stands already changes nothing."""
    rows = _results(check)
    for answer in answers:
        assert answer.verdict is not None, "only given answers are kept"
        row = rows.get(answer.condition)
        if row is None:
            row = EligibilityResult(check_id=check.id, condition=answer.condition)
            db.session.add(row)
        elif _answer(row) == answer:
            continue
        row.verdict, row.reason = answer.verdict.value, answer.reason or None
        row.answered_by, row.answered_at = actor.user_id, acts.moment()
    db.session.flush()


def _results(check: EligibilityCheck) -> dict[str, EligibilityResult]:
    rows = db.session.scalars(select(EligibilityResult).where(EligibilityResult.check_id == check.id))
    return {row.condition: row for row in rows}


def _answer(row: EligibilityResult) -> ConditionAnswer:
    return ConditionAnswer(row.condition, Verdict(row.verdict), row.reason or "")
