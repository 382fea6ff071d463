"""Key pages in a real browser on a real server with the demo loaded: drawn without fault, for fitting people, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import func, select

from grants.core.audit import ActRow
from grants.core.db import db
from grants.demo import EVALUATORS
from grants.identity import queries as identity
from tests import actors
from tests.browser.barriers import barriers
from tests.conftest import DemoTemplate, cloned, settings_for
from tests.listening import listening
from tests.programs import running
from tests.servers import Cluster

WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
CALL_2022 = "/calls/open-call-for-pilot-cities-2022"
WORDS = "The plan names who must agree, gives a date for each step and says what happens when a step fails. " * 2


@dataclass(frozen=True)
class Site:
    """The program as a browser reaches it."""

    app: Flask
    address: str

    def cookie(self, key: str) -> str:
        """The session cookie of a person of the demo who has just signed in."""
        email = "signe.holm@demo.example" if key == "administrator" else f"{key.replace('_', '.')}@demo.example"
        person = identity.person_by_email(email)
        assert person is not None, key
        client = actors.sign_in(self.app.test_client(), person.id)
        kept = client.get_cookie("grants")
        assert kept is not None
        return kept.value


@pytest.fixture(scope="module")
def site(postgres: Cluster, demo_template: DemoTemplate) -> Iterator[Site]:
    """A real server in a thread of its own, on a copy of the demo."""
    with (
        cloned(postgres, demo_template.database) as name,
        running(settings_for(postgres, name, demo_template.home)) as app,
        listening(app) as address,
    ):
        yield Site(app, address)


@contextmanager
def opened(chromium: Browser, site: Site, key: str | None, *, javascript: bool = True) -> Iterator[Page]:
    """A page in a fresh browser in which this person is signed in; every fault the browser tells of is one at the end."""
    context = chromium.new_context(viewport=WIDE, java_script_enabled=javascript, base_url=site.address)
    if key is not None:
        context.add_cookies([{"name": "grants", "value": site.cookie(key), "url": site.address}])
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda told: faults.append(f"{told.type}: {told.text}") if told.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("response", lambda got: faults.append(f"{got.status}: {got.url}") if got.status >= 400 else None)
    yield page
    assert faults == []
    context.close()


def go(page: Page, path: str) -> Page:
    """Open an address of the site."""
    answer = page.goto(path, wait_until="load")
    assert answer is not None and answer.ok, path
    return page


def linked(page: Page, start: str, pattern: str) -> str:
    """The first link on ``start`` whose address matches, as a person would find it."""
    go(page, start)
    found = [str(each.get_attribute("href")) for each in page.locator("main a").all()]
    return next(href for href in found if re.fullmatch(pattern, href))


# Who opens what; where the address holds a reference it is looked for on the page named before it.
PAGES: tuple[tuple[str | None, str, str], ...] = (
    (None, "/", ""),
    (None, "/calls", ""),
    (None, CALL_2022, ""),
    ("irina", "/home", ""),
    ("irina", "/applications", r"/applications/PCP-[\w-]+"),
    ("irina", "task list", r"/applications/PCP-[\w-]+/sections/city"),
    ("irina", "task list", r"/applications/PCP-[\w-]+/budget"),
    ("milan", "/assessments/conflicts", ""),
    ("chair", "/consensus", r"/consensus/PCP-[\w-]+"),
    ("manager", "ranking", ""),
    ("manager", "assignments", ""),
    ("officer", "/grants", r"/grants/PCP-[\w-]+"),
    ("verifier", "/finance/approvals", ""),
    ("verifier", "/finance/approvals", r"/finance/orders/PCP-[\w-]+"),
    ("auditor", "/finance/ledger", ""),
    ("auditor", "/finance/ledger", r"/finance/entries/[\w-]+"),
    ("initiator", "/finance/statements", r"/finance/statements/[\w-]+"),
    ("administrator", "/admin/users", ""),
)


@pytest.mark.parametrize(("key", "start", "pattern"), PAGES)
def test_a_page_is_drawn_without_fault_wide_and_narrow(
    chromium: Browser, site: Site, key: str | None, start: str, pattern: str
) -> None:
    with opened(chromium, site, key) as page:
        start = _start(page, start)
        go(page, linked(page, start, pattern) if pattern else start)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            assert page.locator("h1").count() == 1
            assert _sideways(page) == [], f"{page.url} scrolls sideways at {size['width']} px"
            assert _squeezed(page) == [], f"{page.url} at {size['width']} px"
            assert barriers(page, severe=True) == [], f"{page.url} at {size['width']} px"


def _start(page: Page, start: str) -> str:
    match start:
        case "task list":
            return linked(page, "/applications?state=draft", r"/applications/PCP-[\w-]+")
        case "ranking":
            return linked(page, "/calls", r"/calls/neighbourhood-pilots-[\w-]+") + "/ranking"
        case "assignments":
            return linked(page, "/calls", r"/calls/quick-pilots-for-streets-[\w-]+") + "/assignments"
        case _:
            return start


def _sideways(page: Page) -> list[str]:
    """What makes the page wider than its window; nothing on a page that fits."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
        [...document.querySelectorAll("body *")]
          .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
          .map((each) => `${each.tagName} ${each.className}`).slice(0, 5).concat("wider than the window")"""
    )
    return found


def _squeezed(page: Page) -> list[str]:
    """Sentences set in a column so narrow that their words break; nothing on a page that can be read."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((each) => {
          const own = [...each.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("").trim();
          const box = each.getBoundingClientRect();
          return own.length > 20 && box.width > 1 && box.width < 60 && box.height > 90;
        }).map((each) => `${each.tagName} ${each.className}: ${each.textContent.trim().slice(0, 60)}`)"""
    )
    return found


def test_an_evaluator_submits_a_score_sheet_without_javascript(chromium: Browser, site: Site) -> None:
    for key in EVALUATORS:
        with opened(chromium, site, key, javascript=False) as page:
            go(page, "/assessments")
            addresses = {str(each.get_attribute("href")) for each in page.locator("main a").all()}
            for path in sorted(each for each in addresses if each.startswith("/assessments/PCP-")):
                go(page, path)
                if page.locator("#sheet-form").count():
                    _submit_sheet(page)
                    return
    pytest.fail("No evaluator of the demo has an open sheet.")


def _submit_sheet(page: Page) -> None:
    for place in range(page.locator("#sheet-form fieldset.pg-crit").count()):
        criterion = page.locator("#sheet-form fieldset.pg-crit").nth(place)
        criterion.locator(".pg-scale label").nth(8).click()
        criterion.locator("textarea").fill(WORDS)
    page.get_by_role("button", name="Submit my assessment").click()
    assert page.get_by_text("Your assessment is submitted.").is_visible()
    assert page.locator("#sheet-form").count() == 0


def test_a_double_click_on_the_button_signs_an_order_once(chromium: Browser, site: Site) -> None:
    before = _verifications(site)
    with opened(chromium, site, "verifier") as page:
        order = linked(page, "/home", r"/finance/orders/PCP-[\w-]+")
        go(page, order)
        for box in page.get_by_role("checkbox").all():
            box.check()
        page.get_by_role("button", name="Verify").dblclick()
        expect(page.get_by_role("button", name="Verify")).to_have_count(0)
        # Had the second click sent a form of its own, its answer would be there too before anything is counted.
        page.wait_for_load_state("networkidle")
        expect(page).to_have_url(urljoin(site.address, order))
    assert _verifications(site) == before + 1


def _verifications(site: Site) -> int:
    with site.app.app_context():
        found = db.session.scalar(select(func.count()).select_from(ActRow).where(ActRow.verb == "payment_order.verify"))
    return found or 0
