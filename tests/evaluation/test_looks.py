"""A look has an address of its own: a file of evaluators or of seats, a change by hand, reminders. “Back” sends nothing again."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask

from grants.core import clock, jobs, looks
from tests.evaluation.scene import CLOSED, Browser, Scene
from tests.evaluation.test_importing import HEAD, NEW
from tests.evaluation.test_late import hidden, late, mails
from tests.evaluation.test_views import handle, text_of
from tests.servers import TestValkey
from tests.statements import statements


def test_what_was_looked_at_is_shown_again_to_who_sent_it_as_it_stands_then(
    app: Flask, browser: Browser, seated: Scene
) -> None:
    base, reference = f"/calls/{seated.slug}/assignments", seated.references[0]
    leaver = seated.seats(seated.application_ids[0])[0]
    spare = next(name for name in seated.evaluators if name not in seated.seats(seated.application_ids[0]))
    change = {"deed": "move", "leaving": handle(seated, leaver), "taking": handle(seated, spare), "reason": "Ill"}
    server = TestValkey()
    server.start()
    try:
        app.config["REDIS_URL"] = server.url

        def looked(path: str, **data: Any) -> str:
            answer = browser.post("manager", path, **data)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")
            assert "look=" in answer.location
            return str(answer.location)

        pool = looked(f"/calls/{seated.slug}/evaluators/import/look", file=csv(f"{HEAD}\n{NEW}"))
        assert "Is invited by mail" in text_of(browser.get("manager", pool))
        assert "is gone. Nothing was stored or sent." in text_of(browser.get("manager", pool[:-2] + "x="))
        seats = looked(f"{base}/file/look", file=csv(f"application,evaluator\n{reference},\n"))
        assert "Do exactly this" in text_of(browser.get("manager", seats))
        change["version"] = hidden(browser.get("manager", f"{base}/{reference}/adjust").text, "version")
        adjusted = looked(f"{base}/{reference}/adjust", show="yes", due_on="5 December 2022", **change)
        with statements() as asked:
            shown = text_of(browser.get("manager", adjusted))
        assert len(asked) <= 8
        assert "leaves the seat and" in shown and "Ill</textarea>" in shown and 'value="5 December 2022"' in shown
        late(seated)
        reminded = looked(f"{base}/missing", every="yes", message="The panel meets soon.")
        shown = text_of(browser.get("manager", reminded))
        assert "These are the mails as they would leave" in shown and shown.count("The panel meets soon.") > 1
        assert mails() == []

        # Nothing that lies there can be read without the address, and no address of another opens it.
        held = [jobs.queue_server().get(key) or b"" for key in jobs.queue_server().keys("look:*")]
        assert len(held) == 4 and not any(b"nora" in each or b"Ill" in each for each in held)
        name = pool.partition("look=")[2].replace("%3D", "=")
        assert looks.kept(UUID(int=7), f"evaluators {seated.call_id}", name) is None
        assert looks.kept(seated.people["manager"], f"seats {seated.call_id}", name) is None

        # A look takes the place of the one before it for the same purpose: nobody fills the server.
        again = looked(f"{base}/file/look", file=csv(f"application,evaluator\n{reference},\n"))
        assert len(jobs.queue_server().keys("look:*")) == 4
        assert "or until you look again, and is gone" in text_of(browser.get("manager", seats))
        assert "Do exactly this" in text_of(browser.get("manager", again))

        # Somebody was faster: the same address says so, and what was typed stands.
        with clock.at(CLOSED + timedelta(minutes=1)):
            seated.release(leaver, seated.application_ids[0], "Away")
        shown = text_of(browser.get("manager", adjusted))
        assert "Somebody else changed the seats since" in shown and "Ill</textarea>" in shown
        # The proof of the run is of before; a look stored nothing, and what came since is said.
        shown = text_of(browser.get("manager", base))
        assert "Since then: 1 seat given or emptied otherwise." in shown and "The proof is of how things stood" in shown
    finally:
        server.stop()


def csv(text: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), "file.csv"
