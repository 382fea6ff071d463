"""Decision letters in real browsers: looked at with real data, exceptions listed, before a second person sends them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from grants.core import clock, jobs
from grants.identity.queries import actor_for
from tests.awards.conftest import decided_world, evaluated_world
from tests.awards.test_letters import disable
from tests.browser.sites import Site, served
from tests.browser.test_panel import PATIENCE, press
from tests.browser.test_writing import browser_of
from tests.evaluation.conftest import small_world
from tests.evaluation.scene import CLOSED, Scene
from tests.factories.applications import WHILE_OPEN
from tests.servers import Cluster
from tests.worlds import World

__all__ = ["decided_world", "evaluated_world", "small_world"]


@pytest.fixture(scope="module")
def site(postgres: Cluster, decided_world: World[None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, decided_world, tmp_path_factory.mktemp("home")) as made:
        made.later = CLOSED - WHILE_OPEN
        yield made


def test_letters_are_previewed_with_real_data_and_exceptions_listed_before_sending(
    chromium: Browser, site: Site, small_world: World[Scene]
) -> None:
    scene = small_world.told()
    decision = f"/calls/{scene.slug}/decision"
    with clock.at(CLOSED):
        disable(scene.leads[0])
    with ExitStack() as open_browsers:
        pages = {}
        for who, person in (
            ("manager", scene.actor("manager")),
            ("officer", scene.actor("officer")),
            ("lead", actor_for(scene.leads[2], fresh=True)),
        ):
            context = open_browsers.enter_context(browser_of(chromium, site, person))
            context.set_default_timeout(PATIENCE)
            pages[who] = context.new_page()
        manager, officer, lead = pages.values()
        letter = f"/applications/{scene.references[2]}/decision-letter"
        answer = lead.goto(letter)
        assert answer is not None and answer.status == 404

        manager.goto(decision)
        manager.get_by_role("link", name="The letters", exact=True).click()
        expect(manager.get_by_text("1 letter cannot be sent as it stands")).to_be_visible()
        expect(manager.get_by_role("button", name="Prepare these letters")).to_have_count(0)
        manager.get_by_role("link", name="Cool Courtyards").first.click()
        # The data of this applicant, not a specimen.
        expect(manager.get_by_label("The letter", exact=True)).to_contain_text("Municipality of Neochóra")
        expect(manager.get_by_label("The letter", exact=True)).to_contain_text(re.compile("EUR 400.000"))
        manager.get_by_label("Why this letter is left out").fill("Told by telephone.")
        press(manager, "Leave it out")
        press(manager, "Prepare these letters")
        expect(manager.get_by_text("Another person sends or returns them.")).to_be_visible()

        officer.goto(f"{decision}/letters")
        press(officer, "Send the letters")
        expect(officer.get_by_text("2 on the way.")).to_be_visible()
        with site.app.app_context(), clock.at(CLOSED):
            jobs.work_off(actor_of=actor_for, but_not=("mail",))
        officer.reload()
        expect(officer.get_by_text("2 of 3 teams told")).to_be_visible()

        lead.goto(letter)
        expect(lead.get_by_label("The letter", exact=True)).to_contain_text("Municipality of Kárpátliget")
        assert "We agree." not in lead.content()
        press(lead, "We have this letter")
        expect(lead.get_by_text("Your team acknowledged this letter")).to_be_visible()
        officer.reload()
        expect(officer.get_by_text("Acknowledged", exact=True)).to_be_visible()
