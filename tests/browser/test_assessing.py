"""One evaluator in real browsers: both sides at once, saved by itself, by keys alone, back to the same place, on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from grants.core import clock
from grants.core.permissions import Actor
from grants.documents import services as documents
from grants.dossiers import offline
from grants.evaluation import queries, rules, services
from grants.evaluation.rules import AssessmentPage, AssessmentRow, MarkInput
from tests.browser.barriers import barriers
from tests.browser.sites import Site, served
from tests.browser.test_writing import browser_of
from tests.evaluation.scene import CLOSED, WORDS, Scene, build
from tests.evaluation.utter import UTTER
from tests.factories.applications import WHILE_OPEN
from tests.house.machine import eventually
from tests.servers import Cluster
from tests.worlds import World, Worlds


@pytest.fixture(scope="session")
def assessed_world(worlds: Worlds) -> World[Scene]:
    """The small call once everybody declared no conflict and was assigned."""

    def seated() -> Scene:
        scene = build()
        with clock.at(CLOSED):
            scene.declare_all()
            scene.assign(due_at=CLOSED + timedelta(days=6))
        return scene

    return worlds.of(seated)


@pytest.fixture
def site(postgres: Cluster, assessed_world: World[Scene], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(postgres, assessed_world, tmp_path_factory.mktemp("home")) as made:
        made.later = CLOSED - WHILE_OPEN
        yield made


class Desk:
    """One evaluator with at least two seats, and what stands on their sheets."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.name = next(each for each in scene.evaluators if len(self.rows(each)) > 1)
        self.references = [row.reference for row in self.rows(self.name)]
        self.keys = [one.key for one in self.page(self.references[0]).criteria]

    def rows(self, name: str) -> tuple[AssessmentRow, ...]:
        with clock.at(CLOSED):
            return queries.assessments(self.scene.actor(name))

    def actor(self) -> Actor:
        with clock.at(CLOSED):
            return self.scene.actor(self.name)

    def id_of(self, reference: str) -> UUID:
        return self.scene.application_ids[self.scene.references.index(reference)]

    def page(self, reference: str) -> AssessmentPage:
        """What the server would show now."""
        with clock.at(CLOSED):
            return queries.assessment_page(self.scene.actor(self.name), reference)

    def half(self, key: str, reference: str | None = None) -> int | None:
        return self.page(reference or self.references[0]).sheet.mark(key).half

    def comment(self, key: str) -> str:
        return self.page(self.references[0]).sheet.mark(key).comment


@pytest.fixture
def desk(site: Site, assessed_world: World[Scene]) -> Desk:
    return Desk(assessed_world.told())


def opened(page: Page, reference: str) -> Page:
    page.goto(f"/assessments/{reference}")
    page.evaluate("Object.assign(document.querySelector('[data-writing]').dataset, {pause: 100, retry: 100})")
    return page


def scale(page: Page, key: str) -> Locator:
    return page.locator(f"[data-criterion='{key}'] .pg-scale input")


def state(page: Page, field: str) -> Locator:
    return page.locator(f"[data-question='{field}'] > [data-state], #state-{field}").first


def scrolled(page: Page, side: str) -> int:
    return int(page.evaluate(f"document.querySelector('[data-{side}-side]').scrollTop"))


def test_both_sides_stand_beside_each_other_and_each_scrolls_alone(chromium: Browser, site: Site, desk: Desk) -> None:
    with browser_of(chromium, site, desk.actor()) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 1280, "height": 800})
        opened(page, desk.references[0])
        boxes = [page.locator(f"#{part}").bounding_box() for part in ("application", "sheet")]
        assert all(boxes) and boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
        # The lists fit no screen: either side scrolls, the other stays.
        page.evaluate("document.querySelector('[data-answers-side]').scrollTop = 300")
        assert (scrolled(page, "answers"), scrolled(page, "sheet")) == (300, 0)
        page.evaluate("document.querySelector('[data-sheet-side]').scrollTop = 200")
        assert (scrolled(page, "answers"), scrolled(page, "sheet")) == (300, 200)

        # A criterion leads the left side to its answers and marks them all.
        link = page.locator("[data-show-answers]").last
        link.click()
        fed = page.locator(".is-fed")
        expect(fed.first).to_be_in_viewport()
        assert fed.count() == len(str(link.evaluate("one => one.closest('[data-answers]').dataset.answers")).split(" "))
        bar = page.get_by_role("separator", name="Width of the application")
        before = page.locator("#application").bounding_box()
        bar.focus()
        bar.press("ArrowRight")
        bar.press("ArrowRight")
        after = page.locator("#application").bounding_box()
        assert before and after and after["width"] > before["width"]
        assert barriers(page) == []


def test_a_score_is_saved_when_chosen_and_says_what_it_means_and_what_it_needs(
    chromium: Browser, site: Site, desk: Desk
) -> None:
    key = desk.keys[0]
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), desk.references[0])
        needs = page.locator(f"[data-needs=comment_{key}]")
        expect(page.locator(f"[data-criterion='{key}'] .pg-anchor")).to_have_text(
            "Choose a score. Its meaning appears here."
        )
        expect(
            page.get_by_label(f"Why this score for {desk.page(desk.references[0]).criteria[0].name}")
        ).to_have_accessible_description("No words yet. At least 30 words where the score is below 3.")
        scale(page, key).nth(4).check(force=True)
        expect(page.locator("[data-saved]")).to_contain_text("Saved")
        assert desk.half(key) == 4
        expect(page.locator(f"[data-criterion='{key}'] .pg-anchor")).to_contain_text("2: fair")
        expect(needs).to_contain_text("say why in at least 30 words; there are 0")
        page.locator(f"#comment_{key}").fill(WORDS)
        expect(needs).to_have_text("")
        expect(page.locator(f"#comment_{key}-told")).to_have_text(
            f"{len(WORDS.split())} words. At least 30 words where the score is below 3."
        )
        assert desk.comment(key) == WORDS
        # Under the threshold of the criterion nothing is taken without words, from it on nothing is demanded.
        page.locator(f"#comment_{key}").fill("")
        expect(state(page, f"comment_{key}")).to_contain_text("Saved")
        needed = next(one.threshold_half for one in desk.page(desk.references[0]).criteria if one.key == key)
        assert needed is not None
        anchors = [str(words) for words in scale(page, key).evaluate_all("all => all.map(one => one.title)")]
        for half, words in enumerate(anchors):
            scale(page, key).nth(half).check(force=True)
            expect(page.locator(f"[data-criterion='{key}'] .pg-anchor")).to_have_text(words)
            expect(needs).to_have_text(re.compile("say why" if half < needed else "^$"))
        assert len(set(anchors)) == len(anchors) == 11
        scale(page, key).nth(needed - 1).check(force=True)
        expect(page.locator("[data-saved]")).to_contain_text("Saved")
        page.get_by_role("button", name="Submit my assessment").click()
        expect(page.locator(f"#comment_{key}-error")).to_contain_text("30 words")
        assert desk.comment(key) == ""


def test_what_marks_mean_stands_beside_them_for_a_finger_and_for_keys(
    chromium: Browser, site: Site, desk: Desk
) -> None:
    lists = [f"[data-criterion='{key}'] [data-meanings]" for key in desk.keys]
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), desk.references[0])
        expect(page.locator(lists[0])).to_have_attribute("open", "")
        for place in lists[1:]:
            expect(page.locator(place)).not_to_have_attribute("open", "")
        # The mark that has the focus is told before it is chosen.
        scale(page, desk.keys[1]).nth(0).focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        anchor = page.locator(f"[data-criterion='{desk.keys[1]}'] .pg-anchor")
        expect(anchor).to_contain_text("Not chosen yet: 0: fails the criterion")
        expect(page.locator(lists[1])).to_have_attribute("open", "")
        page.keyboard.press("Tab")
        expect(anchor).to_have_text("Choose a score. Its meaning appears here.")
        scale(page, desk.keys[2]).nth(8).check(force=True)
        expect(page.locator(f"[data-criterion='{desk.keys[2]}'] .pg-anchor")).to_contain_text("4: very good")
        expect(page.locator(lists[2])).to_have_attribute("open", "")
        # Without the script every list stands open.
        page.route("**/sheet.js*", lambda route: route.abort())
        page.goto(f"/assessments/{desk.references[1]}")
        for place in lists:
            expect(page.locator(place)).to_have_attribute("open", "")


@pytest.fixture(scope="session")
def weighted_world(worlds: Worlds) -> World[Scene]:
    """A call whose weighted sum is the score, with everybody seated."""

    def weighted() -> Scene:
        scene = build(file=UTTER)
        with clock.at(CLOSED):
            scene.declare_all()
            scene.assign()
        return scene

    return worlds.of(weighted)


def test_where_the_weighted_sum_is_the_score_it_is_counted_live_beside_what_it_needs(
    chromium: Browser, postgres: Cluster, weighted_world: World[Scene], tmp_path: Path
) -> None:
    with served(postgres, weighted_world, tmp_path) as site:
        site.later = CLOSED - WHILE_OPEN
        desk = Desk(weighted_world.told())
        with browser_of(chromium, site, desk.actor()) as context:
            page = opened(context.new_page(), desk.references[0])
            total = page.locator(".pg-total")
            expect(total).to_contain_text("The weighted score needs 50 of 100")
            expect(page.locator("[data-weighted]")).to_have_text("–")
            keys = list(desk.page(desk.references[0]).criteria)
            for number, one in enumerate(keys):
                # The words of a mark open below it and move what follows: a click by its place would miss.
                scale(page, one.key).nth(1 + number % 3).evaluate("mark => mark.click()")
            marking = desk.page(desk.references[0]).marking
            marks = [MarkInput(one.key, marking.marks(one)[1 + number % 3]) for number, one in enumerate(keys)]
            expect(page.locator("[data-weighted]")).to_have_text(rules.weighted_words(marks, marking))
            # Each mark is stored by itself: “Saved” is told once the first of them is.
            eventually(lambda: [desk.half(one.criterion) for one in marks] == [one.half for one in marks])
            page.reload()
            expect(page.locator("[data-weighted]")).to_have_text(rules.weighted_words(marks, marking))
            assert total.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_a_closed_browser_opens_again_at_the_same_place_with_the_same_words(
    chromium: Browser, site: Site, desk: Desk
) -> None:
    key, reference = desk.keys[1], desk.references[0]
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), reference)
        page.locator(f"#comment_{key}").fill("In the middle of a thought")
        expect(state(page, f"comment_{key}")).to_contain_text("Saved")
        page.evaluate("document.querySelector('[data-answers-side]').scrollTop = 420")
        page.evaluate("document.querySelector('[data-sheet-side]').scrollTop = 333")
        with page.expect_response("**/place"):
            page.evaluate("document.querySelector('[data-sheet-side]').scrollTop = 344")
        places = (scrolled(page, "answers"), scrolled(page, "sheet"))

    with browser_of(chromium, site, desk.actor()) as context:
        page = context.new_page()
        page.goto("/assessments")
        page.get_by_role("button", name=f"Go on where you stopped: {reference}").or_(
            page.get_by_role("link", name=f"Go on where you stopped: {reference}")
        ).click()
        expect(page.locator(f"#comment_{key}")).to_be_focused()
        expect(page.locator(f"#comment_{key}")).to_have_value("In the middle of a thought")
        for now, then in zip((scrolled(page, "answers"), scrolled(page, "sheet")), places, strict=True):
            assert abs(now - then) <= 60, (now, then)


def tabbed(page: Page, selector: str) -> None:
    """Go on by the Tab key until this has the focus."""
    for _ in range(120):
        if page.evaluate("which => document.activeElement.matches(which)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"The Tab key does not reach {selector}.")


def test_a_whole_assessment_by_keys_alone(chromium: Browser, site: Site, desk: Desk) -> None:
    first, second = desk.references[:2]
    with browser_of(chromium, site, desk.actor()) as context:
        page = context.new_page()
        page.goto("/assessments")
        tabbed(page, f"main a[href$='{first}']")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(f"/assessments/{first}$"))
        page.evaluate("Object.assign(document.querySelector('[data-writing]').dataset, {pause: 100, retry: 100})")
        tabbed(page, f"[data-criterion='{desk.keys[0]}'] .pg-scale input")
        for number, key in enumerate(desk.keys):
            page.keyboard.press("4")
            page.keyboard.press(".")
            page.keyboard.press("Alt+a")
            if number == 0:
                expect(page.locator(".is-fed").first).to_be_in_viewport()
            for _ in range(8):
                if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
                    break
                page.keyboard.press("Tab")
            page.keyboard.type("Because.")
            page.keyboard.press("Alt+ArrowDown")
            assert desk.keys.index(key) == number
        expect(page.locator("[data-total]")).to_have_text("13.5")
        page.keyboard.press("Alt+w")
        expect(page.locator("[data-answers-side]")).to_be_focused()
        page.keyboard.press("Alt+w")
        page.keyboard.press("Control+Enter")
        page.wait_for_url(re.compile(f"/assessments/{second}$"))
        expect(page.get_by_text("is saved.")).to_be_visible()
        page.keyboard.press("Alt+ArrowDown")
        expect(scale(page, desk.keys[0]).first).to_be_focused()
        # Back to the first by the list, and in with it.
        tabbed(page, "nav[aria-label=Breadcrumb] a")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/assessments$"))
        tabbed(page, f"th a[href$='{first}']")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(f"/assessments/{first}$"))
        tabbed(page, "button[value=submit]")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Your assessment is submitted.")).to_be_visible()
    assert desk.page(first).sheet.submitted_at is not None
    assert [desk.half(key, first) for key in desk.keys] == [9, 9, 9]
    assert desk.comment(desk.keys[2]) == "Because."


def test_the_keys_leave_no_trap_and_every_control_has_a_name(chromium: Browser, site: Site, desk: Desk) -> None:
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), desk.references[0])
        page.locator("#sheet-form textarea").first.focus()
        seen = []
        for _ in range(60):
            page.keyboard.press("Tab")
            seen.append(
                page.evaluate("document.activeElement.closest('footer') ? 'footer' : document.activeElement.tagName")
            )
            if seen[-1] == "footer":
                break
        assert seen[-1] == "footer"
        names = page.locator("#sheet-form").aria_snapshot()
        assert 'radio "3.5"' in names and "Why this score for" in names


def test_two_tabs_a_cut_line_and_a_lost_session_lose_no_word(chromium: Browser, site: Site, desk: Desk) -> None:
    key, reference = desk.keys[0], desk.references[0]
    field = f"comment_{key}"
    with browser_of(chromium, site, desk.actor()) as context:
        one, other = (opened(context.new_page(), reference) for _ in range(2))
        one.locator(f"#{field}").fill("From the first tab")
        expect(state(one, field)).to_contain_text("Saved")
        other.locator(f"#{field}").fill("From the second tab")
        clash = other.locator(f"[data-question={field}] > .pg-clash")
        expect(clash).to_contain_text("in another window of yours")
        expect(clash).to_contain_text("From the first tab")
        assert desk.comment(key) == "From the first tab"
        mine = clash.get_by_role("button", name="Keep mine")
        expect(mine).to_be_in_viewport()
        mine.click()
        expect(state(other, field)).to_contain_text("Saved")
        one.close()

        context.set_offline(True)
        other.locator(f"#{field}").fill("Typed on a train")
        expect(state(other, field)).to_contain_text("Not saved: no connection. Your text is kept in this browser")
        expect(other.locator("[data-saved]")).to_contain_text("Not saved")
        context.set_offline(False)
        expect(state(other, field)).to_contain_text("Saved")
        assert desk.comment(key) == "Typed on a train"

        cookies = context.cookies()
        context.clear_cookies()
        other.locator(f"#{field}").fill("Typed after the session ended")
        expect(state(other, field)).to_contain_text("you are signed out")
        expect(other.locator(f"#{field}")).to_have_value("Typed after the session ended")
        context.add_cookies(cookies)
        other.evaluate("dispatchEvent(new Event('focus'))")
        expect(state(other, field)).to_contain_text("Saved")
    assert desk.comment(key) == "Typed after the session ended"


def test_what_is_marked_on_the_left_is_quoted_into_the_comment(chromium: Browser, site: Site, desk: Desk) -> None:
    key = desk.keys[0]
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), desk.references[0])
        page.locator(f"#comment_{key}").focus()
        words = page.evaluate(
            "() => { const p = document.querySelector('[data-answers-side] [id^=answer-] p:not(.q)');"
            "getSelection().selectAllChildren(p); return p.textContent.replace(/\\s+/g, ' ').trim(); }"
        )
        button = page.get_by_role("button", name="Quote in my comment")
        expect(button).to_be_visible()
        button.click()
        words = words.translate({0x201C: "\u2018", 0x201D: "\u2019"})
        expect(page.locator(f"#comment_{key}")).to_have_value(f"\u201c{words}\u201d ")
        expect(state(page, f"comment_{key}")).to_contain_text("Saved")
    assert desk.comment(key) == f"\u201c{words}\u201d"


def places_of_buttons(page: Page) -> set[str]:
    """Where the buttons of the sheet stand while the words about saving change."""
    return set(
        page.evaluate(
            "() => ['Not saved yet', 'Saved 10:00', 'Not saved: \u201cWhy this score\u201d is over the limit'].map(said => {"
            " document.querySelector('[data-saved]').textContent = said;"
            " return JSON.stringify([...document.querySelectorAll('.pg-split__foot button')].map(one => one.getBoundingClientRect())); })"
        )
    )


def test_on_a_phone_there_are_tabs_and_without_a_script_one_page(chromium: Browser, site: Site, desk: Desk) -> None:
    key = desk.keys[0]
    with browser_of(chromium, site, desk.actor()) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 360, "height": 740})
        opened(page, desk.references[0])
        expect(page.locator("#sheet")).to_be_hidden()
        page.get_by_role("tab", name="Score sheet").click()
        expect(page.locator("#application")).to_be_hidden()
        scale(page, key).nth(6).check(force=True)
        expect(page.locator("[data-saved]")).to_contain_text("Saved")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert barriers(page) == []
        # Pressing a button right after typing changes what is said of saving: the button does not move from under the press.
        assert len(places_of_buttons(page)) == 1
        page.get_by_role("tab", name="Score sheet").press("ArrowLeft")
        expect(page.locator("#application")).to_be_visible()
        # On paper stand both parts, whichever is chosen, with the whole of a long text.
        page.locator(f"#comment_{key}").evaluate("field => { field.value = 'word '.repeat(400); }")
        page.emulate_media(media="print")
        expect(page.locator("#application")).to_be_visible()
        expect(page.locator("#sheet")).to_be_visible()
        expect(page.get_by_role("tab", name="Score sheet")).to_be_hidden()
        assert page.locator(f"#comment_{key}").evaluate("field => field.scrollHeight <= field.clientHeight + 1")
        # As wide as A4 between its margins: no table of the budget is cut at its edge.
        page.set_viewport_size({"width": 672, "height": 950})
        assert page.evaluate("document.documentElement.scrollWidth") <= 672
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": 1280, "height": 800})
        assert len(places_of_buttons(page)) == 1
        # Each side scrolls alone; below the foot of the page there is nothing to scroll to.
        foot = page.evaluate("document.querySelector('footer').getBoundingClientRect().bottom + scrollY")
        assert page.evaluate("document.documentElement.scrollHeight") <= max(foot + 1, 800)
    bare = chromium.new_context(base_url=site.address, java_script_enabled=False)
    bare.add_cookies([site.cookie(desk.actor())])
    page = bare.new_page()
    page.goto(f"/assessments/{desk.references[0]}")
    expect(page.locator("#sheet")).to_be_visible()
    expect(page.locator("#application")).to_be_visible()
    page.get_by_role("button", name="Save and next").click()
    expect(page).to_have_url(re.compile(f"/assessments/{desk.references[1]}$"))
    bare.close()


def test_the_own_progress_and_pattern_stand_on_the_list(chromium: Browser, site: Site, desk: Desk) -> None:
    with clock.at(CLOSED):
        services.submit(desk.actor(), desk.id_of(desk.references[1]), desk.scene.sheet(9, 8, 8))
    with browser_of(chromium, site, desk.actor()) as context:
        page = context.new_page()
        page.goto("/assessments")
        expect(page.locator(".pg-progress__label")).to_contain_text(f"1 of {len(desk.references)} submitted")
        expect(page.locator(".pg-progress--side")).to_contain_text("6 days left")
        expect(page.get_by_text("Your scores: 4.5 once.")).to_be_visible()
        page.get_by_role("link", name="Least work left").click()
        expect(page.locator("tbody tr").last).to_contain_text(desk.references[1])
        opened(page, desk.references[0])
        expect(page.get_by_text("Your other sheets: 4.5 once.")).to_be_visible()
        # What is finished is no next one.
        expect(page.get_by_role("button", name="Save and next")).to_have_count(len(desk.references[2:]))


def test_what_is_skipped_is_left_for_later_and_comes_back(chromium: Browser, site: Site, desk: Desk) -> None:
    first, second = desk.references[:2]
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), first)
        scale(page, desk.keys[0]).nth(6).check(force=True)
        page.get_by_role("button", name="Skip this one for now").click()
        page.wait_for_url(re.compile(f"/assessments/{second}$"))
        page.goto("/assessments")
        expect(page.locator("tbody tr", has_text=first)).to_contain_text("Skipped for now")
    assert desk.half(desk.keys[0], first) == 6


def test_the_form_goes_out_as_a_file_and_comes_back(chromium: Browser, site: Site, desk: Desk, tmp_path: Path) -> None:
    reference, key = desk.references[0], desk.keys[0]
    shown = desk.page(reference)
    filled = rules.answers_of(desk.scene.sheet(7, None, None, words="Written on the train.").marks, "")
    written = tmp_path / "mine.docx"
    written.write_bytes(offline.written("x", (), queries.form_of(shown), filled))
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), reference)
        page.get_by_text("Keys, files and other ways").click()
        page.get_by_role("link", name="Score offline").click()
        with page.expect_download() as told:
            page.get_by_role("link", name="Download it as a Word file").click()
        assert told.value.path().read_bytes()[:2] == b"PK"
        page.get_by_label("The filled file").set_input_files(written)
        page.get_by_role("button", name="Show what it changes").click()
        expect(page.locator(".pg-changes ins").first).to_contain_text("3.5")
        page.locator(f"#take-comment_{key}").uncheck()
        page.get_by_role("button", name="Take over what is ticked").click()
        expect(scale(page, key).nth(7)).to_be_checked()
        # All there is to read comes in one file.
        page.goto("/assessments")
        page.get_by_role("link", name="All PDFs in one file").click()
        page.get_by_role("button", name="Pack them").click()
        expect(page.get_by_role("heading", name="It is being made")).to_be_visible()
        with clock.at(CLOSED), site.app.app_context():
            asked = queries.pack(desk.actor())
            assert asked is not None and documents.make_reading_pack(desk.actor(), asked.id)
        page.reload()
        with page.expect_download() as told:
            page.get_by_role("link", name="Download the ZIP").click()
        with ZipFile(told.value.path()) as packed:
            assert [each.split(" ")[0] for each in packed.namelist()] == desk.references
            assert all(packed.read(each).startswith(b"%PDF") for each in packed.namelist())
    assert (desk.half(key), desk.comment(key)) == (7, "")


def test_a_quotation_leads_back_to_its_passage_and_an_answer_to_its_criterion(
    chromium: Browser, site: Site, desk: Desk
) -> None:
    key, reference = desk.keys[1], desk.references[0]
    with browser_of(chromium, site, desk.actor()) as context:
        page = opened(context.new_page(), reference)
        page.set_viewport_size({"width": 1280, "height": 800})
        passage = "return (part.querySelectorAll('p:not(.q, .quiet, .small)')[0] ?? part).textContent.replace(/\\s+/g, ' ').trim()"
        words = page.evaluate(
            "() => { const part = [...document.querySelectorAll('[id^=answer-]')]"
            f".filter(each => each.querySelector('p:not(.q, .quiet, .small)')).at(-1); {passage}; }}"
        )
        quoted = words.translate({0x201C: "\u2018", 0x201D: "\u2019"})
        page.locator(f"#comment_{key}").fill(f"They say \u201c{quoted}\u201d, which is clear.")
        link = page.locator(f"[data-quotes=comment_{key}] a")
        expect(link).to_contain_text("in the application")
        expect(state(page, f"comment_{key}")).to_contain_text("Saved")
        page.evaluate("document.querySelector('[data-answers-side]').scrollTop = 0")
        link.click()
        assert scrolled(page, "answers") > 0
        assert page.evaluate("[...CSS.highlights.get('passage')].map(one => one.toString().replace(/\\s+/g, ' '))") == [
            words
        ]
        # The way back from an answer to where it is scored.
        back = page.locator(f"[data-back][href='#criterion-{key}']").first
        back.click()
        expect(scale(page, key).first).to_be_focused()
        page.get_by_text("Keys, files and other ways").click()
        page.get_by_label("Single keys").uncheck()
        scale(page, key).first.focus()
        page.keyboard.press("4")
        expect(scale(page, key).nth(8)).not_to_be_checked()
        assert page.locator("#budget-rules ~ .pg-rule, [aria-labelledby=budget-rules] .pg-rule").count() > 0

    bare = chromium.new_context(base_url=site.address, java_script_enabled=False)
    bare.add_cookies([site.cookie(desk.actor())])
    page = bare.new_page()
    page.goto(f"/assessments/{reference}")
    link = page.locator(f"[data-quotes=comment_{key}] a")
    expect(link).to_have_attribute("href", re.compile("^#answer-"))
    link.click()
    expect(page.locator(str(link.get_attribute("href")))).to_be_in_viewport()
    bare.close()
