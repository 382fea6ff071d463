"""Score sheets by person: who reads which words when, texts over the limit, a seat emptied late."""

from __future__ import annotations

from html import unescape
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from grants.core.acts import arranging
from grants.core.errors import Invalid
from grants.evaluation import queries, rules, services
from grants.evaluation.rules import Answered, MarkInput, SheetInput
from grants.evaluation.states import Declared
from grants.evaluation.views.beside import _made as made_ready
from tests.evaluation.scene import CLOSED, WORDS, Browser, Scene, declares
from tests.factories import identity as people
from tests.html import check_page
from tests.statements import statements

OVER = "x" * (rules.COMMENT_CHARACTERS_MAX + 3)


def text_of(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    check_page(answer)
    return unescape(answer.text)


def submit(scene: Scene, name: str, application_id: UUID, remark: str) -> None:
    sheet = scene.sheet(8, 8, 8, words=f"{WORDS} says {name}", remark=remark)
    services.submit(scene.actor(name), application_id, sheet)


# --- remarks ----------------------------------------------------------------------------------------------------


def test_a_remark_is_read_by_the_others_once_their_own_sheet_is_in(browser: Browser, seated: Scene) -> None:
    application_id, reference = seated.application_ids[0], seated.references[0]
    first, second, third = seated.seats(application_id)
    submit(seated, first, application_id, "The roof is older than it says.")
    services.save(seated.actor(third), application_id, seated.sheet(8, 8, 8, remark="Only a draft."))
    pages = (f"/assessments/{reference}", f"/consensus/{reference}")

    for page in pages:
        assert "The roof is older" not in browser.get(second, page).text, page
    assert browser.get(second, pages[1]).status_code == 404
    submit(seated, second, application_id, "The loan is clear.")
    for page in pages:
        text = text_of(browser.get(second, page))
        assert "The roof is older than it says." in text and f"says {first}" in text, page
        assert "Only a draft." not in text, page


def test_the_consensus_shows_every_remark_with_its_author_to_whoever_leads_it(browser: Browser, seated: Scene) -> None:
    application_id, reference = seated.application_ids[0], seated.references[0]
    names = seated.seats(application_id)
    for name in names:
        submit(seated, name, application_id, f"Remark by {name}.")

    for reader in ("chair", "auditor", names[0]):
        text = text_of(browser.get(reader, f"/consensus/{reference}"))
        assert [name for name in names if f"Remark by {name}." in text] == names, reader
    assert "What else the evaluators wrote" not in browser.get("chair", f"/consensus/{seated.references[1]}").text


def test_a_remark_of_a_sheet_whose_seat_was_emptied_is_gone(browser: Browser, seated: Scene) -> None:
    application_id, reference = seated.application_ids[0], seated.references[0]
    name = seated.seats(application_id)[0]
    submit(seated, name, application_id, "The roof is older than it says.")
    assert "The roof is older" in browser.get("chair", f"/consensus/{reference}").text

    answer = Answered(application_id, Declared.CONFLICT, "My sister works there")
    declares(seated.actor(name), seated.call_id, (answer,))
    assert "The roof is older" not in browser.get("chair", f"/consensus/{reference}").text


# --- limits -----------------------------------------------------------------------------------------------------


def test_every_text_over_the_limit_is_named_with_the_limit_and_the_way_out(seated: Scene) -> None:
    sheet = seated.sheet(8, 8, 8)
    first, *rest = sheet.marks
    long = SheetInput((MarkInput(first.criterion, 8, OVER), *rest), OVER)

    application_id = seated.application_ids[0]

    with pytest.raises(Invalid) as caught:
        services.save(seated.actor(seated.seats(application_id)[0]), application_id, long)

    words = "has 20,003 characters; the limit is 20,000. Shorten it by 3; nothing was saved yet."
    assert caught.value.problems == {
        f"comment_{first.criterion}": f"“Why this score for Excellence and ambition” {words}",
        "remark": f"“Anything else the panel should know” {words}",
    }


@pytest.mark.parametrize("go", ["save", "next", "submit"])
def test_an_over_long_text_stays_on_its_own_page_with_everything_that_was_typed(
    browser: Browser, seated: Scene, go: str
) -> None:
    name = seated.seats(seated.application_ids[0])[0]
    row = queries.assessments(seated.actor(name))[0]
    key = seated.sheet(8, 8, 8).marks[0].criterion

    sent = browser.post(
        name, f"/assessments/{row.reference}", go=go, remark=f"{OVER}end",
        **{f"half_{key}": "7", f"comment_{key}": f"{OVER}why"},
    )  # fmt: skip

    text = text_of(sent, 422)
    # “Back” after a conflict that was declared meanwhile asks the server, which shows it no more.
    assert sent.headers["Cache-Control"] == "no-store"
    assert row.title in text and f"{OVER}why" in text and f"{OVER}end" in text
    assert text.count("“Why this score for Excellence and ambition” has 20,006 characters; the limit is 20,000.") == 2
    assert text.count("“Anything else the panel should know” has 20,006 characters; the limit is 20,000.") == 2
    assert queries.assessment_page(seated.actor(name), row.reference).sheet.saved_at is None


def test_what_was_sent_is_read_once_and_no_more_by_whoever_may_no_longer(browser: Browser, seated: Scene) -> None:
    application_id, reference = seated.application_ids[0], seated.references[0]
    # The second assesses something else too, and stays an evaluator of the call when this is shut.
    first, *_, second = sorted(
        seated.seats(application_id), key=[name for each in seated.application_ids for name in seated.seats(each)].count
    )
    page, asked = f"/assessments/{reference}", []
    # Another test of this process may have shown the same application.
    made_ready.cache_clear()
    for name in (first, second, second):
        browser.get(name, "/assessments")
        with statements() as seen:
            text = text_of(browser.get(name, page))
        asked.append(len(seen))
        assert 'id="budget"' in text and 'href="#criterion-' in text

    # It was made ready for the first, and stands beside the sheet of each.
    assert asked[1] == asked[2] == asked[0] - 1
    answer = Answered(application_id, Declared.CONFLICT, "My sister works there since Monday")
    declares(seated.actor(second), seated.call_id, (answer,))
    assert browser.get(second, page).status_code == 404


def test_save_and_next_says_what_was_saved(browser: Browser, seated: Scene) -> None:
    name = next(each for each in seated.evaluators if len(queries.assessments(seated.actor(each))) > 1)
    first, second, *_ = queries.assessments(seated.actor(name))

    sent = browser.post(name, f"/assessments/{first.reference}", go="next", remark="A thought.")

    assert sent.headers["Location"].endswith(f"/assessments/{second.reference}")
    assert f"Your draft for “{first.title}” is saved." in text_of(browser.get(name, sent.headers["Location"]))


# --- a seat emptied late ----------------------------------------------------------------------------------------


def test_a_late_conflict_empties_the_seat_and_the_manager_is_asked_to_fill_it(browser: Browser, seated: Scene) -> None:
    application_id = seated.application_ids[0]
    words = "Fill 1 seat of evaluators, Small neighbourhood pilots 2022"
    assert words not in text_of(browser.get("manager", "/home"))
    name = seated.seats(application_id)[0]
    submit(seated, name, application_id, "")

    answer = Answered(application_id, Declared.CONFLICT, "My sister works there since Monday")
    declares(seated.actor(name), seated.call_id, (answer,))

    home = text_of(browser.get("manager", "/home"))
    assert words in home and f"/calls/{seated.slug}/assignments" in home
    free = next(each for each in seated.evaluators if each not in (*seated.seats(application_id), name))
    seated.give(free, application_id, "In place of the one in conflict")
    assert words not in text_of(browser.get("manager", "/home"))


def test_seats_of_an_application_the_manager_is_kept_from_hide_no_empty_seat_of_another(seated: Scene) -> None:
    hidden, other = seated.application_ids[:2]
    with arranging():
        people.bar(seated.people["manager"], "application", hidden)
    seat = seated.seats(other)[0]
    declares(seated.actor(seat), seated.call_id, (Answered(other, Declared.CONFLICT, "We are cousins"),))

    found = [duty.what for duty in queries.duties(seated.actor("manager"), CLOSED)]

    assert "Fill 1 seat of evaluators, Small neighbourhood pilots 2022" in found
