"""Processes of one data folder: started so that they end with their parent, found again, ended in order."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grants.local.folder import MARK, Home, LocalError, Stopped

ROOT = Path(__file__).resolve().parents[2]
RESTART_SECONDS_MAX = 30.0
# A child that lived this long was well: its next end starts the waiting times anew.
HEALTHY_SECONDS = 60.0
STOP_SECONDS = 15.0


@dataclass(slots=True)
class Child:
    """One process that is kept alive, and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[int], bool] = field(default=lambda pid: True)
    ends_by: signal.Signals = signal.SIGTERM
    as_user: Mapping[str, Any] = field(default_factory=dict)
    log: Path | None = None
    pass_fds: tuple[int, ...] = ()
    # Words in its log after which trying again helps.
    passing: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float | int = 0
    restart_at: float | int = 0
    failures: int = 0

    def spawn(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches the supervisor alone."""
        output = None if self.log is None else open_log(self.log)
        try:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                process_group=0,
                pass_fds=self.pass_fds,
                preexec_fn=end_with_parent(self.ends_by),
                **{"cwd": ROOT, **self.as_user},
            )
        finally:
            if output is not None:
                os.close(output)
        self.started_at = time.monotonic()

    def start(self, *, seconds: int, stopping: Callable[[], bool] = lambda: False) -> None:
        """Start it and wait until it answers; raises :class:`LocalError` with its own last words."""
        deadline = time.monotonic() + seconds
        self.spawn()
        while True:
            assert self.process is not None, "spawned above"
            if stopping():
                raise Stopped
            if self.process.poll() is not None:
                words = self.last_words()
                if time.monotonic() > deadline or not any(word in words for word in self.passing):
                    code = describe_end(self.process.returncode)
                    raise LocalError(f"{self.name} ended before it was ready ({code}). {words}")
                time.sleep(0.5)
                self.spawn()
            elif self.ready(self.process.pid):
                return
            elif time.monotonic() > deadline:
                raise LocalError(f"{self.name} did not answer within {seconds} seconds. {self.last_words()}")
            else:
                time.sleep(0.02)

    def ask_to_end(self) -> None:
        """Send the signal by which it ends cleanly."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.ends_by)

    def wait(self, deadline: float | int) -> None:
        """Wait until it has ended; at the deadline it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(deadline - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        if self.log is None:
            return "Its own message stands above."
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            return f"The end of {self.log}:\n" + "\n".join(lines[-8:])
        return ""


def end_in_order(children: Sequence[Child], hurry: Callable[[], bool] = lambda: False) -> None:
    """The program's processes together first, then the servers, last started first."""
    own = [child for child in children if child.ends_by is signal.SIGTERM and child.name != "Valkey"]
    for child in own:
        child.ask_to_end()
    deadline = time.monotonic() + STOP_SECONDS
    while any(child.process and child.process.poll() is None for child in own):
        if hurry() or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    for child in own:
        child.wait(time.monotonic())
    for child in reversed([child for child in children if child not in own]):
        child.ask_to_end()
        child.wait(time.monotonic() + STOP_SECONDS)


def end_marked(home: Home) -> None:
    """End every process that carries the mark of this data folder, except the servers (they end by their own signal)."""
    mark = f"{MARK}={home.folder}".encode()
    end_all(
        [
            pid
            for pid in other_processes()
            if executable(pid) not in {"postgres", "valkey-server"} and mark in _environment_of(pid).split(b"\0")
        ],
        signal.SIGTERM,
    )


def end_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + STOP_SECONDS
    remaining = list(pids)
    while remaining and time.monotonic() < deadline:
        remaining = [pid for pid in remaining if _alive(pid)]
        time.sleep(0.02)
    for pid in remaining:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def other_processes() -> Iterator[int]:
    """Every other process; none where the system has no /proc."""
    with contextlib.suppress(OSError):
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) not in (os.getpid(), os.getppid()):
                yield int(entry)


def _environment_of(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def executable(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")).name
    return ""


def working_folder(pid: int) -> Path | None:
    with contextlib.suppress(OSError):
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    return None


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False


def end_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For the moment before a program starts: let the kernel end it when its parent is killed."""
    parent = os.getpid()

    def arrange() -> None:
        ask_for_signal(number)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


# Loaded once, here: between fork and exec nothing may be loaded any more.
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


def ask_for_signal(number: signal.Signals) -> None:
    """Ask Linux for this signal when the parent dies; elsewhere the next start ends what is left."""
    if _prctl is not None:
        _prctl(1, int(number), 0, 0, 0)


def describe_end(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def open_log(path: Path) -> int:
    """Append; a log that has grown large becomes the previous one."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > 5_000_000:
            path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
