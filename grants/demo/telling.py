"""Telling the stories: in one process in one order of time, or in two at once where the machine can.

The real call and the invented ones share people and nothing else, so two processes tell them side by side. Each keeps
to its own order of time; the audit's chain is laid afterwards over all events, and is in one order again.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from grants.core import clock, jobs
from grants.core.db import forget_connections
from grants.demo.stage import Stage, Story, merged
from grants.demo.stories import Demo
from grants.identity import queries as identity

Progress = Callable[[int, int, str], None]
Step = Callable[[str], None]
# So many moments the demo has; whoever waits is told after each.
MOMENTS = 948
# No moment of the real call is one of the others', so each process knows the jobs its own deeds asked for.
APART = timedelta(seconds=1)
# No story waits for its letters: the workers that start afterwards hand them over.
LETTERS = ("mail",)


def load(progress: Progress) -> None:
    """Fill an empty database; ``progress`` is told how far it is: done, of how many, what."""
    demo, count = Demo(Stage()), _Count(progress)
    _tell(demo.stage, merged(demo.arrival(), demo.real(), demo.invented()), count.step)
    count.ready()


def load_in_two(progress: Progress) -> None:
    """The same in two processes, but for the letters, which wait for a worker. Raises :class:`RuntimeError` when the other one fails; its traceback is on stderr."""
    demo, count = Demo(Stage()), _Count(progress)
    _tell(demo.stage, demo.arrival(), count.step, but_not=LETTERS)
    forget_connections()
    ear, mouth = multiprocessing.Pipe(duplex=False)
    other = multiprocessing.get_context("fork").Process(target=_tell_real, args=(demo, ear, mouth), daemon=True)
    other.start()
    mouth.close()

    def step(words: str) -> None:
        while ear.poll() and (said := _next(ear, other)) is not None:
            count.step(said)
        count.step(words)

    _tell(demo.stage, demo.invented(), step, but_not=LETTERS)
    while (said := _next(ear, other)) is not None:
        count.step(said)
    count.ready()


def _tell_real(demo: Demo, ear: Connection, mouth: Connection) -> None:
    """In the other process; when nobody listens any more, the next word fails and this ends."""
    ear.close()
    _tell(demo.stage, demo.real(), mouth.send, apart=APART, but_not=LETTERS)


def _next(ear: Connection, other: BaseProcess) -> str | None:
    """What the other process says next; None when it has told everything."""
    try:
        return str(ear.recv())
    except EOFError:
        other.join()
    if other.exitcode:
        raise RuntimeError(f"The real call was not told to its end (exit code {other.exitcode}).")
    return None


def _tell(
    stage: Stage, moments: Story, step: Step, *, apart: timedelta = timedelta(), but_not: Sequence[str] = ()
) -> None:
    """One deed after the other; the jobs a deed asked for are done before the next."""
    moment = next(moments, None)
    while moment is not None:
        with clock.at(moment + apart):
            later = next(moments, None)
            jobs.work_off(actor_of=identity.actor_for, asked_at=moment + apart, but_not=but_not)
        step(stage.words)
        moment = later


@dataclass
class _Count:
    """How many moments are told."""

    progress: Progress
    told: int = 0

    def step(self, words: str) -> None:
        self.told += 1
        self.progress(min(self.told, MOMENTS), MOMENTS, words)

    def ready(self) -> None:
        self.progress(MOMENTS, MOMENTS, "Ready")
