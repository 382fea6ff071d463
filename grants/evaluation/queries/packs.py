"""What an evaluator may take along to read, the packed file they asked for, and one application as a PDF."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from grants.applications.models import Application
from grants.core import files, jobs
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.jobs import Job, JobState, JobView
from grants.core.permissions import Actor
from grants.evaluation.models import Assignment, ReadingPack
from grants.evaluation.queries.score_sheets import my_seats
from grants.evaluation.rules import COPY_KIND, COPY_ROLE, PackView, ToRead

COPY_JOB = "jobs.documents.reading_copy"


def to_read(actor: Actor) -> tuple[ToRead, ...]:
    """The applications open to this person now, by the same condition as every page of an assessment."""
    columns = (Application.id, Application.submission_id, Application.reference, Application.title, Assignment.id)
    asked = my_seats(actor).where(Application.submission_id.is_not(None)).with_only_columns(*columns)
    # All of them: what is behind a limit would count as shut.
    rows = db.session.execute(asked.order_by(Application.reference))
    return tuple(ToRead(*row) for row in rows)


def pack(actor: Actor) -> PackView | None:
    """The packed file of this person, with whether all it holds is still open to them."""
    found = db.session.execute(
        select(ReadingPack, Job)
        .join(Job, Job.id == ReadingPack.job_id)
        .where(ReadingPack.owner_id == actor.user_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    row, job = found
    open_now = {each.reference for each in to_read(actor)}
    held, state = tuple(row.held), JobState(job.state)
    return PackView(
        id=row.id,
        asked_at=row.asked_at,
        made_at=row.made_at,
        held=held,
        still_open=set(held) <= open_now,
        missing=len(open_now - set(held)),
        running=state is JobState.RUNNING,
        failed=state in (JobState.FAILED, JobState.CANCELLED),
        done=job.done_units,
        total=job.total_units,
        note=job.note or "",
        error=job.error or "",
    )


@dataclass(frozen=True, slots=True)
class CopyView:
    """One application as a PDF, as somebody finds it who reads it: there, being made for them, or neither."""

    one: ToRead
    file: FileView | None
    job: JobView | None

    @property
    def waits(self) -> bool:
        """Whether it is being made, and the page looks again by itself."""
        return self.file is None and self.job is not None and not self.job.is_over

    @property
    def error(self) -> str:
        """Why it could not be made; empty where it was not tried, is being made, or is there."""
        return (self.job.error or "") if self.file is None and self.job is not None and self.job.is_over else ""


def copy(actor: Actor, reference: str) -> CopyView:
    """How the PDF of one application stands; raises :class:`NotFound` where it is not open to this person now."""
    one = next((each for each in to_read(actor) if each.reference == reference), None)
    if one is None:
        raise NotFound
    file = next(iter(files.listed(COPY_KIND, one.submission_id, COPY_ROLE)), None)
    return CopyView(one, file, None if file else jobs.latest((COPY_KIND, one.seat_id), COPY_JOB))
