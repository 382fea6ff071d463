"""Claiming a job, running it under its lease and its fence, writing down how it ended."""

from __future__ import annotations

import functools
import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy import ColumnElement, Interval, Select, Update, bindparam, case, or_, select, update
from sqlalchemy.exc import DBAPIError

from grants.core import acts, encoding
from grants.core.acts import bookkeeping
from grants.core.db import db
from grants.core.errors import Conflict, GrantsError, Refused
from grants.core.jobs.models import coming_from, database_now, ending, going_to, held, job
from grants.core.jobs.rules import FAULTS_MAX, LEASE, NAME, PROGRESS_SECONDS_MIN, QUEUES
from grants.core.jobs.states import JobState
from grants.core.permissions import Actor, Permission, system_actor

log = logging.getLogger(__name__)

# So many due jobs are read at once by a process that works everything off itself.
ROUND = 50


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
            update(job).where(*_owned(attempt)).values(done_units=min(done, total), total_units=total, note=note)
        )
    if not mine:
        raise Superseded("This job was taken over or cancelled; this attempt stops.")


def work(job_id: UUID, *, actor_of: ActorOf, worker: str, lease: timedelta = LEASE) -> JobState | None:
    """Claim a job, run it, write down how it ended; None when it is not to be had (done, taken, too early)."""
    attempt = claim(job_id, actor_of=actor_of, worker=worker, lease=lease)
    if attempt is None:
        return None
    try:
        with in_progress(attempt), _heart(attempt, lease):
            value = function_named(attempt.name)(**attempt.args)
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
            return _park(attempt, f"{FAILED_SENTENCE} It was tried {attempt.attempt} times.", line)
        return _try_later(attempt, FAILED_SENTENCE, line, holds_queue=False)
    return _finish(attempt, value)


FAILED_SENTENCE = "The program failed while doing this. Your administrator sees why, and can start it again."


def claim(job_id: UUID, *, actor_of: ActorOf, worker: str, lease: timedelta = LEASE) -> Attempt | None:
    """Take a job if it is due and nobody has it: one conditional update by the database's clock."""
    with bookkeeping() as books:
        found = books.rows(_claiming(), {"wanted_job": job_id, "for_so_long": lease, "by_worker": worker})
        if not found:
            # Too early, or behind a mail that waits for its server: the sweeper rings when the time has come.
            books.execute(update(job).where(job.c.id == job_id, *coming_from("claim")).values(rung_at=None))
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


# Each job asks these: put together once, as what an act ends with.


@functools.cache
def _claiming() -> Any:
    return (
        update(job)
        .where(job.c.id == bindparam("wanted_job"), *coming_from("claim"), job.c.run_after <= database_now, ~held())
        .values(
            state=going_to("claim"),
            attempt=job.c.attempt + 1,
            token=job.c.token + 1,
            lease_until=database_now + bindparam("for_so_long", type_=Interval()),
            started_at=database_now,
            worker=bindparam("by_worker"),
            done_units=0,
            total_units=0,
            note=None,
        )
        .returning(job)
    )


@functools.cache
def _closing() -> Any:
    mine = (job.c.id == bindparam("wanted_job"), job.c.token == bindparam("wanted_token"), *coming_from("finish"))
    return update(job).where(*mine).values(**ending("finish")).returning(job.c.id)


@functools.cache
def _finishing() -> Update:
    running = or_(*coming_from("finish"))
    ends = {name: case((running, value), else_=job.c[name]) for name, value in ending("finish").items()}
    kept = {"error": None, "error_detail": None, "done_units": job.c.total_units}
    mine = (
        job.c.id == bindparam("wanted_job"),
        job.c.token == bindparam("wanted_token"),
        or_(running, job.c.state == JobState.DONE),
    )
    result = bindparam("kept_result", type_=job.c.result.type)
    return update(job).where(*mine).values(**ends, **kept, result=result)


@functools.cache
def _due(of_a_moment: bool) -> Select[UUID]:
    asked: list[ColumnElement[bool]] = [job.c.queue.not_in(bindparam("but_not", expanding=True))]
    if of_a_moment:
        asked.append(job.c.created_at == bindparam("asked_at"))
    return (
        select(job.c.id)
        .where(*coming_from("claim"), job.c.run_after <= database_now, ~held(), *asked)
        .order_by(job.c.number)
        .limit(ROUND)
    )


def _owned(attempt: Attempt) -> list[Any]:
    return [job.c.id == attempt.id, job.c.token == attempt.token, *coming_from("finish")]


def _mine(attempt: Attempt) -> dict[str, Any]:
    return {"wanted_job": attempt.id, "wanted_token": attempt.token}


@contextmanager
def in_progress(attempt: Attempt) -> Iterator[None]:
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
    if acts.core_write(_closing(), _mine(attempt)).scalar_one_or_none() is None:
        raise Superseded(
            f"Attempt {attempt.attempt} of this job is no longer the current one; what it did is not kept."
        )


def function_named(name: str) -> Callable[..., Any]:
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
                    renewed = update(job).where(*_owned(attempt)).values(lease_until=database_now + lease)
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
    with bookkeeping() as books:
        if not books.execute(_finishing(), {**_mine(attempt), "kept_result": _kept_result(value)}):
            log.warning("job %s %s was taken over before it finished", attempt.name, attempt.id)
    return JobState.DONE


def _kept_result(value: Any) -> dict[str, Any] | None:
    """What a job returned, under a name: a sentence as its note, a number as its value."""
    found = encoding.encode(value)
    if found is None or isinstance(found, dict):
        return found
    return {"note" if isinstance(found, str) else "value": found}


def _try_later(attempt: Attempt, sentence: str, detail: str | None, *, holds_queue: bool) -> JobState:
    """Back into the queue after a pause, or parked when it was tried often enough."""
    if attempt.attempt >= attempt.attempts_max:
        return _park(attempt, f"{sentence} It was tried {attempt.attempt} times.", detail)
    values = {
        "state": going_to("give_back"),
        "lease_until": None,
        "rung_at": None,
        "run_after": database_now + QUEUES[attempt.queue].pause(attempt.attempt),
        "holds_queue": holds_queue,
        "error": sentence,
        "error_detail": detail,
    }
    with bookkeeping() as books:
        books.execute(update(job).where(*_owned(attempt)).values(**values))
    return JobState.QUEUED


def _park(attempt: Attempt, sentence: str, detail: str | None) -> JobState:
    values = {**ending("park"), "error": sentence, "error_detail": detail}
    with bookkeeping() as books:
        books.execute(update(job).where(*_owned(attempt)).values(**values))
    log.error("job %s %s is parked: %s", attempt.name, attempt.id, detail or sentence)
    return JobState.FAILED


def work_off(
    *, actor_of: ActorOf, asked_at: datetime | None = None, but_not: Sequence[str] = (), rounds_max: int = 10_000
) -> int:
    """Run everything that is due in this process, oldest first, until nothing is: for the demo and for tests.

    With ``asked_at`` only what was asked for at that moment of the acts' clock; nothing of the queues in ``but_not``.
    """
    done = tried = 0
    words: dict[str, Any] = {"but_not": list(but_not)}
    if asked_at is not None:
        words["asked_at"] = asked_at
    while tried < rounds_max:
        db.session.rollback()
        waiting = db.session.scalars(_due(asked_at is not None), words).all()
        db.session.rollback()
        if not waiting:
            return done
        # One of them may have shut its queue for the others of the same round.
        done += sum(work(job_id, actor_of=actor_of, worker="here") is not None for job_id in waiting)
        tried += len(waiting)
    raise RuntimeError(f"jobs were still due after {rounds_max} were worked")
