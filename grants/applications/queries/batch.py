"""The batch pass of the eligibility desk: who can be in it, and what became of the last one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from grants.applications import rules
from grants.applications.models import (
    Application,
    EligibilityBatch,
    EligibilityBatchItem,
    EligibilityCheck,
    EligibilityResult,
    Submission,
)
from grants.applications.queries.checking import unchecked
from grants.applications.queries.clarifying import is_open
from grants.applications.queries.facts import facts_of
from grants.applications.queries.reach import visible
from grants.applications.rules import BatchOutcome, BatchPick, BatchResult, BatchRow, ConditionAnswer, ConditionView
from grants.applications.states import BatchWork, Verdict
from grants.calls.rules import CallView
from grants.core import clock, jobs
from grants.core.db import db
from grants.core.jobs import Job, JobState
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader
from grants.identity.models import Organisation

# Applications looked at for one page; facts of more would make it slow.
BATCH_MAX = 100


def in_hand() -> ColumnElement[bool]:
    """The condition on :class:`Application` that a batch has it in hand now, whoever asked for it."""
    waiting = exists().where(
        EligibilityBatchItem.application_id == Application.id,
        EligibilityBatchItem.job_id == Job.id,
        Job.state.in_((JobState.QUEUED.value, JobState.RUNNING.value)),
    )
    return waiting.correlate(Application)


def over_or_in_hand(application_ids: Collection[UUID]) -> set[UUID]:
    """Which of these applications have their verdict already, or are in the hand of a batch."""
    decided = exists().where(
        EligibilityCheck.submission_id == Application.submission_id, EligibilityCheck.verdict.is_not(None)
    )
    return set(
        db.session.scalars(
            select(Application.id).where(
                Application.id.in_(application_ids), decided.correlate(Application) | in_hand()
            )
        )
    )


@reader
def batch(actor: Actor, call: CallView, page: Page) -> Asking[Rows[BatchRow]]:
    """The applications of the next hundred without a verdict whose every condition looks met; the next page goes on after
    the last one looked at.

    Never those the person takes part in or is barred from. Three statements, however many applications.
    """
    statement = (
        select(
            *(Application.id, Application.submission_id, Application.reference, Application.title),
            *(Application.acronym, Application.requested, Organisation.name, Organisation.country_code),
        )
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .join(Submission, Submission.id == Application.submission_id)
        .where(
            Application.call_id == call.id,
            # Whoever answered an earlier version is asked by its conditions, one by one at the desk.
            Submission.call_version == call.version_number,
            Application.id.not_in(actor.places(Permission.APPLICATION_READ, "application")),
            unchecked(),
            ~in_hand(),
            ~is_open(clock.now()),
            visible(actor),
        )
    )
    if page.after:
        statement = statement.where(Application.reference > page.after)
    page = replace(page, size=BATCH_MAX)
    some = yield from ask(statement.order_by(Application.reference).limit(page.limit))
    looked_at = cut(some, page, key=lambda row: row.reference)
    ids = [row.id for row in looked_at.items]
    found, answers = yield from both(
        facts_of.asking(actor, call, ids), _answers([row.submission_id for row in looked_at.items])
    )
    clean = []
    for row in looked_at.items:
        conditions = tuple(
            ConditionView(
                condition,
                rules.evidence_of(condition, found[row.id][1]),
                answers.get((row.submission_id, condition.key), ConditionAnswer(condition.key, None)),
            )
            for condition in rules.conditions_of(call.content)
        )
        if rules.passed_by_facts(conditions) is not None:
            pick = BatchPick(row.id, row.submission_id)
            clean.append(
                BatchRow(
                    pick,
                    row.reference,
                    row.acronym or row.title,
                    row.name,
                    row.country_code,
                    row.requested,
                    conditions,
                )
            )
    return Rows(tuple(clean), looked_at.next_key, first=looked_at.first)


def _answers(submission_ids: list[UUID]) -> Asking[dict[tuple[UUID, str], ConditionAnswer]]:
    found = yield from ask(
        select(
            EligibilityCheck.submission_id,
            EligibilityResult.condition,
            EligibilityResult.verdict,
            EligibilityResult.reason,
        )
        .join(EligibilityCheck, EligibilityCheck.id == EligibilityResult.check_id)
        .where(EligibilityCheck.submission_id.in_(submission_ids))
    )
    return {
        (row.submission_id, row.condition): ConditionAnswer(row.condition, Verdict(row.verdict), row.reason or "")
        for row in found
    }


@reader
def batch_page(actor: Actor, call: CallView, page: Page) -> Asking[tuple[Rows[BatchRow], tuple[BatchOutcome, ...]]]:
    """One page of :func:`batch` with what became of the last one; three statements."""
    return (yield from both(batch.asking(actor, call, page), last_batch.asking(actor, call.id, BatchWork.PASS)))


@reader
def last_batch(actor: Actor, call_id: UUID, work: BatchWork) -> Asking[tuple[BatchOutcome, ...]]:
    """What became of each application of this person's last batch of one kind in a call, by reference; one statement."""
    newest = (
        select(EligibilityBatch.id)
        .where(
            EligibilityBatch.call_id == call_id,
            EligibilityBatch.asked_by == actor.user_id,
            EligibilityBatch.work == work.value,
        )
        .order_by(EligibilityBatch.created_at.desc(), EligibilityBatch.id)
        .limit(1)
        .scalar_subquery()
    )
    items = (
        select(Application.reference, Application.title, Application.acronym, EligibilityBatchItem.job_id)
        .join(Application, Application.id == EligibilityBatchItem.application_id)
        .where(EligibilityBatchItem.batch_id == newest, visible(actor))
    )
    listed, found = yield from both(
        ask(items.order_by(Application.reference)),
        jobs.views.asking(items.with_only_columns(EligibilityBatchItem.job_id)),
    )
    return tuple(_outcome(row, found[row.job_id]) for row in listed)


@reader
def batch_results(actor: Actor, batch_ids: Collection[UUID]) -> Asking[dict[UUID, BatchResult]]:
    """How far each of these batches is, without what this person is barred from; one statement, none for no batch."""
    if not batch_ids:
        return {}
    over = Job.state.not_in((JobState.QUEUED.value, JobState.RUNNING.value))
    done = (Job.state == JobState.DONE.value) & Job.result["note"].astext.is_(None)
    rows = yield from ask(
        select(
            *(EligibilityBatch.id, EligibilityBatch.work, func.count().label("asked")),
            *(func.count().filter(over).label("over"), func.count().filter(done).label("done")),
        )
        .join(EligibilityBatchItem, EligibilityBatchItem.batch_id == EligibilityBatch.id)
        .join(Job, Job.id == EligibilityBatchItem.job_id)
        .where(
            EligibilityBatch.id.in_(batch_ids),
            EligibilityBatchItem.application_id.not_in(actor.barred("application")),
        )
        .group_by(EligibilityBatch.id)
    )
    return {row.id: BatchResult(BatchWork(row.work), row.asked, row.over, row.done) for row in rows}


def _outcome(row: Any, job: jobs.JobView) -> BatchOutcome:
    note = str((job.result or {}).get("note", ""))
    words = note or (job.error or "")
    done = job.state is JobState.DONE and not note
    return BatchOutcome(row.reference, row.acronym or row.title, done, not job.is_over, words)
