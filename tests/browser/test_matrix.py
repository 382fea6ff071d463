"""The matrix of the assignment in a real browser: from a fit to what a seat would change, and to the seat."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from grants.core import clock
from grants.core.acts import arranging
from grants.evaluation import services
from grants.evaluation.rules import AdjustInput, EvaluatorInput
from grants.evaluation.states import Deed
from grants.identity.policy import Role
from tests.browser.sites import Site, served
from tests.browser.test_pool import acting, fits
from tests.browser.test_writing import browser_of
from tests.evaluation.scene import CLOSED, Scene, build
from tests.evaluation.test_views import handle
from tests.factories import identity as people
from tests.factories.applications import WHILE_OPEN
from tests.servers import Cluster
from tests.worlds import World, Worlds

FAMILIES = ("Adomavičiūtė", "Bergström", "Czarnecka", "Dimitriadis", "Eskelinen", "Fernández", "Grabowski", "Horvat")


@pytest.fixture(scope="session")
def seated_by_hand(worlds: Worlds) -> World[Scene]:
    """The small call with a pool of thirteen, assigned, and one seat empty."""

    def emptied() -> Scene:
        scene = build()
        with clock.at(CLOSED):
            for family in FAMILIES:
                with arranging():
                    who = people.user(f"Eva {family}", Role.EVALUATOR).id
                values = EvaluatorInput(who, "FI", ("en",), (), 0, 3)
                services.pool(scene.actor("manager"), scene.call_id, values)
            scene.declare_all()
            scene.assign()
            first = scene.application_ids[0]
            leaves = AdjustInput(Deed.RELEASE, handle(scene, scene.seats(first)[0]), "", "Ill for months", None)
            services.adjust(scene.actor("manager"), first, leaves)
        return scene

    return worlds.of(emptied)


@pytest.fixture
def site(postgres: Cluster, seated_by_hand: World[Scene], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, seated_by_hand, tmp_path_factory.mktemp("home")) as made:
        made.later = CLOSED - WHILE_OPEN
        yield made


def test_a_seat_is_given_from_the_matrix_after_a_look_at_what_it_changes(
    chromium: Browser, site: Site, seated_by_hand: World[Scene]
) -> None:
    scene = seated_by_hand.told()
    with browser_of(chromium, site, acting(scene, "manager")) as context:
        page = context.new_page()
        page.goto(f"/calls/{scene.slug}/assignments")
        page.get_by_role("link", name="Matrix").click()
        row = page.get_by_role("row", name=scene.references[0])
        expect(row).to_contain_text("1 empty")
        expect(page.get_by_role("columnheader")).to_have_count(11)
        assert fits(page)
        if where := os.environ.get("LOOK"):
            page.screenshot(path=f"{where}/matrix-1280.png", full_page=True)
            page.set_viewport_size({"width": 360, "height": 740})
            page.screenshot(path=f"{where}/matrix-360.png", full_page=True)
            page.set_viewport_size({"width": 1280, "height": 800})
        # Everybody who matters stands within a wide screen: nothing is read by turning sideways.
        inside = "table => table.scrollWidth <= table.parentElement.clientWidth"
        assert page.locator("table").evaluate(inside)
        assert row.get_by_role("link", name=re.compile("^Seat")).count() == 2
        row.get_by_role("link", name="give").first.click()

        page.get_by_role("button", name="Show what this would change").click()
        expect(page.get_by_role("row", name="Rules broken")).to_be_visible()
        expect(page.get_by_text("takes a seat.")).to_be_visible()
        page.get_by_label("Why").fill("The seat was empty")
        page.get_by_role("button", name="Store the change").click()
        page.get_by_role("link", name="Matrix").click()

        expect(row.get_by_role("link", name=re.compile("^Seat"))).to_have_count(3)
        expect(row).not_to_contain_text("empty")
