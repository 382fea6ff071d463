"""Two chairs at one consensus in real browsers: saved by itself, words of a sheet put in, nothing overwritten, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from grants.core import clock
from grants.core.acts import arranging
from grants.core.permissions import Actor
from grants.evaluation import queries, services
from grants.evaluation.rules import Answered, ConsensusPage, half_words
from grants.evaluation.states import Declared
from grants.identity.policy import Role
from tests.browser.barriers import barriers
from tests.browser.sites import Site, served
from tests.browser.test_writing import browser_of
from tests.evaluation.scene import CLOSED, WORDS, Scene, build, declares
from tests.factories import identity as people
from tests.factories.applications import WHILE_OPEN
from tests.servers import Cluster
from tests.worlds import World, Worlds


@dataclass
class Table:
    """A consensus that can be written, and the two who may write it."""

    scene: Scene
    second: UUID

    def actor(self, name: str) -> Actor:
        with clock.at(CLOSED):
            self.scene.people["chair2"] = self.second
            return self.scene.actor(name)

    def page(self) -> ConsensusPage:
        """What the server would show now."""
        with clock.at(CLOSED):
            return queries.consensus_page(self.scene.actor("chair"), self.scene.references[0])

    @property
    def key(self) -> str:
        return self.page().criteria[0].key

    def comment(self) -> str:
        return self.page().mark(self.key).comment


@pytest.fixture(scope="session")
def agreeing_world(worlds: Worlds) -> World[Table]:
    """The small call with every sheet of its first application in, and two chairs."""

    def assessed() -> Table:
        scene = build()
        with clock.at(CLOSED):
            scene.declare_all()
            scene.assign()
            first = scene.application_ids[0]
            for name, half in zip(scene.seats(first), (4, 9, 8), strict=True):
                words = f"{name} finds the plan clear. {WORDS}."
                services.submit(scene.actor(name), first, scene.sheet(half, 8, 8, words=words))
            with arranging():
                second = people.user("Cem Cochair", Role.PANEL_CHAIR).id
            scene.people["chair2"] = second
            answers = tuple(Answered(each, Declared.NONE) for each in scene.application_ids)
            declares(scene.actor("chair2"), scene.call_id, answers)
        return Table(scene, second)

    return worlds.of(assessed)


@pytest.fixture
def site(postgres: Cluster, agreeing_world: World[Table], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, agreeing_world, tmp_path_factory.mktemp("home")) as made:
        made.later = CLOSED - WHILE_OPEN
        yield made


@pytest.fixture
def table(site: Site, agreeing_world: World[Table]) -> Table:
    return agreeing_world.told()


def opened(page: Page, table: Table) -> Page:
    page.goto(f"/consensus/{table.scene.references[0]}")
    page.evaluate(
        "Object.assign(document.querySelector('[data-writing]').dataset, {pause: 100, retry: 100, beat: 200})"
    )
    return page


def state(page: Page, field: str) -> Locator:
    return page.locator(f"#state-{field}")


def test_words_of_a_sheet_go_after_what_is_typed_and_are_saved_with_whose_they_are(
    chromium: Browser, site: Site, table: Table
) -> None:
    field = f"comment_{table.key}"
    first = table.page().sheets[0]
    with browser_of(chromium, site, table.actor("chair")) as context:
        page = opened(context.new_page(), table)
        # Scores and words of all stand on the page, with nothing over them.
        for sheet in table.page().sheets:
            for criterion in table.page().criteria:
                own = page.locator(f"section[aria-labelledby=c-{criterion.key}] td[data-label='{sheet.evaluator}']")
                half = sheet.mark(criterion.key).half
                assert half is not None
                expect(own.get_by_text(sheet.mark(criterion.key).comment)).to_be_visible()
                expect(own.locator("strong")).to_have_text(half_words(half))
        assert page.locator("dialog, [role=dialog]").count() == 0
        page.locator(f"#{field}").fill("We saw it.")
        page.locator(f"button[data-into={field}]").first.click()
        expect(page.locator(f"#{field}")).to_have_value(f"We saw it.\n\n{first.mark(table.key).comment}")
        expect(state(page, field)).to_contain_text("Saved")
        expect(page.locator(f"[data-borrowed={field}]")).to_contain_text(f"Word for word from: {first.evaluator}")
        expect(page).to_have_url(f"{site.address}/consensus/{table.scene.references[0]}")
        assert barriers(page) == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert barriers(page) == []
        # On paper stand scores and words, and nothing that is pressed.
        page.emulate_media(media="print")
        expect(page.get_by_text(first.mark(table.key).comment).first).to_be_visible()
        for pressed in page.get_by_role("button").all() + page.get_by_text("What the scores mean").all():
            expect(pressed).to_be_hidden()
    assert table.comment() == f"We saw it.\n\n{first.mark(table.key).comment}"


def test_two_chairs_at_once_see_each_other_and_choose(chromium: Browser, site: Site, table: Table) -> None:
    field = f"comment_{table.key}"
    with (
        browser_of(chromium, site, table.actor("chair")) as one_browser,
        browser_of(chromium, site, table.actor("chair2")) as other_browser,
    ):
        one, other = (opened(each.new_page(), table) for each in (one_browser, other_browser))
        one.locator(f"#{field}").fill("One two three")
        expect(state(one, field)).to_contain_text("Saved")
        other.locator(f"#{field}").focus()
        expect(other.locator(f"[data-question={field}] > .pg-write__line [data-others]")).to_have_text(
            "Carla Chair is writing here."
        )
        other.locator(f"#{field}").fill("One zwei three")
        clash = other.locator(f"[data-question={field}] > .pg-clash")
        expect(clash).to_contain_text("Carla Chair saved something else at")
        expect(clash).to_contain_text("One two three")
        assert table.comment() == "One two three"
        clash.get_by_role("button", name="Use the draft of both").click()
        expect(state(other, field)).to_contain_text("Saved")
    assert {"two", "zwei"} <= set(table.comment().split())


def test_a_cut_line_and_a_closed_browser_lose_no_word(chromium: Browser, site: Site, table: Table) -> None:
    with browser_of(chromium, site, table.actor("chair")) as context:
        page = opened(context.new_page(), table)
        context.set_offline(True)
        page.locator("#remark").fill("Typed on a train")
        expect(state(page, "remark")).to_contain_text("Not saved: no connection. Your text is kept in this browser")
        context.set_offline(False)
        expect(state(page, "remark")).to_contain_text("Saved")
        assert table.page().text == "Typed on a train"
        page.reload()
        expect(page.locator("#remark")).to_have_value("Typed on a train")
        # The button stays under the pointer when the text above it loses the focus, whatever is said below that text.
        page.locator("#remark").focus()
        page.keyboard.press("End")
        page.keyboard.type(".")
        expect(state(page, "remark")).to_contain_text("Saved")
        button = page.get_by_role("button", name="Put it to the evaluators")
        button.scroll_into_view_if_needed()
        place = button.bounding_box()
        assert place is not None
        page.mouse.move(place["x"] + 20, place["y"] + place["height"] - 4)
        page.mouse.down()
        expect(page.locator("#remark")).not_to_be_focused()
        page.wait_for_timeout(100)
        assert button.bounding_box() == place
        page.mouse.up()
        # What is lacking is told, and no longer once it is chosen and saved.
        summary = page.locator("[data-error-summary]")
        expect(summary.get_by_role("link")).to_have_count(len(table.page().criteria))
        expect(page.locator("main .govuk-error-message")).to_have_count(len(table.page().criteria))
        # The consensus is put to the evaluators by the button with what stands.
        for number, mark in enumerate(table.page().marks or [one.mark(table.key) for one in table.page().sheets], 1):
            page.locator(f"[name=half_{mark.criterion}]").nth(8).check(force=True)
            expect(
                page.locator(f"[name=half_{mark.criterion}] >> xpath=ancestor::fieldset").first.locator(".pg-anchor")
            ).to_contain_text("4: very good")
            left = len(table.page().criteria) - number
            expect(page.locator("main .govuk-error-message")).to_have_count(left)
            expect(summary.get_by_role("link")).to_have_count(left)
        expect(summary).to_have_count(0)
        expect(page.locator(".pg-head .govuk-tag")).to_have_text("Draft")
        page.get_by_role("button", name="Put it to the evaluators").click()
        expect(page.get_by_text("The evaluators are asked to agree.")).to_be_visible()


def test_without_a_script_both_texts_and_a_draft_of_both_are_offered(
    chromium: Browser, site: Site, table: Table
) -> None:
    field = f"comment_{table.key}"
    bare = chromium.new_context(base_url=site.address, java_script_enabled=False)
    bare.add_cookies([site.cookie(table.actor("chair"))])
    page = bare.new_page()
    page.goto(f"/consensus/{table.scene.references[0]}")
    page.locator(f"#{field}").fill("One zwei three")
    with clock.at(CLOSED):
        services.save_consensus_field(
            table.actor("chair2"), table.scene.application_ids[0], field, ("One two three",), 0
        )
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator(f"#stored-{field}")).to_contain_text("One two three")
    expect(page.locator(f"#{field}")).to_have_value("One zwei three")
    page.locator(f"#stored-{field}").get_by_label("Both in one draft").check()
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("The consensus is saved.")).to_be_visible()
    bare.close()
    assert {"two", "zwei"} <= set(table.comment().split())
