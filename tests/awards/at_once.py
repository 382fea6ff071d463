"""Deeds done at one moment, each on a connection of its own, and what became of each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from flask import Flask, current_app

from grants.core import clock
from grants.core.db import db
from grants.core.errors import Conflict, Refused

Deed = Callable[[], Any]
# Nobody waits longer for the others, or for a lock.
SECONDS = 60


def at_once(*deeds: Deed | tuple[datetime, Deed]) -> list[str]:
    """Let each do its deed in a thread of its own, all let go together: “done” or how it was refused, in sorted order.

    A deed may say at which moment it is done; the others are done now. Whatever is no refusal is raised here.
    """
    app = cast(Flask, cast(Any, current_app)._get_current_object())
    gate, now = threading.Barrier(len(deeds)), clock.now()
    told, crashed = list[str](), list[Exception]()
    db.session.rollback()

    def run(at: datetime, deed: Deed) -> None:
        with app.app_context(), clock.at(at):
            try:
                gate.wait(SECONDS)
                deed()
                told.append("done")
            except (Refused, Conflict) as error:
                told.append(type(error).__name__)
            except Exception as error:
                crashed.append(error)
            finally:
                db.session.remove()

    timed = [each if isinstance(each, tuple) else (now, each) for each in deeds]
    threads = [threading.Thread(target=run, args=each) for each in timed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    db.session.rollback()
    if crashed:
        raise crashed[0]
    assert len(told) == len(deeds), "one of them is still waiting"
    return sorted(told)
