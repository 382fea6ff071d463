"""Whether the program is well: what takes its pages down, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from flask import Flask

from config import BadSettings, Config
from grants import local
from grants.core import filling
from grants.core.filling import Filling, Phase
from grants.oversight import queries
from grants.oversight.rules import Check
from tests.programs import running
from tests.servers import Cluster
from wsgi import _refuse_owner


def check(name: str) -> Check | None:
    return next((found for found in queries.health() if found.name == name), None)


def production(settings: Config, address: str) -> Config:
    return replace(
        settings,
        GRANTS_ENV="production",
        GRANTS_DEMO=False,
        SECRET_KEY="k" * 40,
        BASE_URL="https://grants.example.eu",
        DATABASE_URL=address,
    )


@pytest.fixture(params=["SUPERUSER", "IN ROLE grants_owner"])
def powerful(request: pytest.FixtureRequest, postgres: Cluster) -> Iterator[str]:
    """A role that owns no table itself, and that no right of the tables binds."""
    name = f"r_{uuid4().hex}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN {request.param}".encode())
        try:
            yield name
        finally:
            server.execute(f"DROP ROLE {name}".encode())


def test_whoever_stands_above_the_owner_counts_as_the_owner(
    postgres: Cluster, database: str, settings: Config, powerful: str
) -> None:
    on = production(settings, postgres.url(database, powerful))

    with pytest.raises(BadSettings, match="owner of the tables"):
        _refuse_owner(on)
    with running(on):
        found = check("roles")

    assert found == Check("roles", False, "signs in as the owner of its tables", stops_pages=True)


def test_the_programs_own_role_is_bound(settings: Config) -> None:
    assert not local.owns_tables(settings.DATABASE_URL)
    with running(production(settings, settings.DATABASE_URL)):
        found = check("roles")

    assert found is not None and found.well


@pytest.mark.parametrize(
    ("phase", "stops"), [(Phase.PREPARING, True), (Phase.FILLING, False), (Phase.INTERRUPTED, False)]
)
def test_a_demo_takes_pages_down_only_while_there_are_no_tables(
    app: Flask, tmp_path: Path, phase: Phase, stops: bool
) -> None:
    filling.write(tmp_path, Filling(phase, 3, 14))

    found = check("demo")

    assert found is not None and (found.well, found.stops_pages) == (False, stops)
