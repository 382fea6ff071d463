"""`make run`: everything started in order, kept alive, and ended by one Ctrl-C or SIGTERM."""

from __future__ import annotations

import importlib.util
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from enum import Enum

from grants.core import filling
from grants.local.databases import DEMO_MARK, DEMO_UNFINISHED, connect, demo_mark, is_empty, scalar
from grants.local.embedded import Embedded, embedded_in
from grants.local.folder import MARK, Addresses, Home, LocalError, Settings, Stopped
from grants.local.listening import address_of, answers_http, listen
from grants.local.processes import (
    HEALTHY_SECONDS,
    RESTART_SECONDS_MAX,
    ROOT,
    STOP_SECONDS,
    Child,
    ask_for_signal,
    describe_end,
    end_in_order,
    end_marked,
)


class Demo(Enum):
    """What a start has to do with the demo."""

    NONE = "none"
    THERE = "there"
    LOAD = "load"
    BEGIN_ANEW = "begin anew"


class Supervisor:
    """Starts everything in order, keeps it alive, and ends it all on one Ctrl-C or SIGTERM."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings, self.environ = settings, environ
        self.home = Home(settings.home)
        self.children: list[Child] = []
        # What loads the demo beside the children, while it does.
        self._beside: Child | None = None
        self._asked = 0
        self._listener: socket.socket | None = None

    def run(self) -> int:
        """Until somebody says stop; returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        if self.environ.get("MAKELEVEL"):
            # `make` killed outright must not leave this running unseen.
            ask_for_signal(signal.SIGTERM)
        self.home.prepare()
        self._take_lock()
        try:
            self._start()
            self._watch()
            say("Ending everything ...")
        except Stopped:
            say("Ending what was started ...")
        finally:
            if self._beside is not None:
                self._beside.ask_to_end()
                self._beside.wait(time.monotonic() + STOP_SECONDS)
            end_in_order(self.children, hurry=lambda: self._asked > 1)
            end_marked(self.home)
            self.home.unlock()
        return 0

    def _stop(self, number: int, frame: object) -> None:
        self._asked += 1

    def _take_lock(self) -> None:
        for attempt in range(150):
            if self._asked:
                raise Stopped
            if self.home.lock():
                self.home.say("run")
                return
            holder = self.home.holder()
            if holder["what"] == "run":
                where = f" at {holder['address']}" if holder["address"] else ""
                raise LocalError(
                    f"This is already running{where} (process {holder['pid']}, data folder {self.home.folder}). "
                    "End it first, or set GRANTS_HOME to another folder."
                )
            if attempt == 10:
                say(f"Waiting for another `grants` command (process {holder['pid']}) to finish ...")
            time.sleep(0.2)
        raise LocalError(f"Process {self.home.holder()['pid']} holds {self.home.folder}. End it, then try again.")

    def _start(self) -> None:
        began = time.monotonic()
        embedded = embedded_in(self.home, self.settings)
        embedded.end_leftovers()
        # Kept open here, so that visitors wait while the web process is started again.
        self._listener = listener = listen(self.settings.HOST, self.settings.PORT)
        address = self.settings.BASE_URL or address_of(self.settings.HOST, self.settings.PORT)
        self.home.say("run", address)
        for child in embedded.children():
            self._add(child, seconds=60)
        if embedded.postgres:
            embedded.settle()
        addresses = embedded.addresses(self.settings)
        self.settings.secret_key()
        common = self._environment(addresses, address)
        plan = self._plan(embedded, addresses)
        if plan is not Demo.NONE:
            common["GRANTS_DEMO"] = "1"
        web = Child(
            "web",
            [sys.executable, "-m", "wsgi", "web", "--fd", str(listener.fileno())],
            common,
            ready=lambda pid: answers_http(self.settings.HOST, self.settings.PORT),
            pass_fds=(listener.fileno(),),
        )
        if plan in (Demo.LOAD, Demo.BEGIN_ANEW):
            self._fill(plan, web, {**common, "DATABASE_OWNER_URL": addresses.owner}, began, address)
        else:
            filling.end(self.home.folder)
            self._upgrade(addresses, common)
            self._add(web, seconds=90)
        # Only now: nothing that works by itself may come into the middle of the demo's stories.
        for name, module in (("worker", "jobs.worker"), ("scheduler", "jobs.schedule")):
            self._add(Child(name, [sys.executable, "-m", module], common), seconds=30)
        say(f"\nPilot Grants runs at {address}   (ready in {time.monotonic() - began:.1f} s, Ctrl-C ends it)")
        say(f"Data folder: {self.home.folder}")
        if plan is not Demo.NONE:
            self._introduce(addresses)
        elif not scalar(addresses.database, "user_account", "SELECT count(*) FROM user_account"):
            say(
                "Nobody can sign in yet. Make the first administrator: .venv/bin/grants users add EMAIL --name NAME --role administrator"
            )

    def _fill(self, plan: Demo, web: Child, owner: Mapping[str, str], began: float | int, address: str) -> None:
        """The web process at once, so that people can look around; the demo is loaded beside it."""
        if plan is Demo.BEGIN_ANEW:
            say("The demo was not loaded to its end the last time. It is begun anew ...")
        loader = self._load("load" if plan is Demo.LOAD else "reset", owner)
        self._add(web, seconds=90)
        while loader.process and loader.process.poll() is None and self._has_no_tables():
            self._pause()
        if loader.process and loader.process.poll() is None:
            say(
                f"\nYou can look around at {address}   (after {time.monotonic() - began:.1f} s). The demo is still being "
                "filled, once; until then nothing can be changed (GRANTS_DEMO=0 leaves it out) ..."
            )
        if (code := self._to_its_end(loader)) < 0:
            say(f"Loading the demo was ended from outside ({describe_end(code)}). It is begun anew ...")
            code = self._to_its_end(self._load("reset", owner))
        if code:
            raise LocalError(
                f"Loading the demo failed ({describe_end(code)}); its message stands above. Everything is ended, since a "
                "part of a demo is none. The next start begins it anew; GRANTS_DEMO=0 with another GRANTS_HOME starts "
                "without one."
            )
        self._beside = None
        filling.end(self.home.folder)

    def _load(self, verb: str, owner: Mapping[str, str]) -> Child:
        """Begin to load the demo; from now on every page says so."""
        filling.write(self.home.folder, filling.NO_TABLES)
        self._beside = Child(f"grants demo {verb}", [sys.executable, "-m", "wsgi", "demo", verb, "--yes"], owner)
        self._beside.spawn()
        return self._beside

    def _has_no_tables(self) -> bool:
        found = filling.read(self.home.folder)
        return found is not None and found.phase is filling.Phase.PREPARING

    def _add(self, child: Child, *, seconds: int) -> None:
        self.children.append(child)
        child.start(seconds=seconds, stopping=lambda: self._asked > 0)

    def _environment(self, addresses: Addresses, address: str) -> dict[str, str]:
        """What a child gets: the program's addresses, never the embedded owner's."""
        return {
            **self.environ,
            "GRANTS_HOME": str(self.home.folder),
            "DATABASE_URL": addresses.database,
            "REDIS_URL": addresses.queue,
            "BASE_URL": address,
            "PYTHONUNBUFFERED": "1",
            MARK: str(self.home.folder),
        }

    def _upgrade(self, addresses: Addresses, common: Mapping[str, str]) -> None:
        file = ROOT / "migrations" / "HEAD"
        head = file.read_text().strip() if file.exists() else ""
        if head and scalar(addresses.database, "alembic_version", "SELECT version_num FROM alembic_version") == head:
            return
        if not addresses.owner:
            raise LocalError(
                "The database is not up to date and DATABASE_OWNER_URL is not set. Set it to the address of the "
                "database's owner; only `grants db upgrade` uses it."
            )
        say("Bringing the database up to date ...")
        self._command(["db", "upgrade", "--quiet"], {**common, "DATABASE_OWNER_URL": addresses.owner})

    def _plan(self, embedded: Embedded, addresses: Addresses) -> Demo:
        """Whether the database is a demo, becomes one, or begins one anew; a part of one is never taken for anything."""
        mark = demo_mark(addresses.database)
        unset = not self.environ.get("GRANTS_DEMO", "").strip()
        if mark == DEMO_MARK:
            # Somebody who says 0 gets no sign-in without a password, whatever the database is.
            shown = self.settings.GRANTS_ENV != "production" and (self.settings.GRANTS_DEMO or unset)
            return Demo.THERE if shown else Demo.NONE
        wanted = self.settings.GRANTS_DEMO or (unset and embedded.postgres)
        there = importlib.util.find_spec("grants.demo") is not None
        wanted = wanted and there and self.settings.GRANTS_ENV != "production" and bool(addresses.owner)
        if mark == DEMO_UNFINISHED:
            if wanted:
                return Demo.BEGIN_ANEW
            raise LocalError(
                f"The database holds a part of a demo, whose loading was interrupted. GRANTS_DEMO=1 loads it anew; for a "
                f"start without a demo choose another database, or another data folder than {self.home.folder}."
            )
        return Demo.LOAD if wanted and is_empty(addresses.database) else Demo.NONE

    def _command(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """One command of ours to its end."""
        child = Child(f"grants {' '.join(words[:2])}", [sys.executable, "-m", "wsgi", *words], environment)
        child.spawn()
        if code := self._to_its_end(child):
            raise LocalError(f"“{child.name}” failed ({describe_end(code)}); its message stands above.")

    def _to_its_end(self, child: Child) -> int:
        """Wait for a child that ends by itself, and keep the others alive meanwhile; returns its exit code."""
        assert child.process is not None, "it was started"
        while (code := child.process.poll()) is None:
            if self._asked:
                child.ask_to_end()
                child.wait(time.monotonic() + STOP_SECONDS)
            self._pause()
        return code

    def _pause(self) -> None:
        """Keep what runs alive for a moment; raises :class:`Stopped` once somebody said stop."""
        if self._asked:
            raise Stopped
        self._keep_alive()
        time.sleep(0.05)

    def _introduce(self, addresses: Addresses) -> None:
        say("Demo people; choose one on the sign-in page, no password:")
        with connect(addresses.database) as connection:
            people = connection.execute(
                "SELECT name, coalesce(job_title, '') FROM user_account WHERE is_demo AND disabled_at IS NULL "
                "ORDER BY created_at, name LIMIT 40"
            ).fetchall()
        width = max((len(name) for name, _ in people), default=0)
        for name, title in people:
            say(f"  {name.ljust(width)}  {title}".rstrip())

    def _watch(self) -> None:
        while not self._asked:
            self._keep_alive()
            time.sleep(0.1)

    def _keep_alive(self) -> None:
        """Start again whatever ended, at once the first time, then after longer and longer pauses."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.restart_at:
                    child.spawn()
            elif (code := child.process.poll()) is not None:
                child.failures = 1 if now - child.started_at > HEALTHY_SECONDS else child.failures + 1
                pause = min(0.25 * 2 ** min(child.failures, 10), RESTART_SECONDS_MAX)
                say(f"{child.name} ended ({describe_end(code)}); it starts again in {pause:g} s.")
                child.process, child.restart_at = None, now + pause


def say(words: str) -> None:
    print(words, flush=True)
