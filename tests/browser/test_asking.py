"""A question about a call in a real browser: asked by one, answered, read by another without a name."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests import actors
from tests.browser.sites import Site
from tests.browser.sites import own_site as site
from tests.browser.test_writing import browser_of

__all__ = ["site"]

ADDRESS = "/calls/open-call-for-pilot-cities-2022/questions"


def test_a_question_of_one_is_answered_and_read_by_another_who_does_not_learn_who_asked(
    chromium: Browser, site: Site
) -> None:
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        page.goto(f"{ADDRESS}/ask")
        page.get_by_label("Your question").fill("May the office of Ana Kowalska lead for its whole county?")
        page.get_by_role("button", name="Send the question").click()
        expect(page.get_by_role("heading", name="What you asked")).to_be_visible()
        expect(page.locator("main")).to_contain_text("Waits for an answer")

    with browser_of(chromium, site, actors.ingrid()) as context:
        page = context.new_page()
        page.goto(f"{ADDRESS}/desk")
        expect(page.locator("main")).to_contain_text("Ana Kowalska")
        page.get_by_role("checkbox").first.check()
        page.get_by_role("button", name="Answer the ticked questions").click()
        page.get_by_label("The answer").fill("Yes, if the county agrees.")
        page.get_by_role("button", name="Publish and tell everybody").click()
        expect(page.get_by_role("alert")).to_contain_text("which may tell who asked")
        page.get_by_label("The question, as everybody will read it").fill("May a city lead for its county?")
        page.get_by_role("button", name="Publish and tell everybody").click()
        expect(page.get_by_role("status").first).to_contain_text("Published as Q1")

    with browser_of(chromium, site, actors.marek()) as context:
        page = context.new_page()
        page.goto(ADDRESS)
        expect(page.get_by_role("heading", name="Q1. May a city lead for its county?")).to_be_visible()
        words = page.locator("main").inner_text()
        assert "Kowalska" not in words and "Northbridge" not in words
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
