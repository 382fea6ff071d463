"""The browser itself: that the one the tests use is there and keeps its hands off the network; what is looked for on pages is found by it."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.browser.barriers import barriers

FAULTY = """<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1><p style="color: #ccc">Faint</p>
<input id="nameless"></main></html>"""


def test_a_page_is_drawn_without_any_connection(chromium: Browser) -> None:
    context = chromium.new_context(offline=True, viewport={"width": 360, "height": 640})
    page = context.new_page()

    page.set_content("<h1>București</h1>")

    assert page.get_by_role("heading", name="București").is_visible()
    assert page.evaluate("innerWidth") == 360
    context.close()


def test_each_look_at_a_page_finds_what_is_wrong_there_again_and_in_the_next_document(chromium: Browser) -> None:
    context = chromium.new_context(offline=True)
    page = context.new_page()
    found = []

    for _ in range(2):
        page.set_content(FAULTY)
        found += [barriers(page, severe=True), barriers(page)]

    assert [sorted(each.partition(":")[0] for each in look) for look in found] == [["color-contrast", "label"]] * 4
    page.set_content(FAULTY.replace("#ccc", "#111").replace(' id="nameless"', ' aria-label="Name"'))
    assert barriers(page) == []
    context.close()
