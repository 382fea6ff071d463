"""The consensus: words taken from sheets with whose they are, dissent by name, versions that approvals belong to, its list."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.paging import Page
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Assignment, ConsensusAnswer, ConsensusVersion
from grants.evaluation.rules import Answered
from grants.evaluation.states import Answer, ConsensusState, Declared, SeatState
from tests.awards.test_publication import statements
from tests.evaluation.scene import CLOSED, WORDS, Browser, Scene, declares
from tests.html import check_page
from tests.worlds import World, Worlds


def text_of(answer, status: int = 200) -> str:
    assert answer.status_code == status, answer.text[:2_000]
    check_page(answer)
    return unescape(answer.text)


@pytest.fixture(scope="session")
def assessed_world(worlds: Worlds, small_world: World[Scene], seated_world: World[None]) -> World[None]:
    """The first application has every sheet in: 2 to 4.5 on the first criterion."""

    def assessed_first() -> None:
        scene = small_world.told()
        first = scene.application_ids[0]
        for name, half in zip(scene.seats(first), (4, 9, 8), strict=True):
            words = f"{name} finds the plan {'weak' if half < 6 else 'strong'}. {WORDS}."
            services.submit(scene.actor(name), first, scene.sheet(half, 8, 8, words=words))

    with clock.at(CLOSED):
        return worlds.of(assessed_first, like=seated_world)


@pytest.fixture
def assessed(scene: Scene, assessed_world: World[None]) -> Scene:
    return scene


def page(scene: Scene, name: str):
    return queries.consensus_page(scene.actor(name), scene.references[0])


def versions(scene: Scene, name: str = "chair", asked: Page | None = None):
    return queries.consensus_versions(scene.actor(name), scene.references[0], asked or Page())[1]


def propose(scene: Scene, *halves: int, words: str = WORDS) -> None:
    scene_sheet = scene.sheet(*halves, words=words, remark="We agree.")
    services.propose(scene.actor("chair"), scene.application_ids[0], scene_sheet)


def test_the_sheets_stand_side_by_side_and_what_lies_apart_is_said(browser: Browser, assessed: Scene) -> None:
    text = text_of(browser.get("chair", f"/consensus/{assessed.references[0]}"))

    assert "From 2 to 4.5: 2.5 points apart, on both sides of the threshold of 3." in text
    assert text.count("Far apart") == 1
    assert all(
        f"Eva Evaluator {number}" in text
        for number in (1, 2, 3)
        if f"eva{number}" in assessed.seats(assessed.application_ids[0])
    )


def test_the_page_of_versions_is_there_before_any_is_kept(browser: Browser, assessed: Scene) -> None:
    address = f"/consensus/{assessed.references[0]}/versions"

    before = text_of(browser.get("chair", address))
    propose(assessed, 8, 8, 8)
    after = text_of(browser.get("chair", address))

    assert "No version is kept yet" in before
    assert "No version is kept yet" not in after and "Version 1" in after


def test_words_of_a_sheet_are_put_into_the_field_without_being_saved(browser: Browser, assessed: Scene) -> None:
    first = assessed.seats(assessed.application_ids[0])[0]
    key = page(assessed, "chair").criteria[0].key
    number = next(
        place for place, sheet in enumerate(page(assessed, "chair").sheets) if first in sheet.mark(key).comment
    )

    sent = browser.post(
        "chair", f"/consensus/{assessed.references[0]}",
        **{f"comment_{key}": "We saw it.", f"half_{key}": "7", "remark": "Typed", "use": f"{number} {key}"},
    )  # fmt: skip

    text = text_of(sent)
    assert f"We saw it.\n\n{first} finds the plan weak." in text
    assert "Typed" in text and 'value="7" checked' in text
    assert "Word for word from: " in text and "are in the field" in text
    assert page(assessed, "chair").versions == 0
    for use in ("9 x", f"99 {key}", "", f"-1 {key}"):
        assert browser.post("chair", f"/consensus/{assessed.references[0]}", use=use).status_code == 200


def test_nobody_is_named_in_what_the_applicant_reads(browser: Browser, assessed: Scene) -> None:
    key = page(assessed, "chair").criteria[0].key
    sent = browser.post("chair", f"/consensus/{assessed.references[0]}", use=f"0 {key}")
    field = unescape(sent.text).split(f'id="comment_{key}"')[1].split("</textarea>")[0]

    assert "Eva Evaluator" not in field


QUOTED = "Cool Courtyards: what we answer to"


def test_a_quotation_leads_to_its_passage_where_its_reader_reads_the_application(
    assessed: Scene, browser: Browser
) -> None:
    """The chair on the page of the application, an evaluator beside the own sheet; words that stand nowhere lead nowhere."""
    first, path = assessed.application_ids[0], f"/consensus/{assessed.references[0]}"
    with statements() as without:
        browser.get("chair", path)
    words = f"They say \u201c{QUOTED}\u201d and \u201cwhat nobody wrote\u201d. {WORDS}"
    propose(assessed, 7, 8, 8, words=words)
    with statements() as quoting:
        told = {
            name: text_of(browser.get(name, path)) for name in ("chair", assessed.seats(first)[0])
        }  # fmt: skip
    # What was sent and what was asked about it, in one statement; once for each of the two who looked.
    assert len(quoting) <= 2 * (len(without) + 1)

    passage = f":~:text={QUOTED.replace(':', '%3A').replace(' ', '%20')}"
    for text, page_of in zip(told.values(), ("applications", "assessments"), strict=True):
        (place,) = set(re.findall(rf'href="/{page_of}/{assessed.references[0]}#(answer-[\w-]+){passage}"', text))
        assert text.count(f"\u201c{QUOTED}\u201d in the application") == 3
        assert "nobody wrote\u201d in the application" not in text
        assert f'id="{place}"' in text_of(browser.get("chair", f"/applications/{assessed.references[0]}"))

    # In a draft it stands below the field of the chair, and beside the words of whoever quoted.
    services.take_back(assessed.actor("chair"), first)
    key = page(assessed, "chair").criteria[1].key
    sent = {f"comment_{key}": f"\u201c{QUOTED}\u201d", "use": f"0 {key}"}
    assert text_of(browser.post("chair", path, **sent)).count(f"\u201c{QUOTED}\u201d in the application") == 3


def test_each_save_that_changes_something_is_a_version_compared_word_by_word(assessed: Scene) -> None:
    first, chair = assessed.application_ids[0], assessed.actor("chair")
    services.write_consensus(chair, first, assessed.sheet(7, 8, 8, words="The plan is weak", remark="So."))
    services.write_consensus(
        assessed.actor("chair"), first, assessed.sheet(7, 8, 8, words="The plan is weak", remark="So.")
    )
    services.write_consensus(
        assessed.actor("chair"), first, assessed.sheet(6, 8, 8, words="The plan is strong", remark="So.")
    )

    two, one = versions(assessed).items
    assert (one.number, two.number, two.by) == (1, 2, "Carla Chair")
    change = two.changes[0]
    assert (change.before, change.after) == ("3.5", "3")
    assert [(piece.kind.value, piece.text) for piece in change.pieces] == [
        ("same", "The plan is "), ("removed", "weak"), ("added", "strong"),
    ]  # fmt: skip
    assert "What the applicant will read" not in [each.name for each in two.changes]
    assert [each.number for each in versions(assessed, asked=Page(size=1)).items] == [2]
    assert [each.number for each in versions(assessed, asked=Page(size=1, after="2")).items] == [1]


def test_who_dissents_is_kept_by_name_and_their_agreement_falls_away(assessed: Scene, browser: Browser) -> None:
    first = assessed.application_ids[0]
    name, other, last = assessed.seats(first)
    propose(assessed, 7, 8, 8)
    services.agree(assessed.actor(name), first)
    services.dissent(assessed.actor(name), first, "The first score is too high.")

    shown = page(assessed, "chair")
    assert shown.state is ConsensusState.PROPOSED and shown.agreed == ()
    assert [words for _, words, _ in shown.dissents] == ["The first score is too high."]
    text = text_of(browser.get("chair", f"/consensus/{assessed.references[0]}"))
    assert "does not agree" in text and "The first score is too high." in text
    for each in (other, last):
        services.agree(assessed.actor(each), first)
    # A view too long is not cut, and comes back as it was typed.
    long = text_of(
        browser.post("chair", f"/consensus/{assessed.references[0]}/settle", minority_view="v" * 20_001), 422
    )
    assert (
        "“Minority view” has 20,001 characters; the limit is 20,000. Shorten it by 1;" in long and "v" * 20_001 in long
    )
    services.settle(assessed.actor("chair"), first, shown.minority_words)
    shown = page(assessed, "chair")
    assert shown.state is ConsensusState.AGREED
    assert shown.minority_view == shown.minority_words and len(shown.dissents) == 1
    with pytest.raises(Refused, match="not with the evaluators"):
        services.dissent(assessed.actor(name), first, "Still")


def test_whoever_dissented_may_agree_after_all_and_each_thing_they_said_is_kept(assessed: Scene) -> None:
    first = assessed.application_ids[0]
    name = assessed.seats(first)[0]
    propose(assessed, 7, 8, 8)
    said = ["Too high.", "Too high by one.", "", "Not the words."]
    for minute, words in enumerate(said):
        with clock.at(CLOSED + timedelta(minutes=minute)):
            if words:
                services.dissent(assessed.actor(name), first, words)
                # Who says more takes back nothing of what they said before.
                held = said[: minute + 1] if minute < 2 else [words]
                assert [each[1] for each in page(assessed, "chair").dissents] == held
            else:
                services.agree(assessed.actor(name), first)
                assert page(assessed, "chair").dissents == ()

    assert [words for _, words, _ in page(assessed, "chair").dissents] == ["Not the words."]
    assert page(assessed, "chair").agreed == ()
    (version,) = versions(assessed).items
    assert [(each[1] is Answer.DISSENT, each[2]) for each in version.answers] == [
        (bool(words), words) for words in said
    ]
    with pytest.raises(Refused, match="You said just this already"):
        services.dissent(assessed.actor(name), first, "Not the words.")
    # Only dissents are counted, and whoever is at the limit can still agree.
    often = [(Answer.DISSENT, "Not so"), (Answer.APPROVE, "")] * 20
    rules.refuse_said_again(often[2:], Answer.DISSENT, "Again")
    with pytest.raises(Refused, match="said 20 times what you hold instead of these words"):
        rules.refuse_said_again(often, Answer.DISSENT, "Again")
    rules.refuse_said_again(often, Answer.APPROVE, "")


def test_answers_belong_to_the_words_they_were_given_to(assessed: Scene) -> None:
    first = assessed.application_ids[0]
    name = assessed.seats(first)[0]
    propose(assessed, 7, 8, 8)
    services.agree(assessed.actor(name), first)
    services.dissent(assessed.actor(assessed.seats(first)[1]), first, "Too high.")
    services.take_back(assessed.actor("chair"), first)
    propose(assessed, 6, 8, 8)

    shown = page(assessed, "chair")
    assert (shown.agreed, shown.dissents, shown.versions) == ((), (), 2)
    assert [len(each.answers) for each in versions(assessed).items] == [0, 2]


def test_only_the_evaluators_of_an_application_dissent_and_with_words(assessed: Scene, browser: Browser) -> None:
    first = assessed.application_ids[0]
    propose(assessed, 7, 8, 8)
    name = assessed.seats(first)[0]
    free = next(each for each in assessed.evaluators if each not in assessed.seats(first))

    with pytest.raises(Invalid):
        services.dissent(assessed.actor(name), first, " ")
    assert browser.post(free, f"/consensus/{assessed.references[0]}/dissent", words="No").status_code in (403, 404)
    assert browser.post("chair", f"/consensus/{assessed.references[0]}/dissent", words="No").status_code == 403
    assert "Write what you hold instead" in text_of(
        browser.post(name, f"/consensus/{assessed.references[0]}/dissent", words=""), 422
    )
    stale = browser.post(name, f"/consensus/{assessed.references[0]}/dissent", words="Mine", version="0")
    assert "Mine" in text_of(stale, 409) and stale.headers["Cache-Control"] == "no-store"
    assert browser.post(name, f"/consensus/{assessed.references[0]}/dissent", words="Mine").status_code == 303
    # Nor does a chair take back what was answered since it was shown.
    assert browser.post("chair", f"/consensus/{assessed.references[0]}/take-back", version="0").status_code == 409
    assert page(assessed, "chair").state is ConsensusState.PROPOSED


def test_a_conflict_shuts_the_versions_too(assessed: Scene, browser: Browser) -> None:
    first = assessed.application_ids[0]
    propose(assessed, 7, 8, 8)
    path = f"/consensus/{assessed.references[0]}/versions"
    name = assessed.seats(first)[0]
    assert "Version 1" in text_of(browser.get(name, path))

    declares(assessed.actor(name), assessed.call_id, (Answered(first, Declared.CONFLICT, "Kin"),))

    assert browser.get(name, path).status_code in (403, 404)
    with pytest.raises(NotFound):
        versions(assessed, name)


def test_versions_and_answers_are_never_changed(assessed: Scene) -> None:
    propose(assessed, 7, 8, 8)
    services.agree(assessed.actor(assessed.seats(assessed.application_ids[0])[0]), assessed.application_ids[0])

    for table, values in ((ConsensusVersion, {"text": "x"}), (ConsensusAnswer, {"words": "x"})):
        with pytest.raises(DBAPIError), arranging():
            db.session.execute(update(table).values(**values), execution_options={"core_write": True})
        db.session.rollback()


@pytest.mark.usefixtures("short_pages")
def test_the_list_is_by_disagreement_in_pages_and_says_whom_it_waits_for(assessed: Scene, browser: Browser) -> None:
    actor = assessed.actor("chair")
    with statements() as seen:
        rows = queries.consensus_list(actor, Page(size=2))
    assert len(seen) == 2
    first = rows.items[0]
    assert (first.reference, first.widest, first.waits_for) == (assessed.references[0], "2.5", ())
    # A threshold between the marks is told on the list as on the page of the application.
    assert "Excellence and ambition: on both sides of the threshold of 3" in first.far[0]
    following = queries.consensus_list(actor, Page(size=2, after=rows.next_key))
    assert [row.reference for row in (*rows.items, *following.items)] == list(assessed.references)
    assert len(following.items[0].waits_for) == 3
    propose(assessed, 7, 8, 8)
    services.agree(assessed.actor(assessed.seats(assessed.application_ids[0])[0]), assessed.application_ids[0])
    assert len(queries.consensus_list(assessed.actor("chair")).items[0].waits_for) == 2
    text_of(browser.get("chair", "/consensus"))
    text_of(browser.get("chair", "/consensus?after=nonsense&size=1"))


@pytest.mark.usefixtures("short_pages")
def test_the_list_is_narrowed_to_a_call_and_one_without_any_says_so(assessed: Scene, browser: Browser) -> None:
    actor = assessed.actor("chair")
    rows, calls = queries.consensus_list_and_calls(actor, Page(), assessed.slug)
    assert len(rows.items) == 3 and [slug for slug, _ in calls] == [assessed.slug]
    with statements() as sent:
        queries.consensus_list_and_calls(actor, Page(), assessed.slug)
    assert len(sent) <= 2

    text = text_of(browser.get("chair", f"/consensus?call={assessed.slug}&size=1"))
    assert f"call={assessed.slug}" in text and "Next" in text
    assert "None of its applications is under evaluation and open to you." in text_of(
        browser.get("chair", "/consensus?call=nothing")
    )
    # A member who is in conflict with all of a call reads nothing of it, not even that there is a choice.
    name = assessed.seats(assessed.application_ids[0])[0]
    answers = tuple(Answered(each, Declared.CONFLICT, "Kin") for each in assessed.application_ids)
    declares(assessed.actor(name), assessed.call_id, answers)
    assert queries.consensus_list_and_calls(assessed.actor(name), Page())[1] == ()


def test_the_page_costs_the_same_however_much_was_said(assessed: Scene) -> None:
    propose(assessed, 7, 8, 8)
    actor = assessed.actor("chair")
    with statements() as few:
        queries.consensus_page(actor, assessed.references[0])
    for name in assessed.seats(assessed.application_ids[0])[:2]:
        services.dissent(assessed.actor(name), assessed.application_ids[0], "No.")
    actor = assessed.actor("chair")
    with statements() as many:
        queries.consensus_page(actor, assessed.references[0])
    assert len(few) == len(many) <= 3


@given(
    st.lists(st.sampled_from(["The plan is clear.", "Costs look too high.", "Nobody wrote this one."]), max_size=3),
    st.integers(0, 3),
)
def test_only_whole_sentences_that_stand_are_anybodys(taken: list[str], spaces: int) -> None:
    comments = [("Ada", "The plan is clear. Costs look too high."), ("Ben", "Costs look too high.")]

    found = dict(rules.borrowed((" " * spaces + "\n").join(taken), comments))

    assert found.get("Ada", 0) == len(set(taken) - {"Nobody wrote this one."})
    assert found.get("Ben", 0) == ("Costs look too high." in taken)


def test_what_is_only_proposed_is_not_called_agreed(assessed: Scene, browser: Browser) -> None:
    about, path = assessed.application_ids[0], f"/consensus/{assessed.references[0]}"
    propose(assessed, 8, 8, 8)
    name = page(assessed, "chair").criteria[0].name

    proposed = text_of(browser.get("chair", path))
    for who in assessed.seats(about):
        services.agree(assessed.actor(who), about)
    agreed = text_of(browser.get("chair", path))

    assert f"Proposed. {name}: 4" in proposed and f"Agreed. {name}" not in proposed
    assert f"Agreed. {name}: 4" in agreed and f"Proposed. {name}" not in agreed


def test_the_first_version_stands_plain_and_later_ones_as_changes(assessed: Scene, browser: Browser) -> None:
    first, path = assessed.application_ids[0], f"/consensus/{assessed.references[0]}/versions"
    services.write_consensus(assessed.actor("chair"), first, assessed.sheet(7, 8, 8, words="Weak plan", remark="So."))
    assert "<ins>" not in text_of(browser.get("chair", path))

    services.write_consensus(assessed.actor("chair"), first, assessed.sheet(6, 8, 8, words="Weak plan", remark="So."))
    assert text_of(browser.get("chair", path)).count("<ins>") == 1


def test_nobody_is_asked_for_the_view_of_who_said_nothing(assessed: Scene, browser: Browser) -> None:
    about, path = assessed.application_ids[0], f"/consensus/{assessed.references[0]}"
    propose(assessed, 8, 8, 8)
    one, two, last = assessed.seats(about)
    for who in (one, two):
        services.agree(assessed.actor(who), about)
    silent = text_of(browser.get("chair", path))
    assert 'name="unheard"' in silent and 'name="minority_view"' not in silent

    services.dissent(assessed.actor(last), about, "The plan is too optimistic.")
    heard = text_of(browser.get("chair", path))
    assert 'name="unheard"' not in heard and 'name="minority_view"' in heard


def test_boxes_of_the_consensus_fit_their_text(assessed: Scene, browser: Browser) -> None:
    first, path = assessed.application_ids[0], f"/consensus/{assessed.references[0]}"
    long = "word " * 186
    services.write_consensus(assessed.actor("chair"), first, assessed.sheet(7, 8, 8, words=long, remark="So."))

    found = re.findall(r'name="comment_[^"]+" rows="(\d+)"', text_of(browser.get("chair", path)))
    assert len(found) == 3 and all(int(each) >= 13 for each in found)


def test_once_all_have_left_nothing_of_the_old_consensus_is_shown_as_what_counts(
    assessed: Scene, browser: Browser
) -> None:
    first, path = assessed.application_ids[0], f"/consensus/{assessed.references[0]}"
    propose(assessed, 8, 8, 8)
    with arranging():
        for seat in db.session.scalars(select(Assignment).where(Assignment.application_id == first)):
            seat.state, seat.voided_at, seat.void_reason = (
                SeatState.VOIDED.value,
                clock.now(),
                "A complaint was upheld.",
            )
    shown = text_of(browser.get("chair", path))

    assert "needs 10" not in shown and "pg-table" not in shown
