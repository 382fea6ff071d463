"""Checkpoints as pages and the doctor see them: where each one went, and whether the last night's is out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import aliased

from grants.core import checkpoints, clock
from grants.core.checkpoints import AuditCheckpoint
from grants.core.db import db
from grants.core.jobs import Job, JobState
from grants.core.together import alone, ask, side_by_side
from grants.identity import queries as identity
from grants.oversight import rules
from grants.oversight.rules import CHECKPOINT, Check, Delivery


def deliveries(checkpoint_ids: Collection[UUID]) -> dict[UUID, list[Delivery]]:
    """Where these checkpoints went, the folder first: two statements, however many."""
    found = db.session.execute(
        select(Job.subject_id, Job.name, Job.args, Job.state, Job.error, Job.result)
        .where(Job.subject_kind == CHECKPOINT, Job.subject_id.in_(checkpoint_ids))
        .order_by(Job.number)
        .limit(5_000)
    ).all()
    people = identity.people(UUID(job.args["user_id"]) for job in found if "user_id" in job.args)
    sent: dict[UUID, list[Delivery]] = {checkpoint_id: [] for checkpoint_id in checkpoint_ids}
    for job in found:
        sent[job.subject_id].append(_delivery(job, people))
    return sent


def _delivery(job: Any, people: Any) -> Delivery:
    if "user_id" in job.args:
        person = people.get(UUID(job.args["user_id"]))
        to = person.name if person else "a former auditor"
    else:
        to = job.args.get("address", "The folder of checkpoints")
    match JobState(job.state):
        case JobState.DONE if job.name == "jobs.checks.leave_checkpoint":
            return Delivery(to, True, "written")
        case JobState.DONE if "message_id" in (job.result or {}):
            return Delivery(to, True, "sent")
        case JobState.DONE:
            return Delivery(to, None, "kept here, since no mail server is set")
        case JobState.FAILED | JobState.CANCELLED:
            return Delivery(to, False, job.error or "cancelled")
        case JobState.QUEUED | JobState.RUNNING:
            return Delivery(to, None, "on its way")


def proofs() -> Check:
    """Whether the record is proved outside of this system: the last night's checkpoint was made, and every copy left."""
    now = clock.now()
    first, made, failed = alone(
        side_by_side(
            (
                ask(checkpoints.first_event()),
                ask(select(func.max(AuditCheckpoint.made_at))),
                ask(_copies_missing()),
            )
        )
    )
    return rules.checkpoint_check(first[0][0] if first else None, made[0][0], failed[0][0], now)


def _copies_missing() -> Select[int]:
    """How many copies never left, to places the last checkpoint goes to as well and no later one has reached.

    A later one proves what this one proved, and who is sent nothing any more misses nothing.
    """
    now_sent, later = aliased(Job), aliased(Job)
    newest = select(AuditCheckpoint.id).order_by(AuditCheckpoint.position.desc()).limit(1).scalar_subquery()
    return select(func.count()).where(
        Job.subject_kind == CHECKPOINT,
        Job.state == JobState.FAILED,
        exists().where(now_sent.subject_kind == CHECKPOINT, now_sent.subject_id == newest, *_same_place(now_sent)),
        ~exists().where(
            later.subject_kind == CHECKPOINT,
            later.number > Job.number,
            later.state == JobState.DONE,
            *_same_place(later),
        ),
    )


def _same_place(other: type[Job]) -> tuple[ColumnElement[bool], ...]:
    """Whether another copy goes where this one was to go: the folder, a person, an address outside."""
    return other.name == Job.name, *(
        func.coalesce(other.args[key].astext, "") == func.coalesce(Job.args[key].astext, "")
        for key in ("user_id", "address")
    )


def request_waits() -> bool:
    """Whether a checkpoint is asked for and not yet begun."""
    asked = select(Job.id).where(Job.name == "jobs.checks.checkpoint", Job.state == JobState.QUEUED).limit(1)
    return db.session.scalar(asked) is not None
