"""The pool in real browsers: a file looked at and taken over; invited by mail, joined, the contract accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from grants.calls import services as calls
from grants.calls.rules.expert_terms import ExpertTerms
from grants.core import clock
from grants.core.permissions import Actor
from grants.evaluation import rules
from grants.identity import queries as identity
from tests.browser.barriers import barriers
from tests.browser.sites import Site, served
from tests.browser.test_writing import browser_of
from tests.evaluation.scene import CLOSED, Scene, build
from tests.factories.applications import WHILE_OPEN
from tests.servers import Cluster
from tests.worlds import World, Worlds

SHUT = re.compile("^(This page is not here|You may not do this)$")


@pytest.fixture(scope="session")
def contracted_world(worlds: Worlds) -> World[Scene]:
    """The small call with words its evaluators accept."""

    def contracted() -> Scene:
        scene = build()
        with clock.at(CLOSED):
            terms = ExpertTerms("You are paid by the day.", "You tell nobody.")
            calls.add_expert_terms(scene.actor("manager"), scene.call_id, terms)
        return scene

    return worlds.of(contracted)


@pytest.fixture
def site(postgres: Cluster, contracted_world: World[Scene], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, contracted_world, tmp_path_factory.mktemp("home")) as made:
        made.later = CLOSED - WHILE_OPEN
        yield made


@pytest.fixture
def scene(site: Site, contracted_world: World[Scene]) -> Scene:
    return contracted_world.told()


def acting(scene: Scene, name: str) -> Actor:
    with clock.at(CLOSED):
        return scene.actor(name)


def fits(page: Page) -> bool:
    """Whether nothing reaches beyond a phone, and the page is one that everybody can use."""
    page.set_viewport_size({"width": 360, "height": 700})
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return not wide and barriers(page) == []


def test_a_file_is_looked_at_and_taken_over(chromium: Browser, site: Site, scene: Scene) -> None:
    head = ",".join(rules.IMPORT_COLUMNS)
    lines = (
        head,
        "nora@example.org,Nora New,FI,en native,,finance,0,4,,,Acme (2019 to now)",
        "wrong,Nobody,FI,,,,,,,,",
    )
    file: FilePayload = {"name": "pool.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    with browser_of(chromium, site, acting(scene, "manager")) as context:
        page = context.new_page()
        page.goto(f"/calls/{scene.slug}/evaluators")
        page.get_by_role("link", name="From a file").click()
        page.locator("#file").set_input_files([file])
        page.get_by_role("button", name="Show what it would do").click()
        expect(page.get_by_role("row", name="Nora New")).to_contain_text("Is invited by mail")
        expect(page.get_by_role("row", name="Nobody")).to_contain_text("Is left out")
        assert fits(page)
        page.get_by_role("button", name="Do exactly this").click()

        expect(page.get_by_text("is invited by mail: 1")).to_be_visible()
        expect(page.get_by_role("row", name="Nora New")).to_contain_text("Invited")
        assert fits(page)
        # “Back” shows what was looked at as it stands by now, and asks nobody to send the file again.
        page.go_back()
        expect(page.get_by_text("Nothing would be written.")).to_be_visible()
        page.go_forward()
        page.get_by_role("link", name="Nora New").click()
        expect(page.get_by_role("button", name="Remind by mail")).to_be_visible()
        assert fits(page)


def test_from_the_invitation_to_the_contract(chromium: Browser, site: Site, scene: Scene) -> None:
    with browser_of(chromium, site, acting(scene, "manager")) as context:
        page = context.new_page()
        page.goto(f"/calls/{scene.slug}/evaluators/invite")
        page.get_by_label("E-mail address").fill("nora@example.org")
        page.get_by_label("Name").fill("Nora New")
        page.get_by_label("Personal message").fill("We need you.")
        assert fits(page)
        page.get_by_role("button", name="Send the invitation").click()
        expect(page.get_by_role("row", name="Nora New")).to_contain_text("Invited")
    with clock.at(CLOSED), site.app.app_context():
        person = identity.person_by_email("nora@example.org")
        assert person is not None
        nora = identity.actor_for(person.id, fresh=True)
    with browser_of(chromium, site, nora) as context:
        page = context.new_page()
        page.goto("/home")
        page.get_by_role("link", name="Answer the invitation").click()
        expect(page.get_by_text("We need you.")).to_be_visible()
        page.get_by_label("Country").fill("FI")
        page.get_by_label("Languages").fill("en native")
        page.get_by_label("Organisations, now and in the past").fill("Acme (2019 to now)")
        page.get_by_label("I accept the contract.").check(force=True)
        page.get_by_role("button", name="Accept the invitation").click()
        # What was typed stands; the part that is missing is named.
        expect(page.get_by_role("alert")).to_contain_text("Tick this to accept the")
        expect(page.get_by_label("Organisations, now and in the past")).to_have_value("Acme (2019 to now)")
        assert fits(page)
        # Who looks something up and presses “back” finds the form as it was left, and is not asked to send it again.
        page.get_by_label("Languages").fill("en native, sv fluent")
        page.goto("/home")
        page.go_back()
        expect(page.get_by_role("alert")).to_contain_text("Tick this to accept the")
        expect(page.get_by_label("Languages")).to_have_value("en native, sv fluent")
        expect(page.get_by_label("Organisations, now and in the past")).to_have_value("Acme (2019 to now)")
        page.get_by_label("I accept the declaration of confidentiality.").check(force=True)
        page.get_by_role("button", name="Accept the invitation").click()

        expect(page.get_by_role("heading", name="Declare conflicts of interest")).to_be_visible()
        expect(page.get_by_role("row", name=scene.references[0])).to_be_visible()
        declared_on_one_page(page, scene, nora)


def declared_on_one_page(page: Page, scene: Scene, nora: Actor) -> None:
    """Conflicts with all applications stand on one page; what is not declared, or in conflict, opens by no typed address."""
    assert nora.user_id is not None
    scene.people["nora"] = nora.user_id
    shut, free = scene.references[:2]
    for reference in scene.references:
        expect(page.get_by_role("row", name=reference).get_by_label("None")).to_be_visible()
    for reference in scene.references:
        page.goto(f"/assessments/{reference}")
        expect(page.get_by_role("heading", level=1)).to_have_text(SHUT)
    page.goto("/assessments/conflicts")
    assert fits(page)
    row = page.get_by_role("row", name=shut)
    row.get_by_label("Conflict", exact=True).check()
    row.get_by_label("Reason for").fill("A cousin leads it")
    page.get_by_role("button", name="Answer “None” where we noticed nothing").click()
    expect(page.get_by_text("You have answered for everything")).to_be_visible()
    page.get_by_text("What you answered in").click()
    expect(page.get_by_role("row", name=free)).to_be_visible()
    expect(page.get_by_role("row", name=shut)).to_have_count(0)
    with clock.at(CLOSED):
        scene.give("nora", scene.application_ids[1], "She knows heat.")
    for reference, title in ((free, re.compile(free)), (shut, SHUT)):
        page.goto(f"/assessments/{reference}")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
