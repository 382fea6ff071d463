"""Pages of awards by person: the line, the ties in words, the decision of one and the confirmation of another."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from grants.applications.models import Application
from grants.awards import queries
from grants.awards.rules import NOT_TOLD
from grants.awards.states import SelectionState
from grants.calls.rules import ResultsInput
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.money import euros
from grants.evaluation import services as evaluation
from grants.evaluation.models import Assessment, AssessmentScore, Assignment
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from tests.awards.publishing import publish
from tests.evaluation.scene import CLOSED, SCORES, Browser, Scene, declares
from tests.html import check_page
from tests.statements import statements


def text_of(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    check_page(answer)
    return unescape(answer.text)


def test_the_ranking_names_the_straddling_row_and_explains_ties(browser: Browser, evaluated: Scene) -> None:
    first = select(Assignment.id).where(Assignment.application_id == evaluated.application_ids[0])
    sheet = select(Assessment.id).where(Assessment.assignment_id.in_(first)).limit(1)
    with arranging():
        given = select(AssessmentScore).where(AssessmentScore.assessment_id.in_(sheet), AssessmentScore.half == 9)
        db.session.scalars(given).one().half = 2
    db.session.rollback()
    text = text_of(browser.get("manager", f"/calls/{evaluated.slug}/ranking"))

    # One evaluator alone is below the threshold of 10 in all.
    rule = "differ by a sixth of all points or more, or lie on both sides of the threshold in all."
    assert (
        text.count("points apart") == 1
        and text.count(rule) == 1
        and "3.5 points apart, on both sides of the threshold" in text
    )
    assert "Straddles the line: EUR 200\u00a0000.00 short" in text
    assert "Budget line: 2 selected, EUR 200\u00a0000.00 left of EUR 1\u00a0000\u00a0000.00." in text
    assert "“Cool Courtyards” stands first with 4.5 against 4 for Excellence and ambition." in text

    # Narrowed it keeps its order and its ranks, with how many of the whole list each choice leaves.
    address = f"/calls/{evaluated.slug}/ranking"
    for words in ("Every application (3)", "Around the line (2)", "Far apart (1)", "GR (1)"):
        assert words in text, words
    with statements() as seen:
        apart = text_of(browser.get("manager", address + "?look=apart"))
    assert "1 of 3 applications, in the official order." in apart and apart.count('data-label="Rank"') == 1
    assert "The whole list as CSV" in apart and len(seen) <= 8
    below = text_of(browser.get("auditor", f"{address}?country=DK&look=line"))
    assert below.count('data-label="Rank"') == 1 and "Budget line:" not in below
    assert "1 of 3 applications, in the official order: up to 1 above the line and 1 below it." in below
    assert "0 of 3 applications" in text_of(browser.get("manager", f"{address}?country=DK&look=apart"))
    odd = text_of(browser.get("manager", f"{address}?look=up&country=XX&strand=Small"))
    assert "This list cannot be shown" in odd and odd.count("“") >= 3 and 'data-label="Rank"' not in odd


@pytest.mark.usefixtures("seated_world")
def test_the_ranking_says_who_still_waits(browser: Browser, scene: Scene) -> None:
    text = text_of(browser.get("chair", f"/calls/{scene.slug}/ranking"))

    assert "Nothing is ranked yet" in text and "Waiting for a consensus" in text
    assert "0 of 3 assessments are in." in text and "Nobody has written" not in text
    text_of(browser.get("chair", f"/calls/{scene.slug}/decision"))


def test_every_page_of_a_list_says_that_it_is_so_far_while_some_wait(browser: Browser, evaluated: Scene) -> None:
    evaluation.reopen_agreed(evaluated.actor("chair"), evaluated.application_ids[2], "A criterion was mistaken.")
    base = f"/calls/{evaluated.slug}"

    ranking = text_of(browser.get("manager", f"{base}/ranking"))
    scenarios = text_of(browser.get("manager", f"{base}/scenarios"))

    assert "Budget line so far: 2 above it," in ranking and "1 more application waits for a score" in ranking
    assert "is left out" not in ranking and ">Selected<" not in ranking
    assert "1 more waits for a score and is not counted yet" in ranking
    assert "Budget line so far: 2 above it," in text_of(browser.get("manager", f"{base}/decision"))
    assert "1 application has no score yet" in scenarios and "Save the scenario" not in scenarios
    assert "A scenario is added, and the list decided, once every application has a score." in scenarios
    assert "decide by the rules of the call" not in scenarios and "Selected applications" not in scenarios


def test_a_list_goes_from_decision_to_confirmation_by_two_people(browser: Browser, evaluated: Scene) -> None:
    base = f"/calls/{evaluated.slug}"
    shown = queries.ranking_page(evaluated.actor("chair"), evaluated.slug)
    assert "Decide this list" in text_of(browser.get("chair", f"{base}/decision"))

    sent = browser.post(
        "chair", f"{base}/decision", go="decide", list_hash=shown.list_hash, line="stop", reason="As ranked."
    )
    assert sent.status_code == 303
    own = text_of(browser.get("chair", f"{base}/selections/1"))
    assert "You decided this list; another person must confirm or return it." in own
    assert "Confirm the list" not in own
    assert browser.post("chair", f"{base}/selections/1/confirm", version="1").status_code == 422
    assert browser.post("officer", f"{base}/selections/1/return", version="1", reason="Say why two.").status_code == 303
    again = text_of(browser.get("chair", f"{base}/decision"))
    assert 0 < again.index("Say why two.") < again.index("Decide this list")
    sent = browser.post(
        "chair", f"{base}/decision", go="decide", list_hash=shown.list_hash, line="stop", reason="Two are ranked."
    )
    assert sent.status_code == 303
    asked = text_of(browser.get("officer", f"{base}/selections/2"))
    assert "Confirm the list" in asked and NOT_TOLD in asked
    assert browser.post("officer", f"{base}/selections/2/confirm", version="1").status_code == 303
    after = text_of(browser.get("officer", f"{base}/decision"))
    # What was said once it was confirmed, and beside the letters.
    assert after.count(NOT_TOLD) == 2 and "or the results are public" in NOT_TOLD
    publish(evaluated, ResultsInput())
    public = text_of(browser.get("officer", f"{base}/decision"))
    assert "The results are public, so each team reads its outcome" in public and NOT_TOLD not in public

    states = {view.number: view.state for view in queries.selections(evaluated.call_id)}
    assert states == {1: SelectionState.RETURNED, 2: SelectionState.CONFIRMED}
    text_of(browser.get("officer", f"{base}/selections/2"))
    text_of(browser.get("manager", f"{base}/ranking"))
    text_of(browser.get("auditor", f"{base}/decision"))


def test_the_assignment_of_a_decided_call_stands_as_it_was(browser: Browser, evaluated: Scene) -> None:
    path, base = f"/calls/{evaluated.slug}/assignments", f"/calls/{evaluated.slug}"
    before = text_of(browser.get("manager", path))
    shown = queries.ranking_page(evaluated.actor("chair"), evaluated.slug)
    browser.post("chair", f"{base}/decision", go="decide", list_hash=shown.list_hash, line="stop", reason="As ranked.")
    assert browser.post("officer", f"{base}/selections/1/confirm", version="1").status_code == 303

    after = text_of(browser.get("manager", path))

    assert "Seats filled" in before and before.count(">Submitted<") == after.count(">Submitted<") > 0
    for deed in ("/adjust", "/reopen"):
        assert deed in before and deed not in after
    assert "3 applications of" in after and "Fill by hand" not in after


def test_a_decision_without_a_reason_comes_back(browser: Browser, evaluated: Scene) -> None:
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)

    sent = browser.post(
        "manager", f"/calls/{evaluated.slug}/decision", go="decide", list_hash=shown.list_hash, line="stop", reason=" "
    )

    assert "Write why the list is decided as it stands." in text_of(sent, 422)


def test_the_list_is_put_in_another_order_and_its_ranks_stay(browser: Browser, evaluated: Scene) -> None:
    with arranging():
        get(Application, evaluated.application_ids[1]).requested = euros(300_000)
    db.session.rollback()
    address = f"/calls/{evaluated.slug}/ranking"

    def ranks(sort: str) -> list[str]:
        return re.findall(r'data-label="Rank">(\d+)<', browser.get("manager", f"{address}?sort={sort}").text)

    assert (ranks("title"), ranks("-title")) == (["1", "3", "2"], ["2", "3", "1"])
    # What is equal stands in the official order, whichever way round.
    assert (ranks("amount"), ranks("-amount"), ranks("score"), ranks("-score")) == (
        ["3", "1", "2"], ["1", "2", "3"], ["3", "1", "2"], ["1", "2", "3"],
    )  # fmt: skip
    assert ranks("country") != ranks("-country") and ranks("") == ["1", "2", "3"]
    page = text_of(browser.get("manager", f"{address}?sort=-amount"))
    assert "In order of what is asked for, the largest or last first." in page and "The official order" in page
    assert 'aria-sort="descending"' in page and "sort=amount#list" in page and "pg-line" not in page
    assert "pg-line" in text_of(browser.get("manager", address))
    assert "order of the list" in text_of(browser.get("manager", f"{address}?sort=luck"))


def test_the_list_with_what_is_recommended_is_shown_before_it_is_decided(browser: Browser, evaluated: Scene) -> None:
    cut = f"{evaluated.references[1]}; ; 100 000; ; The panel cut the travel"
    sent = browser.post("manager", f"/calls/{evaluated.slug}/decision", go="show", overrides=cut, reason="")

    text = text_of(sent)
    assert 'data-label="Recommended"' in text
    other = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    assert f'value="{other.list_hash}"' not in sent.text


def test_the_csv_holds_the_same_rows_and_no_formula(browser: Browser, evaluated: Scene) -> None:
    answer = browser.get("manager", f"/calls/{evaluated.slug}/ranking.csv")

    lines = answer.text.split("\r\n")
    assert answer.text.startswith("\ufeffRank,Reference,Title")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert lines[1].startswith(
        "1,PCP-2022-A-0101,Cool Courtyards,Neochóra,GR,4.5,4,4,12.5,400000.00,400000.00,400000.00,Selected"
    )
    assert len(lines) == 5


def test_a_conflicted_chair_finds_the_application_in_no_list_count_or_export(
    browser: Browser, evaluated: Scene
) -> None:
    answer = Answered(evaluated.application_ids[0], Declared.CONFLICT, "My brother leads it")
    declares(evaluated.actor("chair"), evaluated.call_id, (answer,))
    base = f"/calls/{evaluated.slug}"

    for path in (f"{base}/ranking", f"{base}/ranking.csv", f"{base}/decision", "/consensus", "/applications", "/home"):
        found = browser.get("chair", path)
        assert found.status_code == 200, path
        assert "Cool Courtyards" not in found.text and evaluated.references[0] not in found.text, path
    assert "You see a part of this list" in browser.get("chair", f"{base}/ranking").text


def test_a_title_no_spreadsheet_takes_for_a_formula(browser: Browser, evaluated: Scene) -> None:
    with arranging():
        row = db.session.get(Application, evaluated.application_ids[0])
        assert row is not None
        row.title = "\uff1dHYPERLINK(1)"

    assert ",'\uff1dHYPERLINK(1)," in browser.get("manager", f"/calls/{evaluated.slug}/ranking.csv").text


def test_a_chair_reads_nothing_of_an_application_before_declaring(browser: Browser, scene: Scene) -> None:
    ref, call = scene.references[0], f"/calls/{scene.slug}"
    pages = [f"/applications/{ref}{tail}" for tail in ("", "/print", "/receipt", "/eligibility")]
    shut = [(browser.get("chair", path).status_code, path) for path in pages]
    assert shut == [(404, path) for path in pages]
    for path in ("/applications", f"{call}/ranking", f"{call}/decision", f"{call}/ranking.csv"):
        assert ref not in browser.get("chair", path).text, path

    scene.declare_all(but={("chair", scene.application_ids[1]): Declared.UNSURE})
    assert browser.get("chair", f"/applications/{ref}").status_code == 200
    assert browser.get("chair", f"/applications/{scene.references[1]}").status_code == 404
    scene.assign()
    decision = browser.get("chair", f"{call}/decision").text
    assert "Declare first" in decision and scene.references[1] not in decision


def test_an_evaluator_sees_no_ranking(browser: Browser, evaluated: Scene) -> None:
    for path in ("ranking", "ranking.csv", "decision", "selections/1"):
        assert browser.get("eva1", f"/calls/{evaluated.slug}/{path}").status_code == 403


def test_what_must_be_done_next_follows_the_list(evaluated: Scene) -> None:
    def said(name: str) -> list[str]:
        return [duty.what for duty in queries.duties(evaluated.actor(name), CLOSED)]

    from tests.awards.test_services import decide

    assert said("manager") == ["Decide the ranked list of Small neighbourhood pilots 2022"]
    decide(evaluated)
    assert said("manager") == []
    assert said("officer") == ["Confirm or return the selection of Small neighbourhood pilots 2022"]


def test_a_list_that_changed_meanwhile_comes_back_with_what_was_typed(browser: Browser, evaluated: Scene) -> None:
    path = f"/calls/{evaluated.slug}/decision"

    sent = browser.post(
        "manager", path, go="decide", list_hash="0" * 64, line="stop", reserve_max="1", reason="As the panel said."
    )

    text = text_of(sent, 409)
    assert "The list changed after you opened it" in text
    assert ">As the panel said.</textarea>" in text.replace("\r\n", "").replace("\n", "")
    hashes = re.findall(r'name="list_hash" value="([0-9a-f]{64})"', text)
    assert hashes and set(hashes) != {"0" * 64}
    assert browser.post("manager", path, go="decide", list_hash=hashes[0], line="stop", reserve_max="1",
                        reason="As the panel said.").status_code == 303  # fmt: skip


def test_a_second_decision_keeps_what_was_typed_though_its_form_stands_no_more(
    browser: Browser, evaluated: Scene
) -> None:
    path = f"/calls/{evaluated.slug}/decision"
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    first = browser.post("chair", path, go="decide", list_hash=shown.list_hash, line="stop", reason="As ranked.")
    assert first.status_code == 303

    sent = browser.post("manager", path, go="decide", list_hash=shown.list_hash, line="stop", reason="My own words.")

    text = text_of(sent, 422)
    assert "List 1 of this call waits for a second person." in text
    assert "My own words." in text


def test_results_set_by_a_colleague_meanwhile_are_shown_before_they_are_moved(
    browser: Browser, evaluated: Scene
) -> None:
    base = f"/calls/{evaluated.slug}"
    shown = queries.ranking_page(evaluated.actor("chair"), evaluated.slug)
    browser.post("chair", f"{base}/decision", go="decide", list_hash=shown.list_hash, line="stop", reason="As ranked.")
    assert browser.post("officer", f"{base}/selections/1/confirm", version="1").status_code == 303

    sent = browser.post("manager", f"{base}/results", version="99", when="later", day="1 March 2031", time="9:00")

    text = text_of(sent, 409)
    assert "Somebody changed this while you were working" in text
    assert 'value="1 March 2031"' in text


@pytest.mark.usefixtures("seated_world")
def test_the_files_of_an_unfinished_list_say_so_as_its_page_does(browser: Browser, scene: Scene) -> None:
    for number in (0, 1):
        scene.assess(scene.application_ids[number], *SCORES[number])
        scene.agree(scene.application_ids[number], *SCORES[number])
    base = f"/calls/{scene.slug}"
    assert "Above the line so far" in browser.get("manager", f"{base}/ranking").text

    head, *rows = browser.get("manager", f"{base}/ranking.csv").text.strip().splitlines()

    assert "Amount if it is selected" in head and "Recommended" not in head and head.endswith(",Provisional")
    assert rows and all("Selected" not in row for row in rows)
    assert all(",Above the line so far," in row and "So far: 1 application waits for a score." in row for row in rows)


def test_a_list_confirmed_elsewhere_is_told_before_what_is_wrong_with_the_words(
    browser: Browser, evaluated: Scene
) -> None:
    from tests.awards.test_services import decide

    base = f"/calls/{evaluated.slug}"
    decide(evaluated)
    assert browser.post("chair", f"{base}/selections/1/confirm", version="1").status_code == 303

    late = text_of(browser.post("officer", f"{base}/selections/1/return", version="1", reason=""), 409)

    assert "It is confirmed: the money is reserved." in late and "Somebody changed this list" in late
    assert "Write what must be different" not in late

    own = text_of(browser.post("chair", f"{base}/selections/1/return", version="1", reason="Not yet."), 409)
    assert "You changed this list in another tab" in own and "Somebody changed" not in own
