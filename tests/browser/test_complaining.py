"""A complaint in real browsers: an applicant on a phone writes and sends it, two of the office decide it, one of them without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from grants.awards import services
from grants.core import clock, jobs
from grants.core.permissions import Actor
from grants.identity.queries import actor_for
from tests.awards.conftest import evaluated_world
from tests.awards.test_complaints import DAY, PUBLIC, RULES, published, rule
from tests.awards.test_services import decide
from tests.browser.sites import Site, served
from tests.browser.test_panel import PATIENCE, press
from tests.evaluation.conftest import small_world
from tests.evaluation.scene import CLOSED, Scene
from tests.factories.applications import WHILE_OPEN
from tests.servers import Cluster
from tests.worlds import World, Worlds

__all__ = ["evaluated_world", "small_world"]

TEXT = "The consensus says that we have no partner; section 3 names two."
FIRST, SECOND = "Section 3 is named in the consensus.", "Section 3 is named in the consensus, on its second page."


@pytest.fixture(scope="module")
def told_world(worlds: Worlds, small_world: World[Scene], evaluated_world: World[None]) -> World[Scene]:
    """The results are public, and the call takes complaints."""

    def results_told() -> Scene:
        scene = small_world.told()
        rule(scene, RULES)
        services.confirm(scene.actor("officer"), decide(scene))
        return published(scene)

    with clock.at(CLOSED):
        return worlds.of(results_told, like=evaluated_world)


@pytest.fixture(scope="module")
def site(postgres: Cluster, told_world: World[Scene], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, told_world, tmp_path_factory.mktemp("home")) as made:
        made.later = PUBLIC + DAY - WHILE_OPEN
        yield made


def page_of(browsers: ExitStack, chromium: Browser, site: Site, person: Actor, *, scripts: bool, width: int) -> Page:
    context = chromium.new_context(
        base_url=site.address, java_script_enabled=scripts, viewport={"width": width, "height": 800}
    )
    browsers.callback(context.close)
    context.set_default_timeout(PATIENCE)
    context.add_cookies([site.cookie(person)])
    return context.new_page()


def test_from_a_draft_to_the_second_decision(chromium: Browser, site: Site, told_world: World[Scene]) -> None:
    scene = told_world.told()
    own, case = f"/applications/{scene.references[1]}/complaint", f"/applications/{scene.references[1]}/complaints/1"
    with ExitStack() as browsers:
        lead = page_of(browsers, chromium, site, scene.actor("lead1"), scripts=True, width=360)
        petra = page_of(browsers, chromium, site, scene.actor("petra"), scripts=False, width=1280)
        piet = page_of(browsers, chromium, site, scene.actor("piet"), scripts=True, width=1280)

        lead.goto(own)
        lead.get_by_label("What was done wrong, and what shows it?").fill(TEXT)
        # Nothing is chosen: it is not sent, and what was typed is still there.
        press(lead, "Send the complaint for good")
        expect(lead.get_by_label("What was done wrong, and what shows it?")).to_have_value(TEXT)
        answer = petra.goto(case)
        assert answer is not None and answer.status == 404
        lead.get_by_label("Something that stands in the application was overlooked or misread").check()
        press(lead, "Send the complaint for good")
        expect(lead.get_by_text("Your complaint is received.")).to_be_visible()
        assert lead.evaluate("document.documentElement.scrollWidth") == 360

        petra.goto("/home")
        petra.get_by_role("link", name="Check whether the complaint").first.click()
        expect(petra.get_by_text(TEXT)).to_be_visible()
        press(petra, "It is admissible")
        for label, name in (("First of the committee", "Petra Officer"), ("Second of the committee", "Piet Officer")):
            petra.get_by_label(label).select_option(label=name)
        press(petra, "Name them")
        propose(petra, FIRST)

        piet.goto(case)
        expect(piet.get_by_text(FIRST)).to_be_visible()
        propose(petra, SECOND)
        # What he would confirm is not what he reads.
        press(piet, "Confirm: send the decision and carry it out")
        expect(piet.get_by_text(SECOND)).to_be_visible()
        lead.reload()
        assert SECOND not in lead.content()
        press(piet, "Confirm: send the decision and carry it out")
        expect(piet.get_by_text("The complaint is rejected.")).to_be_visible()
        with site.app.app_context(), clock.at(PUBLIC + DAY):
            jobs.work_off(actor_of=actor_for, but_not=("mail",))

        lead.reload()
        expect(lead.get_by_text(SECOND)).to_be_visible()
        assert "Petra" not in lead.content() and "Piet" not in lead.content()
        link = lead.get_by_role("link", name="The second decision as PDF").get_attribute("href")
        assert link is not None
        assert lead.request.get(link).headers["content-type"] == "application/pdf"


def propose(page: Page, words: str) -> None:
    """One of the committee proposes to reject it, or changes the words of that."""
    page.get_by_label("Rejected", exact=True).check()
    page.get_by_label("Reasons", exact=True).fill(words)
    press(page, "Propose it to the other of the committee")
