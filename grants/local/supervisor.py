"""`make run`: everything started in order, kept alive, and ended by one Ctrl-C or SIGTERM."""

from __future__ import annotations

import importlib.util
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence

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


class Supervisor:
    """Starts everything in order, keeps it alive, and ends it all on one Ctrl-C or SIGTERM."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings, self.environ = settings, environ
        self.home = Home(settings.home)
        self.children: list[Child] = []
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
        self._upgrade(addresses, common)
        demo = self._demo(embedded, addresses, common)
        if demo:
            common["GRANTS_DEMO"] = "1"
        for name, module in (("worker", "jobs.worker"), ("scheduler", "jobs.schedule")):
            self._add(Child(name, [sys.executable, "-m", module], common), seconds=30)
        self._add(
            Child(
                "web",
                [sys.executable, "-m", "wsgi", "web", "--fd", str(listener.fileno())],
                common,
                ready=lambda pid: answers_http(self.settings.HOST, self.settings.PORT),
                pass_fds=(listener.fileno(),),
            ),
            seconds=90,
        )
        say(f"\nPilot Grants runs at {address}   (ready in {time.monotonic() - began:.1f} s, Ctrl-C ends it)")
        say(f"Data folder: {self.home.folder}")
        if demo:
            self._introduce(addresses)
        elif not scalar(addresses.database, "user_account", "SELECT count(*) FROM user_account"):
            say(
                "Nobody can sign in yet. Make the first administrator: .venv/bin/grants users add EMAIL --name NAME --role administrator"
            )

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

    def _demo(self, embedded: Embedded, addresses: Addresses, common: Mapping[str, str]) -> bool:
        """Load the demo into an empty database where it is wanted; returns whether the database is a demo."""
        mark = demo_mark(addresses.database)
        if mark == DEMO_MARK:
            return self.settings.GRANTS_ENV != "production"
        unset = not self.environ.get("GRANTS_DEMO", "").strip()
        wanted = self.settings.GRANTS_DEMO or (unset and embedded.postgres)
        if not wanted or self.settings.GRANTS_ENV == "production" or not addresses.owner:
            return False
        if importlib.util.find_spec("grants.demo") is None:
            return False
        if mark != DEMO_UNFINISHED and not is_empty(addresses.database):
            return False
        say("Loading the demo, once (GRANTS_DEMO=0 leaves it out) ...")
        verb = "reset" if mark == DEMO_UNFINISHED else "load"
        self._command(["demo", verb, "--yes"], {**common, "DATABASE_OWNER_URL": addresses.owner, "GRANTS_DEMO": "1"})
        return True

    def _command(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """One command of ours to its end."""
        child = Child(f"grants {' '.join(words[:2])}", [sys.executable, "-m", "wsgi", *words], environment)
        child.spawn()
        assert child.process is not None, "spawned above"
        while (code := child.process.poll()) is None:
            if self._asked:
                child.ask_to_end()
                child.wait(time.monotonic() + STOP_SECONDS)
                raise Stopped
            time.sleep(0.05)
        if code:
            raise LocalError(f"“{child.name}” failed ({describe_end(code)}); its message stands above.")

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
        """Start again whatever ends, at once the first time, then after longer and longer pauses."""
        while not self._asked:
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
            time.sleep(0.1)


def say(words: str) -> None:
    print(words, flush=True)
