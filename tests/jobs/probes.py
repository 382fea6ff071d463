"""Jobs and acts of the tests alone, offered to the runner under the name ``jobs.probes``."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from grants.core import jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict, Refused
from grants.core.money import euros
from grants.core.permissions import Actor, Permission
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, legs_e1
from tests.conftest import Note

DAY = date(2022, 11, 15)
sys.modules["jobs.probes"] = sys.modules[__name__]


@act("probe.ask", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def ask(actor: Actor, name: str, args: dict[str, Any], unique: str | None = None, queue: str | None = None) -> UUID:
    return jobs.queue(f"jobs.probes.{name}", unique=unique, queue=queue, **args)


@act("probe.ask_and_fail", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def ask_and_fail(actor: Actor) -> None:
    jobs.queue("jobs.probes.mark", words="never")
    raise Refused("No.")


@act("probe.write", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def write(actor: Actor, words: str, started: str | None = None, go: str | None = None) -> None:
    if started is not None and go is not None:
        Path(started).touch()
        wait_for(Path(go))
    db.session.add(Note(text=words))


@act("probe.post", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def post_and_write(actor: Actor, call_id: UUID, number: int) -> None:
    """One euro and one line, in the same act; an odd number only the line, which nothing but the fence keeps single."""
    if number % 2 == 0:
        legs = legs_e1(euros(1), Dimensions(fund_source_id=call_id, call_id=call_id))
        ledger.post("E1", source_key=f"soak:{call_id}:{number}", effective_on=DAY, description="soak", legs=legs)
    db.session.flush()
    # Long enough to be killed in the middle.
    time.sleep(0.5)
    db.session.add(Note(text=f"{call_id} {number}"))


def post(call_id: str, number: int) -> None:
    post_and_write(jobs.actor(Permission.CALL_MANAGE), UUID(call_id), number)


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


def count(*, number: int) -> int:
    return number


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
