"""Jobs and acts of the tests alone, offered to the runner under the name ``jobs.probes``."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from grants.core import jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict, Refused
from grants.core.permissions import Actor, Permission
from tests.conftest import Note

sys.modules["jobs.probes"] = sys.modules[__name__]


@act("probe.ask", needs=Permission.CALL_MANAGE)
def ask(actor: Actor, name: str, args: dict[str, Any], unique: str | None = None, queue: str | None = None) -> UUID:
    return jobs.queue(f"jobs.probes.{name}", unique=unique, queue=queue, **args)


@act("probe.ask_and_fail", needs=Permission.CALL_MANAGE)
def ask_and_fail(actor: Actor) -> None:
    jobs.queue("jobs.probes.mark", words="never")
    raise Refused("No.")


@act("probe.write", needs=Permission.CALL_MANAGE)
def write(actor: Actor, words: str, started: str | None = None, go: str | None = None) -> None:
    if started is not None and go is not None:
        Path(started).touch()
        wait_for(Path(go))
    db.session.add(Note(text=words))


def wait_for(file: Path) -> None:
    for _ in range(1_000):
        if file.exists():
            return
        time.sleep(0.02)
    raise TimeoutError(f"{file} did not come")


def mark(words: str) -> None:
    write(jobs.actor(Permission.CALL_MANAGE), words)


def mark_slowly(words: str, started: str, go: str) -> None:
    write(jobs.actor(Permission.CALL_MANAGE), words, started, go)


def mark_slowly_once(words: str, started: str, go: str) -> None:
    """Waits at its first attempt only."""
    if jobs.this().attempt > 1:
        mark(words)
    else:
        mark_slowly(words, started, go)


def mark_twice(words: str) -> None:
    mark(words)
    mark(words)


def quiet(answer: str) -> str:
    return answer


def poison() -> None:
    raise ValueError("nothing helps")


def refuse() -> None:
    raise Refused("The limit is 3. Choose fewer.")


def collide() -> None:
    raise Conflict("Somebody was quicker.")


def away() -> None:
    raise jobs.Unavailable("The mail server is away.")


def count_up(total: int) -> None:
    for number in range(total + 1):
        jobs.progress(number, total, f"row {number}")


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_too_long() -> None:
    time.sleep(30)
