"""The published call, made once a run: what nearly every test of applications starts from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from grants.calls.rules import CallView
from grants.core import clock
from tests import actors
from tests.applications.listed import Listed, listed
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, published_call
from tests.worlds import World, Worlds


@pytest.fixture(scope="session")
def called_world(worlds: Worlds) -> World[CallView]:
    return worlds.of(published_call)


@pytest.fixture
def call(app: Flask, called_world: World[CallView]) -> CallView:
    """The 2022 call with the template applied, published before it opens."""
    return called_world.told()


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
