"""The published call, made once a run: what nearly every test of applications starts from."""

from __future__ import annotations

import pytest
from flask import Flask

from grants.calls.rules import CallView
from tests.factories.applications import published_call
from tests.worlds import World, Worlds


@pytest.fixture(scope="session")
def called_world(worlds: Worlds) -> World[CallView]:
    return worlds.of(published_call)


@pytest.fixture
def call(app: Flask, called_world: World[CallView]) -> CallView:
    """The 2022 call with the template applied, published before it opens."""
    return called_world.told()
