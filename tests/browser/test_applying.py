"""What an applicant is promised from the first look to the last check, in a real browser: on a wide page and on a phone."""

from __future__ import annotations

import html
import io
import re
import zipfile
from uuid import UUID

from playwright.sync_api import Browser, expect
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.rules import BudgetInput, InviteInput
from grants.budgets.rules import Cell
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.db import db
from grants.core.jobs import Job
from grants.core.money import Money
from grants.identity import queries as identity
from tests import actors
from tests.browser.sites import Site
from tests.browser.test_sending import reference
from tests.browser.test_writing import Draft, area, browser_of, draft, state, stored, written
from tests.factories.applications import WHILE_OPEN

__all__ = ["draft", "reference"]

PAGES = ("", "/details", "/team", "/budget", "/plan", "/files", "/check", "/submit", "/sign-off", "/offline")


def call_of(page: str) -> CallView:
    return queries.view(actors.ana(), page.split("/")[2]).call


def test_everything_a_call_asks_is_there_before_anybody_signs_in(chromium: Browser, site: Site, draft: Draft) -> None:
    call = call_of(draft.page)
    context = chromium.new_context(base_url=site.address)
    page = context.new_page()
    page.goto(f"/calls/{call.slug}")

    for section in call.content.definition.sections:
        for question in section.questions:
            expect(page.locator("main")).to_contain_text(question.label)
            if question.words_max:
                expect(page.locator("main")).to_contain_text(f"{question.words_max} words")
    for criterion in call.content.criteria:
        expect(page.locator("main")).to_contain_text(criterion.name)
    files = {}
    for link in page.locator("main a[href$='.docx'], main a[href$='.xlsx']").all():
        href = link.get_attribute("href") or ""
        answer = context.request.get(href)
        assert answer.status == 200, href
        files[href.rpartition("/")[2]] = answer.body()
    context.close()

    words = {name: text_of(body) for name, body in files.items()}
    questions = [q.label for s in call.content.definition.sections for q in s.questions]
    assert any(all(label in text for label in questions) for name, text in words.items() if name.endswith("docx"))
    labels = [category.label for category in call.content.budget_rules.categories if category.entered]
    assert any(all(label in text for label in labels) for name, text in words.items() if name.endswith("xlsx"))


def text_of(body: bytes) -> str:
    """The words of a Word file or a workbook, without their markup."""
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        found = [parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml")]
    return html.unescape(re.sub("<[^>]+>", "", " ".join(found)))


def test_the_task_list_shows_state_owner_and_last_edit_and_every_page_its_deadline(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    base = draft.page.partition("/sections")[0]
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft)
        area(page, draft.questions[0]).fill("Owners vote block by block.")
        expect(state(page, draft.questions[0])).to_contain_text("Saved 10:")

        page.goto(base)
        task = page.locator("main li", has=page.locator(f"a[href='{draft.page}']"))
        expect(task).to_contain_text("In progress")
        expect(task).to_contain_text("Asked of Marek Nowak")
        expect(task).to_contain_text("Ana Kowalska")
        for path in PAGES:
            page.goto(base + path)
            clock_line = page.locator(".pg-clock")
            expect(clock_line).to_contain_text(re.compile(r"[Ii]n \d+ days:"))
            expect(clock_line).to_contain_text("Brussels")
            expect(clock_line).to_contain_text("Server time")


def test_empty_fields_never_block_saving_and_too_many_words_block_only_the_sending(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    first, second = draft.questions
    question = next(q for s in call_of(draft.page).content.definition.sections for q in s.questions if q.key == first)
    assert question.words_max
    pasted = "Fenêtres à double vitrage, " * question.words_max
    count = len(pasted.split())
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft)
        box = area(page, first)
        box.focus()
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate("text => navigator.clipboard.writeText(text)", pasted)
        page.keyboard.press("Control+V")

        # The other field of the section is empty, and this one is too long: it is saved all the same.
        expect(state(page, first)).to_contain_text("Saved 10:")
        expect(page.locator(f"[data-count-of='{box.get_attribute('id')}']")).to_contain_text(
            str(count - question.words_max)
        )
        assert len(stored(draft, first).split()) == count
        assert stored(draft, second) == ""

        page.get_by_role("button", name=re.compile("^Save")).first.click()
        expect(page.locator("main")).not_to_contain_text("could not be saved")
        page.goto(f"{draft.page.partition('/sections')[0]}/check")
        expect(page.locator(f"a[href*='{draft.page}#']").first).to_be_visible()
        expect(page.locator("main")).to_contain_text(f"the limit is {question.words_max}")
        expect(page.get_by_role("button", name=re.compile("^Send"))).to_have_count(0)


def test_an_invited_partner_is_at_the_own_task_two_clicks_after_the_mail(
    chromium: Browser, site: Site, reference: str
) -> None:
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    with clock.at(WHILE_OPEN):
        section = queries.workplace(actors.ana(), reference).dossier.sections[0].key
        application_id = queries.id_of(actors.ana(), reference)
        given = InviteInput("marek.nowak@example.eu", "Marek Nowak", southport, sections=(section,))
        services.invite(actors.ana(), application_id, given)
    mail = next(
        identity.rendered_mail(UUID(row.args["user_id"]), row.args["template"], row.args["context"])
        for row in db.session.scalars(select(Job).where(Job.args["template"].astext == "application_invitation"))
        if row.args["context"]["reference"] == reference
    )
    to_team = re.search(rf"/applications/{reference}/team", mail.text)
    assert to_team is not None

    with browser_of(chromium, site, marek) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 360, "height": 740})
        # The first click, in the mail.
        page.goto(to_team[0])
        # The second: accepting leads to what is to be written.
        page.get_by_role("button", name="Accept").first.click()
        expect(page).to_have_url(re.compile(rf"/applications/{reference}/sections/{section}"))
        expect(page.locator("main textarea, main input[type=text]").first).to_be_editable()


def test_a_broken_rule_says_rule_value_limit_and_fix_and_leads_to_its_cell(
    chromium: Browser, site: Site, reference: str
) -> None:
    with clock.at(WHILE_OPEN):
        place = queries.workplace(actors.ana(), reference)
        category = next(each for each in place.budget.rules.categories if each.entered)
        cell = Cell(place.application.coordinator_id, category.code, Money(9_900_000_00))
        services.save_budget(actors.ana(), place.application.id, BudgetInput((cell,), None))
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        page.goto(f"/applications/{reference}/budget")
        broken = page.locator(".pg-rule--bad").first
        expect(broken).to_contain_text("Broken:")
        assert len(broken.locator("dl dd").all()) >= 2, "the value and its limit"
        link = broken.get_by_role("link", name="Go to the field")
        target = (link.get_attribute("href") or "").removeprefix("#")

        link.click()

        assert page.evaluate("id => document.activeElement.id === id || location.hash === '#' + id", target)
        expect(page.locator(f"[id='{target}']")).to_be_in_viewport()
