"""A house for the processes that work: one database, one Valkey, one schedule; workers come and go with each test."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update

from config import Config
from grants.app import create_app
from grants.core import jobs
from grants.core.acts import arranging, bookkeeping
from grants.core.db import db
from grants.core.jobs import Job, JobState
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.identity.policy import Role
from jobs import worker
from tests.conftest import Note
from tests.factories import identity as factory
from tests.servers import Cluster, TestValkey
from tests.soak.racing import forkserver

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Forked:
    """A real worker in a process of its own, borne by the server that has imported the whole program once."""

    process: BaseProcess
    words: tuple[str, ...]

    @property
    def pid(self) -> int:
        assert self.process.pid is not None, "it was started"
        return self.process.pid

    def poll(self) -> int | None:
        """Its exit status once it has ended."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; ``TimeoutError`` where it does not end in time."""
        self.process.join(timeout)
        if (status := self.poll()) is None:
            raise TimeoutError(f"the worker did not end within {timeout} s")
        return status

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _work(environment: dict[str, str], words: tuple[str, ...]) -> None:
    """What ``python -m jobs.worker`` does, in a process that knows the jobs of the tests too."""
    os.environ.clear()
    os.environ.update(environment)
    importlib.import_module("tests.jobs.probes")
    sys.exit(worker.main(list(words)))


@dataclass
class House:
    """What a test of processes needs at hand."""

    app: Flask
    valkey: TestValkey
    environment: dict[str, str]
    folder: Path
    manager: Actor
    started: list[Forked] = field(default_factory=list)

    def worker(self, lease: float = 2.0, grace: float = 5.0) -> Forked:
        """The only real worker process there is; the one of the test before where it is of the same kind."""
        words = ("--lease", str(lease), "--grace", str(grace))
        self.started = [process for process in self.started if process.poll() is None]
        if len(self.started) == 1 and self.started[0].words == words:
            return self.started[0]
        self.end_workers()
        self.started = [self.fork(*words)]
        return self.started[0]

    def end_workers(self) -> None:
        """End every worker that is left."""
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(timeout=30)
            except TimeoutError:
                process.kill()
                process.wait()
        self.started.clear()

    def fork(self, *words: str) -> Forked:
        """Another worker. To start Python and to import the program took three quarters of what these tests cost."""
        environment = {**self.environment, "PGAPPNAME": "tested worker"}
        process = forkserver().Process(target=_work, args=(environment, words))
        process.start()
        return Forked(process, words)

    def run(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", module, *words], cwd=ROOT, env=self.environment)

    def path(self, name: str) -> str:
        return str(self.folder / f"{name}-{uuid4().hex}")


def children(process: Forked) -> list[int]:
    """The process ids of the children of a process."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def eventually(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until ``what`` holds; fail when it does not come true, on a machine however busy."""
    ends_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends_at, f"this did not come true in {seconds} s"
        time.sleep(0.05)


def view(job_id: UUID) -> jobs.JobView:
    db.session.rollback()
    return jobs.view(job_id)


def is_done(job_id: UUID) -> bool:
    return view(job_id).state is JobState.DONE


def notes(like: str = "%") -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Note.text).where(Note.text.like(like)).order_by(Note.created_at)))


def change(job_id: UUID, **values: Any) -> None:
    with bookkeeping() as books:
        books.execute(update(Job.__table__).where(Job.__table__.c.id == job_id).values(**values))


@pytest.fixture(scope="package")
def building(postgres: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    name = f"t_{uuid4().hex}"
    postgres.clone(template, name)
    valkey = TestValkey()
    valkey.start()
    folder = tmp_path_factory.mktemp("house")
    settings = {
        "GRANTS_HOME": str(folder),
        "DATABASE_URL": postgres.url(name, "grants_program"),
        "REDIS_URL": valkey.url,
        "GRANTS_ENV": "test",
        "LOG_LEVEL": "ERROR",
    }
    inherited = {key: value for key, value in os.environ.items() if key not in {"GRANTS_FAULT", "GRANTS_DEMO"}}
    environment = {**inherited, **settings}
    app = create_app(Config.from_env(settings))
    with app.app_context():
        manager = make_manager()
    house = House(app, valkey, environment, folder, manager)
    schedule = house.run("jobs.schedule", "--every", "0.3", "--ring-again", "1")
    try:
        yield house
    finally:
        house.end_workers()
        schedule.send_signal(signal.SIGTERM)
        assert schedule.wait(timeout=60) == 0
        valkey.stop()
        with app.app_context():
            db.engine.dispose()
        postgres.drop(name)


def make_manager() -> Actor:
    """A person who is in the database, since workers look them up."""
    handle = f"ingrid-{uuid4().hex}"
    with arranging():
        made = factory.user(
            "Ingrid", Role.PROGRAMME_MANAGER, email=f"{handle}@example.org", handle=handle, password=None
        )
        user_id = made.id
    return Actor(user_id, "Ingrid", frozenset({(Permission.CALL_MANAGE.value, EVERYWHERE)}))


@pytest.fixture
def house(building: House) -> Iterator[House]:
    """The house for one test, inside the application context."""
    with building.app.app_context():
        yield building
        db.session.remove()
