"""A day of the panel in real browsers: everybody's page follows the chair, a lost network says so, a conflict shows nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.awards.conftest import evaluated_world
from tests.awards.meeting import Meeting
from tests.awards.test_panel import CLOSED_WORDS, FIRST, panel_world
from tests.browser.barriers import barriers
from tests.browser.sites import Site, served
from tests.browser.test_writing import browser_of
from tests.evaluation.conftest import small_world
from tests.evaluation.scene import CLOSED
from tests.factories.applications import WHILE_OPEN
from tests.servers import Cluster
from tests.worlds import World

__all__ = ["evaluated_world", "panel_world", "small_world"]

# No test of speed: only of what arrives. How often a page asks is read from the page.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def site(postgres: Cluster, panel_world: World[Meeting], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, panel_world, tmp_path_factory.mktemp("home")) as made:
        made.later = CLOSED - WHILE_OPEN
        yield made


def press(page: Page, name: str) -> None:
    """Press a button and wait for the page that comes."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def test_a_day_of_the_panel(chromium: Browser, site: Site, panel_world: World[Meeting]) -> None:
    meeting = panel_world.told()
    live = f"/panels/{meeting.slug}/live"
    with ExitStack() as open_browsers:
        pages = {}
        for who in ("chair", "ben", "cleo", "manager"):
            context = open_browsers.enter_context(browser_of(chromium, site, meeting.scene.actor(who)))
            context.set_default_timeout(PATIENCE)
            pages[who] = context.new_page()
            pages[who].goto(live)
            assert int(pages[who].locator("#live-now").get_attribute("data-every") or 0) <= 2_000
            press(pages[who], "I am here")
        chair, ben, cleo, manager = pages.values()
        press(chair, "Open the meeting")
        press(chair, f"Open {FIRST}")

        # Nobody presses anything here: the pages follow by themselves.
        expect(ben.locator("#now-h")).to_contain_text(FIRST, timeout=PATIENCE)
        expect(cleo.locator("#live-now")).to_contain_text(CLOSED_WORDS, timeout=PATIENCE)
        for hidden in (FIRST, meeting.scene.references[0], "data-seconds"):
            assert hidden not in cleo.content()
        expect(ben.locator("#live-now")).to_contain_text("Out of the room for this item: Cleo Member.")

        reached_by_no_road(meeting, ben, cleo)

        chair.get_by_label("Proposal").fill("Recommend it for funding")
        press(chair, "Put it to the vote")
        ben.get_by_label("Approve").check(timeout=PATIENCE)
        press(ben, "Cast my vote")
        expect(chair.locator("#live-now")).to_contain_text("1 of 3 eligible have voted.", timeout=PATIENCE)
        chair.get_by_label("Approve").check(timeout=PATIENCE)
        press(chair, "Cast my vote")
        expect(chair.locator("#live-now")).to_contain_text("2 of 3 eligible have voted.", timeout=PATIENCE)
        press(chair, "Count the votes")
        expect(ben.locator("#live-now")).to_contain_text("Carried: 2 for, 0 against, 0 abstained", timeout=PATIENCE)

        # What somebody types stays while the page follows.
        manager.get_by_label("Remark for the minutes").fill("Heard")
        chair.get_by_text("Change what is recommended").click()
        chair.get_by_label("What the panel recommends").fill("Name the streets")
        chair.get_by_label("Why it is changed").fill("The sheets miss them")
        press(chair, "Change it")
        expect(manager.locator("#live-now")).to_contain_text("Why: The sheets miss them", timeout=PATIENCE)
        expect(manager.get_by_label("Remark for the minutes")).to_have_value("Heard")
        press(manager, "Keep the remark")

        ben.context.set_offline(True)
        expect(ben.locator("[data-live-line]")).to_contain_text("No connection since", timeout=PATIENCE)
        ada = the_deputy_leads(chromium, site, meeting, open_browsers, chair)
        press(ada, "Open Ferry to Zero")
        press(chair, "I am here")
        ben.context.set_offline(False)
        expect(ben.locator("[data-live-line]")).to_contain_text("Connected again", timeout=PATIENCE)
        expect(ben.locator("#now-h")).to_contain_text("Ferry to Zero", timeout=PATIENCE)
        expect(cleo.locator("#now-h")).to_contain_text("Ferry to Zero", timeout=PATIENCE)
        assert FIRST not in cleo.content()

        wall = ben.context.new_page()
        wall.goto(f"/panels/{meeting.slug}/projector")
        expect(wall.locator("#live-now")).to_contain_text("Ferry to Zero")
        assert not any(name in wall.content() for name in ("Ben Member", "Carla Chair", "Cleo Member"))
        for page in (chair, ben, wall):
            for width in (1280, 360):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                assert barriers(page, severe=True) == [], (page.url, width)

        chair.get_by_text("End the meeting").click()
        press(chair, "End it for good")
        the_minutes(meeting, chair, ben, manager, cleo)


def reached_by_no_road(meeting: Meeting, ben: Page, cleo: Page) -> None:
    """Lists, search, exports and typed addresses show an item to a member of the panel, and nothing of it to one in conflict."""
    reference, call = meeting.scene.references[0], meeting.scene.slug
    for path in (
        "/consensus", f"/panels/{meeting.slug}", f"/calls/{call}/ranking", f"/calls/{call}/ranking.csv",
        "/applications", "/applications?q=Courtyards", "/applications.csv",
    ):  # fmt: skip
        seen, kept = (each.context.request.get(path) for each in (ben, cleo))
        assert (seen.status, kept.status) == (200, 200), path
        assert reference in seen.text() and FIRST in seen.text(), path
        assert reference not in kept.text() and FIRST not in kept.text(), path
    for path in (f"/consensus/{reference}", f"/applications/{reference}", f"/consensus/{reference}/versions"):
        assert [each.context.request.get(path).status for each in (ben, cleo)] == [200, 404], path
    typed = cleo.context.new_page()
    typed.goto(f"/consensus/{reference}")
    expect(typed.get_by_role("heading", name="This page is not here")).to_be_visible()
    typed.close()


def the_deputy_leads(chromium: Browser, site: Site, meeting: Meeting, open_browsers: ExitStack, chair: Page) -> Page:
    """The session of the chair ends, the page says so, and the deputy leads on until the chair is back."""
    cookies = chair.context.cookies()
    chair.context.clear_cookies()
    expect(chair.locator("[data-live-line]")).to_contain_text("You are signed out.", timeout=PATIENCE)
    context = open_browsers.enter_context(browser_of(chromium, site, meeting.scene.actor("ada")))
    context.set_default_timeout(PATIENCE)
    ada = context.new_page()
    ada.goto(f"/panels/{meeting.slug}/live")
    press(ada, "I am here")
    ada.get_by_text("The chair was cut off?").click()
    press(ada, "Lead in the place of the chair")
    chair.context.add_cookies(cookies)
    expect(chair.get_by_role("button", name="I am here")).to_be_visible(timeout=PATIENCE)
    return ada


def the_minutes(meeting: Meeting, chair: Page, ben: Page, manager: Page, cleo: Page) -> None:
    """Frozen by who took them, signed by two, and without the item for who was in conflict."""
    for page in (manager, chair, ben, cleo):
        page.goto(f"/panels/{meeting.slug}/minutes")
    press(manager, "Freeze the minutes")
    for page in (chair, ben):
        page.reload()
        press(page, "Sign these minutes")
    expect(ben.get_by_text("Signed second by Ben Member")).to_be_visible()
    expect(ben.get_by_text("Cleo Member left the room")).to_be_visible()
    expect(ben.get_by_text("Heard")).to_be_visible()
    cleo.reload()
    assert FIRST not in cleo.content() and "Ferry to Zero" in cleo.content()
