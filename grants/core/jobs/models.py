"""The table of jobs and what its statements share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Table, exists, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, aliased, mapped_column

from grants.core.db import Base, points_to, state_check
from grants.core.jobs.states import JobState, step

OF_MAILS = "name IN ('jobs.mail.send', 'jobs.mail.send_outside')"


class Job(Base):
    """One piece of work asked for by an act; machinery, so its leases and progress are not audited."""

    __tablename__ = "job"
    __audited__ = False
    __table_args__ = (
        state_check(JobState),
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="running_has_lease"),
        CheckConstraint("(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="end_has_time"),
        CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="failed_has_reason"),
        CheckConstraint("(subject_kind IS NULL) = (subject_id IS NULL)", name="subject_whole"),
        CheckConstraint("attempt BETWEEN 0 AND attempts_max", name="attempts_bounded"),
        CheckConstraint("done_units BETWEEN 0 AND total_units", name="progress_bounded"),
        Index("ix_job_waiting", "run_after", postgresql_where="state IN ('queued', 'running')"),
        Index("ix_job_subject", "subject_kind", "subject_id"),
        Index("ix_job_name_number", "name", "number"),
        # The list of mails, and of those that failed, newest first.
        Index("ix_job_mails", "created_at", "number", postgresql_where=OF_MAILS),
        Index("ix_job_mails_failed", "created_at", "number", postgresql_where=f"{OF_MAILS} AND state = 'failed'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # The order of asking; also what "in order" means for mails.
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    created_at: Mapped[datetime]
    name: Mapped[str]
    queue: Mapped[str]
    args: Mapped[dict[str, Any]]
    state: Mapped[str]
    attempt: Mapped[int]
    attempts_max: Mapped[int]
    seconds_max: Mapped[int]
    # Raised by every claim, retry and cancellation: whoever holds an older one may no longer finish.
    token: Mapped[int] = mapped_column(BigInteger)
    run_after: Mapped[datetime]
    rung_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    # What it needs is away for everybody (the mail server): nothing later in its queue overtakes it.
    holds_queue: Mapped[bool]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    requested_by: Mapped[UUID | None] = mapped_column(index=True)
    act_id: Mapped[UUID] = mapped_column(points_to("act.id"))
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    unique_key: Mapped[str | None] = mapped_column(unique=True)
    done_units: Mapped[int]
    total_units: Mapped[int]
    note: Mapped[str | None]
    error: Mapped[str | None]
    error_detail: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ProcessBeat(Base):
    """When each long-running process was last seen; machinery."""

    __tablename__ = "process_beat"
    __audited__ = False

    name: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


job = cast(Table, Job.__table__)
process_beat = cast(Table, ProcessBeat.__table__)
database_now = func.clock_timestamp()


def coming_from(verb: str) -> list[Any]:
    return [job.c.state.in_(step(verb).sources)]


def going_to(verb: str) -> JobState:
    return step(verb).target


def ending(verb: str) -> dict[str, Any]:
    return {"state": going_to(verb), "lease_until": None, "finished_at": database_now}


def held() -> Any:
    """Whether an earlier job of the same queue waits for what all of them need."""
    earlier = aliased(job)
    return exists().where(
        earlier.c.queue == job.c.queue,
        earlier.c.number < job.c.number,
        earlier.c.state.in_((JobState.QUEUED, JobState.RUNNING)),
        earlier.c.holds_queue,
    )
