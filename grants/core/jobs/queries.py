"""Reading jobs: for pages, for /readyz and for the doctor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, all_, and_, case, func, literal, or_, select

from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs.models import ProcessBeat, database_now, job
from grants.core.jobs.states import MACHINE, JobState, step
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, alone, ask, both, reader


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as pages show it."""

    id: UUID
    number: int
    name: str
    queue: str
    state: JobState
    attempt: int
    attempts_max: int
    done: int
    total: int
    note: str | None
    error: str | None
    error_detail: str | None
    created_at: datetime
    run_after: datetime
    started_at: datetime | None
    finished_at: datetime | None
    requested_by: UUID | None
    subject: tuple[str, UUID] | None
    result: Mapping[str, Any] | None

    @property
    def title(self) -> str:
        """Its name in words: ``Documents: application receipt``."""
        _, module, function = self.name.split(".")
        return f"{module.capitalize()}: {function}".replace("_", " ")

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    @property
    def verbs(self) -> tuple[str, ...]:
        """What a person may do with it now: ``retry`` or ``cancel``."""
        return tuple(verb for verb in MACHINE.allowed(self.state) if step(verb).needs is not None)

    @property
    def percent(self) -> int:
        """How far it is, in whole percent; 0 where it does not say."""
        return 100 * self.done // self.total if self.total else 0


def view(job_id: UUID) -> JobView:
    """One job; raises :class:`NotFound`. The stage that shows it has checked who may see its subject."""
    row = db.session.execute(select(job).where(job.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row)


@reader
def views(job_ids: Collection[UUID] | Select[Any]) -> Asking[dict[UUID, JobView]]:
    """Many jobs in one statement, for a list whose rows each name one; the ids may come from another table."""
    if not isinstance(job_ids, Select) and not job_ids:
        return {}
    rows = yield from ask(select(job).where(job.c.id.in_(job_ids)))
    return {row.id: _view(row) for row in rows}


def latest(subject: tuple[str, UUID], name: str | None = None) -> JobView | None:
    """The newest job about a thing (and of one name), or None."""
    statement = select(job).where(job.c.subject_kind == subject[0], job.c.subject_id == subject[1])
    if name is not None:
        statement = statement.where(job.c.name == name)
    row = db.session.execute(statement.order_by(job.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _view(row)


def newest_of(subject: tuple[str, UUID], names: Collection[str]) -> dict[str, JobView]:
    """The newest job about a thing of each of these names; one statement."""
    of_these = (job.c.subject_kind == subject[0], job.c.subject_id == subject[1], job.c.name.in_(names))
    newest = select(func.max(job.c.number)).where(*of_these).group_by(job.c.name)
    statement = select(job).where(job.c.number.in_(newest))
    return {row.name: _view(row) for row in db.session.execute(statement)}


def waits_about(kind: str, ids: Collection[UUID], name: str) -> bool:
    """Whether a job of that name about one of these things is not over."""
    over = [JobState.DONE.value, JobState.FAILED.value, JobState.CANCELLED.value]
    about = (job.c.subject_kind == kind, job.c.subject_id.in_(ids), job.c.name == name)
    return db.session.scalar(select(select(job.c.id).where(*about, job.c.state.not_in(over)).exists())) is True


def last_run(name: str) -> JobView | None:
    """The newest job of that name that came to its end, well or not; None where none did yet."""
    over = [JobState.DONE.value, JobState.FAILED.value]
    statement = select(job).where(job.c.name == name, job.c.state.in_(over)).order_by(job.c.number.desc()).limit(1)
    row = db.session.execute(statement).one_or_none()
    return None if row is None else _view(row)


def put_off(name: str) -> str:
    """Why a job of that name was tried in vain and waits for its next try; empty where none does."""
    statement = (
        select(job.c.error)
        .where(job.c.name == name, job.c.state == JobState.QUEUED.value, job.c.error.is_not(None))
        .order_by(job.c.number.desc())
        .limit(1)
    )
    return db.session.scalar(statement) or ""


def went_wrong(name: str) -> str:
    """Why the newest job of that name that was tried, or that stopped, did not end well; empty where it did or none was tried.

    A job that is tried again after it failed has not ended well yet.
    """
    tried = (job.c.state == JobState.DONE.value) | job.c.error.is_not(None)
    statement = select(job.c.state, job.c.error).where(job.c.name == name, tried).order_by(job.c.number.desc()).limit(1)
    row = db.session.execute(statement).one_or_none()
    return "" if row is None or row.state == JobState.DONE.value else str(row.error)


def by_key(unique: str) -> JobView | None:
    """The job of that unique key, or None."""
    row = db.session.execute(select(job).where(job.c.unique_key == unique)).one_or_none()
    return None if row is None else _view(row)


def page(
    actor: Actor, asked: Page, *, state: JobState | None = None, kept_from: Collection[UUID] = ()
) -> Rows[JobView]:
    """Jobs for the administrator's page, newest first; a page goes on after the number of the last one.

    None about what the person is ``kept_from``, by a conflict of theirs.
    """
    if not actor.everywhere(Permission.JOB_READ):
        return Rows(())
    wanted = [*_not_about(kept_from), *(() if state is None else (job.c.state == state,))]
    counted = select(func.count()).select_from(select(job.c.id).where(*wanted).limit(COUNTED_MAX + 1).subquery())
    statement = select(job, counted.scalar_subquery().label("counted")).where(*wanted)
    statement = statement.order_by(job.c.number.desc()).limit(asked.limit)
    if (last := asked.number) is not None:
        statement = statement.where(job.c.number < last)
    found = db.session.execute(statement).all()
    total = Tally.of(found[0].counted) if found else None
    return cut([_view(row) for row in found], asked, key=lambda each: str(each.number), total=total)


def by_number(actor: Actor, number: int, kept_from: Collection[UUID] = ()) -> JobView:
    """The job of that number, for the administrator's page; raises :class:`NotFound`."""
    row = db.session.execute(select(job).where(job.c.number == number, *_not_about(kept_from))).one_or_none()
    if row is None or not actor.everywhere(Permission.JOB_READ):
        raise NotFound
    return _view(row)


def counts(kept_from: Collection[UUID] = ()) -> dict[JobState, int]:
    """How many jobs stand in each state, every state named."""
    statement = select(job.c.state, func.count()).where(*_not_about(kept_from)).group_by(job.c.state)
    found = {JobState(state): number for state, number in db.session.execute(statement)}
    return {state: found.get(state, 0) for state in JobState}


def _not_about(things: Collection[UUID]) -> list[ColumnElement[bool]]:
    if not things:
        return []
    return [or_(job.c.subject_id.is_(None), job.c.subject_id != all_(literal(sorted(things), ARRAY(Uuid))))]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What /readyz and the doctor say: how long the oldest due job waits unrung, the oldest due one at all and the oldest
    letter since it was written, and when each process was last seen."""

    unrung: int
    oldest_unrung_seconds: int
    overdue_leases: int
    oldest_due_seconds: int
    oldest_mail_seconds: int
    beats: Mapping[str, int]


def waiting() -> Waiting:
    """How the machinery stands, by the database's clock."""
    silent = and_(job.c.state == JobState.QUEUED, job.c.rung_at.is_(None), job.c.run_after <= database_now)
    age = func.extract("epoch", database_now - func.min(job.c.run_after).filter(silent))
    lapsed = and_(job.c.state == JobState.RUNNING, job.c.lease_until < database_now)
    due = and_(job.c.state == JobState.QUEUED, job.c.run_after <= database_now)
    due_age = func.extract("epoch", database_now - func.min(job.c.run_after).filter(due))
    # A letter that its server refuses is due again and again; what counts is since when somebody waits for it. One that
    # was not tried yet waits since it was handed over: what it is dated may lie years back, as with those of the demo.
    untried = job.c.attempt == 0
    letter = and_(job.c.state == JobState.QUEUED, job.c.queue == "mail", or_(~untried, job.c.run_after <= database_now))
    waits_since = case((untried, job.c.run_after), else_=job.c.created_at)
    letter_age = func.extract("epoch", database_now - func.min(waits_since).filter(letter))
    seen = func.extract("epoch", database_now - ProcessBeat.seen_at)
    (row,), beats = alone(
        both(
            ask(
                select(
                    *(func.count().filter(silent), age, func.count().filter(lapsed), due_age, letter_age)
                ).select_from(job)
            ),
            ask(select(ProcessBeat.name, seen).order_by(ProcessBeat.name)),
        )
    )
    seen_seconds = {name: int(seconds) for name, seconds in beats}
    return Waiting(row[0], int(row[1] or 0), row[2], int(row[3] or 0), int(row[4] or 0), seen_seconds)


def _view(row: Any) -> JobView:
    # Numbers stand bare in rows of before they had a name.
    result = row.result if isinstance(row.result, dict) else {}
    return JobView(
        id=row.id,
        number=row.number,
        name=row.name,
        queue=row.queue,
        state=JobState(row.state),
        attempt=row.attempt,
        attempts_max=row.attempts_max,
        done=row.done_units,
        total=row.total_units,
        note=result.get("note") or row.note,
        error=row.error,
        error_detail=row.error_detail,
        created_at=row.created_at,
        run_after=row.run_after,
        started_at=row.started_at,
        finished_at=row.finished_at,
        requested_by=row.requested_by,
        subject=(row.subject_kind, row.subject_id) if row.subject_kind else None,
        result=result or None,
    )
