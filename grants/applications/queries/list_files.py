"""Files of lists that a person asked for: the own ones alone, and whether what they may read is still what it was."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from grants.applications.models import ListFile
from grants.applications.queries.reach import declared_clear_by
from grants.applications.rules.exporting import FILES_MAX, KEPT_FOR, ListFileView, ListForm
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import Job, JobState
from grants.core.permissions import Actor, Permission

FILE_KIND = "list_file"
REMOVED_TOGETHER = 200


def list_files(actor: Actor) -> tuple[ListFileView, ...]:
    """The files this person asked for, newest first."""
    rows = db.session.execute(_own(actor).order_by(ListFile.number.desc()).limit(FILES_MAX))
    reach = reach_of(actor)
    return tuple(_view(row, job, reach) for row, job in rows)


def list_file(actor: Actor, number: int) -> ListFileView:
    """One of them; :class:`NotFound` for every other."""
    found = db.session.execute(_own(actor).where(ListFile.number == number)).one_or_none()
    if found is None:
        raise NotFound
    row, job = found
    return _view(row, job, reach_of(actor))


def _own(actor: Actor) -> Any:
    return (
        select(ListFile, Job)
        .join(Job, Job.id == ListFile.job_id)
        .where(ListFile.owner_id == actor.user_id)
        .execution_options(populate_existing=True)
    )


def list_files_lately(actor: Actor, since: datetime) -> Select[*tuple[Any, ...]]:
    """The files of this person that are being made, failed, or are ready since a moment, oldest first, as a select:
    number, form, when asked for, the state of the job, when made.
    """
    return (
        select(ListFile.number, ListFile.form, ListFile.created_at, Job.state, ListFile.made_at)
        .join(Job, Job.id == ListFile.job_id)
        .where(ListFile.owner_id == actor.user_id, func.coalesce(ListFile.made_at, ListFile.created_at) > since)
        .order_by(ListFile.created_at)
    )


def reach_of(actor: Actor) -> bytes:
    """The hash of all that decides which applications a person reads: another one as soon as any of it changes.

    A doubt bars nobody, it only shuts the application again: so what the person declared clear of is part of it.
    """
    reads = Permission.APPLICATION_READ
    parts: list[object] = [actor.everywhere(reads), actor.can(Permission.CONFLICT_DECLARE)]
    for kind in ("application", "call"):
        parts += [kind, *sorted(actor.places(reads, kind)), "without", *sorted(actor.barred(kind))]
    parts += ["clear", *declared_clear_by(actor)]
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).digest()


def old_list_files(now: datetime) -> tuple[UUID, ...]:
    """Files kept long enough, and wishes that came to nothing as long ago, the oldest first; none that a job still makes."""
    over = Job.state.not_in((JobState.QUEUED.value, JobState.RUNNING.value))
    asked = select(ListFile.id).join(Job, Job.id == ListFile.job_id).where(over, ListFile.created_at <= now - KEPT_FOR)
    asked = asked.order_by(ListFile.number)
    done = asked.where((ListFile.made_at <= now - KEPT_FOR) | ListFile.made_at.is_(None))
    return tuple(db.session.scalars(done.limit(REMOVED_TOGETHER)))


def _view(row: Any, job: Any, reach: bytes) -> ListFileView:
    state = JobState(job.state)
    return ListFileView(
        id=row.id,
        number=row.number,
        form=ListForm(row.form),
        address=row.address,
        asked_at=row.created_at,
        made_at=row.made_at,
        rows=row.rows_count,
        running=state is JobState.RUNNING,
        failed=state in (JobState.FAILED, JobState.CANCELLED),
        done=job.done_units,
        total=job.total_units,
        attempt=job.attempt,
        note=job.note or "",
        error=job.error or "",
        same_reach=row.reach_sha256 is None or row.reach_sha256 == reach,
        bare=row.bare,
    )
