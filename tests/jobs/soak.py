"""`make soak`: a random walk of posting, asking, killing and flushing, then every book is checked. Not part of `make test`.

Each job posts one entry to the ledger and writes one line in the same act, so whatever was lost or done twice shows in
both. The walk is told by its seed: SEED=... takes the same steps again, as far as two machines can.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from grants.core import audit, jobs
from grants.core.db import db
from grants.core.jobs import QUEUES, JobState
from grants.core.money import euros
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from tests.jobs import probes
from tests.jobs.conftest import House, children, eventually, is_done, notes

WALK_SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
SEED = int(os.environ.get("SEED") or random.randrange(10**9))
# What waits at once; beyond it the walk waits too, so that the end is not all of the work.
WAITING_MAX = 40


@dataclass
class Walk:
    """One walk: what was asked for, and how often each thing happened."""

    house: House
    call_id: UUID
    chance: random.Random
    asked: list[UUID] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)

    def step(self) -> None:
        """One thing that may happen at any time."""
        deeds: dict[Callable[[], None], int] = {
            self.ask: 60,
            self.ask_again: 10,
            self.kill_worker: 4,
            self.kill_child: 8,
            self.freeze_worker: 2,
            self.flush: 3,
            self.restart_queue: 1,
        }
        (deed,) = self.chance.choices(list(deeds), list(deeds.values()))
        deed()
        self.happened[deed.__name__] = self.happened.get(deed.__name__, 0) + 1

    def ask(self) -> None:
        self._ask(len(self.asked))

    def ask_again(self) -> None:
        """The same work once more: the job that is already there."""
        if self.asked:
            number = self.chance.randrange(len(self.asked))
            assert self._asked(number) == self.asked[number]

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

    def flush(self) -> None:
        self.house.valkey.flush()

    def restart_queue(self) -> None:
        self.house.valkey.kill()
        time.sleep(self.chance.uniform(0, 1))
        self.house.valkey.start()

    def _busy(self, worker: subprocess.Popen[bytes]) -> list[int]:
        """The child of a worker somewhere in the middle of a job; nobody where none comes in time."""
        self.ask()
        ends_at = time.monotonic() + 3
        while not (found := children(worker)) and time.monotonic() < ends_at:
            time.sleep(0.01)
        time.sleep(self.chance.uniform(0, 0.4))
        return found

    def _ask(self, number: int) -> None:
        self.asked.append(self._asked(number))

    def _asked(self, number: int) -> UUID:
        args = {"call_id": str(self.call_id), "number": number}
        return probes.ask(self.house.manager, "post", args, unique=f"soak {self.call_id} {number}")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def still_due() -> int:
    db.session.rollback()
    found = jobs.counts()
    return found[JobState.QUEUED] + found[JobState.RUNNING]


def test_nothing_is_lost_and_nothing_is_done_twice(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    print(f"\nseed {SEED}, {WALK_SECONDS:.0f} seconds")
    walk = Walk(house, uuid4(), random.Random(SEED))
    # A walk may kill one job more often than a job may be tried; that is another rule, with its own test.
    patient = {name: jobs.QueueRules(1_000, 60, rules.pause_first, rules.pause_first) for name, rules in QUEUES.items()}
    for name, rules in patient.items():
        monkeypatch.setitem(QUEUES, name, rules)
    house.worker()

    ends_at = time.monotonic() + WALK_SECONDS
    while time.monotonic() < ends_at:
        if still_due() < WAITING_MAX:
            walk.step()
        time.sleep(walk.chance.uniform(0, 0.2))
    house.worker()
    eventually(lambda: all(is_done(job_id) for job_id in walk.asked), seconds=300)

    print(
        f"{len(walk.asked)} jobs; {walk.happened}; most attempts {max(jobs.view(each).attempt for each in walk.asked)}"
    )
    assert sorted(notes(f"{walk.call_id}%")) == sorted(f"{walk.call_id} {number}" for number in range(len(walk.asked)))
    db.session.rollback()
    assert ledger.verify() == ()
    assert ledger.balance(Account.BUDGET_AUTHORISED, call_id=walk.call_id) == euros(len(walk.asked))
    assert audit.verify().problem is None
