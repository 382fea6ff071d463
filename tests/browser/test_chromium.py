"""The browser itself: that the one the tests use is there and keeps its hands off the network."""

from __future__ import annotations

from playwright.sync_api import Browser


def test_a_page_is_drawn_without_any_connection(chromium: Browser) -> None:
    context = chromium.new_context(offline=True, viewport={"width": 360, "height": 640})
    page = context.new_page()

    page.set_content("<h1>București</h1>")

    assert page.get_by_role("heading", name="București").is_visible()
    assert page.evaluate("innerWidth") == 360
    context.close()
