"""What an evaluator may take along to read, and the packed file they asked for."""

from __future__ import annotations

from sqlalchemy import select

from grants.applications.models import Application
from grants.core.db import db
from grants.core.jobs import Job, JobState
from grants.core.permissions import Actor
from grants.evaluation.models import ReadingPack
from grants.evaluation.queries.access import ROWS_MAX
from grants.evaluation.queries.score_sheets import my_seats
from grants.evaluation.rules import PackView, ToRead


def to_read(actor: Actor) -> tuple[ToRead, ...]:
    """The applications open to this person now, by the same condition as every page of an assessment."""
    columns = (Application.id, Application.submission_id, Application.reference, Application.title)
    asked = my_seats(actor).where(Application.submission_id.is_not(None)).with_only_columns(*columns)
    rows = db.session.execute(asked.order_by(Application.reference).limit(ROWS_MAX))
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
