"""Asking for work inside an act, and starting again or cancelling what stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from grants.core import acts, encoding
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs.models import database_now, job
from grants.core.jobs.ringing import Bell
from grants.core.jobs.rules import NAME, QUEUE_OF_MODULE, QUEUES, Asker
from grants.core.jobs.states import MACHINE, JobState
from grants.core.permissions import NOWHERE, Actor, Permission, Scope


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
    line = queue or _line(name)
    values = _values(running, name, line, args, subject=subject, asker=asker)
    values |= {"run_after": after or database_now, "unique_key": unique}
    job_id: UUID = values["id"]
    insertion = upsert(job).values(**values).on_conflict_do_nothing(index_elements=["unique_key"])
    made = acts.core_write(insertion.returning(job.c.id)).scalar_one_or_none()
    if made is None:
        return db.session.execute(select(job.c.id).where(job.c.unique_key == unique)).scalar_one()
    if after is None:
        _bell(running).waiting.append((job_id, line, QUEUES[line].seconds_max))
    return job_id


def queue_many(name: str, asked: Sequence[tuple[tuple[str, UUID], Mapping[str, Any]]]) -> None:
    """The same for many subjects, each with what it is run with, at one statement: a thousand letters of one act."""
    if not asked:
        return
    running, line = acts.running_act(), _line(name)
    rows = [_values(running, name, line, args, subject=subject) for subject, args in asked]
    acts.core_write(insert(job).values(run_after=database_now), rows)
    _bell(running).waiting.extend((row["id"], line, QUEUES[line].seconds_max) for row in rows)


def _line(name: str) -> str:
    """The queue of a job, by its module."""
    return QUEUE_OF_MODULE.get(name.split(".")[1], "default")


def _values(
    running: acts.Running,
    name: str,
    line: str,
    args: Mapping[str, Any],
    *,
    subject: tuple[str, UUID] | None,
    asker: Asker = Asker.PERSON,
) -> dict[str, Any]:
    assert NAME.fullmatch(name), f"{name} is not of the form jobs.module.function"
    rules = QUEUES[line]
    return {
        "id": uuid4(),
        "created_at": running.moment,
        "name": name,
        "queue": line,
        "args": _primitives(args),
        "state": MACHINE.initial,
        "attempt": 0,
        "attempts_max": rules.attempts_max,
        "seconds_max": rules.seconds_max,
        "token": 0,
        "holds_queue": False,
        "requested_by": running.actor.user_id if asker is Asker.PERSON else None,
        "act_id": running.id,
        "subject_kind": subject[0] if subject else None,
        "subject_id": subject[1] if subject else None,
        "done_units": 0,
        "total_units": 0,
    }


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


def scope_of(job_id: UUID) -> Scope:
    """A job lies in what it is about: whom a conflict keeps from that does nothing with it. It is locked."""
    row = _locked(job_id)
    return Scope.of((row.subject_kind, row.subject_id)) if row.subject_kind else NOWHERE


@act("job.retry", needs=Permission.JOB_RETRY, scope=scope_of, says="started a parked job again")
def retry(actor: Actor, job_id: UUID) -> None:
    """Let a parked or cancelled job start again from its first attempt."""
    acts.subject("job", job_id)
    start_again(job_id)


def start_again(job_id: UUID) -> None:
    """The same inside the act of a stage that owns the job's subject and says who may."""
    row = _locked(job_id)
    values = {
        "state": MACHINE.target(JobState(row.state), "retry"),
        "attempt": 0,
        "token": row.token + 1,
        "run_after": database_now,
        "rung_at": None,
        "finished_at": None,
        "holds_queue": False,
    }
    acts.core_write(update(job).where(job.c.id == job_id).values(**values))
    _bell(acts.running_act()).waiting.append((job_id, row.queue, row.seconds_max))


@act("job.cancel", needs=Permission.JOB_CANCEL, scope=scope_of, says="cancelled a job")
def cancel(actor: Actor, job_id: UUID, reason: str) -> None:
    """Cancel a job that waits or runs; what a running one still does is refused by its token."""
    acts.subject("job", job_id)
    acts.reason(reason)
    give_up(job_id, f"Cancelled by {actor.name}: {reason}" if reason else f"Cancelled by {actor.name}.")


def give_up(job_id: UUID, sentence: str) -> None:
    """The same inside the act of a stage that owns the job's subject and says who may."""
    row = _locked(job_id)
    values = {
        "state": MACHINE.target(JobState(row.state), "cancel"),
        "token": row.token + 1,
        "lease_until": None,
        "finished_at": database_now,
        "error": sentence,
        "holds_queue": False,
    }
    acts.core_write(update(job).where(job.c.id == job_id).values(**values))


@act("job.plan", needs=Permission.JOB_RETRY, says="asked for the checks of the night")
def plan(actor: Actor, names: tuple[str, ...], key: str) -> tuple[UUID, ...]:
    """Ask for jobs without arguments, each once under ``key``: the schedule's nightly checks."""
    return tuple(queue(name, unique=f"{key} {name}") for name in names)


def _locked(job_id: UUID) -> Any:
    row = db.session.execute(select(job).where(job.c.id == job_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row
