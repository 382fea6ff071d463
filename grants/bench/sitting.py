"""One sitting: throw-away servers, two web workers, the data grown to N/10 and to N, everything measured at both."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grants import local
from grants.bench import advising, assigning, lists, money, report, taking
from grants.bench.browsing import Browser, Wrong
from grants.bench.ours import MANAGER, Ours
from grants.bench.running import Load, Measured, Runner, Rushed, Say
from grants.bench.rushing import DRAFTS_FOR_RUSHES
from grants.bench.seeding import Seedbed
from grants.core.db import db
from grants.local.embedded import BOOTSTRAP, embedded_in

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
N_MIN, N_MAX = 100, 100_000
# Fewer would not be enough to do each deed to another thing.
SMALLEST = 40


class Bench:
    """What a sitting needs of the program: its settings, how it is made, and how its tables are brought up to date."""

    def __init__(
        self, settings: Any, make_app: Callable[[Any], Any], upgrade: Callable[[local.Addresses], str]
    ) -> None:
        self._settings, self._make_app, self._upgrade = settings, make_app, upgrade

    def sit(self, n: int, say: Say, out: Path | None) -> None:
        """Measure at N/10 and at N; raises :class:`Wrong` at the first wrong answer."""
        # Ended from outside, it still ends its servers and removes their folders.
        signal.signal(signal.SIGTERM, _leave)
        found: list[Measured] = []
        loads: list[Load] = []
        about: dict[str, object] = {}
        with self._servers() as (settings, connection), self._program(settings):
            bed = Seedbed(connection, n, say)
            with _web(settings) as (host, port, process):
                for size in (max(n // 10, SMALLEST), n):
                    seeded = bed.grow(size)
                    about[f"seed.seconds.{size}"] = round(seeded.seconds, 1)
                    say(f"Measuring at {size:,} ...")
                    ours = Ours(connection)
                    runner = Runner(ours, size, host, port)
                    operations = ours.operations()
                    found += [runner.measure(each) for each in operations]
                    # The deeds above changed what the pages say.
                    loads.append(runner.load(Ours(connection).mixed()))
                about |= {f"list_file.{name}": value for name, value in taking.measured(connection).items()}
                bed.draft(DRAFTS_FOR_RUSHES)
                rushed: list[Rushed] = []
                for rush in Ours(connection).rushes():
                    say(f"{rush.people} people at once: {rush.name} ...")
                    rushed += Runner(Ours(connection), n, host, port).rush(rush)
                about["worker.pss_mb"] = max(_pss_mb(pid) for pid in _children(process.pid))
        about |= {f"assignment.{name}": value for name, value in assigning.measured().items()}
        about |= {f"advice.{name}": value for name, value in advising.measured().items()}
        say(report.table(found, loads, rushed))
        for name, value in about.items():
            say(f"{name}: {value}")
        say(report.targets_table(report.targets(found, about, rushed)))
        if out is not None:
            beside = report.write(out, found, loads, about, rushed)
            say(f"The list stands in {out}, everything else in {beside}.")

    def sit_for_lists(self, n: int, say: Say) -> None:
        """The list of applications alone, at N/100 and at N; raises :class:`Wrong` at the first wrong answer."""
        signal.signal(signal.SIGTERM, _leave)
        found: list[lists.ListMeasured] = []
        with self._servers() as (settings, connection), self._program(settings):
            Seedbed(connection, N_MIN, say)
            database = lists.servers_of(connection)
            with _web(settings) as (host, port, process):
                for size in (max(n // lists.SMALLER, N_MIN), n):
                    lists.grow(connection, size)
                    say(f"Measuring the list at {size:,} ...")
                    ours, browser = Ours(connection), Browser(host, port)
                    ours.sign_in(browser, MANAGER)
                    found += [
                        lists.measured(each, size, browser, _children(process.pid), database)
                        for each in lists.operations(ours, connection)
                    ]
        lists.check_statements(found, report.LIST_SQL_MAX)
        say(lists.table(found))

    def sit_for_money(self, n: int, say: Say) -> None:
        """Lists of payments and of the ledger at N/100 and at N entries, then what acts do with them; raises :class:`Wrong`."""
        signal.signal(signal.SIGTERM, _leave)
        found: list[lists.ListMeasured] = []
        with self._servers() as (settings, connection), self._program(settings):
            bed = Seedbed(connection, n, say)
            bed.grant(money.WAITING)
            database = lists.servers_of(connection)
            with _web(settings) as (host, port, process):
                for size in (max(n // lists.SMALLER, N_MIN), n):
                    bed.settle(max(size // money.ENTRIES_A_GRANT - money.WAITING, 1))
                    say(f"Measuring the lists at {size:,} entries ...")
                    ours, browsers = Ours(connection), {}
                    for each in money.pages(ours, connection):
                        if each.who not in browsers:
                            browsers[each.who] = Browser(host, port)
                            ours.sign_in(browsers[each.who], each.who)
                        found.append(lists.measured(each, size, browsers[each.who], _children(process.pid), database))
            lists.check_statements(found, money.SQL_MAX)
            say(lists.table(found))
            bed.grant(min(money.RUN_MAX, n // money.ENTRIES_A_GRANT))
            say(report.targets_table(tuple(money.measured(say))))

    @contextlib.contextmanager
    def _servers(self) -> Iterator[tuple[Any, Any]]:
        """PostgreSQL and Valkey in a folder of their own, gone afterwards; the settings on them and the superuser's connection."""
        home = Path(tempfile.mkdtemp(prefix="grants-bench-"))
        settings = replace(
            self._settings, GRANTS_HOME=str(home), DATABASE_URL="", DATABASE_OWNER_URL="", REDIS_URL="", BASE_URL="",
            SMTP_URL="", GRANTS_ENV="local", GRANTS_DEMO=True, SERVER_TIMING=True, SECRET_KEY=secrets.token_hex(32),
        )  # fmt: skip
        place = None
        try:
            with local.servers(settings) as addresses:
                embedded = embedded_in(local.Home(home), settings)
                place = embedded.place
                self._upgrade(addresses)
                on = replace(settings, DATABASE_URL=addresses.database, REDIS_URL=addresses.queue)
                with embedded.connect(BOOTSTRAP) as connection:
                    yield on, connection
        finally:
            for folder in (home, place):
                if folder is not None:
                    shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _program(self, settings: Any) -> Iterator[None]:
        with self._make_app(replace(settings, SERVER_TIMING=False)).app_context():
            try:
                yield
            finally:
                db.session.remove()
                db.engine.dispose()


@contextlib.contextmanager
def _web(settings: Any) -> Iterator[tuple[str, int, subprocess.Popen[bytes]]]:
    """gunicorn as in production, with two workers; without HTTPS, and people sign in without a password."""
    host, port = "127.0.0.1", _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "LC_ALL", "TZ"}},
        **{
            name: str(int(value) if isinstance(value, bool) else value)
            for name, value in _fields(settings).items()
            if value
        },
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "wsgi:app", "--config", "docs/deploy/gunicorn.conf.py", "--workers", str(WORKERS), "--timeout", "120", "--bind", f"{host}:{port}", "--log-level", "warning"],
        cwd=ROOT, env=environment, preexec_fn=local.end_with_parent(signal.SIGTERM),
    )  # fmt: skip
    try:
        _wait_for(host, port, process)
        yield host, port, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(1)


def _fields(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in type(settings).__dataclass_fields__}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            if Browser(host, port).get("/healthz").status == 200:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise Wrong("The web server did not start; its message stands above.")


def _children(pid: int) -> Sequence[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _pss_mb(pid: int) -> float:
    """The proportional share of memory of a process, as Linux counts it."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise Wrong(f"The memory of process {pid} is not told.")
