"""The way of a corrigendum in a real browser: the manager changes a question and publishes, the applicant sees the difference."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from grants.core import clock, jobs
from grants.core.db import db
from grants.identity import queries as identity
from tests import actors
from tests.browser.barriers import barriers
from tests.browser.sites import Site
from tests.browser.sites import own_site as site
from tests.browser.test_sending import fits, reference
from tests.browser.test_writing import browser_of
from tests.factories.applications import WHILE_OPEN

__all__ = ["reference", "site"]

SLUG = "open-call-for-pilot-cities-2022"


def published(page: Page) -> None:
    """Through the pages of the working copy: the first question gets a limit of ten words, with a reason."""
    page.goto(f"/calls/{SLUG}/corrigendum")
    page.get_by_role("link", name="Change Application form", exact=True).click()
    page.locator(".pg-entries a").first.click()
    page.locator(".pg-entries a").first.click()
    page.set_viewport_size({"width": 360, "height": 800})
    assert fits(page)
    assert barriers(page) == []
    page.get_by_label("Most words").fill("10")
    page.get_by_role("button", name="Save this question").click()
    page.goto(f"/calls/{SLUG}/corrigendum")
    expect(page.locator("main")).to_contain_text("The working copy differs in 1 place; only the programme sees it.")
    page.get_by_label("Why the call changes").fill("Short answers are compared more fairly.")
    page.get_by_label("It is kept: the time that is left is enough").check()
    page.get_by_label("If it is kept, why the time is enough").fill("Six weeks are left.")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.locator("main")).to_contain_text("Version 2 of the call is public. Open drafts are being moved to it.")


def test_a_corrigendum_reaches_the_draft_with_its_difference(chromium: Browser, site: Site, reference: str) -> None:
    with clock.at(WHILE_OPEN):
        ingrid = actors.ingrid()
    with browser_of(chromium, site, actors.ana()) as context:
        mine = context.new_page()
        mine.goto(f"/applications/{reference}")
        mine.locator(".pg-step a").first.click()
        address = mine.url
        text = "One two three four five six seven eight nine ten eleven twelve."
        mine.locator("textarea").first.fill(text)
        mine.get_by_role("button", name="Save and stay here").click()

        with browser_of(chromium, site, ingrid) as managing:
            page = managing.new_page()
            published(page)
            page.set_viewport_size({"width": 360, "height": 800})
            assert fits(page)
            assert barriers(page) == []
        with clock.at(WHILE_OPEN):
            jobs.work_off(actor_of=identity.actor_for)
        db.session.rollback()

        mine.goto(f"/applications/{reference}")
        expect(mine.locator("#call-has-changed")).to_contain_text("your draft answers version 2 now")
        mine.set_viewport_size({"width": 360, "height": 800})
        assert fits(mine)
        assert barriers(mine) == []
        mine.locator("#call-has-changed a").first.click()
        assert mine.url.startswith(address) and "#answer-" in mine.url
        expect(mine.locator("textarea").first).to_have_value(text)
        mine.goto(f"/applications/{reference}/check")
        expect(mine.locator("main")).to_contain_text("has 12 words; the limit is 10")
        mine.goto(f"/applications/{reference}/changes")
        expect(mine.locator("main")).to_contain_text("Short answers are compared more fairly.")
        assert fits(mine)
        mine.get_by_role("button", name="Mark as read").click()
        expect(mine.locator("main")).to_contain_text("Marked as read.")
        expect(mine.locator("#call-has-changed")).to_have_count(0)

        mine.goto(f"/calls/{SLUG}")
        expect(mine.locator("main")).to_contain_text("Version 2, 3 October 2022: what changed")
