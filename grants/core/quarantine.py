"""What the virus scanner holds back: uploads it has not looked at, and those it found something in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from grants.core import jobs
from grants.core.db import db
from grants.core.files import SCAN_JOB, FileView, StoredFile, last_verdict, view_of
from grants.core.scanning import FileScan, Verdict


@dataclass(frozen=True, slots=True)
class Quarantine:
    """How many uploads there are, how many the scanner has not looked at, and since when the oldest of these waits."""

    uploads: int
    waiting: int
    oldest_waiting: datetime | None
    infected: tuple[tuple[FileView, str], ...]


def quarantine(rows_max: int = 100) -> Quarantine:
    """What is held back, the infected files with what was found in them, newest first."""
    last, verdict = aliased(FileScan), last_verdict()
    uploads, waiting, oldest = db.session.execute(
        select(
            func.count(),
            func.count().filter(verdict.is_(None)),
            func.min(StoredFile.created_at).filter(verdict.is_(None)),
        ).where(StoredFile.uploaded)
    ).one()
    newest = select(func.max(FileScan.created_at)).where(FileScan.file_id == StoredFile.id).scalar_subquery()
    rows = db.session.execute(
        select(StoredFile, last.verdict, last.signature)
        .join(last, last.file_id == StoredFile.id)
        .where(last.verdict == Verdict.INFECTED, last.created_at == newest)
        .order_by(last.created_at.desc(), StoredFile.id)
        .limit(rows_max)
    )
    found = tuple((view_of(row, said), signature or "") for row, said, signature in rows)
    return Quarantine(uploads, waiting, oldest, found)


def never_scanned(rows_max: int) -> tuple[UUID, ...]:
    """Uploads without a verdict for which no scan waits or runs: those from before a scanner was set, oldest first."""
    asked = exists().where(
        jobs.Job.subject_kind == "stored_file",
        jobs.Job.subject_id == StoredFile.id,
        jobs.Job.name == SCAN_JOB,
        jobs.Job.state.in_((jobs.JobState.QUEUED, jobs.JobState.RUNNING, jobs.JobState.FAILED)),
    )
    statement = select(StoredFile.id).where(StoredFile.uploaded, last_verdict().is_(None), ~asked)
    return tuple(db.session.scalars(statement.order_by(StoredFile.created_at).limit(rows_max)))


def oldest_wait() -> tuple[int, datetime | None]:
    """How many scans wait or run, and since when the oldest does: cheap enough to be asked every few seconds."""
    waiting = (jobs.Job.name == SCAN_JOB, jobs.Job.state.in_((jobs.JobState.QUEUED, jobs.JobState.RUNNING)))
    count, oldest = db.session.execute(select(func.count(), func.min(jobs.Job.created_at)).where(*waiting)).one()
    return count, oldest
