"""The program as tests run it: made once for each kind of settings and lent to one test after another.

Making it takes a sixth of a second and its templates as long again, so a test gets one that stands already, with the
settings it asks for and a pool of connections of its own; so does a command that a test runs in its own process. A test
that changed more of it than its settings (a route, a hook, a template loader, a listener) keeps it: that program is
never lent again.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType
from typing import Any

from flask import Config as FlaskConfig
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache, FileSystemBytecodeCache
from sqlalchemy import URL, Engine, Pool, event, make_url

from config import Config
from grants.app import create_app
from grants.core import connections
from grants.core.db import db

# A process of the tests opens every page for everybody, thousands of statements in turn: a keeper of 500 that is asked for
# 800 in turn has none of them when it is asked again, so each was written out and planned anew, page after page.
STATEMENTS_KEPT, PLANS_KEPT = 5_000, 1_000
connections.PREPARED_MAX = PLANS_KEPT


def look_seldom_for_circles() -> None:
    """What stands now stands to the end: modules of the whole program, which no collection need look at again.

    And a test leaves little in circles: most of what is looked at is in use, or gone a moment later anyway. Looking some
    seventy times less often than Python would costs a few megabytes.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 10)


@dataclass(frozen=True)
class Program:
    """One program, and how it was when it was new."""

    app: Flask
    engine: Engine
    config: dict[str, Any]
    extensions: dict[str, Any]
    parts: dict[str, list[object]]
    # Its connections to databases that stand between two tests.
    pools: dict[URL, Pool] = field(default_factory=dict)

    def is_as_made(self) -> bool:
        """Whether everything but the settings and the extensions' register, which are laid back, is what it was."""
        now = _parts(self.app, self.engine)
        return all(
            len(now.get(name, ())) == len(kept) and all(a is b for a, b in zip(now[name], kept, strict=True))
            for name, kept in self.parts.items()
        )


class Compiled(BytecodeCache):
    """Templates that one program compiled, for every other: the text is the same, and compiling all takes five seconds."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}
        self._shared: FileSystemBytecodeCache | None = None

    def share(self, folder: Path) -> None:
        """Lay what is compiled into this folder too, and look there for what another process compiled."""
        folder.mkdir(exist_ok=True)
        self._shared = FileSystemBytecodeCache(str(folder))

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))
        if bucket.code is None and self._shared is not None:
            self._shared.load_bytecode(bucket)
            if bucket.code is not None:
                self._codes[bucket.key, bucket.checksum] = bucket.code

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[bucket.key, bucket.checksum] = bucket.code
        if self._shared is not None:
            self._shared.dump_bytecode(bucket)


TEMPLATES = Compiled()

# Databases to which connections stay when a program is given back (tests/standing.py).
_standing: set[str | None] = set()

# Programs that nobody uses now, by the settings they were made with.
_idle: dict[Config, list[Program]] = defaultdict(list)


@contextmanager
def running(settings: Config) -> Iterator[Flask]:
    """The whole program with these settings, inside its application context."""
    with lending() as program_of:
        app = program_of(settings)
        with app.app_context():
            try:
                yield app
            finally:
                db.session.remove()
                if db.engine.url.database not in _standing:
                    db.engine.dispose()


@contextmanager
def lending() -> Iterator[Callable[[Config], Flask]]:
    """What a command gets in place of ``create_app``: programs that stand already, given back when the block ends."""
    lent: list[tuple[Config, Program]] = []

    def program_of(settings: Config) -> Flask:
        kind = replace(settings, GRANTS_HOME="", DATABASE_URL="", DATABASE_OWNER_URL="", REDIS_URL="")
        program = _idle[kind].pop() if _idle[kind] else _made(settings)
        _set(program, settings)
        lent.append((kind, program))
        return program.app

    yield program_of
    for kind, program in lent:
        if program.is_as_made():
            _idle[kind].append(program)
        else:
            _disconnect(program)


def _made(settings: Config) -> Program:
    app = create_app(settings)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.jinja_env.bytecode_cache = TEMPLATES
    with app.app_context():
        engine = db.engine
    assert engine._compiled_cache is not None
    engine._compiled_cache.capacity = STATEMENTS_KEPT

    @event.listens_for(engine, "do_connect")
    def to_the_database_of_now(dialect: Any, record: Any, words: Any, parameters: dict[str, Any]) -> None:
        parameters.update(dialect.create_connect_args(engine.url)[1])

    return Program(app, engine, dict(app.config), dict(app.extensions), _parts(app, engine))


def _set(program: Program, settings: Config) -> None:
    """Give the program the settings it was made with, but for where its data lies."""
    app = program.app
    app.config.clear()
    app.config.update(
        {name: copy(value) if isinstance(value, dict | list) else value for name, value in program.config.items()},
        GRANTS_HOME=settings.GRANTS_HOME,
        DATABASE_URL=settings.DATABASE_URL,
        DATABASE_OWNER_URL=settings.DATABASE_OWNER_URL,
        REDIS_URL=settings.REDIS_URL,
        SQLALCHEMY_DATABASE_URI=settings.DATABASE_URL,
        SECRET_KEY=settings.secret_key(),
    )
    app.extensions.clear()
    app.extensions.update(program.extensions)
    _connect(program, make_url(settings.DATABASE_URL))
    # A test may give it a page of its own.
    app._got_first_request = False


def _connect(program: Program, address: URL) -> None:
    """Let it connect there, by what connections it has there already; those to a database that stands it keeps."""
    engine = program.engine
    if address == engine.url:
        return
    if engine.url.database in _standing:
        program.pools[engine.url] = engine.pool
    else:
        engine.pool.dispose()
    engine.pool = program.pools.pop(address, None) or engine.pool.recreate()
    engine.url = address


def _disconnect(program: Program, database: str | None = None) -> None:
    """Close its connections, to one database or to all."""
    if database in (None, program.engine.url.database):
        program.engine.dispose()
    for address in [each for each in program.pools if database in (None, each.database)]:
        program.pools.pop(address).dispose()


def stand(database: str) -> None:
    """Let connections to this database stay when a program is given back."""
    _standing.add(database)


def fall(database: str) -> None:
    """Close every connection that stayed."""
    _standing.discard(database)
    for program in (each for idle in _idle.values() for each in idle):
        _disconnect(program, database)


def _parts(app: Flask, engine: Engine) -> dict[str, list[object]]:
    """Everything a program is made of, each part by its name."""
    parts = {
        f"app.{name}": list(_leaves(value))
        for name, value in vars(app).items()
        if name not in {"config", "extensions", "_got_first_request"}
    }
    parts |= {f"jinja.{name}": list(_leaves(value)) for name, value in vars(app.jinja_env).items() if name != "cache"}
    parts["addresses"] = list(app.url_map.iter_rules())
    parts["listeners"] = list(engine.dispatch.before_cursor_execute)
    return parts


def _leaves(value: object) -> Iterator[object]:
    match value:
        # Templates know the settings, which may change.
        case dict() if not isinstance(value, FlaskConfig):
            for name, held in value.items():
                # Flask lays an empty place wherever it looked for a handler of errors: nothing was changed by that.
                if leaves := list(_leaves(held)):
                    yield name
                    yield from leaves
        case list() | tuple() | set() | frozenset():
            for held in value:
                yield from _leaves(held)
        case _:
            yield value
