"""The schedule, ``python -m jobs.schedule``: every few seconds seal, sweep and ring; once a day check; now and then tidy.

Two of them at once do no harm: each step is one conditional statement or has a unique key.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from config import BadSettings, Config
from grants.app import create_app, keep_out_of_collection
from grants.applications import queries as applications
from grants.applications import services as application_services
from grants.core import answers, audit, clock, files, filling, home, jobs, quarantine, scanning
from grants.core.db import db
from grants.core.permissions import Permission, system_actor
from grants.identity import services as identity_services
from grants.oversight import services as oversight
from jobs.checks import NIGHTLY

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
NIGHT_BEGINS = time_of_day(2, 0)
TIDY_EVERY_SECONDS = 3_600.0


def one_pass(ring_again_after: timedelta = jobs.RING_AGAIN_AFTER) -> None:
    """What is done every few seconds. A step that fails is logged and does not keep the others from their turn."""
    _try(audit.seal_pending)
    _try(ask_for_nightly_checks)
    _try(lambda: jobs.sweep(ring_again_after=ring_again_after))
    _try(lambda: jobs.beat("scheduler"))


def tidy() -> None:
    """What is done every hour: uploads nobody kept, counters and answers to forms nobody needs."""
    for step in (remove_old_lists, files.sweep_orphans, identity_services.sweep, answers.sweep, ask_for_scans):
        _try(step)


def remove_old_lists() -> None:
    """Lists taken out as files go some days after they were made; nothing where there are none."""
    if applications.old_list_files(clock.now()):
        application_services.remove_old_list_files(system_actor("the program", (Permission.APPLICATION_READ,)))


def ask_for_scans() -> None:
    """Where a virus scanner is set, ask for the scan of uploads from before; nothing where there are none."""
    if scanning.is_on() and quarantine.never_scanned(1):
        oversight.ask_for_scans(system_actor("the program", (Permission.FILE_SCAN,)))


def _try(step: Callable[[], object]) -> None:
    try:
        step()
    except (DBAPIError, RedisError, OSError) as error:
        log.error("a step of the schedule failed and is tried again: %s", str(error).splitlines()[0])
    except Exception:
        log.exception("a step of the schedule failed and is tried again")
    finally:
        db.session.rollback()


def ask_for_nightly_checks() -> None:
    """Queue the checks of the night that began last, unless they are queued already."""
    key = f"nightly {night_of(clock.now()):%Y-%m-%d}"
    if jobs.by_key(f"{key} {NIGHTLY[-1]}") is None:
        jobs.plan(system_actor("the program", (Permission.JOB_RETRY,)), NIGHTLY, key)


def ask_for_comparison() -> None:
    """At every start: is a payment file sent that this database does not know, because it was restored?"""
    program = system_actor("the program", (Permission.JOB_RETRY,))
    jobs.plan(
        program, ("jobs.payments.compare_records", "jobs.payments.check_records"), f"start {clock.now().isoformat()}"
    )


def night_of(moment: datetime) -> datetime:
    """The local day whose night has begun.

    >>> from datetime import UTC
    >>> night_of(datetime(2022, 11, 15, 0, 30, tzinfo=UTC)).day
    14
    """
    local = clock.in_zone(moment)
    return local if local.time() >= NIGHT_BEGINS else local - timedelta(days=1)


def main(arguments: list[str] | None = None) -> int:
    """Keep the schedule until SIGTERM; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m jobs.schedule", description=__doc__)
    parser.add_argument("--every", type=float, default=EVERY_SECONDS, help="seconds between passes")
    parser.add_argument(
        "--ring-again",
        type=float,
        default=jobs.RING_AGAIN_AFTER.total_seconds(),
        help="seconds after which a job that nobody took is rung again",
    )
    options = parser.parse_args(arguments)
    try:
        config = Config.from_env()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    if not config.DATABASE_URL or not config.REDIS_URL:
        print("DATABASE_URL or REDIS_URL is empty: the schedule starts no servers of its own.", file=sys.stderr)
        return 2
    logging.basicConfig(level=config.LOG_LEVEL, format="%(asctime)s schedule %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: stop.set())
    app = create_app(config)
    keep_out_of_collection()
    keep(app, stop, options.every, timedelta(seconds=options.ring_again))
    return 0


def keep(app: Flask, stop: threading.Event, every_seconds: float, ring_again_after: timedelta) -> None:
    """Pass after pass until ``stop`` is set."""
    tidied_at, started = time.monotonic() - TIDY_EVERY_SECONDS, False
    while not stop.is_set():
        if filling.read(home.folder_of(app.config["GRANTS_HOME"])):
            # Tables may be missing for some seconds, and nothing may come into the middle of the demo's stories.
            stop.wait(every_seconds)
            continue
        with app.app_context():
            if not started:
                _try(ask_for_comparison)
                started = True
            one_pass(ring_again_after)
            if time.monotonic() - tidied_at >= TIDY_EVERY_SECONDS:
                tidy()
                tidied_at = time.monotonic()
        stop.wait(every_seconds)


if __name__ == "__main__":
    sys.exit(main())
