"""The data folder of one machine: its note with the passwords, its locks, and the errors that name what is in the way."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import pwd
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class LocalError(RuntimeError):
    """Something on this machine is in the way; the message says what, and what to do."""


class Stopped(Exception):
    """Ctrl-C or SIGTERM came while something was still starting."""


# Every process of one data folder carries this, so that a later start knows what an earlier one left behind.
MARK = "GRANTS_SUPERVISED"


class Settings(Protocol):
    """What this module reads of the configuration."""

    DATABASE_URL: str
    DATABASE_OWNER_URL: str
    REDIS_URL: str
    BASE_URL: str
    HOST: str
    PORT: int
    GRANTS_DEMO: bool
    GRANTS_ENV: str

    @property
    def home(self) -> Path: ...

    def secret_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are: the program's address, the owner's (empty: unknown) and the queue's."""

    database: str
    owner: str
    queue: str


class Home:
    """The data folder: one note with the passwords, one lock for whoever runs the servers, one for their guests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "log"
        self._lock: int | None = None

    def prepare(self) -> None:
        """Make the folder; one that stands keeps its permissions."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.log.mkdir(mode=0o700, exist_ok=True)
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "not writable")
        except OSError as error:
            raise LocalError(
                f"The data folder {self.folder} cannot be used ({error.strerror}). Make it writable for "
                f"“{own_name()}”, or set GRANTS_HOME to another folder."
            ) from error

    def lock(self) -> bool:
        """Take the lock that says who runs the servers; it falls by itself when its holder dies."""
        handle = self._open("lock")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    def say(self, what: str, address: str = "") -> None:
        """Tell others who holds the lock."""
        assert self._lock is not None, "only the holder of the lock speaks"
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, json.dumps({"pid": os.getpid(), "what": what, "address": address}).encode(), 0)

    def holder(self) -> Mapping[str, Any]:
        """What the holder of the lock said."""
        with contextlib.suppress(OSError, ValueError):
            found: Mapping[str, Any] = json.loads((self.folder / "lock").read_text())
            return found
        return {"pid": 0, "what": "unknown", "address": ""}

    def runs_at(self) -> str:
        """The address of the program that `make run` started here; empty where none runs."""
        try:
            handle = os.open(self.folder / "lock", os.O_RDONLY)
        except OSError:
            return ""
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            said = self.holder()
            return str(said["address"]) if said.get("what") == "run" else ""
        finally:
            os.close(handle)
        return ""

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextlib.contextmanager
    def guests(self, manner: int) -> Iterator[None]:
        """Guests share this lock; whoever wants to stop the servers takes it alone, and so waits for them."""
        handle = self._open("guests")
        try:
            fcntl.flock(handle, manner)
            yield
        finally:
            os.close(handle)

    def _open(self, name: str) -> int:
        return os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only this user can read, or nothing; a file that stands is left."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()


def own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
