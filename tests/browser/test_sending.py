"""Files, check page, sending and receipt in a real browser: with progress, without a script, and on a phone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FilePayload, Page, TimeoutError, expect
from pypdf import PdfReader

from grants.applications import queries
from grants.calls import queries as calls
from grants.core import clock, jobs
from grants.core.db import db
from grants.identity import queries as identity
from tests import actors
from tests.browser.sites import Site
from tests.browser.test_writing import browser_of
from tests.factories import applications as factory
from tests.factories.applications import PDF, WHILE_OPEN

PLAN: FilePayload = {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": PDF}
NOTES: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Some notes.\n"}
NO_PDF: FilePayload = {"name": "map.pdf", "mimeType": "application/pdf", "buffer": b"<html>not what it says</html>"}


@pytest.fixture
def reference(site: Site) -> Iterator[str]:
    """A new draft of Ana's in which nothing is written."""
    call = calls.call_by_id(calls.id_of(actors.ingrid(), "open-call-for-pilot-cities-2022"))
    yield factory.draft(call, actors.ana())
    db.session.rollback()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_several_files_go_up_with_their_progress_and_each_refusal_is_said(
    chromium: Browser, site: Site, reference: str
) -> None:
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        page.goto(f"/applications/{reference}/files")
        form = page.locator("form:has(#file-other)")
        expect(form).to_contain_text("at most 25 MB each")

        page.set_input_files("#file-other", [PLAN, NO_PDF, NOTES])
        form.get_by_role("button", name="Attach").click()

        lines = form.locator(".pg-uploads li")
        expect(lines).to_have_count(3)
        expect(form.locator("[role=status]")).to_have_text("2 of 3 files are attached. Show all files")
        expect(lines.nth(0)).to_contain_text("Attached")
        expect(lines.nth(1)).to_contain_text("“map.pdf” is a web page or XML by its content")
        # What is plainly too large is not even sent.
        form.evaluate("(form) => { form.dataset.bytesMax = 5; }")
        page.set_input_files("#file-other", [NOTES])
        with_requests: list[str] = []
        page.on("request", lambda request: with_requests.append(request.method))
        form.get_by_role("button", name="Attach").click()
        expect(lines.nth(0)).to_contain_text("the limit here is 0.000005 MB")
        assert "POST" not in with_requests

        form.get_by_role("link", name="Show all files").click()
        expect(page.locator(".pg-file")).to_have_count(2)
        page.set_viewport_size({"width": 360, "height": 800})
        assert fits(page)


def test_without_a_script_several_files_are_sent_and_one_is_replaced(
    chromium: Browser, site: Site, reference: str
) -> None:
    context = chromium.new_context(base_url=site.address, java_script_enabled=False)
    context.add_cookies([site.cookie(actors.ana())])
    page = context.new_page()
    page.goto(f"/applications/{reference}/files")

    page.set_input_files("#file-other", [PLAN, NOTES])
    page.locator("form:has(#file-other)").get_by_role("button", name="Attach").click()
    expect(page.locator(".pg-file")).to_have_count(2)
    plan = page.locator(".pg-file", has_text="plan.pdf")
    plan.locator("summary", has_text="Replace").click()
    newer: FilePayload = {**PLAN, "name": "plan signed.pdf", "buffer": PDF + b"\n"}
    plan.locator("input[type=file]").set_input_files([newer])
    plan.get_by_role("button", name="Replace and keep the old one").click()

    expect(page.locator(".pg-file", has_text="plan signed.pdf")).to_contain_text("1 older version")
    context.close()


def test_every_link_of_the_check_page_lands_on_its_field(chromium: Browser, site: Site, reference: str) -> None:
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        page.goto(f"/applications/{reference}/check")
        hrefs = page.eval_on_selector_all(
            ".govuk-error-summary a", "(links) => links.map((a) => a.getAttribute('href'))"
        )
        assert len(hrefs) == len(queries.workplace(actors.ana(), reference).issues) > 5

        for href in hrefs:
            page.goto(href)
            anchor = urlsplit(href).fragment
            landed = """(id) => {
              const target = document.getElementById(id), at = document.activeElement, box = at.getBoundingClientRect();
              const isField = target.matches("fieldset") ? target !== at && target.contains(at) : target === at;
              return isField && box.top < innerHeight && box.bottom > 0;
            }"""
            try:
                page.wait_for_function(landed, arg=anchor)
            except TimeoutError:
                pytest.fail(f"{href} does not land on its field")


def test_what_is_sent_has_a_receipt_whose_pdf_says_the_same_and_that_anybody_checks(
    chromium: Browser, site: Site, reference: str
) -> None:
    application_id = factory.fill(reference, actors.ana())
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 360, "height": 800})
        page.goto(f"/applications/{reference}/check")
        clock_line = page.locator(".pg-clock")
        expect(clock_line).to_contain_text("In 43 days: 15 November 2022, 12:00 (Europe/Brussels)")
        expect(clock_line).to_contain_text("Server time 3 October 2022, 10:")
        assert fits(page)
        page.get_by_role("link", name="Send version 1").click()
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Send version 1 to the programme").click()

        expect(page.locator("h1")).to_have_text(re.compile("We have received your application"))
        assert fits(page)
        sha256 = queries.submitted_content(application_id).sha256
        expect(page.locator("main")).to_contain_text(sha256)
        with clock.at(WHILE_OPEN):
            jobs.work_off(actor_of=identity.actor_for)
        page.reload()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the receipt (PDF)").click()
        pdf = PdfReader(io.BytesIO(Path(download.value.path()).read_bytes()))
        printed = "".join("".join(each.extract_text().split()) for each in pdf.pages)
        for fact in (reference, sha256, *page.locator("main dd time").all_inner_texts()):
            assert "".join(fact.split()) in printed
        check = page.get_by_role("link", name="check this receipt").get_attribute("href")

    stranger = chromium.new_context(base_url=site.address).new_page()
    stranger.goto(check or "")
    expect(stranger.locator("main")).to_contain_text("They match")
    mandate = queries.submitted_content(application_id).files[0]
    stranger.fill("#files", f"{mandate.sha256}\n{'0' * 64}")
    stranger.get_by_role("button", name="Check").click()
    expect(stranger.locator("main")).to_contain_text("Belongs to it")
    expect(stranger.locator("main")).to_contain_text("Does not belong to it")
    stranger.context.close()
