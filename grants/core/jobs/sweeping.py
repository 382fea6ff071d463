"""What follows when a worker or the bell was lost: rows put back, and rung again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from grants.core import acts
from grants.core.acts import bookkeeping
from grants.core.jobs.models import coming_from, database_now, going_to, held, job, process_beat
from grants.core.jobs.ringing import ids_in_line, ring
from grants.core.jobs.rules import RING_AGAIN_AFTER, SWEEP_ROWS_MAX


def give_back(worker: str) -> int:
    """Put back at once what a worker held whose process is known to have ended; returns how many."""
    with bookkeeping() as books:
        return len(_back(books, [job.c.worker == worker], "The process that worked on this was stopped."))


def _back(books: acts.Books, which: list[Any], sentence: str) -> list[Any]:
    """Running rows back to the queue, or parked where the last attempt is used up."""
    last = job.c.attempt >= job.c.attempts_max
    statement = (
        update(job)
        .where(*coming_from("give_back"), *which)
        .values(
            state=case((last, going_to("park").value), else_=going_to("give_back").value),
            finished_at=case((last, database_now), else_=None),
            lease_until=None,
            rung_at=None,
            run_after=database_now,
            error=sentence,
            error_detail=None,
        )
        .returning(job.c.id)
    )
    return books.scalars(statement)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one pass did: leases found lapsed, jobs rung."""

    lapsed: int
    rung: int


def sweep(*, ring_again_after: timedelta = RING_AGAIN_AFTER) -> Sweep:
    """Put back what has a lapsed lease, and ring what was never rung or whose ring was lost."""
    with bookkeeping() as books:
        lapsed = _back(books, [job.c.lease_until < database_now], "The worker was stopped in the middle of this job.")
    if not current_app.config["REDIS_URL"]:
        return Sweep(len(lapsed), 0)
    silent = or_(job.c.rung_at.is_(None), job.c.rung_at < database_now - ring_again_after)
    due = (
        select(job.c.id, job.c.queue, job.c.seconds_max, job.c.rung_at)
        .where(*coming_from("claim"), job.c.run_after <= database_now, silent, ~held())
        .order_by(job.c.number)
        .limit(SWEEP_ROWS_MAX)
    )
    with bookkeeping() as books:
        rows = books.rows(due)
    # Rung long ago but still in line means only that the line is long.
    in_line = ids_in_line() if any(row.rung_at for row in rows) else frozenset()
    waiting = [(row.id, row.queue, row.seconds_max) for row in rows if str(row.id) not in in_line]
    ring(waiting)
    return Sweep(len(lapsed), len(waiting))


def beat(process: str) -> None:
    """Note that a long-running process is alive."""
    with bookkeeping() as books:
        seen = upsert(process_beat).values(name=process, seen_at=database_now)
        books.execute(seen.on_conflict_do_update(index_elements=["name"], set_={"seen_at": database_now}))
