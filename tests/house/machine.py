"""One `grants run` in a folder of a test's own, as a real process: start, kill, look, and leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grants import local

ROOT = Path(__file__).resolve().parents[2]
# Generous: several of these may run beside each other on two cores.
PATIENCE_SECONDS = 240
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "USER", "VIRTUAL_ENV")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(question: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true answer; an error when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)
    return answer


class Machine:
    """The command `grants` on one data folder."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home, self.port = home, free_port()
        self.environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.environment |= {
            "GRANTS_HOME": str(home),
            "PORT": str(self.port),
            "GRANTS_DEMO": "0",
            "PYTHONWARNINGS": "error::DeprecationWarning:grants",
            **settings,
        }
        self.log = home.with_name(f"{home.name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """`grants run` until it says its address."""
        self.launch()
        eventually(lambda: "Pilot Grants runs at" in self.said() or self._ended())
        assert not self._ended(), self.said()

    def launch(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command("run"), env=self.environment, stdout=log, stderr=log, cwd=ROOT
            )

    def say(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Another `grants` command on the same folder, to its end."""
        return subprocess.run(
            self._command(*words),
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            cwd=ROOT,
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code."""
        assert self.process is not None, "it was started"
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def answers(self, path: str = "/healthz") -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)

    def pids(self, *words: str) -> list[int]:
        """Processes of this folder, servers included, whose command line has every word."""
        mark = f"{local.MARK}={self.home.resolve()}".encode()
        places = {self.place() / "postgres", self.place() / "valkey"}
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                ours = (
                    mark in (entry / "environ").read_bytes().split(b"\0") or Path(os.readlink(entry / "cwd")) in places
                )
            except OSError:
                continue
            if ours and line and all(word in line for word in words):
                found.append(int(entry.name))
        return found

    def place(self) -> Path:
        """Where the servers' folders are."""
        return self.home.resolve() / str(self._note()["place"])

    def embedded(self) -> local.Embedded:
        return local.Embedded(local.Home(self.home), postgres=True, valkey=True)

    def remove(self) -> None:
        """End what still runs and delete every folder that was made."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not (self.home / "servers.json").exists():
            return
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self.pids())
        sockets = self.embedded().sockets
        for folder in (sockets, self.place()):
            shutil.rmtree(folder, ignore_errors=True)

    def _note(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "servers.json").read_text())
        return found

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "wsgi", *words]

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None
