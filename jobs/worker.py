"""The worker, ``python -m jobs.worker``: RQ rings with a job's id, a forked child claims the row and does the work."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from datetime import timedelta
from types import FrameType
from typing import Any
from uuid import UUID

from flask import Flask
from redis.exceptions import RedisError
from rq import Worker
from rq.serializers import JSONSerializer

from config import BadSettings, Config
from grants.app import create_app, keep_out_of_collection
from grants.core import filling, home, jobs
from grants.core.db import db
from grants.identity.queries import actor_for
from jobs.queues import ORDER

log = logging.getLogger(__name__)

# After SIGTERM a running job may go on for so long; then it is stopped and given back.
GRACE_SECONDS = 8.0
# Between two looks for a queue server that is away.
AGAIN_SECONDS = 0.5

# Set by main() before the first fork: children inherit the whole program, ready.
_app: Flask | None = None
_lease = jobs.LEASE


def run(job_id: str) -> None:
    """What RQ calls in the forked child: claim the row of that id and work it. A stale ring does nothing."""
    assert _app is not None, "jobs.worker.run belongs into a worker"
    if filling.read(home.folder_of(_app.config["GRANTS_HOME"])):
        log.warning("job %s waits: the demo is being filled", job_id)
        return
    with _app.app_context():
        try:
            jobs.work(UUID(job_id), actor_of=actor_for, worker=os.environ["RQ_WORKER_ID"], lease=_lease)
        finally:
            db.session.remove()
            db.engine.dispose()


class JobWorker(Worker):
    """RQ's worker, which also gives rows back at once when its child was killed or had to be stopped."""

    asked_to_stop = False
    grace_seconds = GRACE_SECONDS
    # RQ would wait up to a minute before it looks again for a server that went away.
    max_connection_wait_time = 2.0

    def subscribe(self) -> None:
        """Take no commands by way of the queue server, only signals: a process that forks keeps no second thread."""

    def main_work_horse(self, job: Any, queue: Any) -> None:
        """Start in the child: forget connections of the parent, if it ever opened one, without closing them."""
        assert _app is not None
        with _app.app_context():
            db.engine.dispose(close=False)
        super().main_work_horse(job, queue)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """First SIGTERM or Ctrl-C: take nothing new, let the running job finish for a while."""
        self.asked_to_stop = True
        timer = threading.Timer(self.grace_seconds, self._stop_child)
        timer.daemon = True
        timer.start()
        super().request_stop(signum, frame)

    def _stop_child(self) -> None:
        if self.horse_pid:
            log.warning("the running job did not finish in %s seconds and is given back", self.grace_seconds)
            self.kill_horse()

    def handle_work_horse_killed(self, job: Any, retpid: Any, ret_val: Any, rusage: Any) -> None:
        """The child is dead for certain: what it held need not wait for its lease to lapse."""
        assert _app is not None
        log.warning("the process of job %s was killed", job.id[:36])
        with _app.app_context():
            try:
                jobs.give_back(self.name)
            except Exception:
                # The lease lapses by itself; the worker must live on.
                log.exception("the job could not be given back at once")
            finally:
                # No connection may be open when the next child is forked.
                db.engine.dispose()


def serve(url: str, grace_seconds: float) -> None:
    """Work until asked to stop; a queue server that goes away is waited for, as at the start."""
    told = False
    while True:
        server = jobs.connected(url)
        worker: JobWorker | None = None
        try:
            lines = [jobs.line_of_rq(name, server) for name in ORDER]
            worker = JobWorker(lines, connection=server, serializer=JSONSerializer, job_monitoring_interval=5)
            worker.grace_seconds = grace_seconds
            log.info("working the queues %s", ", ".join(ORDER))
            told = False
            worker.work(logging_level="WARNING")
        except RedisError as error:
            if not told:
                log.warning("waiting for the queue server: %s", error)
                told = True
        _end_on_signals()
        if worker is not None:
            if worker.asked_to_stop:
                return
            if worker.horse_pid:
                # The child goes on without the queue server: one job at a time all the same.
                worker.wait_for_horse()
        time.sleep(AGAIN_SECONDS)


def _end_on_signals() -> None:
    """While RQ does not work (it has handlers of its own) there is nothing to finish."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: sys.exit(0))


def main(arguments: list[str] | None = None) -> int:
    """Serve the queues until SIGTERM; returns the exit status."""
    global _app, _lease
    parser = argparse.ArgumentParser(prog="python -m jobs.worker", description=__doc__)
    parser.add_argument("--lease", type=float, default=jobs.LEASE.total_seconds(), help="seconds a claim holds")
    parser.add_argument("--grace", type=float, default=GRACE_SECONDS, help="seconds a job may finish after SIGTERM")
    options = parser.parse_args(arguments)
    try:
        config = Config.from_env()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    logging.basicConfig(level=config.LOG_LEVEL, format="%(asctime)s worker %(levelname)s %(name)s: %(message)s")
    if not config.DATABASE_URL or not config.REDIS_URL:
        print("DATABASE_URL or REDIS_URL is empty: the worker starts no servers of its own.", file=sys.stderr)
        return 2
    _end_on_signals()
    _app = create_app(config)
    keep_out_of_collection()
    _lease = timedelta(seconds=options.lease)
    serve(config.REDIS_URL, options.grace)
    return 0


if __name__ == "__main__":
    # RQ imports this module by its name; the app must be set in that copy and not in __main__.
    from jobs import worker as this_module

    sys.exit(this_module.main())
