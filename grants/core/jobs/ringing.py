"""RQ as the bell: ids put into its lists; losing all of them loses nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID, uuid4

from flask import current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from grants.core.acts import bookkeeping
from grants.core.jobs.models import coming_from, database_now, job
from grants.core.jobs.rules import BELL_REST_SECONDS, QUEUES, WORK

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        books.execute(update(job).where(job.c.id.in_(ids), *coming_from("claim")).values(rung_at=database_now))


def ids_in_line() -> frozenset[str]:
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


def spared(ask: Callable[[Redis], T]) -> T | None:
    """What the queue server answers where a page can do without; None where there is none, or it is away.

    Once it did not answer it is left alone for a while: no page waits for it again and again.
    """
    state = current_app.extensions.setdefault("queue_server_rests_until", {"until": 0.0})
    if not current_app.config["REDIS_URL"] or time.monotonic() < state["until"]:
        return None
    try:
        return ask(queue_server())
    except RedisError as error:
        state["until"] = time.monotonic() + BELL_REST_SECONDS
        log.info("pages do without the queue server for a while: %s", type(error).__name__)
        return None


def connected(url: str) -> Redis:
    """A client of the queue server that fails quickly: nobody who saves a form waits for a bell.

    One retry without a pause, for a connection that a restarted server has dropped; the library's
    own habit is to wait for seconds between several.
    """
    return Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5, retry=Retry(NoBackoff(), 1))
