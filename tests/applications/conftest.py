"""The published call, made once a run: what nearly every test of applications starts from."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.db import db
from tests import actors
from tests.applications.listed import Listed, listed
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, published_call
from tests.worlds import World, Worlds


@pytest.fixture(scope="session")
def called_world(worlds: Worlds) -> World[CallView]:
    return worlds.of(published_call)


@pytest.fixture
def call(app: Flask, called_world: World[CallView]) -> CallView:
    """The 2022 call with the template applied, published before it opens."""
    return called_world.told()


def sent_by_ana() -> UUID:
    return factory.submitted(called(), actors.ana())


def drafted_by_ana() -> str:
    with clock.at(WHILE_OPEN):
        return factory.draft(called(), actors.ana())


def called() -> CallView:
    """The one call of the world that these go on from."""
    return calls.call_by_id(db.session.scalars(select(Call.id)).one())


@pytest.fixture(scope="session")
def sent_world(worlds: Worlds, called_world: World[CallView]) -> World[UUID]:
    """A complete application of Ana that was sent."""
    return worlds.of(sent_by_ana, like=called_world)


@pytest.fixture(scope="session")
def drafted_world(worlds: Worlds, called_world: World[CallView]) -> World[str]:
    """A draft of Ana, by its reference."""
    return worlds.of(drafted_by_ana, like=called_world)


def listed_in_a_call() -> Listed:
    with clock.at(factory.BEFORE_OPENING):
        actors.eli()
    return listed(factory.published_call())


@pytest.fixture(scope="session")
def listed_world(worlds: Worlds) -> World[Listed]:
    return worlds.of(listed_in_a_call)


@pytest.fixture
def found(app: Flask, listed_world: World[Listed]) -> Iterator[Listed]:
    with clock.at(AFTER_CLOSING):
        yield listed_world.told()
