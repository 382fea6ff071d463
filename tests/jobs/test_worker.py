"""Real workers, a real Valkey, and everything that can happen to them: killed, frozen, flushed, poisoned, ended."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from redis import Redis
from rq import Worker
from sqlalchemy import func, select

from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.audit import SecurityEvent
from grants.core.db import db
from grants.core.jobs import QUEUES, JobState, QueueRules
from grants.identity.models import User
from jobs.checks import NIGHTLY
from tests.jobs import probes
from tests.jobs.conftest import House, change, children, eventually, is_alive, is_done, make_manager, notes, view
from tests.servers import Cluster


def ask_slow(house: House, words: str, name: str = "mark_slowly_once") -> tuple[UUID, Path, Path]:
    started, go = house.path("started"), house.path("go")
    job_id = probes.ask(house.manager, name, {"words": words, "started": started, "go": go})
    return job_id, Path(started), Path(go)


def test_a_worker_does_what_an_act_asked_for_and_keeps_no_connection(house: House, postgres: Cluster) -> None:
    house.worker()
    asked = [probes.ask(house.manager, "mark", {"words": f"plain {number}"}) for number in range(3)]

    for job_id in asked:
        eventually(lambda job_id=job_id: is_done(job_id))

    assert notes("plain%") == ["plain 0", "plain 1", "plain 2"]
    eventually(lambda: connections_of_workers(postgres) == 0)


def connections_of_workers(postgres: Cluster) -> int:
    with psycopg.connect(postgres.dsn("postgres")) as connection:
        found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tested worker'")
        return found.fetchone()[0]


def test_the_schedule_asks_for_the_nightly_checks_once_and_they_pass(house: House) -> None:
    house.worker()

    def all_done() -> bool:
        db.session.rollback()
        # Two of them are asked for at each start of the schedule too, under a key of that start.
        nightly = jobs.Job.name.in_(NIGHTLY) & ~jobs.Job.unique_key.startswith("start ")
        rows = db.session.execute(select(jobs.Job.name, jobs.Job.state).where(nightly)).all()
        return sorted(rows) == [(name, "done") for name in sorted(NIGHTLY)]

    eventually(all_done)


def test_the_job_of_a_person_disabled_since_is_refused(house: House) -> None:
    person = make_manager()
    job_id = probes.ask(person, "mark", {"words": "disabled"})
    with arranging():
        db.session.get_one(User, person.user_id).disabled_at = clock.now()
    house.worker()

    eventually(lambda: view(job_id).state is JobState.FAILED)

    assert notes("disabled") == []


def test_worker_and_child_killed_in_the_middle_end_in_one_effect(house: House) -> None:
    first = house.worker()
    job_id, started, _ = ask_slow(house, "killed both")
    eventually(started.exists)
    [child] = children(first)
    first.kill()
    os.kill(child, signal.SIGKILL)
    first.wait()

    house.worker()
    eventually(lambda: is_done(job_id))

    assert notes("killed both") == ["killed both"]
    assert view(job_id).attempt == 2


def test_an_orphan_finishes_its_job_while_its_heart_beats(house: House) -> None:
    worker = house.worker()
    job_id, started, go = ask_slow(house, "orphan")
    eventually(started.exists)
    worker.kill()
    worker.wait()
    house.worker()
    # Longer than its lease: the child without a worker renews it.
    eventually(lambda: lease_renewed(job_id))
    go.touch()

    eventually(lambda: is_done(job_id))

    assert notes("orphan") == ["orphan"]
    assert view(job_id).attempt == 1


def lease_renewed(job_id: UUID) -> bool:
    db.session.rollback()
    row = jobs.Job
    passed = func.clock_timestamp() - row.started_at > timedelta(seconds=2.5)
    return bool(db.session.scalar(select(passed & (row.lease_until > func.clock_timestamp())).where(row.id == job_id)))


def test_a_late_orphan_writes_nothing_once_its_job_was_done_by_another(house: House) -> None:
    worker = house.worker()
    job_id, started, go = ask_slow(house, "late")
    eventually(started.exists)
    [child] = children(worker)
    worker.kill()
    worker.wait()
    # Only now: the kernel hangs up a stopped child whose parent dies.
    os.kill(child, signal.SIGSTOP)
    house.worker()
    eventually(lambda: is_done(job_id))
    assert notes("late") == ["late"]
    before = superseded()

    go.touch()
    os.kill(child, signal.SIGCONT)
    eventually(lambda: not is_alive(child))

    assert notes("late") == ["late"]
    assert (view(job_id).state, view(job_id).attempt) == (JobState.DONE, 2)
    assert superseded() == before + 1


def superseded() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(SecurityEvent.detail["why"].astext == "Superseded")) or 0


def test_a_flushed_queue_server_loses_nothing(house: House) -> None:
    worker = house.worker()
    eventually(lambda: is_idle(house))
    worker.send_signal(signal.SIGSTOP)
    asked = [probes.ask(house.manager, "mark", {"words": f"flushed {number:02}"}) for number in range(15)]
    house.valkey.flush()
    worker.send_signal(signal.SIGCONT)

    eventually(lambda: all(is_done(job_id) for job_id in asked))

    assert notes("flushed%") == [f"flushed {number:02}" for number in range(15)]
    assert worker.poll() is None


def is_idle(house: House) -> bool:
    """Whether a worker has started and waits for a ring."""
    with Redis.from_url(house.valkey.url) as server:
        return any(worker.get_state() == "idle" for worker in Worker.all(connection=server))


def test_a_queue_server_that_is_away_is_no_error_and_its_jobs_are_rung_later(house: House) -> None:
    worker = house.worker()
    house.valkey.kill()
    try:
        before = time.monotonic()
        job_id = probes.ask(house.manager, "mark", {"words": "rung later"})
        assert time.monotonic() - before < 2
        assert (view(job_id).state, jobs.waiting().unrung) == (JobState.QUEUED, 1)
    finally:
        house.valkey.start()

    eventually(lambda: is_done(job_id))

    assert worker.poll() is None
    assert notes("rung later") == ["rung later"]


def test_a_killed_child_is_given_back_by_its_worker_long_before_the_lease_lapses(house: House) -> None:
    worker = house.worker(lease=300)
    job_id, started, _ = ask_slow(house, "killed child")
    eventually(started.exists)
    [child] = children(worker)
    os.kill(child, signal.SIGKILL)

    eventually(lambda: is_done(job_id))

    assert notes("killed child") == ["killed child"]
    assert view(job_id).attempt == 2
    assert worker.poll() is None


def test_a_job_that_kills_its_process_is_parked_and_others_go_on(house: House) -> None:
    house.worker(lease=300)
    poisoned = probes.ask(house.manager, "kill_itself", {})
    healthy = probes.ask(house.manager, "mark", {"words": "healthy"})

    eventually(lambda: is_done(healthy))
    eventually(lambda: view(poisoned).state is JobState.FAILED)

    assert view(poisoned).attempt == QUEUES["default"].attempts_max
    assert view(poisoned).error == "The process that worked on this was stopped."


def test_a_job_that_takes_too_long_is_stopped_and_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    short = QueueRules(1, 1, timedelta(seconds=1), timedelta(seconds=1))
    monkeypatch.setitem(QUEUES, "default", short)
    job_id = probes.ask(house.manager, "sleep_too_long", {})
    house.worker()

    eventually(lambda: view(job_id).state is JobState.FAILED)

    assert "JobTimeoutException" in (view(job_id).error_detail or "")


def test_sigterm_lets_the_running_job_finish_and_takes_no_other(house: House) -> None:
    worker = house.worker()
    job_id, started, go = ask_slow(house, "finishes")
    eventually(started.exists)
    later = probes.ask(house.manager, "mark", {"words": "after the end"})
    worker.send_signal(signal.SIGTERM)
    go.touch()

    assert worker.wait(timeout=60) == 0
    assert (is_done(job_id), view(later).state) == (True, JobState.QUEUED)
    change(later, state="cancelled", finished_at=func.clock_timestamp())


def test_sigterm_gives_a_long_job_back(house: House) -> None:
    worker = house.worker(lease=300, grace=0.3)
    job_id, started, go = ask_slow(house, "given back", "mark_slowly")
    eventually(started.exists)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=60) == 0
    assert view(job_id).state is JobState.QUEUED
    go.touch()
    house.worker()
    eventually(lambda: is_done(job_id))
    assert notes("given back") == ["given back"]
