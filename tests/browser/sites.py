"""The program while a call is open, served to real browsers: one for all, or one for a module that counts what is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from grants.calls.rules import CallView
from grants.core import clock
from grants.core.permissions import Actor
from tests import actors
from tests.conftest import cloned, settings_for
from tests.factories.applications import WHILE_OPEN
from tests.listening import listening
from tests.programs import running
from tests.servers import Cluster, TestValkey
from tests.worlds import World


@dataclass
class Site:
    """The program while a call is open, as a browser reaches it; its clock runs and can be put forward."""

    app: Flask
    address: str = ""
    began: float = field(default_factory=time.monotonic)
    later: timedelta = timedelta()

    def wsgi(self, environ: Any, start_response: Callable[..., Any]) -> Any:
        with clock.at(WHILE_OPEN + timedelta(seconds=time.monotonic() - self.began) + self.later):
            return self.app(environ, start_response)

    def cookie(self, person: Actor) -> Any:
        """The cookie of a person who has just signed in."""
        with clock.at(WHILE_OPEN + self.later):
            kept = actors.client_of(self.app, person).get_cookie("grants")
        assert kept is not None
        return {"name": "grants", "value": kept.value, "url": self.address}


@contextmanager
def served(postgres: Cluster, called: World[CallView], home: Path) -> Iterator[Site]:
    """A real server in a thread of its own, with a queue server beside it, and the 2022 call in its database."""
    valkey = TestValkey()
    valkey.start()
    called.lay_files(home)
    with (
        cloned(postgres, called.database) as name,
        running(replace(settings_for(postgres, name, home), REDIS_URL=valkey.url)) as app,
    ):
        made = Site(app)
        with listening(made.wsgi) as made.address:
            yield made
    valkey.stop()


@pytest.fixture(scope="module")
def own_site(
    postgres: Cluster, browsed_world: World[CallView], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """For a module that names what it made by number, or changes the call."""
    with served(postgres, browsed_world, tmp_path_factory.mktemp("home")) as made:
        yield made
