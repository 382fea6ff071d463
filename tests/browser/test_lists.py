"""The list of applications in a real browser, its scripts off: filtered, turned, opened beside, and gone back in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from grants.core import clock
from tests import actors
from tests.applications.listed import listed
from tests.conftest import cloned, settings_for
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING
from tests.listening import listening
from tests.programs import running
from tests.servers import Cluster


@pytest.fixture
def desk(postgres: Cluster, template: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a real server with a list worth ordering, and the session of the eligibility officer."""
    with cloned(postgres, template) as name, running(settings_for(postgres, name, tmp_path)) as app:

        def at_that_time(environ: Any, start_response: Callable[..., Any]) -> Any:
            with clock.at(AFTER_CLOSING):
                return app(environ, start_response)

        with clock.at(factory.BEFORE_OPENING):
            actors.eli()
        listed(factory.published_call())
        with clock.at(AFTER_CLOSING):
            kept = actors.client_of(app, actors.eli()).get_cookie("grants")
        assert kept is not None
        with listening(at_that_time) as address:
            yield address, kept.value


def test_a_list_is_its_address_in_a_second_tab_and_after_going_back(chromium: Browser, desk: tuple[str, str]) -> None:
    address, session = desk
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "grants", "value": session, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/applications")
    page.get_by_label("Search", exact=True).fill("pumps")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Asked for", exact=True).click()
    expect(page.get_by_role("columnheader", name="Asked for")).to_have_attribute("aria-sort", "ascending")
    first = page.locator("tbody a").first.inner_text()
    assert first == "Écoquartier"

    second = context.new_page()
    second.goto(page.url)
    expect(second.locator("tbody a").first).to_have_text(first)
    page.get_by_role("link", name="Search: pumps").click()
    expect(page.get_by_label("Search", exact=True)).to_have_value("")
    page.go_back()
    expect(page.get_by_label("Search", exact=True)).to_have_value("pumps")
    expect(page.locator("tbody a").first).to_have_text(first)
    context.close()
