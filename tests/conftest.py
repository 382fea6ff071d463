"""What every test may use: a real PostgreSQL, a fresh database for each test that writes, the whole program on it."""

from __future__ import annotations

import gc
import json
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as drawing
from hypothesis.internal import charmap
from sqlalchemy import create_engine
from sqlalchemy.orm import Mapped, mapped_column

from config import Config
from grants import demo
from grants.cli import alembic_config
from grants.core import jobs, triggers
from grants.core.db import DIGEST, Row
from grants.identity.queries import actor_for
from tests.plain import KNOWN
from tests.programs import TEMPLATES, look_seldom_for_circles, running
from tests.servers import Cluster, TestPostgres
from tests.standing import Databases
from tests.worlds import World, Worlds, deepest, settings_for

HERE = Path(__file__).parent

T = TypeVar("T")


class Note(Row):
    """A table of the tests alone, for acts to write."""

    __tablename__ = "note"

    text: Mapped[str]
    secret: Mapped[str | None] = mapped_column(info=DIGEST)
    pointer: Mapped[UUID | None]


# The folder of the cluster that the processes of one run share, where there are several; the first process ends it.
SHARED = pytest.StashKey[TestPostgres]()

# Files that take long for the tests they have, the longest first; the demo is loaded by whoever comes first to it.
LONG = (
    "journeys/test_demo.py", "house/", "browser/", "journeys/", "bench/", "jobs/", "documents/", "core/test_faults",
    "awards/test_publication", "awards/test_race", "applications/test_race", "payments/test_killed", "payments/test_race",
    "structure/test_routes", "evaluation/test_blind", "awards/test_no_route", "oversight/test_conflicted", "awards/test_unscored",
    "structure/test_web_process", "oversight/test_invariants", "agreements/test_offers", "structure/test_migrations",
    "structure/test_templates", "awards/test_repeated_pages", "oversight/test_spending", "structure/test_faults",
    "payments/test_walk",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    # Tests start the program some dozen times. Where nothing compiled may be kept, each start would compile all of it anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # How long one example takes tells of the machine and of what else it does.
    drawing.register_profile("house", drawing(), deadline=None)
    drawing.load_profile("house")
    if not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", None):
        config.option.loadscopereorder = False
        config.stash[SHARED] = TestPostgres()
        config.stash[SHARED].start()
    else:
        # Reading five thousand tests makes much that stays and no garbage; a collection of garbage meanwhile walks all of
        # it again and again, up to a quarter of what reading them costs. The process that only hands tests out reads none.
        gc.disable()
    if hasattr(config, "workerinput"):
        common = Path(config.workerinput["cluster"])
        TEMPLATES.share(common / "templates")
        KNOWN.share(common / "known")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        compile_in_turns(session.config)


def compile_in_turns(config: pytest.Config) -> None:
    """Read the files of tests from another place on than the other processes do; pytest collects them afterwards, as always.

    Nothing of a fresh checkout is compiled yet. Where several processes read all tests in one order, each compiles every file,
    since no other was there before it; so each begins at another place, and finds compiled what comes later. They are imported
    and not given to ``compileall``: pytest runs a bytecode of its own, with assertions that tell what they compared, and only
    its import writes that. Nothing runs twice by it: the collection finds the modules read.
    """
    files = _files_of(config)
    place = int(config.workerinput["workerid"].removeprefix("gw")) * len(files)
    for path in turned(files, place // config.workerinput["workercount"]):
        # What cannot be read, or is not for this machine, pytest itself says of it in a moment: the collection tries again.
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(path.relative_to(HERE.parent).with_suffix("").parts))


def _files_of(config: pytest.Config) -> list[Path]:
    """The files whose tests this run was asked for."""
    named = [config.invocation_params.dir / each.partition("::")[0] for each in config.args]
    return sorted(path for path in HERE.rglob("test_*.py") if any(path.is_relative_to(each) for each in named))


def turned(files: Sequence[T], place: int) -> Sequence[T]:
    """The same from another place on, and those before it last."""
    return [*files[place:], *files[:place]]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    # Kept in a file that every process would write at once where it is not there yet, and read half written.
    charmap.charmap()
    node.workerinput["cluster"] = str(node.config.stash[SHARED].home)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SHARED in config.stash:
        config.stash[SHARED].stop()
    # A process that ends looks through everything for circles, some seconds of a processor; the system takes it all anyway.
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Files are handed to several processes in this order: one that takes long and comes last is waited for by all the
    # others. How many tests a file has tells little: journeys and files with processes of their own have few.
    if hasattr(config, "workerinput"):
        tests_in = Counter(item.path for item in items)
        items.sort(key=lambda item: (_turn(item.path), -tests_in[item.path], item.path))


def _turn(path: Path) -> int:
    """Where a file comes among those that take long; all others come after them."""
    place = path.relative_to(HERE).as_posix()
    return next((turn for turn, name in enumerate(LONG) if place.startswith(name)), len(LONG))


def pytest_collection_finish() -> None:
    gc.enable()
    look_seldom_for_circles()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    shared = getattr(request.config, "workerinput", {}).get("cluster")
    if shared:
        cluster = Cluster(Path(shared))
        yield cluster
        cluster.hang_up()
        return
    server = TestPostgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def template(postgres: Cluster) -> str:
    with postgres.made_once("template_tests") as is_new:
        if is_new:
            _make_template(postgres)
    return "template_tests"


def _make_template(postgres: Cluster) -> None:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE grants_program LOGIN")
        connection.execute("CREATE DATABASE template_tests")
    engine = create_engine(postgres.url("template_tests", "grants_owner"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        Note.__table__.create(connection)
        triggers.grant_program_role(connection, "grants_program")
    engine.dispose()


@contextmanager
def cloned(postgres: Cluster, template: str) -> Iterator[str]:
    """A database like ``template``, there until the block ends."""
    name = f"t_{uuid4().hex}"
    postgres.clone(template, name)
    try:
        yield name
    finally:
        postgres.drop(name)


@pytest.fixture(scope="session")
def worlds(postgres: Cluster, template: str) -> Worlds:
    """Makes what many tests start from, once a run."""
    return Worlds(postgres, template)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World[Any] | None:
    """The world this test asks for, if any."""
    return deepest(request.getfixturevalue(name) for name in request.fixturenames if name.endswith("_world"))


@pytest.fixture
def database(postgres: Cluster, template: str, world: World[Any] | None) -> Iterator[str]:
    """The name of a database of this test alone."""
    with cloned(postgres, world.database if world else template) as name:
        yield name


@pytest.fixture
def settings(postgres: Cluster, database: str, world: World[Any] | None, tmp_path: Path) -> Config:
    if world:
        world.lay_files(tmp_path)
    return settings_for(postgres, database, tmp_path)


@pytest.fixture(scope="session")
def standing(postgres: Cluster) -> Iterator[Databases]:
    """Databases lent to one test after another."""
    databases = Databases(postgres)
    yield databases
    databases.end()


@pytest.fixture
def app(
    request: pytest.FixtureRequest, template: str, standing: Databases, world: World[Any] | None, tmp_path: Path
) -> Iterator[Flask]:
    """The whole program on a database that nobody else uses meanwhile, inside its application context."""
    # Whoever asks for these may do anything with the database, also with other processes.
    if {"settings", "database"} & {*request.node.fixturenames}:
        with running(request.getfixturevalue("settings")) as app:
            yield app
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    with standing.lent(world.database if world else template) as database:
        if world:
            world.lay_files(tmp_path)
        with running(settings_for(postgres, database, tmp_path)) as app:
            yield app


# What the loading of the demo said of its progress, for the test of it.
TOLD = "told.json"


@dataclass(frozen=True)
class DemoTemplate:
    """A database the demo was loaded into, and the folder of its files; tests clone the one and read the other."""

    database: str
    home: Path


@pytest.fixture(scope="session")
def demo_template(postgres: Cluster, template: str) -> DemoTemplate:
    """The demo, loaded once a run; another process that needs it meanwhile waits for it."""
    name, home = "template_demo", postgres.home / "demo"
    with postgres.made_once(name) as is_new:
        if is_new:
            home.mkdir()
            postgres.clone(template, name)
            with running(settings_for(postgres, name, home)):
                told: list[tuple[int, int, str]] = []
                with warnings.catch_warnings():
                    # The runner's own thread does nothing the other process needs.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    demo.load_in_two(lambda done, total, note: told.append((done, total, note)))
                jobs.work_off(actor_of=actor_for)
                (home / TOLD).write_text(json.dumps(told))
    return DemoTemplate(name, home)


@pytest.fixture
def demo_app(postgres: Cluster, standing: Databases, demo_template: DemoTemplate) -> Iterator[Flask]:
    """The whole program with the demo loaded, on a database that nobody else uses meanwhile."""
    with (
        standing.lent(demo_template.database) as name,
        running(settings_for(postgres, name, demo_template.home)) as app,
    ):
        app.config["WTF_CSRF_ENABLED"] = False
        yield app


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address may ask for one, two or three rows on a page: lists of a few rows go on then."""
    monkeypatch.setattr("grants.web.paging.SIZES", (1, 2, 3))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript; forms send no CSRF token in tests, the CSRF tests switch it on."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()
