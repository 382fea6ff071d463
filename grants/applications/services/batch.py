"""Acts of the batch pass: asked for once, done one application at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, EligibilityBatch, EligibilityBatchItem, Submission
from grants.applications.rules import BatchPick
from grants.applications.services.checking import checkable, decide, refuse_own, refuse_waiting, store
from grants.applications.states import ApplicationState, BatchWork, Verdict
from grants.calls import queries as calls
from grants.core import faults, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission

BATCH_JOB = "jobs.eligibility.pass_by_facts"


@act(
    "call.pass_by_facts",
    needs=Permission.APPLICATION_CHECK,
    scope=calls.scope_of,
    says="asked to pass applications of call {subject} whose conditions all look met",
)
def ask_batch(actor: Actor, call_id: UUID, picks: tuple[BatchPick, ...]) -> int:
    """Ask for each of these to be declared eligible by an act of its own; a job each, so that one may be left out alone."""
    if not picks:
        raise Invalid("No application is ticked. Tick at least one.")
    _refuse_strange(call_id, picks)
    _refuse_over({pick.application_id for pick in picks})
    note_batch(
        actor,
        call_id,
        BatchWork.PASS,
        {
            pick: jobs.queue(
                BATCH_JOB,
                subject=("application", pick.application_id),
                application_id=pick.application_id,
                submission_id=pick.submission_id,
            )
            for pick in sorted(set(picks), key=lambda each: each.application_id)
        },
    )
    return len(set(picks))


def _refuse_over(application_ids: set[UUID]) -> None:
    """Where nothing ticked is left to pass there is no batch: the page goes on to say what became of the last one."""
    over = queries.over_or_in_hand(application_ids)
    if over >= application_ids:
        one = len(application_ids) == 1
        raise Refused(
            f"{'The application ticked has its' if one else 'Every application ticked has its'} verdict already, "
            "or is being passed now. Nothing was asked for again."
        )


def note_batch(actor: Actor, call_id: UUID, work: BatchWork, asked: Mapping[BatchPick, UUID]) -> None:
    """Keep what a person asked for in one go, each with its job, so that the page can say what became of it."""
    assert actor.user_id is not None, "a person looked at them"
    made = EligibilityBatch(call_id=call_id, asked_by=actor.user_id, work=work.value)
    db.session.add(made)
    db.session.flush()
    for pick, job_id in asked.items():
        db.session.add(
            EligibilityBatchItem(
                batch_id=made.id, application_id=pick.application_id, submission_id=pick.submission_id, job_id=job_id
            )
        )


def refuse_elsewhere(call_id: UUID, application_ids: Iterable[UUID]) -> None:
    """Raises :class:`NotFound` where what is ticked on the page of one call belongs to another."""
    faults.point("scope")
    if not set(application_ids) <= set(queries.of_call(call_id, ApplicationState)):
        raise NotFound


def _refuse_strange(call_id: UUID, picks: tuple[BatchPick, ...]) -> None:
    """Every pick is an application of this call, in a version that was sent."""
    refuse_elsewhere(call_id, (pick.application_id for pick in picks))
    wanted = {(pick.application_id, pick.submission_id) for pick in picks}
    there = db.session.execute(
        select(Submission.application_id, Submission.id)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.call_id == call_id, Submission.id.in_({submission_id for _, submission_id in wanted}))
    )
    if wanted - {(row.application_id, row.id) for row in there}:
        raise Refused("One of the versions ticked is not one that was sent. Reload the page and tick them again.")


@act(
    "application.pass_by_facts",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="declared application {subject} eligible by the facts",
)
def pass_by_facts(actor: Actor, application_id: UUID, submission_id: UUID) -> Verdict:
    """Declare an application eligible if the facts still show every condition met, in the version that was looked at."""
    refuse_own(actor, application_id)
    application, call, check = checkable(application_id, None)
    if application.submission_id != submission_id:
        raise Refused("It was sent again after you looked at it. Look at the new version.")
    refuse_waiting(check, call)
    desk = queries.desk(actor, queries.view_by_id(application_id))
    answers = rules.passed_by_facts(desk.conditions)
    if answers is None:
        raise Refused(f"“{rules.first_open(desk.conditions)}” no longer looks met. Look at it at the desk.")
    store(actor, check, answers)
    check.saves += 1
    decide(actor, check, Verdict.PASS, None)
    return Verdict.PASS
