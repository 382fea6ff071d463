"""One real Chromium for the whole session; where there is none, one clear line says what did not run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from grants.calls.rules import CallView
from tests.browser.sites import Site, served
from tests.factories.applications import published_call
from tests.servers import Cluster
from tests.worlds import World, Worlds

# The browser without the parts nobody sees here starts a page in half the time; where it is not installed the whole one does.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
MISSING = "The browser tests did not run: Chromium is missing. On Debian: apt-get install -y chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
    # One process draws all pages of all contexts: starting one for each was a quarter of the browser's work.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    "--disable-software-rasterizer",
)

# What a page comes to is what counts; how soon, on a machine that does much else, is said where it is the claim.
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium with a fresh profile; each test opens a context of its own on it."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browsed_world(worlds: Worlds) -> World[CallView]:
    return worlds.of(published_call)


@pytest.fixture(scope="package")
def common_site(
    postgres: Cluster, browsed_world: World[CallView], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One site for every module whose tests each make an application of their own on it."""
    with served(postgres, browsed_world, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def site(common_site: Site) -> Site:
    """The common site, on whose clock each test begins at the same moment."""
    common_site.began, common_site.later = time.monotonic(), timedelta()
    return common_site


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Said once at the end, so that nobody takes a green run for a whole one."""
    if CHROMIUM is None:
        terminalreporter.write_line(MISSING, yellow=True)
