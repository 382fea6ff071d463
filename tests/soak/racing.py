"""Eight processes that live from round to round, each with its own program and connections, let go at one moment."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from typing import Any, Self

from flask import Flask

from config import Config
from grants.app import create_app
from grants.core.db import db
from grants.core.errors import GrantsError

PROCESSES = 8
WAIT_SECONDS = 120.0
DONE = "done"


@dataclass(frozen=True)
class Answer:
    """What one process was told: done with what the act gave back, or the kind of refusal and its sentence."""

    kind: str
    said: str = ""
    value: Any = None


@dataclass
class Answers:
    """What all processes of one round were told."""

    all: list[Answer]

    @property
    def winners(self) -> list[Answer]:
        return [each for each in self.all if each.kind == DONE]

    @property
    def others(self) -> list[Answer]:
        return [each for each in self.all if each.kind != DONE]

    @property
    def kinds(self) -> list[str]:
        return sorted(each.kind for each in self.all)

    def one_did_it(self) -> Any:
        """What the only winner got; fails where nobody or more than one did it, or anybody met a fault."""
        assert len(self.winners) == 1, f"{len(self.winners)} did it: {self.all}"
        assert {each.kind for each in self.others} <= {"Refused", "Conflict"}, self.all
        return self.winners[0].value


Deed = Callable[..., Any]


def forkserver() -> ForkServerContext:
    """A server that has imported the whole program once: importing it eight times takes most of a minute."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.soak.ready"])
    return context


class Racers:
    """The processes; each is given a deed and its own words, and all start at once."""

    def __init__(self, settings: Config, count: int = PROCESSES) -> None:
        context = forkserver()
        # Held here: the gate is taken down with the last who knows it.
        self._gate = context.Barrier(count)
        pipes = [context.Pipe() for _ in range(count)]
        self._lines: list[Connection] = [here for here, _ in pipes]
        there = [end for _, end in pipes]
        self._mother = context.Process(target=_bear, args=(settings, there, self._gate))
        self._mother.start()
        for end in there:
            end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for line in self._lines:
            line.send(None)
        self._mother.join(timeout=WAIT_SECONDS)
        assert self._mother.exitcode == 0

    def race(self, deed: Deed, words: Sequence[tuple[Any, ...]]) -> Answers:
        """Let each process do the deed with its own words, all at once; the database of the caller is read anew."""
        return self.race_all([(deed, each) for each in words])

    def race_all(self, deeds: Sequence[tuple[Deed, tuple[Any, ...]]]) -> Answers:
        """Let each process do a deed of its own, all at once."""
        assert len(deeds) == len(self._lines), "every process has something to do"
        db.session.rollback()
        for line, told in zip(self._lines, deeds, strict=True):
            line.send(told)
        answers = []
        for line in self._lines:
            assert line.poll(WAIT_SECONDS), "a process did not answer"
            answers.append(line.recv())
        db.session.rollback()
        return Answers(answers)


def _bear(settings: Config, lines: list[Connection], gate: Barrier) -> None:
    """Make the program once, before it has a connection, and fork a process for each line."""
    app = create_app(settings)
    born = []
    for line in lines:
        pid = os.fork()
        if not pid:
            _race(app, line, gate)
            os._exit(0)
        born.append(pid)
    sys.exit(any(os.waitpid(pid, 0)[1] for pid in born))


def _race(app: Flask, line: Connection, gate: Barrier) -> None:
    """One process: it waits at the gate with an open connection, acts, answers, and waits again."""
    with app.app_context():
        while (told := line.recv()) is not None:
            deed, words = told
            db.session.connection()
            db.session.rollback()
            gate.wait(timeout=WAIT_SECONDS)
            line.send(_answer(deed, words))
            db.session.remove()
        db.engine.dispose()


def _answer(deed: Deed, words: tuple[Any, ...]) -> Answer:
    try:
        return Answer(DONE, value=deed(*words))
    except GrantsError as refusal:
        return Answer(type(refusal).__name__, str(refusal))
    except Exception as fault:
        # Told to the test, which fails with it: a fault is neither done nor refused.
        return Answer("fault", repr(fault))
