"""`make soak`: random walks of asking, killing and flushing, then everything is counted. Not part of `make test`.

In the first walk each job writes one line, and every other one posts to the ledger in the same act, so whatever was lost
or done twice shows in both. In the second each job makes a statement: its figures, and a file in every format. A walk is
told by its seed: SEED=... takes the same steps again, as far as two machines can.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from grants.core import audit, files, jobs
from grants.core.db import db, get
from grants.core.jobs import QUEUES, Job, JobState
from grants.core.money import euros
from grants.documents import services as documents
from grants.documents.models import StatementRun
from grants.documents.rules import Format, Wanted
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from tests import actors
from tests.jobs import probes
from tests.jobs.conftest import Forked, House, children, eventually, is_done, notes
from tests.payments.world import world
from tests.soak.killing import half_files
from tests.soak.telling import SEED, Tally, told

WALK_SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
# What waits at once; beyond it the walk waits too, so that the end is not all of the work.
WAITING_MAX = 40
# A machine that has much else to do took ten minutes for them; a lost job takes for ever.
END_SECONDS_MAX = 1_800
STEP_SECONDS_MAX = 120


@dataclass
class Walk:
    """One walk: what was asked for, and how often each thing happened."""

    house: House
    # Ask for the n-th piece of work; the same number again gives the job that is there, where the work knows its number.
    work: Callable[[int], UUID]
    chance: random.Random
    happened: Tally
    asks_again: bool = True
    asked: list[UUID] = field(default_factory=list)

    def step(self) -> None:
        """One thing that may happen at any time."""
        deeds: dict[Callable[[], None], int] = {
            self.ask: 60,
            self.ask_again: 10,
            self.kill_worker: 4,
            self.kill_child: 8,
            self.freeze_worker: 2,
            self.sleep_past_the_lease: 2,
            self.flush: 3,
            self.restart_queue: 1,
        }
        (deed,) = self.chance.choices(list(deeds), list(deeds.values()))
        deed()
        self.happened[deed.__name__.replace("_", " ")] += 1

    def ask(self) -> None:
        self.asked.append(self.work(len(self.asked)))

    def ask_again(self) -> None:
        """The same work once more: the job that is already there."""
        if self.asked and self.asks_again:
            number = self.chance.randrange(len(self.asked))
            assert self.work(number) == self.asked[number]

    def kill_worker(self) -> None:
        """The worker and its child, as a machine that loses its power."""
        worker = self.house.worker()
        child = self._busy(worker)
        worker.kill()
        for pid in child:
            _kill(pid)
        worker.wait()
        self.house.worker()

    def kill_child(self) -> None:
        for pid in self._busy(self.house.worker()):
            _kill(pid)

    def freeze_worker(self) -> None:
        """Longer than its lease: what it held is given to nobody else unless its child died."""
        worker = self.house.worker()
        worker.send_signal(signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.1, 3))
        worker.send_signal(signal.SIGCONT)

    def sleep_past_the_lease(self) -> None:
        """Worker and child sleep in the middle of a job, another worker takes it over, and they wake up."""
        worker = self.house.worker()
        self.ask()
        in_time(lambda: bool(children(worker) and running()))
        sleeping = [worker.pid, *children(worker)]
        for pid in sleeping:
            _kill(pid, signal.SIGSTOP)
        begun = running()
        self.house.started.append(self.house.fork("--lease", "2.0", "--grace", "5.0"))
        in_time(lambda: all(jobs.view(each).attempt > attempt for each, attempt in begun.items()))
        for pid in sleeping:
            _kill(pid, signal.SIGCONT)

    def flush(self) -> None:
        self.house.valkey.flush()

    def restart_queue(self) -> None:
        self.house.valkey.kill()
        time.sleep(self.chance.uniform(0, 1))
        self.house.valkey.start()

    def _busy(self, worker: Forked) -> list[int]:
        """The child of a worker somewhere in the middle of a job; nobody where none comes in time."""
        self.ask()
        ends_at = time.monotonic() + 3
        while not (found := children(worker)) and time.monotonic() < ends_at:
            time.sleep(0.01)
        time.sleep(self.chance.uniform(0, 0.4))
        return found


def running() -> dict[UUID, int]:
    """The jobs that are worked on, and at which attempt."""
    db.session.rollback()
    rows = db.session.execute(select(Job.id, Job.attempt).where(Job.state == JobState.RUNNING.value))
    return {job_id: attempt for job_id, attempt in rows}


def in_time(what: Callable[[], bool]) -> None:
    """Wait for ``what``, but not for ever: it may have passed already."""
    ends_at = time.monotonic() + STEP_SECONDS_MAX
    while time.monotonic() < ends_at and not what():
        db.session.rollback()
        time.sleep(0.01)


def _kill(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


def still_due() -> int:
    db.session.rollback()
    found = jobs.counts()
    return found[JobState.QUEUED] + found[JobState.RUNNING]


def take(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walk for the time there is, then let a worker end what is left."""
    # A walk may kill one job more often than a job may be tried; that is another rule, with its own test.
    patient = {name: jobs.QueueRules(1_000, 60, rules.pause_first, rules.pause_first) for name, rules in QUEUES.items()}
    for name, rules in patient.items():
        monkeypatch.setitem(QUEUES, name, rules)
    walk.house.worker()

    ends_at = time.monotonic() + WALK_SECONDS
    while time.monotonic() < ends_at:
        if still_due() < WAITING_MAX:
            walk.step()
        time.sleep(walk.chance.uniform(0, 0.2))
    walk.house.worker()
    eventually(lambda: all(is_done(job_id) for job_id in walk.asked), seconds=END_SECONDS_MAX)

    walk.happened["jobs"] = len(walk.asked)
    walk.happened["attempts at one at most"] = max(jobs.view(each).attempt for each in walk.asked)
    db.session.rollback()
    assert (ledger.verify(), audit.verify().problem) == ((), None)


def test_nothing_is_lost_and_nothing_is_done_twice(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    call_id, happened = uuid4(), Tally()

    def post(number: int) -> UUID:
        args = {"call_id": str(call_id), "number": number}
        return probes.ask(house.manager, "post", args, unique=f"soak {call_id} {number}")

    walk = Walk(house, post, random.Random(SEED), happened)
    with told(f"jobs killed and flushed, seed {SEED}", happened):
        take(walk, monkeypatch)
        asked = range(len(walk.asked))
        assert sorted(notes(f"{call_id}%")) == sorted(f"{call_id} {number}" for number in asked)
        assert ledger.balance(Account.BUDGET_AUTHORISED, call_id=call_id) == euros(len(walk.asked[::2]))


def test_every_statement_asked_for_is_made_once_and_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    grant, happened = world(), Tally()
    reader, runs = actors.fin(), []

    def statement(number: int) -> UUID:
        found = documents.request(reader, Wanted("grant-statement", grant.reference))
        runs.append(found.id)
        job_id = get(StatementRun, found.id).job_id
        assert job_id is not None
        return job_id

    walk = Walk(house, statement, random.Random(SEED), happened, asks_again=False)
    with told(f"statements killed and flushed, seed {SEED}", happened):
        take(walk, monkeypatch)
        for run_id in runs:
            assert get(StatementRun, run_id).built_at is not None
            made = files.listed(documents.FILE_KIND, run_id)
            assert sorted((each.role, each.version_no) for each in made) == sorted((each.value, 1) for each in Format)
            assert all(files.path(each).stat().st_size == each.size_bytes for each in made)
        assert list(half_files(house.folder)) == []
