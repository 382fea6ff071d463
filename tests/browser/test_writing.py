"""Two people and one section in real browsers: saved while they type, cut off, closed, in one field; no word is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.rules import InviteInput
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Actor
from grants.dossiers.models import DossierAnswer, DossierAnswerVersion
from tests import actors
from tests.browser.barriers import barriers
from tests.browser.sites import Site
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again

OFFLINE = "Not saved: no connection. Your text is kept in this browser and is sent when the connection is back."
SAVED = "Saved 10:"


@dataclass(frozen=True)
class Draft:
    """An application of Ana's with Marek as partner, and the section both write in."""

    id: UUID
    page: str
    questions: tuple[str, str]


@pytest.fixture
def draft(site: Site) -> Iterator[Draft]:
    """A new application for each test."""
    from grants.calls import queries as calls

    call = calls.call_by_id(calls.id_of(actors.ingrid(), "open-call-for-pilot-cities-2022"))
    reference = factory.draft(call, actors.ana())
    ana, marek = actors.ana(), actors.marek()
    with clock.at(WHILE_OPEN):
        application_id = queries.id_of(ana, reference)
        (southport,) = marek.organisation_ids
        section, keys = next(
            (each.key, keys)
            for each in queries.workplace(ana, reference).dossier.sections
            if len(keys := [q.question.key for q in each.questions if q.question.kind.value == "long"]) > 1
        )
        given = InviteInput("marek.nowak@example.eu", "Marek Nowak", southport, sections=(section,))
        services.invite(ana, application_id, given)
        services.accept_invitation(again(marek), application_id, southport)
    yield Draft(application_id, f"/applications/{reference}/sections/{section}", (keys[0], keys[1]))
    site.later = timedelta()
    db.session.rollback()


@contextmanager
def browser_of(chromium: Browser, site: Site, person: Actor) -> Iterator[BrowserContext]:
    """A fresh browser in which this person is signed in; every fault of the script is one of the test."""
    context = chromium.new_context(base_url=site.address)
    context.add_cookies([site.cookie(person)])
    faults: list[str] = []
    context.on("weberror", lambda told: faults.append(str(told.error)))
    yield context
    assert faults == []
    context.close()


def written(context: BrowserContext, draft: Draft, *, pause: int | None = 50) -> Page:
    """The section in a new tab, with a short pause before what is typed is saved."""
    page = context.new_page()
    page.goto(draft.page)
    if pause is not None:
        page.evaluate(
            "(pause) => Object.assign(document.querySelector('[data-writing]').dataset, {pause, retry: 100, beat: 300})",
            str(pause),
        )
    return page


def area(page: Page, question: str) -> Locator:
    return page.locator(f"textarea[name=answer_{question}]")


def state(page: Page, question: str) -> Locator:
    return page.locator(f"[data-question={question}] [data-state]")


def clash(page: Page, question: str) -> Locator:
    return page.locator(f"[data-question={question}] .pg-clash")


def stored(draft: Draft, question: str) -> str:
    """What stands of an answer now."""
    db.session.rollback()
    dossier_id = queries.view_by_id(draft.id).dossier_id
    found = db.session.scalar(
        select(DossierAnswer.text).where(DossierAnswer.dossier_id == dossier_id, DossierAnswer.question_key == question)
    )
    return found or ""


def every_version(draft: Draft) -> str:
    """All that was ever stored of an application, one text after the other."""
    db.session.rollback()
    dossier_id = queries.view_by_id(draft.id).dossier_id
    return " ".join(
        db.session.scalars(
            select(DossierAnswerVersion.text)
            .join(DossierAnswer, DossierAnswer.id == DossierAnswerVersion.answer_id)
            .where(DossierAnswer.dossier_id == dossier_id)
        )
    )


def test_what_is_typed_before_the_script_has_come_is_kept_and_saved(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    question, other = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        held: list[Route] = []
        page.route("**/writing.js*", lambda route: held.append(route))
        with page.expect_request("**/writing.js*"):
            page.goto(draft.page, wait_until="commit")
            area(page, question).fill("Typed on a slow line.")
            area(page, other).press_sequentially("And here.")
        for each in held:
            each.continue_()
        expect(state(page, question)).to_contain_text(SAVED)
        expect(state(page, other)).to_contain_text(SAVED)
        expect(area(page, question)).to_have_value("Typed on a slow line.")
    assert (stored(draft, question), stored(draft, other)) == ("Typed on a slow line.", "And here.")


def test_what_is_typed_is_saved_without_a_button_and_the_time_is_told(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    question, other = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft, pause=None)
        area(page, question).press_sequentially("Owners vote block by block.")
        expect(state(page, question)).to_have_text("Not saved yet")
        expect(state(page, question)).to_contain_text(SAVED)
        assert stored(draft, question) == "Owners vote block by block."

        # Leaving the field saves at once, in whatever state; the other field is not touched.
        area(page, question).fill("")
        area(page, other).focus()
        expect(state(page, question)).to_contain_text(SAVED)
        assert stored(draft, question) == ""
        assert page.evaluate("Object.keys(localStorage)") == []
        page.reload()
        assert area(page, question).input_value() == ""


def test_a_connection_cut_for_half_a_minute_loses_nothing_and_is_said(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    question, _ = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = context.new_page()
        page.clock.install()
        page.goto(draft.page)
        area(page, question).press_sequentially("Before the cut")
        page.clock.run_for(2_100)
        expect(state(page, question)).to_contain_text("Saved")

        context.set_offline(True)
        area(page, question).press_sequentially(" and during it")
        for _ in range(10):
            page.clock.run_for(3_000)
        expect(state(page, question)).to_have_text(OFFLINE)
        expect(page.locator("[data-writing] > [role=status]")).to_contain_text("Not saved: no connection.")
        assert stored(draft, question) == "Before the cut"

        context.set_offline(False)
        expect(state(page, question)).to_contain_text("Saved")
        assert stored(draft, question) == "Before the cut and during it"
        assert page.evaluate("Object.keys(localStorage)") == []


def test_a_browser_that_was_closed_offers_what_it_could_not_send(chromium: Browser, site: Site, draft: Draft) -> None:
    first, second = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        # The tab that is closed is told of the network's return before its end, and must not use it. What listens to
        # the window is called in the order in which it came, so this comes before the page's own script.
        context.add_init_script("addEventListener('online', (told) => told.stopImmediatePropagation())")
        page = written(context, draft)
        page.evaluate("document.querySelector('[data-writing]').dataset.retry = 60000")
        context.set_offline(True)
        for question, text in ((first, "Typed before the crash"), (second, "Not wanted any more")):
            # At once: after a key more the next try is on its way when the tab closes, and may be heard.
            area(page, question).fill(text)
            expect(state(page, question)).to_have_text(OFFLINE)
        page.close()
        # What the tab sends while it is closed meets no network: it is back only after that.
        context.new_page().wait_for_timeout(1_000)
        context.set_offline(False)

        page = written(context, draft)
        assert area(page, first).input_value() == ""
        expect(clash(page, first)).to_contain_text("You had typed this on")
        expect(clash(page, first)).to_contain_text("Typed before the crash")
        clash(page, first).get_by_role("button", name="Use it").click()
        expect(state(page, first)).to_contain_text(SAVED)
        clash(page, second).get_by_role("button", name="Drop it").click()

        assert (stored(draft, first), stored(draft, second)) == ("Typed before the crash", "")
        assert page.evaluate("Object.keys(localStorage)") == []
        page.reload()
        assert page.locator(".pg-clash").count() == 0


@pytest.mark.parametrize(
    ("button", "text"),
    [
        ("Keep mine", "All owners vote block by block."),
        ("Take what is stored", "Owners vote once, block by block."),
        ("Use the draft of both", "All owners vote once, block by block."),
    ],
)
def test_two_in_one_field_see_each_other_and_choose_between_both_texts(
    chromium: Browser, site: Site, draft: Draft, button: str, text: str
) -> None:
    question, _ = draft.questions
    with browser_of(chromium, site, actors.ana()) as hers, browser_of(chromium, site, actors.marek()) as his:
        ana = written(hers, draft)
        area(ana, question).fill("Owners vote block by block.")
        expect(state(ana, question)).to_contain_text(SAVED)
        marek = written(his, draft)
        area(marek, question).focus()
        expect(marek.locator(f"[data-question={question}] [data-others]")).to_have_text("Ana Kowalska is writing here.")
        expect(ana.locator(f"[data-question={question}] [data-others]")).to_have_text("Marek Nowak is writing here.")
        area(marek, question).fill("Owners vote once, block by block.")
        expect(state(marek, question)).to_contain_text(SAVED)

        area(ana, question).fill("All owners vote block by block.")

        box = clash(ana, question)
        expect(box).to_contain_text("Marek Nowak saved another text at 10:")
        for each in ("All owners vote block", "Owners vote once,", "All owners vote once, block"):
            expect(box).to_contain_text(each)
        assert stored(draft, question) == "Owners vote once, block by block."
        ana.set_viewport_size({"width": 360, "height": 740})
        assert ana.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert barriers(ana, severe=True) == []
        box.get_by_role("button", name=button).click()
        expect(state(ana, question)).not_to_contain_text("Not saved")
        expect(box).to_have_count(0)
        expect(area(ana, question)).to_have_value(text)
        expect(state(ana, question)).to_contain_text(
            "Saved" if button != "Take what is stored" else "The stored text stands"
        )
        assert stored(draft, question) == text
        assert "Owners vote once, block by block." in every_version(draft)


def test_words_whose_answer_was_lost_are_no_conflict_with_oneself(chromium: Browser, site: Site, draft: Draft) -> None:
    question, _ = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft)
        lost = []

        def swallow(route: Any) -> None:
            if lost:
                route.continue_()
                return
            lost.append(route.fetch().status)
            route.abort()

        page.route("**/answers/**", swallow)
        page.evaluate("document.querySelector('[data-writing]').dataset.retry = 60000")
        # At once: a key typed after the first save would be sent, and heard, by itself.
        area(page, question).fill("Stored, unheard")
        expect(state(page, question)).to_have_text(OFFLINE)
        area(page, question).press_sequentially(" and more")

        expect(state(page, question)).to_contain_text(SAVED)
        assert lost == [200]
        assert page.locator(".pg-clash").count() == 0
        assert stored(draft, question) == "Stored, unheard and more"


def test_a_server_that_cannot_take_it_now_is_asked_again(chromium: Browser, site: Site, draft: Draft) -> None:
    question, _ = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft)
        away = [503, 502]
        page.route(
            "**/answers/**",
            lambda route: route.fulfill(status=away.pop(), body="{}") if away else route.continue_(),
        )
        area(page, question).press_sequentially("Patience")

        expect(state(page, question)).to_contain_text("Not saved: the server cannot take it now. Your text is kept")
        expect(state(page, question)).to_contain_text(SAVED)
        assert (stored(draft, question), away) == ("Patience", [])


def test_after_a_sign_out_the_text_stays_and_is_saved_after_signing_in_again(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    question, _ = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft)
        context.clear_cookies()
        area(page, question).press_sequentially("Typed while signed out")
        expect(state(page, question)).to_contain_text(
            "Not saved: you are signed out. Your text is kept in this browser."
        )
        expect(state(page, question).get_by_role("link", name="Sign in again")).to_have_attribute("target", "_blank")

        context.add_cookies([site.cookie(actors.ana())])
        page.evaluate("dispatchEvent(new Event('focus'))")

        expect(state(page, question)).to_contain_text(SAVED)
        assert stored(draft, question) == "Typed while signed out"


def test_after_the_deadline_the_rule_is_said_and_the_text_kept(chromium: Browser, site: Site, draft: Draft) -> None:
    question, _ = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft)
        site.later = AFTER_CLOSING - WHILE_OPEN
        context.add_cookies([site.cookie(actors.ana())])
        area(page, question).press_sequentially("Too late")

        expect(state(page, question)).to_contain_text("Not saved: The deadline was 15 November 2022, 12:00")
        expect(state(page, question)).to_contain_text("Your text is kept in this browser.")
        assert area(page, question).input_value() == "Too late"
        assert len(page.evaluate("Object.keys(localStorage)")) == 1


def test_the_button_waits_for_what_is_on_its_way_and_signing_out_asks_before_text_is_lost(
    chromium: Browser, site: Site, draft: Draft
) -> None:
    first, second = draft.questions
    with browser_of(chromium, site, actors.ana()) as context:
        page = written(context, draft)
        slow: list[Any] = []
        page.route("**/answers/**", lambda route: route.continue_() if slow else slow.append((route, route.fetch())))
        area(page, first).fill("On its way")
        for _ in range(1_500):
            if slow:
                break
            page.wait_for_timeout(20)
        expect(state(page, first)).to_have_text("Saving…")
        assert stored(draft, first) == "On its way"
        area(page, first).fill("On its way and on")
        page.evaluate("[...document.querySelectorAll('button')].find((each) => each.value === 'stay').click()")
        route, answer = slow[0]
        route.fulfill(response=answer)
        expect(page.locator(".pg-flash")).to_contain_text("Saved 10:")
        # The page that says so has not run its scripts yet.
        page.wait_for_load_state()
        assert page.locator(".pg-clash").count() == 0
        assert (stored(draft, first), page.evaluate("Object.keys(localStorage)")) == ("On its way and on", [])

        page.evaluate("document.querySelector('[data-writing]').dataset.pause = 60000")
        area(page, second).press_sequentially("Unsent")
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        page.evaluate("document.querySelector('form[action$=\"/sign-out\"]').requestSubmit()")
        assert "Some of your text was not saved." in asked[0]
        assert area(page, second).input_value() == "Unsent"


# --- ten minutes of two people in one ---------------------------------------------------------------------------


@dataclass
class Session:
    """What two people did, and what they were offered."""

    typed: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    cuts: int = 0
    clashes: int = 0

    def type(self, page: Page, question: str) -> None:
        word = f"w{len(self.typed):03}x"
        self.typed.append(word)
        control = area(page, question)
        control.press("Control+End")
        control.press_sequentially(f"{word} ")

    def choose(self, page: Page, chance: random.Random) -> None:
        """Press a button of the first clash, if there is one, at the same moment at which it is read."""
        offered = page.evaluate(
            """(which) => {
              const box = document.querySelector(".pg-clash");
              if (!box) return null;
              const buttons = [...box.querySelectorAll("[data-use]")];
              const text = box.innerText;
              buttons[which % buttons.length].click();
              return text;
            }""",
            chance.randrange(6),
        )
        if offered is not None:
            self.offered.append(offered)
            self.clashes += 1


def test_ten_minutes_of_two_people_with_cuts_lose_no_word(chromium: Browser, site: Site, draft: Draft) -> None:
    chance, told = random.Random(7), Session()
    with browser_of(chromium, site, actors.ana()) as hers, browser_of(chromium, site, actors.marek()) as his:
        pages = [(hers, written(hers, draft, pause=30)), (his, written(his, draft, pause=30))]
        for _, page in pages:
            page.evaluate("document.querySelector('[data-writing]').dataset.beat = 15000")
        ends = time.monotonic() + 35
        while time.monotonic() < ends and len(told.typed) < 150:
            context, page = chance.choice(pages)
            match chance.randrange(12):
                case 0:
                    told.cuts += 1
                    context.set_offline(True)
                case 1 | 2:
                    context.set_offline(False)
                case 3 | 4:
                    told.choose(page, chance)
                case _:
                    told.type(page, chance.choice(draft.questions))
        for context, _ in pages:
            context.set_offline(False)
        _bring_to_rest(told, [page for _, page in pages], draft, chance)

    words, shown = every_version(draft), " ".join(told.offered)
    assert [word for word in told.typed if word not in words and word not in shown] == []
    assert told.cuts > 2 and told.clashes > 2 and len(told.typed) > 30


def _bring_to_rest(told: Session, pages: list[Page], draft: Draft, chance: random.Random) -> None:
    """Until every field of both says that it is saved, and no browser keeps anything back."""
    for _ in range(60):
        for page in pages:
            told.choose(page, chance)
        if all(
            page.evaluate("Object.keys(localStorage).length") == 0 and not page.locator(".pg-clash").count()
            for page in pages
        ):
            break
        pages[0].wait_for_timeout(200)
    assert [page.evaluate("Object.keys(localStorage)") for page in pages] == [[], []]
