"""Jobs: rows written in the act that asks for them, worked later under a lease and a fencing token.

RQ is only the bell: it carries a job's id and may be lost at any time. Nothing here knows what a job does.
"""

from __future__ import annotations

import importlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID, uuid4

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, aliased, mapped_column

from grants.core import acts, encoding
from grants.core.acts import act, bookkeeping
from grants.core.db import Base, db, points_to, state_check
from grants.core.errors import Conflict, GrantsError, NotFound, Refused
from grants.core.permissions import Actor, Permission, system_actor
from grants.core.states import Machine, Transition

log = logging.getLogger(__name__)


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


MACHINE: Machine[JobState] = Machine(
    "job",
    JobState,
    JobState.QUEUED,
    (
        Transition("claim", (JobState.QUEUED,), JobState.RUNNING),
        Transition("finish", (JobState.RUNNING,), JobState.DONE),
        Transition("give_back", (JobState.RUNNING,), JobState.QUEUED),
        Transition("park", (JobState.RUNNING,), JobState.FAILED),
        Transition("retry", (JobState.FAILED, JobState.CANCELLED), JobState.QUEUED, Permission.JOB_RETRY),
        Transition("cancel", (JobState.QUEUED, JobState.RUNNING), JobState.CANCELLED, Permission.JOB_CANCEL),
    ),
)


class Asker(StrEnum):
    """Whose rights a job has: those of the person whose act asked for it, or the program's own.

    What must follow from an act whoever did it (the reports a signed grant owes) is the program's:
    it happens also when that person's account is closed a moment later.
    """

    PERSON = "person"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How the jobs of one queue are treated: how often and how long they are tried, and whether order matters."""

    attempts_max: int
    seconds_max: int
    pause_first: timedelta
    pause_longest: timedelta

    def pause(self, attempt: int) -> timedelta:
        """How long to wait after attempt number ``attempt`` failed; doubles each time.

        >>> QUEUES["default"].pause(3)
        datetime.timedelta(seconds=20)
        """
        return min(self.pause_longest, self.pause_first * 2 ** min(attempt - 1, 30))


# A mail waits for its server for about four days: seven attempts in the first hour, then hourly.
QUEUES: Mapping[str, QueueRules] = {
    "default": QueueRules(5, 600, timedelta(seconds=5), timedelta(minutes=10)),
    "mail": QueueRules(100, 120, timedelta(seconds=30), timedelta(hours=1)),
    "reports": QueueRules(3, 1_800, timedelta(seconds=10), timedelta(minutes=10)),
}
# The queue of a job whose asker names none, by the module its function lives in.
QUEUE_OF_MODULE = {"mail": "mail", "documents": "reports", "financial_reports": "reports", "checks": "reports"}

# An error nobody foresaw parks its job after so many attempts, whatever its queue allows.
FAULTS_MAX = 5
LEASE = timedelta(seconds=30)
# A row rung this long ago and still waiting is rung again, unless the bell still holds it (Valkey was flushed).
RING_AGAIN_AFTER = timedelta(seconds=30)
SWEEP_ROWS_MAX = 2_000
# After the queue server did not answer, acts of this process leave the ringing to the sweeper for so long.
BELL_REST_SECONDS = 10
PROGRESS_SECONDS_MIN = 0.3
NAME = re.compile(r"jobs\.[a-z_]+\.[a-z_]+")
WORK = "jobs.worker.run"


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


_job = cast(Table, Job.__table__)
_beat = cast(Table, ProcessBeat.__table__)
_database_now = func.clock_timestamp()


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
        return tuple(verb for verb in MACHINE.allowed(self.state) if _step(verb).needs is not None)

    @property
    def percent(self) -> int:
        """How far it is, in whole percent; 0 where it does not say."""
        return 100 * self.done // self.total if self.total else 0


# ---------------------------------------------------------------------------------------------- asking for work


@dataclass(slots=True)
class Bell:
    """The jobs of one act, rung together after its commit; ``core.acts`` calls :meth:`ring`."""

    waiting: list[tuple[UUID, str, int]] = field(default_factory=list)

    def ring(self) -> None:
        """Tell RQ. A queue server that is away is no error: the sweeper rings later."""
        state = current_app.extensions.setdefault("bell_rests_until", {"until": 0.0})
        if not self.waiting or not current_app.config["REDIS_URL"] or time.monotonic() < state["until"]:
            return
        try:
            ring(self.waiting)
        except (RedisError, DBAPIError) as error:
            state["until"] = time.monotonic() + BELL_REST_SECONDS
            log.warning("jobs were not rung (%s); the sweeper will ring them", type(error).__name__)


def queue(
    name: str,
    *,
    queue: str | None = None,
    subject: tuple[str, UUID] | None = None,
    unique: str | None = None,
    after: datetime | None = None,
    asker: Asker = Asker.PERSON,
    **args: Any,
) -> UUID:
    """Ask, inside an act, for ``name`` (``jobs.module.function``) to be run with ``args`` once the act is committed.

    ``args`` are primitives; a UUID or a date is written as its text. ``unique`` names the work: the
    same key again gives the job that is already there. ``queue`` is chosen by the module where it is not named.
    """
    running = acts.running_act()
    assert NAME.fullmatch(name), f"{name} is not of the form jobs.module.function"
    line = queue or QUEUE_OF_MODULE.get(name.split(".")[1], "default")
    rules = QUEUES[line]
    job_id = uuid4()
    values = {
        "id": job_id,
        "created_at": running.moment,
        "name": name,
        "queue": line,
        "args": _primitives(args),
        "state": MACHINE.initial,
        "attempt": 0,
        "attempts_max": rules.attempts_max,
        "seconds_max": rules.seconds_max,
        "token": 0,
        "run_after": after or _database_now,
        "holds_queue": False,
        "requested_by": running.actor.user_id if asker is Asker.PERSON else None,
        "act_id": running.id,
        "subject_kind": subject[0] if subject else None,
        "subject_id": subject[1] if subject else None,
        "unique_key": unique,
        "done_units": 0,
        "total_units": 0,
    }
    insertion = upsert(_job).values(**values).on_conflict_do_nothing(index_elements=["unique_key"])
    made = acts.core_write(insertion.returning(_job.c.id)).scalar_one_or_none()
    if made is None:
        return db.session.execute(select(_job.c.id).where(_job.c.unique_key == unique)).scalar_one()
    if after is None:
        _bell(running).waiting.append((job_id, line, rules.seconds_max))
    return job_id


def _bell(running: acts.Running) -> Bell:
    found = next((item for item in running.jobs if isinstance(item, Bell)), None)
    if found is None:
        found = Bell()
        running.jobs.append(found)
    return found


def _primitives(args: Mapping[str, Any]) -> dict[str, Any]:
    found = encoding.encode(dict(args))
    _refuse_others(found)
    return dict(found)


def _refuse_others(value: Any) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case list() | tuple():
            for item in value:
                _refuse_others(item)
        case dict():
            for key, item in value.items():
                assert isinstance(key, str), f"{key!r} is not text"
                _refuse_others(item)
        case _:
            raise TypeError(f"a job takes primitives, not {type(value).__name__}")


@act("job.retry", needs=Permission.JOB_RETRY)
def retry(actor: Actor, job_id: UUID) -> None:
    """Let a parked or cancelled job start again from its first attempt."""
    row = _locked(job_id)
    acts.subject("job", job_id)
    values = {
        "state": MACHINE.target(JobState(row.state), "retry"),
        "attempt": 0,
        "token": row.token + 1,
        "run_after": _database_now,
        "rung_at": None,
        "finished_at": None,
        "holds_queue": False,
    }
    acts.core_write(update(_job).where(_job.c.id == job_id).values(**values))
    _bell(acts.running_act()).waiting.append((job_id, row.queue, row.seconds_max))


@act("job.cancel", needs=Permission.JOB_CANCEL)
def cancel(actor: Actor, job_id: UUID, reason: str) -> None:
    """Give up a job that waits or runs; what a running one still does is refused by its token."""
    row = _locked(job_id)
    acts.subject("job", job_id)
    acts.reason(reason)
    values = {
        "state": MACHINE.target(JobState(row.state), "cancel"),
        "token": row.token + 1,
        "lease_until": None,
        "finished_at": _database_now,
        "error": f"Cancelled by {actor.name}: {reason}" if reason else f"Cancelled by {actor.name}.",
        "holds_queue": False,
    }
    acts.core_write(update(_job).where(_job.c.id == job_id).values(**values))


@act("job.plan", needs=Permission.JOB_RETRY)
def plan(actor: Actor, names: tuple[str, ...], key: str) -> tuple[UUID, ...]:
    """Ask for jobs without arguments, each once under ``key``: the schedule's nightly checks."""
    return tuple(queue(name, unique=f"{key} {name}") for name in names)


def _locked(job_id: UUID) -> Any:
    row = db.session.execute(select(_job).where(_job.c.id == job_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row


# ---------------------------------------------------------------------------------------------- inside a job


class Superseded(Refused):
    """This attempt no longer owns its job: a newer one does, or it was cancelled. Nothing of it is kept."""


class TryLater(Exception):
    """Not now: the job is tried again after a pause. ``str()`` is a sentence."""


class Unavailable(TryLater):
    """What the job needs is away for everybody (the mail server); its queue waits behind it."""


ActorOf = Callable[[UUID], Actor]


@dataclass(slots=True)
class Attempt:
    """One claimed try at a job."""

    id: UUID
    name: str
    queue: str
    args: Mapping[str, Any]
    token: int
    attempt: int
    attempts_max: int
    seconds_max: int
    created_at: datetime
    requested_by: UUID | None
    subject: tuple[str, UUID] | None
    actor_of: ActorOf
    said_at: float = 0.0


_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def this() -> Attempt:
    """The attempt in progress; a programmer's error outside a job."""
    attempt = _attempt.get()
    if attempt is None:
        raise RuntimeError("This belongs inside a job.")
    return attempt


def actor(*permissions: Permission) -> Actor:
    """Who the job's act is done by: the person who asked, with the rights they hold now.

    Where nobody asked (a nightly check), the program itself with exactly ``permissions``.
    """
    attempt = this()
    if attempt.requested_by is None:
        return system_actor("the program", permissions)
    return attempt.actor_of(attempt.requested_by)


def progress(done: int, total: int, note: str | None = None) -> None:
    """Say how far the job is, visible at once although its act is not committed. Outside a job it does nothing.

    Raises :class:`Superseded` when the job is no longer this attempt's.
    """
    attempt = _attempt.get()
    if attempt is None:
        return
    if done < total and time.monotonic() - attempt.said_at < PROGRESS_SECONDS_MIN:
        return
    attempt.said_at = time.monotonic()
    with bookkeeping() as books:
        mine = books.execute(
            update(_job).where(*_owned(attempt)).values(done_units=min(done, total), total_units=total, note=note)
        )
    if not mine:
        raise Superseded("This job was taken over or cancelled; this attempt stops.")


# ---------------------------------------------------------------------------------------------- working


def work(job_id: UUID, *, actor_of: ActorOf, worker: str, lease: timedelta = LEASE) -> JobState | None:
    """Claim a job, run it, write down how it ended; None when it is not to be had (done, taken, too early)."""
    attempt = claim(job_id, actor_of=actor_of, worker=worker, lease=lease)
    if attempt is None:
        return None
    try:
        with _in_progress(attempt), _heart(attempt, lease):
            value = _function(attempt.name)(**attempt.args)
    except Superseded as error:
        log.warning("job %s %s: %s", attempt.name, job_id, error)
        return None
    except Unavailable as error:
        return _try_later(attempt, str(error), None, holds_queue=True)
    except TryLater as error:
        return _try_later(attempt, str(error), None, holds_queue=False)
    except Conflict as error:
        return _try_later(attempt, str(error), "Conflict", holds_queue=False)
    except GrantsError as error:
        # A rule says no; it will say no again.
        return _park(attempt, str(error), type(error).__name__)
    except Exception as error:
        log.exception("job %s %s failed", attempt.name, job_id)
        line = f"{type(error).__name__}: {error}".splitlines()[0][:500]
        # A fault of ours does not heal by waiting for days, as a mail server's does.
        if attempt.attempt >= FAULTS_MAX:
            return _park(attempt, f"{_FAILED_SENTENCE} It was tried {attempt.attempt} times.", line)
        return _try_later(attempt, _FAILED_SENTENCE, line, holds_queue=False)
    return _finish(attempt, value)


_FAILED_SENTENCE = "The program failed while doing this. Your administrator sees why, and can start it again."


def claim(job_id: UUID, *, actor_of: ActorOf, worker: str, lease: timedelta = LEASE) -> Attempt | None:
    """Take a job if it is due and nobody has it: one conditional update by the database's clock."""
    statement = (
        update(_job)
        .where(_job.c.id == job_id, *_from("claim"), _job.c.run_after <= _database_now, ~_held())
        .values(
            state=_to("claim"),
            attempt=_job.c.attempt + 1,
            token=_job.c.token + 1,
            lease_until=_database_now + lease,
            started_at=_database_now,
            worker=worker,
            done_units=0,
            total_units=0,
            note=None,
        )
        .returning(_job)
    )
    with bookkeeping() as books:
        found = books.rows(statement)
        if not found:
            # Too early, or behind a mail that waits for its server: the sweeper rings when the time has come.
            books.execute(update(_job).where(_job.c.id == job_id, *_from("claim")).values(rung_at=None))
            return None
    row = found[0]
    return Attempt(
        id=row.id,
        name=row.name,
        queue=row.queue,
        args=row.args,
        token=row.token,
        attempt=row.attempt,
        attempts_max=row.attempts_max,
        seconds_max=row.seconds_max,
        created_at=row.created_at,
        requested_by=row.requested_by,
        subject=(row.subject_kind, row.subject_id) if row.subject_kind else None,
        actor_of=actor_of,
    )


def _step(verb: str) -> Transition[JobState]:
    return next(step for step in MACHINE.transitions if step.verb == verb)


def _from(verb: str) -> list[Any]:
    return [_job.c.state.in_(_step(verb).sources)]


def _to(verb: str) -> JobState:
    return _step(verb).target


def _owned(attempt: Attempt) -> list[Any]:
    return [_job.c.id == attempt.id, _job.c.token == attempt.token, *_from("finish")]


def _held() -> Any:
    """Whether an earlier job of the same queue waits for what all of them need."""
    earlier = aliased(_job)
    return exists().where(
        earlier.c.queue == _job.c.queue,
        earlier.c.number < _job.c.number,
        earlier.c.state.in_((JobState.QUEUED, JobState.RUNNING)),
        earlier.c.holds_queue,
    )


@contextmanager
def _in_progress(attempt: Attempt) -> Iterator[None]:
    """Everything an act inside the job needs to know: which job, and the fence that ends it."""
    tokens = (_attempt.set(attempt), acts.current_job.set(attempt.id), acts.fence.set(lambda: _close(attempt)))
    try:
        yield
    finally:
        acts.fence.reset(tokens[2])
        acts.current_job.reset(tokens[1])
        _attempt.reset(tokens[0])
        db.session.rollback()


def _close(attempt: Attempt) -> None:
    """Done in the same act as the effect; a newer token, or a cancellation, refuses the whole act."""
    done = update(_job).where(*_owned(attempt)).values(**_ending("finish")).returning(_job.c.id)
    if acts.core_write(done).scalar_one_or_none() is None:
        raise Superseded(
            f"Attempt {attempt.attempt} of this job is no longer the current one; what it did is not kept."
        )


def _ending(verb: str) -> dict[str, Any]:
    return {"state": _to(verb), "lease_until": None, "finished_at": _database_now}


def _function(name: str) -> Callable[..., Any]:
    """The function of that name; only those of the package ``jobs`` can be named."""
    assert NAME.fullmatch(name), f"{name} is not of the form jobs.module.function"
    module, _, function = name.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


@contextmanager
def _heart(attempt: Attempt, lease: timedelta) -> Iterator[None]:
    """Renew the lease from a thread, for as long as the job may take and a little more."""
    stop = threading.Event()
    app = cast(Flask, cast(Any, current_app)._get_current_object())
    ends_at = time.monotonic() + attempt.seconds_max + lease.total_seconds()

    def beat() -> None:
        while not stop.wait(lease.total_seconds() / 3) and time.monotonic() < ends_at:
            try:
                with app.app_context(), bookkeeping() as books:
                    renewed = update(_job).where(*_owned(attempt)).values(lease_until=_database_now + lease)
                    if not books.execute(renewed):
                        return
            except DBAPIError as error:
                log.warning("a lease was not renewed: %s", type(error).__name__)

    thread = threading.Thread(target=beat, name=f"lease of {attempt.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _finish(attempt: Attempt, value: Any) -> JobState:
    """Keep the result; set done where no act of the job did so already."""
    result = {"note": value} if isinstance(value, str) else encoding.encode(value)
    with bookkeeping() as books:
        mine = [_job.c.id == attempt.id, _job.c.token == attempt.token]
        books.execute(update(_job).where(*mine, *_from("finish")).values(**_ending("finish")))
        kept = {"result": result, "error": None, "error_detail": None, "done_units": _job.c.total_units}
        if not books.execute(update(_job).where(*mine, _job.c.state == JobState.DONE).values(**kept)):
            log.warning("job %s %s was taken over before it finished", attempt.name, attempt.id)
    return JobState.DONE


def _try_later(attempt: Attempt, sentence: str, detail: str | None, *, holds_queue: bool) -> JobState:
    """Back into the queue after a pause, or parked when it was tried often enough."""
    if attempt.attempt >= attempt.attempts_max:
        return _park(attempt, f"{sentence} It was tried {attempt.attempt} times.", detail)
    values = {
        "state": _to("give_back"),
        "lease_until": None,
        "rung_at": None,
        "run_after": _database_now + QUEUES[attempt.queue].pause(attempt.attempt),
        "holds_queue": holds_queue,
        "error": sentence,
        "error_detail": detail,
    }
    with bookkeeping() as books:
        books.execute(update(_job).where(*_owned(attempt)).values(**values))
    return JobState.QUEUED


def _park(attempt: Attempt, sentence: str, detail: str | None) -> JobState:
    values = {**_ending("park"), "error": sentence, "error_detail": detail}
    with bookkeeping() as books:
        books.execute(update(_job).where(*_owned(attempt)).values(**values))
    log.error("job %s %s is parked: %s", attempt.name, attempt.id, detail or sentence)
    return JobState.FAILED


def give_back(worker: str) -> int:
    """Put back at once what a worker held whose process is known to have ended; returns how many."""
    with bookkeeping() as books:
        return len(_back(books, [_job.c.worker == worker], "The process that worked on this was stopped."))


def _back(books: acts.Books, which: list[Any], sentence: str) -> list[Any]:
    """Running rows back to the queue, or parked where the last attempt is used up."""
    last = _job.c.attempt >= _job.c.attempts_max
    statement = (
        update(_job)
        .where(*_from("give_back"), *which)
        .values(
            state=case((last, _to("park").value), else_=_to("give_back").value),
            finished_at=case((last, _database_now), else_=None),
            lease_until=None,
            rung_at=None,
            run_after=_database_now,
            error=sentence,
            error_detail=None,
        )
        .returning(_job.c.id)
    )
    return books.scalars(statement)


def work_off(*, actor_of: ActorOf, rounds_max: int = 10_000) -> int:
    """Run everything that is due in this process, oldest first, until nothing is: for the demo and for tests."""
    for done in range(rounds_max):
        db.session.rollback()
        due = (
            select(_job.c.id)
            .where(*_from("claim"), _job.c.run_after <= _database_now, ~_held())
            .order_by(_job.c.number)
            .limit(1)
        )
        job_id = db.session.execute(due).scalar_one_or_none()
        db.session.rollback()
        if job_id is None:
            return done
        work(job_id, actor_of=actor_of, worker="here")
    raise RuntimeError(f"jobs were still due after {rounds_max} were worked")


# ---------------------------------------------------------------------------------------------- sweeping and ringing


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one pass did: leases found lapsed, jobs rung."""

    lapsed: int
    rung: int


def sweep(*, ring_again_after: timedelta = RING_AGAIN_AFTER) -> Sweep:
    """Put back what has a lapsed lease, and ring what was never rung or whose ring was lost."""
    with bookkeeping() as books:
        lapsed = _back(books, [_job.c.lease_until < _database_now], "The worker was stopped in the middle of this job.")
    if not current_app.config["REDIS_URL"]:
        return Sweep(len(lapsed), 0)
    silent = or_(_job.c.rung_at.is_(None), _job.c.rung_at < _database_now - ring_again_after)
    due = (
        select(_job.c.id, _job.c.queue, _job.c.seconds_max, _job.c.rung_at)
        .where(*_from("claim"), _job.c.run_after <= _database_now, silent, ~_held())
        .order_by(_job.c.number)
        .limit(SWEEP_ROWS_MAX)
    )
    with bookkeeping() as books:
        rows = books.rows(due)
    # Rung long ago but still in line means only that the line is long.
    in_line = _in_line() if any(row.rung_at for row in rows) else frozenset()
    waiting = [(row.id, row.queue, row.seconds_max) for row in rows if str(row.id) not in in_line]
    ring(waiting)
    return Sweep(len(lapsed), len(waiting))


def ring(waiting: Sequence[tuple[UUID, str, int]]) -> None:
    """Put the ids into RQ's lists, in order, and note the time; raises :class:`RedisError` when the server is away."""
    if not waiting:
        return
    server = queue_server()
    with server.pipeline() as pipeline:
        for name in QUEUES:
            # An id of its own for each ring: a second ring never meets the traces of the first.
            notices = [
                Queue.prepare_data(
                    WORK, args=(str(job_id),), timeout=seconds, result_ttl=0, failure_ttl=600,
                    job_id=f"{job_id}-{uuid4().hex[:8]}",
                )
                for job_id, line, seconds in waiting
                if line == name
            ]  # fmt: skip
            if notices:
                line_of_rq(name, server).enqueue_many(notices, pipeline=pipeline)
        pipeline.execute()
    with bookkeeping() as books:
        ids = [job_id for job_id, _, _ in waiting]
        books.execute(update(_job).where(_job.c.id.in_(ids), *_from("claim")).values(rung_at=_database_now))


def _in_line() -> frozenset[str]:
    server = queue_server()
    return frozenset(notice[:36] for name in QUEUES for notice in line_of_rq(name, server).get_job_ids())


def line_of_rq(name: str, server: Redis) -> Queue:
    """RQ's queue of that name; ids travel as JSON, never as pickles."""
    return Queue(name, connection=server, serializer=JSONSerializer)


def queue_server() -> Redis:
    """The queue server of this app; connects when first used."""
    found: Redis | None = current_app.extensions.get("queue_server")
    if found is None:
        found = connected(current_app.config["REDIS_URL"])
        current_app.extensions["queue_server"] = found
    return found


def connected(url: str) -> Redis:
    """A client of the queue server that fails quickly: nobody who saves a form waits for a bell.

    One retry without a pause, for a connection that a restarted server has dropped; the library's
    own habit is to wait for seconds between several.
    """
    return Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5, retry=Retry(NoBackoff(), 1))


def beat(process: str) -> None:
    """Note that a long-running process is alive."""
    with bookkeeping() as books:
        seen = upsert(_beat).values(name=process, seen_at=_database_now)
        books.execute(seen.on_conflict_do_update(index_elements=["name"], set_={"seen_at": _database_now}))


# ---------------------------------------------------------------------------------------------- reading


def view(job_id: UUID) -> JobView:
    """One job; raises :class:`NotFound`. The stage that shows it has checked who may see its subject."""
    row = db.session.execute(select(_job).where(_job.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row)


def latest(subject: tuple[str, UUID], name: str | None = None) -> JobView | None:
    """The newest job about a thing (and of one name), or None."""
    statement = select(_job).where(_job.c.subject_kind == subject[0], _job.c.subject_id == subject[1])
    if name is not None:
        statement = statement.where(_job.c.name == name)
    row = db.session.execute(statement.order_by(_job.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _view(row)


def by_key(unique: str) -> JobView | None:
    """The job of that unique key, or None."""
    row = db.session.execute(select(_job).where(_job.c.unique_key == unique)).one_or_none()
    return None if row is None else _view(row)


def page(
    actor: Actor, *, state: JobState | None = None, after: str | None = None, size: int = 50
) -> tuple[JobView, ...]:
    """Jobs for the administrator's page, newest first: at most ``size + 1`` after the one of number ``after``."""
    if not actor.everywhere(Permission.JOB_READ):
        return ()
    statement = select(_job).order_by(_job.c.number.desc()).limit(size + 1)
    if state is not None:
        statement = statement.where(_job.c.state == state)
    if after is not None and after.isascii() and after.isdigit() and len(after) < 19:
        statement = statement.where(_job.c.number < int(after))
    return tuple(_view(row) for row in db.session.execute(statement))


def by_number(actor: Actor, number: int) -> JobView:
    """The job of that number, for the administrator's page; raises :class:`NotFound`."""
    row = db.session.execute(select(_job).where(_job.c.number == number)).one_or_none()
    if row is None or not actor.everywhere(Permission.JOB_READ):
        raise NotFound
    return _view(row)


def counts() -> dict[JobState, int]:
    """How many jobs stand in each state, every state named."""
    rows = db.session.execute(select(_job.c.state, func.count()).group_by(_job.c.state)).all()
    found = {JobState(state): number for state, number in rows}
    return {state: found.get(state, 0) for state in JobState}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What /readyz and the doctor say: how long the oldest due job waits unrung, and when each process was last seen."""

    unrung: int
    oldest_unrung_seconds: int
    overdue_leases: int
    beats: Mapping[str, int]


def waiting() -> Waiting:
    """How the machinery stands, by the database's clock."""
    silent = and_(_job.c.state == JobState.QUEUED, _job.c.rung_at.is_(None), _job.c.run_after <= _database_now)
    age = func.extract("epoch", _database_now - func.min(_job.c.run_after).filter(silent))
    lapsed = and_(_job.c.state == JobState.RUNNING, _job.c.lease_until < _database_now)
    row = db.session.execute(
        select(func.count().filter(silent), age, func.count().filter(lapsed)).select_from(_job)
    ).one()
    seen = func.extract("epoch", _database_now - ProcessBeat.seen_at)
    beats = db.session.execute(select(ProcessBeat.name, seen).order_by(ProcessBeat.name)).all()
    return Waiting(row[0], int(row[1] or 0), row[2], {name: int(seconds) for name, seconds in beats})


def _view(row: Any) -> JobView:
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
        note=(row.result or {}).get("note") or row.note,
        error=row.error,
        error_detail=row.error_detail,
        created_at=row.created_at,
        run_after=row.run_after,
        started_at=row.started_at,
        finished_at=row.finished_at,
        requested_by=row.requested_by,
        subject=(row.subject_kind, row.subject_id) if row.subject_kind else None,
        result=row.result,
    )
