"""The contract list chosen from, and a budget taken over from a workbook, in a real browser, with and without a script."""

from __future__ import annotations

import io
from collections.abc import Iterator

import openpyxl
import pytest
from playwright.sync_api import Browser, expect

from grants.applications import queries
from grants.calls import queries as calls
from grants.core.db import db
from tests import actors
from tests.browser.sites import Site
from tests.browser.test_writing import browser_of
from tests.factories import applications as factory


@pytest.fixture
def reference(site: Site) -> Iterator[str]:
    """A new draft of Ana's in which nothing is written."""
    call = calls.call_by_id(calls.id_of(actors.ingrid(), "open-call-for-pilot-cities-2022"))
    yield factory.draft(call, actors.ana())
    db.session.rollback()


def test_a_workbook_is_taken_over_amount_by_amount(chromium: Browser, site: Site, reference: str) -> None:
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 360, "height": 800})
        page.goto(f"/applications/{reference}/serving")
        page.get_by_label("Action or barrier 1").fill("Warm roofs")
        page.locator("#own-sentence-0").fill("We test three streets.")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#own-title-0")).to_have_value("Warm roofs")

        page.goto(f"/applications/{reference}/budget/sheet")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download it (XLSX)").click()
        book = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes()))
        book["Budget"]["D2"], book["Budget"]["E2"] = "1.234,50", 100
        made = io.BytesIO()
        book.save(made)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        page.locator("#file").set_input_files({"name": "budget.xlsx", "mimeType": kind, "buffer": made.getvalue()})
        page.get_by_role("button", name="Show what it changes").click()
        page.locator("input[name=take]").nth(1).uncheck()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="Take over what is ticked").click()
        expect(page.get_by_text("1 amount is taken over.")).to_be_visible()

    db.session.rollback()
    (row,) = queries.budget_of(actors.ana(), reference).totals.rows
    assert sorted(amount.cents for amount in row.amounts if amount)[-1] == 123_450
