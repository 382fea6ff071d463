"""A process that ends itself by SIGKILL at the n-th step of an act: at a statement, at its commit, at a file, at a ring."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Self

from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import Config
from grants.app import create_app
from grants.core.db import db
from tests.soak.racing import WAIT_SECONDS, Answer, Deed, _answer, forkserver

COMMIT, COMMITTED = "commit", "committed"
# What Python itself reports of files and sockets, by the name of its audit event.
FILE_EVENTS = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.utime", "socket.connect"})


@dataclass(frozen=True)
class Attempt:
    """How one attempt at an act ended: killed at a step, or with an answer after so many steps."""

    steps: int
    at: str
    answer: Answer | None = None

    @property
    def killed(self) -> bool:
        return self.answer is None


@dataclass(frozen=True)
class Kill:
    """Where an attempt ends: at its n-th step, at the first step of a name, or after so many seconds."""

    number: int = 0
    name: str = ""
    seconds: float = 0.0


NO_KILL = Kill()


class Nursery:
    """A process that holds the whole program and no connection, and bears a child for each attempt."""

    def __init__(self, settings: Config) -> None:
        context = forkserver()
        self._line, there = context.Pipe()
        self._mother = context.Process(target=_serve, args=(settings, there))
        self._mother.start()
        there.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._line.send(None)
        self._mother.join(timeout=WAIT_SECONDS)
        assert self._mother.exitcode == 0

    def attempt(self, deed: Deed, words: tuple[Any, ...], kill: Kill = NO_KILL) -> Attempt:
        """Let a child try the deed, and end where ``kill`` says."""
        db.session.rollback()
        self._line.send((deed, words, kill))
        assert self._line.poll(WAIT_SECONDS), "a child did not end"
        attempt: Attempt = self._line.recv()
        return attempt


def _serve(settings: Config, line: Connection) -> None:
    app = create_app(settings)
    while (told := line.recv()) is not None:
        deed, words, kill = told
        here, there = Pipe(duplex=False)
        pid = os.fork()
        if not pid:
            _child(app, there, deed, words, kill)
        there.close()
        if kill.seconds:
            time.sleep(kill.seconds)
            os.kill(pid, signal.SIGKILL)
        attempt = _told(here)
        os.waitpid(pid, 0)
        line.send(attempt)


def _told(here: Connection) -> Attempt:
    """What a child said before its end; nothing, where it was killed from outside."""
    try:
        attempt: Attempt = here.recv()
    except EOFError:
        attempt = Attempt(0, "outside")
    return attempt


def _child(app: Flask, there: Connection, deed: Deed, words: tuple[Any, ...], kill: Kill) -> None:
    with app.app_context():
        steps = _Steps(there, kill)
        steps.watch(app.config["GRANTS_HOME"])
        answer = _answer(deed, words)
        steps.ended = True
        there.send(Attempt(steps.count, "", answer))
        db.session.remove()
        db.engine.dispose()
        os._exit(0)


class _Steps:
    """Counts what happens in this process, and ends it at the step asked for."""

    def __init__(self, there: Connection, kill: Kill) -> None:
        self._there, self._kill = there, kill
        self.count, self.ended = 0, False

    def watch(self, home: str) -> None:
        """Be told of every statement, commit, file and ring."""
        event.listen(db.engine, "before_cursor_execute", lambda *said: self._step(" ".join(said[2].split()[:4])))
        event.listen(db.engine, "commit", lambda connection: self._step(COMMIT))
        event.listen(Session, "after_commit", lambda session: self._step(COMMITTED))

        def heard(name: str, said: tuple[Any, ...]) -> None:
            if name in FILE_EVENTS and not self.ended and (name == "socket.connect" or home in str(said[0])):
                self._step(name)

        sys.addaudithook(heard)

    def _step(self, name: str) -> None:
        self.count += 1
        if self.count == self._kill.number or name == self._kill.name:
            self._there.send(Attempt(self.count, name))
            os.kill(os.getpid(), signal.SIGKILL)


# --- what must be the same after a kill -----------------------------------------------------------------------------

# Written in transactions of their own, whatever becomes of the act.
BESIDE = frozenset({"alembic_version", "security_event", "process_beat", "sign_in_attempt", "user_session"})


def tables(*, but: frozenset[str] = BESIDE) -> dict[str, tuple[int, int]]:
    """Number and hash of the rows of every table, as everybody may read them now."""
    db.session.rollback()
    names = sorted(name for name in db.metadata.tables if name not in but)
    connection = db.session.connection()
    asked = " union all ".join(
        f"select '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from {name} t"
        for name in names
    )
    found = {name: (int(count), int(content)) for name, count, content in connection.exec_driver_sql(asked)}
    db.session.rollback()
    return found


def half_files(home: Path) -> Iterator[str]:
    """Files in the store that are not what their name, the hash of the whole, says."""
    for path in (home / "files").rglob("*"):
        if path.is_file() and len(path.name) == 64 and hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
            yield path.name
