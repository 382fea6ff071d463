"""The ranked list in real browsers: its line at the cent, scenarios side by side, one frozen by two people; and it prints on A4."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pypdf import PdfReader

from grants.calls import queries as call_queries
from grants.calls.models import Call
from grants.calls.rules import Thresholds
from grants.core import encoding
from grants.core.acts import arranging
from grants.core.db import get
from tests.awards.conftest import evaluated_world
from tests.browser.sites import Site, served
from tests.browser.test_panel import PATIENCE, press
from tests.browser.test_writing import browser_of
from tests.evaluation.conftest import small_world
from tests.evaluation.scene import CLOSED, Scene
from tests.factories.applications import WHILE_OPEN
from tests.servers import Cluster
from tests.worlds import World

__all__ = ["evaluated_world", "small_world"]

A4_POINTS = (595, 842)


@pytest.fixture(scope="module")
def site(postgres: Cluster, evaluated_world: World[None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, evaluated_world, tmp_path_factory.mktemp("home")) as made:
        made.later = CLOSED - WHILE_OPEN
        yield made


@contextmanager
def thresholds(scene: Scene, site: Site, *, first_half: int, total_half: int) -> Iterator[None]:
    """The call asks for so many half points for its first criterion and in all, for a while."""
    path = "evaluation.thresholds"

    def ask(value: Any) -> Any:
        with arranging():
            row = get(Call, scene.call_id)
            content: Any = deepcopy(row.content)
            before, content["fields"][path]["value"] = content["fields"][path]["value"], value
            row.content = content
        return before

    with site.app.app_context():
        first = call_queries.call_by_id(scene.call_id).content.criteria[0].key
        before = ask(encoding.encode(Thresholds(6, ((first, first_half),), total_half)))
        yield
        ask(before)


def test_the_line_is_drawn_at_the_cent_and_one_of_two_scenarios_is_frozen_by_two_people(
    chromium: Browser, site: Site, small_world: World[Scene]
) -> None:
    scene = small_world.told()
    base = f"/calls/{scene.slug}"
    with ExitStack() as open_browsers:
        pages = []
        for person in (scene.actor("manager"), scene.actor("officer")):
            context = open_browsers.enter_context(browser_of(chromium, site, person))
            context.set_default_timeout(PATIENCE)
            pages.append(context.new_page())
        manager, officer = pages

        manager.goto(f"{base}/ranking")
        # The line stands right below the last that fits, the row that straddles it comes next and says by how much.
        line = manager.locator("tr.pg-line")
        expect(line).to_contain_text("Budget line: 2 selected, EUR 200\u00a0000.00 left of EUR 1\u00a0000\u00a0000.00.")
        after = line.locator("xpath=following-sibling::tr[1]")
        expect(after).to_have_class(re.compile("pg-straddle"))
        expect(after).to_contain_text("Straddles the line: EUR 200\u00a0000.00 short")
        expect(
            manager.get_by_text("stands first with 4.5 against 4 for Excellence and ambition.").first
        ).to_be_visible()
        expect(manager.get_by_text("How ties are broken.")).to_be_visible()

        # Under a threshold there is no rank and no place above or below the line, and the row says which threshold it is.
        with thresholds(scene, site, first_half=9, total_half=25):
            manager.reload()
            under = {
                title: manager.get_by_role("row", name=re.compile(title))
                for title in ("Cool Courtyards", "Roof by Roof", "Ferry to Zero")
            }
            expect(under["Cool Courtyards"]).not_to_contain_text("Below the threshold:")
            short = "Below the threshold: Excellence and ambition has 4 and needs 4.5"
            expect(under["Roof by Roof"]).to_contain_text(f"{short}.")
            expect(under["Ferry to Zero"]).to_contain_text(f"{short}; the total is 12 and must be 12.5.")
            for title in ("Roof by Roof", "Ferry to Zero"):
                expect(under[title]).to_have_class("is-muted")
                expect(under[title].locator("td").first).to_have_text("–")
            expect(manager.locator("tr.pg-straddle")).to_have_count(0)
            expect(line).to_contain_text("Budget line: 1 selected")
        manager.reload()

        # What the caption calls bold is bold, and every place of the menu stands in one row.
        manager.evaluate(
            "document.querySelector('.pg-rank tbody tr:not(.pg-line) td:last-child')"
            ".insertAdjacentHTML('beforeend', '<small class=\"strong apart-for-the-test\">2 apart</small>')"
        )
        apart = manager.locator(".apart-for-the-test")
        assert int(apart.evaluate("each => getComputedStyle(each).fontWeight")) >= 600
        apart.evaluate("each => each.remove()")
        menu = manager.locator("nav > .govuk-service-navigation__list > li")
        assert menu.count() > 1
        assert len({place.evaluate("each => each.getBoundingClientRect().top") for place in menu.all()}) == 1

        # On paper: a list of many sheets says on each what its columns are and which sheet of how many it is.
        manager.evaluate(
            "() => { const row = document.querySelector('.pg-rank tbody tr');"
            " for (let at = 0; at < 60; at += 1) row.before(row.cloneNode(true)); }"
        )
        printed = PdfReader(io.BytesIO(manager.pdf(prefer_css_page_size=True)))
        sheets = [sheet.extract_text() for sheet in printed.pages]
        for number, (sheet, said) in enumerate(zip(printed.pages, sheets, strict=True), 1):
            assert (round(sheet.mediabox.width), round(sheet.mediabox.height)) == A4_POINTS
            assert f"{number} / {len(sheets)}" in said
            # A row is never cut: its name and its amount are on one sheet.
            assert said.count("Cool Courtyards Selected") == len(re.findall(r"GR\s+12.5", said))
            assert ("Running total" in said) == ("Cool Courtyards Selected" in said or "Ferry to Zero" in said)
        said_in_all = " ".join(sheets)
        assert len(sheets) > 2 and not any(words in said_in_all for words in ("Same view as CSV", "Compare scenarios"))

        manager.get_by_role("link", name="Compare scenarios").click()
        manager.get_by_label("Name of the scenario").fill("Cut 25 %")
        manager.get_by_label("Cut every amount by, percent").fill("25")
        press(manager, "Save the scenario")
        manager.goto(f"{base}/scenarios")
        table = manager.get_by_role("table", name="Side by side")
        expect(table.get_by_role("row", name=re.compile("By the rules of the call"))).to_contain_text(re.compile("2.*800.000"))  # fmt: skip
        expect(table.get_by_role("row", name=re.compile("Cut 25 %"))).to_contain_text(re.compile("3.*900.000"))
        table.get_by_role("link", name="Cut 25 %").click()
        manager.get_by_label("Why this scenario").fill("All three can start.")
        press(manager, "Choose and decide this list")
        expect(manager.get_by_text("Waits for a second person")).to_be_visible()
        expect(manager.get_by_role("button", name="Confirm the list")).to_have_count(0)

        officer.goto(f"{base}/selections/1")
        expect(officer.get_by_text("All three can start.").first).to_be_visible()
        press(officer, "Confirm the list")
        expect(officer.get_by_text(re.compile("The list is confirmed: EUR 900.000.00 reserved"))).to_be_visible()
        officer.goto(f"{base}/ranking")
        expect(officer.get_by_text("Frozen as list 1")).to_be_visible()
