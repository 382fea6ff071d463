"""How far the filling of a demo is: one small file in the data folder, written by whoever fills, read for every page.

No statement asks the database for it, and without the file there is nothing to ask. It is written beside its place and
renamed, so a reader finds a whole one. Processes on other machines do not see it: there the demo is loaded before the
program starts.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

FILE = "demo_filling.json"


class Phase(StrEnum):
    """What stands in the database meanwhile: not even tables, a part of the demo, or a part that nobody completes."""

    PREPARING = "preparing"
    FILLING = "filling"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Filling:
    """What the file says: ``total`` is 0 while it is not known, ``seconds_left`` None until it can be guessed."""

    phase: Phase = Phase.FILLING
    done: int = 0
    total: int = 0
    note: str = ""
    seconds_left: int | None = None

    @property
    def wait(self) -> str:
        """How long it takes, in words.

        >>> [Filling(seconds_left=seconds).wait for seconds in (None, 4, 37, 200)]
        ['in one to five minutes', 'in a few seconds', 'in about 40 seconds', 'in about 4 minutes']
        """
        if self.seconds_left is None:
            return "in one to five minutes"
        if self.seconds_left <= 5:
            return "in a few seconds"
        if self.seconds_left <= 90:
            return f"in about {-(-self.seconds_left // 10) * 10} seconds"
        return f"in about {-(-self.seconds_left // 60)} minutes"


# When so many tenths of its steps are done, so many hundredths of the time are gone: the first make many people at once, and
# the last are those of the large call. Measured with two processes that fill; with one it is much the same.
GONE = (0, 16, 26, 31, 35, 40, 46, 54, 70, 87, 100)


def seconds_left(done: int, total: int, seconds: float) -> int | None:
    """How long it takes still, after so many steps in so many seconds; None while nothing can be guessed.

    >>> seconds_left(20, 800, 9), seconds_left(400, 800, 80), seconds_left(800, 800, 200)
    (None, 120, 0)
    """
    if done * 20 <= total:
        return None
    tenths, rest = divmod(10 * done, total)
    gone = GONE[tenths] + (GONE[min(tenths + 1, 10)] - GONE[tenths]) * rest / total
    return round(seconds * (100 - gone) / gone)


NO_TABLES = Filling(Phase.PREPARING)
NOTHING_DONE = Filling()
INTERRUPTED = Filling(Phase.INTERRUPTED)


def write(folder: Path, found: Filling) -> None:
    """Say how far it is, in the name of this process: when it ends before its work, readers know."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.{os.getpid()}"
    fresh.write_text(json.dumps({**asdict(found), "pid": os.getpid()}), encoding="utf-8")
    fresh.replace(folder / FILE)


def end(folder: Path) -> None:
    """The demo is whole, or there is none."""
    (folder / FILE).unlink(missing_ok=True)


def read(folder: Path) -> Filling | None:
    """How far the filling is; None where nothing is being filled, which costs one look at the folder."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        said = json.loads(text)
        pid = int(said.pop("pid"))
        found = Filling(**{**said, "phase": Phase(said["phase"])})
    except (ValueError, KeyError, TypeError, AttributeError):
        # Cut short by a machine that went down.
        return INTERRUPTED
    if _alive(pid):
        return found
    return Filling(Phase.INTERRUPTED, found.done, found.total, found.note)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
