"""A call from its parent grant to a dry run in a real browser, on a phone and without any script."""

from __future__ import annotations

from playwright.sync_api import Browser, FilePayload, Page, expect

from grants.calls import queries as calls
from tests import actors
from tests.browser.sites import Site
from tests.browser.sites import own_site as site
from tests.factories.applications import PDF

__all__ = ["site"]

PLAN: FilePayload = {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": PDF}
SLUG = "open-call-for-pilot-cities-2022"


def fits(page: Page) -> bool:
    """Without a script in the page; the browser’s own tools still measure it."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_manager_looks_at_a_change_of_the_parent_grant_and_tries_the_call(chromium: Browser, site: Site) -> None:
    number = calls.call(actors.ingrid(), SLUG).fund_source.number
    cookie = site.cookie(actors.ingrid())
    with chromium.new_context(
        base_url=site.address, java_script_enabled=False, viewport={"width": 360, "height": 800}
    ) as context:
        context.add_cookies([cookie])
        page = context.new_page()
        page.goto(f"/parent-grants/{number}/rules")
        menu = page.get_by_role("navigation", name="Menu")
        expect(menu.get_by_role("link", name="Applications")).to_be_hidden()
        menu.get_by_text("Menu", exact=True).click()
        expect(menu.get_by_role("link", name="Applications")).to_be_visible()
        page.get_by_label("Most for one recipient").fill("60 000")
        page.get_by_role("button", name="Show what this would change").click()
        expect(page.get_by_text("Nothing is kept yet")).to_be_visible()
        expect(page.get_by_label("Most for one recipient")).to_have_value("60 000")
        assert fits(page)

        page.goto(f"/calls/{SLUG}/trial")
        page.get_by_label("Inhabitants", exact=True).fill("49 999")
        page.get_by_role("button", name="Begin the dry run").click()
        expect(page.get_by_text("Not eligible, by the facts.")).to_be_visible()
        assert fits(page)
        page.locator(".govuk-error-summary a").first.click()
        assert "/trial/" in page.url and "#" in page.url
        expect(page.locator(f"[id='{page.url.rpartition('#')[2]}']")).to_be_visible()
        assert fits(page)
        page.goto(f"/calls/{SLUG}/trial/files")
        page.locator("input[type=file]").first.set_input_files(PLAN)
        page.get_by_role("button", name="Try this file").first.click()
        expect(page.get_by_text("plan.pdf: looked into, would be taken.")).to_be_visible()
        assert fits(page)
        page.goto(f"/calls/{SLUG}/trial")
        page.get_by_role("button", name="Throw this dry run away").click()
        expect(page.get_by_role("button", name="Begin the dry run")).to_be_visible()
