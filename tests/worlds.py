"""Worlds: what many tests start from, made by acts once a run, then cloned for each test that asks for it.

A world is a session fixture whose name ends with ``_world``::

    @pytest.fixture(scope="session")
    def called_world(worlds: Worlds) -> World[CallView]:
        return worlds.of(published_call)

A test that asks for it, by whatever other fixture, finds in its database and in its folder of files what the maker left
there (``database`` and ``settings`` of ``tests/conftest.py`` see to that), and ``told()`` is what the maker answered, a
copy for each test. A world may be ``like`` another and go on from it. The processes of a run share their worlds.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, TypeVar

from config import Config
from tests.programs import running
from tests.servers import Cluster

T = TypeVar("T")

TOLD = "told.pickle"


def settings_for(postgres: Cluster, database: str, home: Path) -> Config:
    """Settings of the program on one database of the tests' server."""
    return Config(
        GRANTS_HOME=str(home),
        DATABASE_URL=postgres.url(database, "grants_program"),
        DATABASE_OWNER_URL=postgres.url(database, "grants_owner"),
        GRANTS_ENV="test",
        GRANTS_DEMO=True,
    )


@dataclass(frozen=True)
class World(Generic[T]):
    """A database to be cloned, the files that belong to it, and where it lies among the worlds it goes on from."""

    database: str
    folder: Path
    names: tuple[str, ...]

    def told(self) -> T:
        """What the maker answered."""
        found: T = pickle.loads((self.folder / TOLD).read_bytes())
        return found

    def lay_files(self, home: Path) -> None:
        """Copy the files into the folder of a test, which may change or remove them."""
        for found in sorted((self.folder / "home").rglob("*")):
            place = home / found.relative_to(self.folder / "home")
            if found.is_dir():
                place.mkdir(exist_ok=True)
                place.chmod(found.stat().st_mode)
            else:
                place.write_bytes(found.read_bytes())
                place.chmod(found.stat().st_mode)


class Worlds:
    """Makes each world of a run once, whichever process asks first."""

    def __init__(self, postgres: Cluster, template: str) -> None:
        self.postgres = postgres
        self.template = template

    def of(self, make: Callable[[], T], *, like: World[Any] | None = None) -> World[T]:
        """The world that ``make`` makes, in the empty program or in another world."""
        # Two modules may have makers of one name; the name of a database has no room for both names.
        name = f"world_{make.__name__}_{sha256(make.__module__.encode()).hexdigest()[:8]}".lower()
        folder = self.postgres.home / name
        with self.postgres.made_once(name) as is_new:
            if is_new:
                home = folder / "home"
                home.mkdir(parents=True)
                self.postgres.clone(like.database if like else self.template, name)
                if like:
                    like.lay_files(home)
                with running(settings_for(self.postgres, name, home)):
                    (folder / TOLD).write_bytes(pickle.dumps(make()))
        return World(name, folder, (*(like.names if like else ()), name))


def deepest(found: Iterable[World[Any]]) -> World[Any] | None:
    """The one world of several that goes on from all the others."""
    by_depth = sorted(found, key=lambda world: len(world.names))
    assert all(world.database in by_depth[-1].names for world in by_depth), "a test starts from one world"
    return by_depth[-1] if by_depth else None
