"""The budget as a spreadsheet in a real browser: keys, pasted blocks, sums equal to the server's, nothing lost."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from grants.applications import queries, services
from grants.applications.rules import BudgetInput, InviteInput, PlanInput
from grants.budgets import rules
from grants.budgets.models import Budget
from grants.budgets.queries import BudgetView
from grants.budgets.rules import Cell, Marks, Months, PlannedPackage, Shown, field_name
from grants.calls import queries as calls
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from tests import actors
from tests.browser.barriers import barriers
from tests.browser.sites import Site
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN, again


@dataclass(frozen=True)
class Draft:
    """An application of Ana's with Marek as partner."""

    reference: str
    lead: Any
    partner: Any

    @property
    def path(self) -> str:
        return f"/applications/{self.reference}/budget"

    def budget(self) -> BudgetView:
        """What the server stores."""
        db.session.rollback()
        return queries.workplace(actors.ana(), self.reference).budget


def drafted(slug: str) -> Draft:
    """A new draft in that call."""
    call = calls.call_by_id(calls.id_of(actors.ingrid(), slug))
    ana, marek = actors.ana(), actors.marek()
    reference = factory.draft(call, ana)
    (northbridge,), (southport,) = ana.organisation_ids, marek.organisation_ids
    with clock.at(WHILE_OPEN):
        application_id = queries.id_of(actors.ana(), reference)
        services.invite(actors.ana(), application_id, InviteInput("marek.nowak@example.eu", "Marek Nowak", southport))
        services.accept_invitation(again(marek), application_id, southport)
    return Draft(reference, northbridge, southport)


@pytest.fixture
def draft(site: Site) -> Iterator[Draft]:
    """A new application for each test."""
    yield drafted("open-call-for-pilot-cities-2022")
    db.session.rollback()


@contextmanager
def signed_in(chromium: Browser, site: Site, person: Actor, **options: Any) -> Iterator[BrowserContext]:
    """A fresh browser in which this person is signed in; every fault of the script is one of the test."""
    context = chromium.new_context(base_url=site.address, **options)
    context.add_cookies([site.cookie(person)])
    faults: list[str] = []
    context.on("weberror", lambda told: faults.append(str(told.error)))
    yield context
    assert faults == []
    context.close()


def opened(context: BrowserContext, draft: Draft) -> Page:
    """The grid in a new tab, with short pauses."""
    page = context.new_page()
    page.goto(draft.path)
    quicken(page)
    return page


def quicken(page: Page) -> None:
    page.evaluate("Object.assign(document.querySelector('[data-grid]').dataset, {pause: 40, look: 60, retry: 100})")


def paste(page: Page, text: str) -> None:
    """What a spreadsheet puts on the clipboard, into the cell that has the focus."""
    page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def cell(page: Page, place: str) -> Any:
    return page.locator(f'[id="{place}"]')


def settled(page: Page) -> None:
    """Everything is stored, and the server was asked whether it adds up to the same."""
    expect(page.locator("[data-grid-state]")).to_contain_text("Saved 10:00")
    expect(page.locator("[data-grid][data-agrees=yes]")).to_be_attached()


def sums(page: Page) -> dict[str, str]:
    """Every sum on the page by its name."""
    found: dict[str, str] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-sum]")].map((part, at) =>
             [`${at} ${part.dataset.sum}`, part.textContent.trim()]))"""
    )
    return found


def test_the_whole_table_is_reached_and_filled_by_keys_alone(chromium: Browser, site: Site, draft: Draft) -> None:
    a, b, below = (field_name(draft.lead, "A"), field_name(draft.lead, "B"), field_name(draft.partner, "A"))
    with signed_in(chromium, site, actors.ana()) as context:
        page = opened(context, draft)
        cell(page, a).focus()
        keys = page.keyboard
        keys.type("1.234,50")
        keys.press("Enter")
        assert focused(page) == below
        expect(cell(page, a)).to_have_value("1\u00a0234.50")
        expect(page.locator("[data-grid-told]")).to_contain_text("“1.234,50” was read as EUR 1\u00a0234.50.")
        keys.type("99")
        keys.press("ArrowUp")
        assert focused(page) == a
        keys.press("ArrowRight")
        assert focused(page) == b
        keys.type("7")
        keys.press("Tab")
        assert focused(page) == field_name(draft.lead, "C1")
        keys.press("Shift+Enter")
        assert focused(page) == field_name(draft.lead, "C1")

        # Escape undoes what is being typed; F2 goes inside the cell, where arrows move among the figures.
        keys.press("Home")
        assert focused(page) == a
        keys.type("5")
        keys.press("Escape")
        expect(cell(page, a)).to_have_value("1\u00a0234.50")
        keys.press("F2")
        for _ in range(3):
            keys.press("ArrowLeft")
        keys.press("Backspace")
        keys.type("9")
        keys.press("Enter")
        expect(cell(page, a)).to_have_value("1\u00a0239.50")
        keys.press("Control+End")
        assert focused(page) == field_name(draft.partner, "D")
        settled(page)

    budget = draft.budget()
    assert [budget.amount(draft.lead, "A"), budget.amount(draft.lead, "B"), budget.amount(draft.partner, "A")] == [
        Money(123950), euros(7), euros(99),
    ]  # fmt: skip


def test_sums_while_typing_are_those_of_the_server_after_a_reload(chromium: Browser, site: Site, draft: Draft) -> None:
    dice = random.Random(7)
    with signed_in(chromium, site, actors.ana()) as context:
        page = opened(context, draft)
        codes = ("A", "B", "C1", "C2", "C3", "D")
        for who in (draft.lead, draft.partner):
            cell(page, field_name(who, "A")).focus()
            paste(page, "\t".join(f"{dice.randrange(10**9)},{dice.randrange(100):02}" for _ in codes))
        settled(page)
        live = sums(page)
        page.reload()

        assert sums(page) == live

        # The button stays under the pointer while the amount above it is left, read and told.
        last = cell(page, field_name(draft.partner, "A"))
        last.fill("1250,5")
        # The whole page is in sight: where it is scrolled, the browser itself keeps what is below in its place.
        page.set_viewport_size({"width": 1280, "height": 3000})
        button = page.get_by_role("button", name="Save the budget")
        place = button.bounding_box()
        assert place is not None
        page.mouse.move(place["x"] + 20, place["y"] + place["height"] - 4)
        page.mouse.down()
        expect(last).not_to_be_focused()
        page.wait_for_timeout(100)
        assert button.bounding_box() == place
        with page.expect_navigation():
            page.mouse.up()
        expect(cell(page, field_name(draft.partner, "A"))).to_have_value("1\u00a0250.50")
    assert len(set(live.values())) >= 12


def test_a_script_reads_and_adds_up_as_the_server_does(chromium: Browser, site: Site, draft: Draft) -> None:
    spellings = [
        "1.234,50", "1 234,50", "1,234.50", "1'234.50", "1.234", "1,234", "12.500", "0.125", "0,5", "1.2345", "1,2,3", "1.000.50",
        "1.234.567", "1,234,567.8", "EUR 12", "€ 1.234", "1\u202f234,5", "-1", "1e6", "NaN", "", " 7 ", "01", "1 23", "１", "9" * 20,
        "1000000000000000", "10000000000000", "1.234,50 €", "1.234 €", "EUR", "5 EUR €", "1.,2", ".5", "5.", "=1+1", "12 345 678.90",
    ]  # fmt: skip
    with signed_in(chromium, site, actors.ana()) as context:
        page = opened(context, draft)
        for marks in Marks:
            here = page.evaluate(
                """async ([spellings, marks]) => {
                  const grid = await import(document.querySelector("script[src*='grid.js']").src);
                  return spellings.map((text) => { const {cents} = grid.readAmount(text, marks); return cents === null ? null : String(cents); });
                }""",
                [spellings, marks.value],
            )
            assert here == [at_the_server(text, marks) for text in spellings]


def at_the_server(text: str, marks: Marks) -> str | None:
    try:
        return str(rules.read_amount(text, marks).cents)
    except Invalid:
        return None


def test_what_can_be_read_two_ways_is_asked_back_and_nothing_of_it_is_stored_before(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    place = field_name(draft.lead, "A")
    with signed_in(chromium, site, actors.ana()) as context:
        page = opened(context, draft)
        cell(page, place).fill("1.234")
        cell(page, place).press("Enter")
        told = page.locator("[data-grid-told]")
        expect(told).to_contain_text("can be read two ways")
        assert draft.budget().cells == ()

        told.get_by_role("button", name="1 234", exact=True).click()
        expect(cell(page, place)).to_have_value("1\u00a0234")
        settled(page)
        # One is asked once: from now on the mark is known.
        cell(page, field_name(draft.lead, "B")).fill("5.678")
        cell(page, field_name(draft.lead, "B")).press("Enter")
        expect(cell(page, field_name(draft.lead, "B"))).to_have_value("5\u00a0678")
        settled(page)
    assert draft.budget().totals.direct == euros(1_234 + 5_678)


def test_amounts_typed_before_the_script_has_come_are_kept_and_saved(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    places = [field_name(draft.lead, "A"), field_name(draft.lead, "B")]
    with signed_in(chromium, site, actors.ana()) as context:
        page = context.new_page()
        held: list[Route] = []
        page.route("**/grid.js*", lambda route: held.append(route))
        with page.expect_request("**/grid.js*"):
            page.goto(draft.path, wait_until="commit")
            for place in places:
                cell(page, place).press_sequentially("700")
        for each in held:
            each.continue_()
        expect(page.locator("[data-grid-says]")).to_be_visible()
        cell(page, places[1]).press("Enter")
        settled(page)
    assert [draft.budget().amount(draft.lead, category) for category in "AB"] == [euros(700)] * 2


def test_two_people_in_one_cell_are_shown_both_amounts(chromium: Browser, site: Site, draft: Draft) -> None:
    place = field_name(draft.partner, "A")
    with signed_in(chromium, site, actors.ana()) as context:
        page = opened(context, draft)
        with clock.at(WHILE_OPEN):
            marek = again(actors.marek())
            services.save_budget(
                marek, queries.id_of(marek, draft.reference),
                BudgetInput((Cell(draft.partner, "A", euros(500)),), (Shown(0, ZERO),)),
            )  # fmt: skip
        cell(page, place).fill("600")
        cell(page, place).press("Enter")
        told = page.locator("[data-grid-told]")
        expect(told).to_contain_text("Marek Nowak saved 500.00 here at 10:00. You typed 600.")
        assert draft.budget().amount(draft.partner, "A") == euros(500)
        told.get_by_role("button", name="Keep mine").click()
        settled(page)
    assert draft.budget().amount(draft.partner, "A") == euros(600)


def test_amounts_typed_without_a_connection_are_sent_later_or_offered_after_a_crash(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    first, second = field_name(draft.lead, "A"), field_name(draft.lead, "B")
    with signed_in(chromium, site, actors.ana()) as context:
        page = opened(context, draft)
        context.set_offline(True)
        cell(page, first).fill("11")
        cell(page, first).press("Enter")
        expect(page.locator("[data-grid-state]")).to_contain_text("Not saved: no connection.")
        context.set_offline(False)
        settled(page)

        page.evaluate("document.querySelector('[data-grid]').dataset.retry = 60000")
        page.evaluate("addEventListener('online', (told) => told.stopImmediatePropagation(), true)")
        context.set_offline(True)
        cell(page, second).fill("22")
        cell(page, second).press("Enter")
        expect(page.locator("[data-grid-state]")).to_contain_text("Not saved: no connection.")
        page.close()
        context.set_offline(False)
        page = opened(context, draft)
        expect(page.locator("[data-grid-told]")).to_contain_text("1 amount you typed on")
        page.get_by_role("button", name="Put them in").click()
        settled(page)
        assert page.evaluate("Object.keys(localStorage)") == []
    assert draft.budget().totals.direct == euros(33)


def test_the_grid_is_named_for_a_screen_reader_and_has_no_fault_of_access(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    for width in (1280, 360):
        with signed_in(chromium, site, actors.ana(), viewport={"width": width, "height": 900}) as context:
            page = opened(context, draft)
            assert cell(page, field_name(draft.lead, "C1")).get_attribute("aria-label") == (
                "Municipality of Northbridge (lead), Travel and subsistence"
            )
            cell(page, field_name(draft.lead, "A")).fill("oops")
            cell(page, field_name(draft.lead, "A")).press("Enter")
            expect(page.locator("[data-grid-told]")).to_contain_text("1 cell is no amount and not saved")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            assert barriers(page) == []
            cell(page, field_name(draft.lead, "A")).fill("")
            cell(page, field_name(draft.lead, "A")).press("Enter")


@pytest.fixture
def sliced(site: Site, draft: Draft) -> Draft:
    """A draft whose budget is entered by work package and half-year: thirty lines and more."""
    titles = ("Listen", "Plan", "Build", "Learn")
    with clock.at(WHILE_OPEN):
        ana = again(actors.ana())
        plan = tuple(PlannedPackage("", title, None, Months(1, 6)) for title in titles)
        services.save_plan(ana, queries.id_of(ana, draft.reference), PlanInput(plan, None))
    budget_id = draft.budget().id
    db.session.rollback()
    with arranging():
        row = get(Budget, budget_id)
        row.rules = {**row.rules, "by_work_package": True, "period_months": 6, "duration_months": 24}
    return draft


def test_a_block_of_thirty_by_five_from_a_spreadsheet_lands_right_and_can_be_taken_back(
    chromium: Browser, site: Site, sliced: Draft
) -> None:
    dice = random.Random(30)
    block = [
        [f"{dice.randrange(1, 999)}.{dice.randrange(1000):03},{dice.randrange(100):02}" for _ in range(5)]
        for _ in range(30)
    ]
    block[3][1], block[7][2] = "oops", ""
    text = "\r\n".join("\t".join(row) for row in block) + "\r\n"
    with signed_in(chromium, site, actors.ana()) as context:
        page = opened(context, sliced)
        cell(page, field_name(sliced.lead, "A", "WP1", 1)).focus()
        paste(page, text)
        told = page.locator("[data-grid-told]")
        expect(told).to_contain_text("30 × 5 cells were pasted: 149 read, 1 to look at.")
        expect(told).to_contain_text("“oops” is no amount")
        wrong = sliced.budget().lines[3][1].cells[1].place
        assert cell(page, wrong).get_attribute("aria-invalid") == "true"
        cell(page, wrong).fill("1")
        cell(page, wrong).press("Enter")
        settled(page)
        live = sums(page)
        page.reload()
        assert sums(page) == live

        budget = sliced.budget()
        block[3][1], block[7][2] = "1", "0"
        landed = [[each.amount for each in row.cells[:5]] for _, row in budget.lines[:30]]
        assert landed == [[rules.read_amount(text, Marks.DOT) for text in row] for row in block]

        quicken(page)
        cell(page, field_name(sliced.lead, "A", "WP1", 1)).focus()
        paste(page, "7\t8\n9\t10")
        settled(page)
        page.get_by_role("button", name="Take the block back").click()
        settled(page)
    assert sliced.budget().cells == budget.cells


def test_the_budget_by_work_package_and_its_plan_have_no_fault_of_access(
    chromium: Browser, site: Site, sliced: Draft
) -> None:
    for width in (1280, 360):
        with signed_in(chromium, site, actors.ana(), viewport={"width": width, "height": 900}) as context:
            page = context.new_page()
            for path in (sliced.path, sliced.path.replace("/budget", "/plan")):
                page.goto(path)
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
                assert barriers(page) == [], path
                if os.environ.get("BUDGET_SHOTS"):
                    page.screenshot(
                        path=f"{os.environ['BUDGET_SHOTS']}/b_{path.rpartition('/')[2]}_{width}.png", full_page=True
                    )
