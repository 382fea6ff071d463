"""`make run` on an empty folder with real processes: pages first, the demo beside them, and everything that may end it."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from grants import local
from grants.core import filling
from tests.house.machine import Machine, eventually

SHORT_DEMO = Path(__file__).parent / "short_demo"
WHOLE = "Pilot Grants runs at"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "home", GRANTS_DEMO="", PYTHONPATH=str(SHORT_DEMO))
    machine.home.mkdir(mode=0o700)
    try:
        yield machine
    finally:
        machine.remove()


class Browser:
    """Somebody without JavaScript."""

    def __init__(self, machine: Machine) -> None:
        self.root = f"http://127.0.0.1:{machine.port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.text = ""

    def get(self, path: str) -> int:
        return self._ask(path, None)

    def post(self, path: str, **fields: str) -> int:
        """Send a form with the token of the page that is open."""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.text)
        assert token is not None, self.text
        return self._ask(path, urllib.parse.urlencode({"csrf_token": token[1], **fields}).encode())

    def _ask(self, path: str, sent: bytes | None) -> int:
        try:
            answer = self.opener.open(self.root + path, sent, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.text = answer.read().decode()
            return int(answer.status)


def open_gates(machine: Machine) -> None:
    for step in range(1, 5):
        (machine.home / f"gate-{step}").touch()


def reached(machine: Machine, step: int) -> bool:
    found = filling.read(machine.home)
    return found is not None and found.phase is filling.Phase.FILLING and found.done == step


def loader(machine: Machine) -> int:
    (pid,) = eventually(lambda: [pid for pid in machine.pids("wsgi demo") if os.getpgid(pid) == pid])
    return int(pid)


def mark(machine: Machine) -> str:
    return local.demo_mark(machine.embedded().url(local.OWNER))


def audited(machine: Machine) -> list[tuple[int, ...]]:
    """How many events and refusals are on the record."""
    with machine.embedded().connect(local.OWNER) as connection:
        return connection.execute(
            "SELECT (SELECT count(*) FROM audit_event), (SELECT count(*) FROM security_event)"
        ).fetchall()


def test_a_demo_that_ended_in_the_middle_is_begun_anew_until_it_is_whole(machine: Machine) -> None:
    """One folder through all of it: a load is killed, fails and is interrupted; the next one is looked at while it fills."""
    machine.launch()
    eventually(lambda: reached(machine, 1))
    killed = loader(machine)

    # Killed: begun anew at once, by the same command.
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: "ended from outside (killed by SIGKILL). It is begun anew" in machine.said())
    assert loader(machine) != killed
    assert mark(machine) == local.DEMO_UNFINISHED

    # Fails: everything ends, and nobody says that it runs.
    eventually(lambda: reached(machine, 1))
    (machine.home / "fails").touch()
    assert machine.process is not None
    assert machine.process.wait(60) == 1
    assert "This demo fails on purpose." in machine.said()
    assert "Loading the demo failed (exit code 1)" in machine.said()
    assert WHOLE not in machine.said()
    assert machine.pids() == []
    (machine.home / "fails").unlink()

    # A start without a demo does not take the part for something else.
    refused = machine.say("run", GRANTS_DEMO="0")
    assert refused.returncode == 1
    assert "holds a part of a demo" in refused.stderr

    # Begun anew, and ended by Ctrl-C in the middle: nothing is left running.
    machine.launch()
    eventually(lambda: reached(machine, 1))
    assert "It is begun anew" in machine.said()
    assert machine.stop(signal.SIGINT) == 0
    assert WHOLE not in machine.said()
    assert machine.pids() == []

    machine.launch()
    look_around_until_it_is_whole(machine)
    assert "It is begun anew" in machine.said()
    with machine.embedded().connect(local.OWNER) as connection:
        assert connection.execute("SELECT count(*) FROM user_account").fetchone() == (2,)
    assert machine.stop() == 0

    # A later start has nothing to fill.
    machine.start()
    assert "look around" not in machine.said() and "Bringing the database up to date" not in machine.said()
    ada = Browser(machine)
    assert ada.get("/demo") == 200
    assert ada.text.count("Enter<span") == 2
    assert ada.post("/demo", person="ada-berg") == 200 and "Ada Berg" in ada.text
    # What was written before it was ended is kept.
    assert ada.get("/admin/users") == 200 and "Otto Lind" in ada.text
    assert machine.stop() == 0

    # Whoever says so gets no sign-in without a password, whatever the database is, and no old one goes on.
    machine.environment["GRANTS_DEMO"] = "0"
    machine.start()
    assert ada.get("/demo") == 404
    assert ada.get("/admin/users") == 200 and "Sign in" in ada.text and "Ada Berg" not in ada.text
    assert machine.stop() == 0


def look_around_until_it_is_whole(machine: Machine) -> None:
    """People read what there is while the demo is filled, and change things after."""
    eventually(lambda: "You can look around at" in machine.said())
    eventually(lambda: reached(machine, 1))
    ada = Browser(machine)

    # The people are there: one signs in, and every page says how far it is.
    assert ada.get("/sign-in") == 200
    assert "The demo is being filled: 1 of 4" in ada.text and 'http-equiv="refresh"' in ada.text
    assert ada.post("/demo", person="ada-berg") == 200
    assert "The demo is being filled: 1 of 4" in ada.text and "Ada Berg" in ada.text
    # Pages answer: a proxy that asks here must not take them away.
    assert ada.get("/readyz") == 200
    assert ada.get("/admin/users/invite") == 200

    # What she sends waits, is shown again, and leaves no trace.
    before = audited(machine)
    assert ada.post("/admin/users/invite", name="Mia Ito", email="mia@example.eu") == 503
    assert "Not yet: the demo is still being filled" in ada.text and "Mia Ito" in ada.text
    assert audited(machine) == before
    assert machine.pids("jobs.worker") + machine.pids("jobs.schedule") == []
    assert WHOLE not in machine.said()
    assert mark(machine) == local.DEMO_UNFINISHED

    assert ada.post("/sign-out") == 200
    open_gates(machine)
    eventually(lambda: WHOLE in machine.said())

    assert mark(machine) == local.DEMO_MARK
    assert machine.pids("jobs.worker") and machine.pids("jobs.schedule")
    assert ada.get("/sign-in") == 200
    assert "being filled" not in ada.text and 'http-equiv="refresh"' not in ada.text
    assert ada.post("/demo", person="ada-berg") == 200
    assert ada.get("/admin/users/invite") == 200
    assert ada.post("/admin/users/invite", name="Mia Ito", email="mia@example.eu") not in (503, 500)
    said = machine.said()
    assert said.index("You can look around at") < said.index("4 of 4") < said.index(WHOLE)
