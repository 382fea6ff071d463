"""The eligibility desk in a real browser: answers save themselves, another officer's is shown, keys lead on."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Browser, Route, expect

from grants.calls import queries as calls
from grants.core import clock
from tests import actors
from tests.browser.sites import Site
from tests.browser.sites import own_site as site
from tests.browser.test_writing import browser_of
from tests.factories import applications as factory
from tests.factories.applications import BEFORE_OPENING

__all__ = ["site"]


def test_an_officer_answers_by_keyboard_and_sees_what_another_answered(chromium: Browser, site: Site) -> None:
    with clock.at(BEFORE_OPENING):
        eli, ella = actors.eli(), actors.ella()
    call = calls.call_by_id(calls.id_of(actors.ingrid(), "open-call-for-pilot-cities-2022"))
    key = call.content.conditions[0].key
    for title in ("One", "Two"):
        factory.submitted(call, actors.ana(), title)
    site.later = timedelta(days=45)
    box, met, not_met = f"[data-condition={key}]", f"#condition-{key}-0", f"#condition-{key}-1"
    with browser_of(chromium, site, eli) as first, browser_of(chromium, site, ella) as second:
        one, other = first.new_page(), second.new_page()
        for page in (one, other):
            page.goto("/applications/PCP-2022-A-0001/eligibility")
        one.locator(met).focus()
        one.keyboard.press("Space")
        expect(one.locator(f"{box} [data-state]")).to_contain_text("Saved")

        other.locator(not_met).check()
        expect(other.locator(f"{box} [data-state]")).to_contain_text("Write the reason; it is saved then.")
        other.locator(f"{box} textarea").fill("It overlaps")
        expect(other.locator(f"{box} [data-state]")).to_contain_text("Eli Desk answered this condition meanwhile")
        expect(other.locator(f"{box} [data-state]")).to_contain_text("There stands: Met")
        other.locator(f"{box} textarea").fill("It overlaps with Southport")
        expect(other.locator(f"{box} [data-state]")).to_contain_text("Saved")

        # One's own saves never make the form stale; another officer's do.
        one.get_by_role("button", name="Save the answers only").click()
        expect(one.locator("[role=alert]").first).to_contain_text("Somebody changed this check")
        other.reload()
        expect(other.locator(f"{box} textarea")).to_have_value("It overlaps with Southport")
        other.locator("#condition-adm_in_time-0").check()
        expect(other.locator("[data-condition=adm_in_time] [data-state]")).to_have_text("")
        other.locator("[data-condition=adm_in_time] textarea").fill("By the receipt")
        expect(other.locator("[data-condition=adm_in_time] [data-state]")).to_contain_text("Saved")
        other.get_by_role("button", name="Save the answers only").click()
        expect(other.get_by_text("The answers are saved.")).to_be_visible()
        # Pressed while an answer is still on its way, the button waits for it.
        held: list[Route] = []
        pressed: list[bool] = []
        other.route("**/conditions/**", lambda route: route.continue_() if pressed else held.append(route))
        other.locator(not_met).check()
        with other.expect_request("**/conditions/**"):
            other.locator(f"{box} textarea").fill("It overlaps with Southport and Northbridge")
            other.locator("#condition-adm_in_time-1").check()
        with other.expect_navigation():
            other.get_by_role("button", name="Save the answers only").click()
            pressed.append(True)
            for route in held:
                route.continue_()
        expect(other.get_by_text("The answers are saved.")).to_be_visible()
        expect(other.locator(f"{box} textarea")).to_have_value("It overlaps with Southport and Northbridge")
        other.unroute_all()

        other.keyboard.press("Control+Alt+ArrowRight")
        other.wait_for_url("**/PCP-2022-A-0002/eligibility")
        other.keyboard.press("Control+Alt+ArrowLeft")
        other.wait_for_url("**/PCP-2022-A-0001/eligibility")
        other.set_viewport_size({"width": 360, "height": 800})
        assert other.evaluate("document.documentElement.scrollWidth <= innerWidth")
