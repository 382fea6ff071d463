"""A call with the rules of UTTER from sheets to the ranked list: means, weights in the score, moves of the panel, the result."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from fractions import Fraction
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from grants.awards import queries, services
from grants.awards.models import PanelMeeting, SelectionItem
from grants.awards.states import Happened, Outcome
from grants.calls.models import Call
from grants.calls.rules import ResultsInput
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.jobs.models import Job
from grants.core.permissions import Permission, system_actor
from grants.evaluation import queries as evaluations
from grants.evaluation import services as evaluation
from grants.evaluation.models import AssessmentScore, ScoreShift
from grants.evaluation.rules import Answered, ShiftInput
from grants.evaluation.states import Declared, ShiftState
from grants.identity.queries import actor_for
from tests.awards.meeting import Meeting, planned, seat_panel
from tests.awards.publishing import publish
from tests.awards.test_late_rulings import confirm_conflict
from tests.awards.test_services import decide, decision
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene, build, declares
from tests.evaluation.utter import KEYS, UTTER, WEIGHTS
from tests.shut import shuts
from tests.statements import statements
from tests.worlds import World, Worlds

ALL_SEVEN, ALL_TEN, ALL_THREE = (14,) * 6, (20,) * 6, (6,) * 6
MIXED = (20, 14, 14, 6, 14, 14)
MEAN = "Mean of 2 assessments, each criterion"


@pytest.fixture(scope="session")
def utter_world(worlds: Worlds) -> World[Scene]:
    """The call with the rules of UTTER: everybody declared and was assigned; nothing is scored."""

    def made() -> Scene:
        scene = build(file=UTTER)
        scene.declare_all()
        scene.assign()
        return scene

    with clock.at(CLOSED):
        return worlds.of(made)


@pytest.fixture
def utter(app: Flask, utter_world: World[Scene]) -> Iterator[Scene]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(CLOSED):
        yield utter_world.told()


@pytest.fixture
def panel(app: Flask, utter: Scene) -> Browser:
    return Browser(app, utter)


def score(scene: Scene, number: int, *sheets: tuple[int, ...]) -> None:
    """The first evaluators of an application submit these sheets."""
    about = scene.application_ids[number]
    for name, halves in zip(scene.seats(about), sheets, strict=False):
        evaluation.submit(scene.actor(name), about, scene.sheet(*halves))


def score_all(scene: Scene) -> None:
    score(scene, 0, ALL_SEVEN, MIXED)
    score(scene, 1, ALL_TEN, ALL_TEN)
    score(scene, 2, ALL_THREE, ALL_THREE)


@pytest.fixture(scope="session")
def scored_world(worlds: Worlds, utter_world: World[Scene]) -> World[None]:
    """Every sheet of it is in."""

    def scored() -> None:
        score_all(utter_world.told())

    with clock.at(CLOSED):
        return worlds.of(scored, like=utter_world)


def propose(scene: Scene, number: int, half: int, name: str = "chair") -> ScoreShift:
    about = scene.application_ids[number]
    evaluation.propose_shift(scene.actor(name), about, ShiftInput(half, "It serves two islands."))
    return waiting(about)


def waiting(about: object) -> ScoreShift:
    db.session.rollback()
    return db.session.scalars(
        select(ScoreShift).where(ScoreShift.application_id == about, ScoreShift.state == ShiftState.PROPOSED.value)
    ).one()


def lowered(scene: Scene, half: int) -> None:
    """A corrigendum lowers how far the panel may move a score."""
    with arranging():
        row = get(Call, scene.call_id)
        content: Any = deepcopy(row.content)
        content["fields"]["evaluation.scoring"]["value"]["board_shift_half"] = half
        row.content = content
    db.session.rollback()


def move(scene: Scene, number: int, half: int) -> None:
    """The chair proposes, the officer confirms."""
    row = propose(scene, number, half)
    evaluation.confirm_shift(scene.actor("officer"), row.id, row.version)


@pytest.mark.usefixtures("scored_world")
def test_from_sheets_to_the_ranked_list(utter: Scene, panel: Browser) -> None:
    with statements() as asked:
        shown = queries.ranking_page(utter.actor("manager"), utter.slug)

    # By hand: the mean of each criterion times its weight, summed.
    means = [Fraction(a + b, 4) for a, b in zip(ALL_SEVEN, MIXED, strict=True)]
    assert sum(mean * weight for mean, weight in zip(means, WEIGHTS, strict=True)) == 71
    assert [(row.reference, row.rank, row.score, row.outcome, row.basis) for row in shown.rows] == [
        (utter.references[1], 1, 100, Outcome.SELECTED, MEAN),
        (utter.references[0], 2, 71, Outcome.SELECTED, MEAN),
        (utter.references[2], None, 30, Outcome.BELOW_THRESHOLD, MEAN),
    ]
    assert shown.rows[2].threshold_words == "Below the threshold: the score is 30 and must be 50."
    assert len(asked) <= 12
    text = text_of(panel.get("manager", f"/calls/{utter.slug}/ranking"))
    assert 'data-label="Score of 100"' in text and "The highest score is 100, and 130 with the panel." in text
    assert f"Score: {MEAN}." in text and "8.5, 7, 7, 5, 7, 7" in text and "Triangle: their mean" in text
    lines = panel.get("manager", f"/calls/{utter.slug}/ranking.csv").text.splitlines()
    assert lines[0].endswith(",Call,Score of,Made of,Moved by the panel")
    assert ",8.5,7,7,5,7,7,71," in lines[2] and lines[2].endswith(f',100,"{MEAN}",')


def test_a_missing_sheet_is_no_zero_and_the_page_says_what_is_missing(utter: Scene, panel: Browser) -> None:
    score(utter, 0, ALL_TEN)
    score(utter, 1, ALL_SEVEN, ALL_SEVEN)

    found = utter.official(utter.application_ids[0])

    assert (found.halves, found.basis, found.missing) == (None, "", "1 of 2 assessments are submitted.")
    shown = queries.ranking_page(utter.actor("manager"), utter.slug)
    assert [row.reference for row in shown.rows] == [utter.references[1]]
    assert [(row.reference, row.missing) for row in shown.waiting] == [
        (utter.references[0], "1 of 2 assessments are submitted."),
        (utter.references[2], "0 of 2 assessments are submitted."),
    ]
    text = text_of(panel.get("manager", f"/calls/{utter.slug}/ranking"))
    assert "Waiting for assessments" in text and "1 of 2 assessments are submitted." in text
    with pytest.raises(Refused, match="2 of the applications lack assessments"):
        services.decide(utter.actor("manager"), utter.call_id, decision(utter))


def test_a_voided_sheet_and_a_reopened_one_count_for_nothing(utter: Scene) -> None:
    score(utter, 0, ALL_TEN, ALL_SEVEN)
    about = utter.application_ids[0]
    name = utter.seats(about)[0]
    seat = evaluations.own_seat(utter.people[name], about)
    assert seat is not None

    evaluation.reopen(utter.actor("manager"), seat, "A criterion was mistaken.")
    assert utter.official(about).missing == "1 of 2 assessments are submitted."

    utter.release(name, about, "Fell ill.")
    # One seat is left, and the call asks for two sheets.
    assert utter.official(about).missing == "1 of 2 assessments are submitted."


def test_a_mark_between_the_allowed_ones_is_refused_with_a_sentence(utter: Scene, panel: Browser) -> None:
    about, reference = utter.application_ids[0], utter.references[0]
    name = utter.seats(about)[0]
    sheet = text_of(panel.get(name, f"/assessments/{reference}"))
    assert "outstanding: fully addressed" in sheet and "At least 10 words with 0 and with 10." in sheet
    assert "The weighted score needs 50 of 100" in sheet and ">of 60</span>" in sheet and 'value="8"' not in sheet
    # What is asked of the weighted score stands beside the weighted score.
    assert '<b data-weighted data-over="' in sheet and ">of 100 weighted</span>" in sheet

    sent = panel.post(name, f"/assessments/{reference}", go="save", half_fit="8", comment_fit="It is in between.")

    text = text_of(sent, 422)
    assert (
        "What was sent for Objective fit is not on its scale: choose 0, 3, 7 or 10." in text
        and "It is in between." in text
    )
    with pytest.raises(Invalid) as refused:
        evaluation.save(utter.actor(name), about, utter.sheet(8, *[14] * 5))
    assert dict(refused.value.problems) == {
        "half_fit": "What was sent for Objective fit is not on its scale: choose 0, 3, 7 or 10."
    }
    assert db.session.scalar(select(AssessmentScore.id)) is None


def test_a_comment_is_demanded_at_the_ends_of_the_scale_only(utter: Scene) -> None:
    about = utter.application_ids[0]
    name = utter.seats(about)[0]

    with pytest.raises(Invalid) as refused:
        evaluation.submit(utter.actor(name), about, utter.sheet(0, 6, 14, 20, 14, 14, words="Too short."))

    assert dict(refused.value.problems) == {
        f"comment_{KEYS[0]}": "Objective fit has 0, an end of the scale: say why in at least 10 words; there are 2.",
        f"comment_{KEYS[3]}": "Budget has 10, an end of the scale: say why in at least 10 words; there are 2.",
    }


# --- the panel ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scored_world")
def test_the_panel_moves_a_score_by_two_people_within_the_bound(utter: Scene, panel: Browser) -> None:
    row = propose(utter, 1, 60)

    # Nothing counts before a second person confirms it, and the first is not the second.
    assert queries.ranking_page(utter.actor("manager"), utter.slug).rows[0].score == 100
    with pytest.raises(Refused, match="another person must confirm"):
        evaluation.confirm_shift(utter.actor("chair"), row.id, row.version)
    with pytest.raises(Refused, match="waits for a second person"):
        propose(utter, 1, 4, "manager")
    with pytest.raises(Conflict):
        evaluation.confirm_shift(utter.actor("officer"), row.id, row.version + 1)
    evaluation.confirm_shift(utter.actor("officer"), row.id, row.version)

    first = queries.ranking_page(utter.actor("manager"), utter.slug).rows[0]
    assert (first.score, first.shift_words) == (130, "Moved by the panel by +30: It serves two islands.")
    text = text_of(panel.get("manager", f"/calls/{utter.slug}/ranking"))
    assert "Moved by the panel by +30: It serves two islands." in text

    # Another move replaces it, and 0 takes it back.
    move(utter, 1, -5)
    move(utter, 1, 0)
    assert queries.ranking_page(utter.actor("manager"), utter.slug).rows[0].score == 100
    page = evaluations.shift_page(utter.actor("chair"), utter.references[1])
    assert {(one.words, one.state) for one in page.earlier} == {
        ("−2.5", ShiftState.REPLACED),
        ("+30", ShiftState.REPLACED),
    }
    assert page.standing is not None and page.standing.words == "0"


@pytest.mark.parametrize(
    ("half", "reason", "field"),
    [(61, "Why not", "shift"), (-61, "Why not", "shift"), (10, " ", "reason"), (0, "x", "shift")],
)
@pytest.mark.usefixtures("scored_world")
def test_a_move_beyond_the_bound_or_without_a_reason_is_refused(
    utter: Scene, half: int, reason: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        evaluation.propose_shift(utter.actor("chair"), utter.application_ids[0], ShiftInput(half, reason))

    assert [*refused.value.problems] == [field]


@shuts("evaluation.shift")
@pytest.mark.usefixtures("scored_world")
def test_only_the_panel_without_conflict_moves_scores(utter: Scene, panel: Browser) -> None:
    about = utter.application_ids[0]
    values = ShiftInput(10, "It serves two islands.")

    with pytest.raises(NotAllowed):
        evaluation.propose_shift(utter.actor(utter.seats(about)[0]), about, values)
    with pytest.raises(NotAllowed):
        evaluation.propose_shift(utter.actor("auditor"), about, values)
    row = propose(utter, 0, 10)
    assert panel.get("chair", f"/shifts/{utter.references[0]}").status_code == 200
    confirm_conflict(utter, "chair", about)
    with pytest.raises((NotFound, NotAllowed)):
        evaluation.propose_shift(utter.actor("chair"), about, values)
    with pytest.raises((NotFound, NotAllowed)):
        evaluation.return_shift(utter.actor("chair"), row.id, "Not mine to say", row.version)
    assert panel.get("chair", f"/shifts/{utter.references[0]}").status_code == 404


@pytest.mark.usefixtures("scored_world")
def test_the_page_of_a_move_goes_from_proposal_to_confirmation(utter: Scene, panel: Browser) -> None:
    path = f"/shifts/{utter.references[0]}"
    assert "The score is not moved." in text_of(panel.get("chair", path))

    assert "Write points in halves" in text_of(panel.post("chair", path, shift="0.3", reason="Kept words"), 422)
    far = text_of(panel.post("chair", path, shift="31", reason="Kept words"), 422)
    assert "at most 30 points up or down" in far and "Kept words" in far
    assert panel.post("chair", path, shift="+12.5", reason="It serves two islands.").status_code == 303
    own = text_of(panel.get("chair", path))
    assert "+12.5 waits for a second person" in own and "Confirm this move" not in own

    assert "Why it is returned" in text_of(panel.get("officer", path))
    assert panel.post("officer", f"{path}/return", return_reason="", version="1").status_code == 422
    assert panel.post("officer", f"{path}/confirm", version="9").status_code == 409
    assert panel.post("officer", f"{path}/confirm", version="1").status_code == 303

    assert "The score is moved by +12.5" in text_of(panel.get("officer", path))
    assert panel.post("chair", path, shift="-1", reason="Less of it.").status_code == 303
    assert panel.post("officer", f"{path}/return", return_reason="It was right.", version="1").status_code == 303
    assert "It was right." in text_of(panel.get("chair", path))
    assert panel.get(utter.seats(utter.application_ids[0])[0], path).status_code == 403
    with statements() as asked:
        panel.get("chair", path)
    assert len(asked) <= 8


def test_a_call_without_a_bound_knows_no_moves(evaluated: Scene, browser: Browser) -> None:
    assert browser.get("chair", f"/shifts/{evaluated.references[0]}").status_code == 404
    with pytest.raises(Refused, match="does not move scores"):
        propose(evaluated, 0, 2)


@pytest.mark.usefixtures("scored_world")
def test_no_list_is_decided_or_confirmed_while_a_move_waits(utter: Scene) -> None:
    row = propose(utter, 0, 20)

    with pytest.raises(Refused, match=rf"1 move of a score waits for a second person: {utter.references[0]} by \+10\."):
        services.decide(utter.actor("manager"), utter.call_id, decision(utter))
    evaluation.return_shift(utter.actor("officer"), row.id, "Too much.", row.version)
    key = decide(utter)
    propose(utter, 0, 10)
    with pytest.raises(Refused, match="after the list nobody can"):
        services.confirm(utter.actor("officer"), key)


@pytest.mark.usefixtures("scored_world")
def test_a_move_beyond_a_lowered_bound_counts_for_nothing_until_it_is_made_anew(utter: Scene, panel: Browser) -> None:
    move(utter, 0, 20)
    said = "The panel moved its score by +10; the call now allows at most 5. Move it anew by at most 5, or by 0."
    lowered(utter, 10)

    shown = queries.ranking_page(utter.actor("manager"), utter.slug)

    assert [(row.reference, row.missing) for row in shown.waiting] == [(utter.references[0], said)]
    assert said in text_of(panel.get("manager", f"/calls/{utter.slug}/ranking"))
    with pytest.raises(Refused, match="the call now allows at most 5"):
        services.decide(utter.actor("manager"), utter.call_id, decision(utter))
    lowered(utter, 0)
    assert "may be taken back" in text_of(panel.get("chair", f"/shifts/{utter.references[0]}"))
    move(utter, 0, 0)
    assert queries.ranking_page(utter.actor("manager"), utter.slug).waiting == ()


@pytest.mark.usefixtures("scored_world")
def test_the_slower_of_two_who_decide_a_move_is_told(utter: Scene, panel: Browser) -> None:
    path = f"/shifts/{utter.references[0]}"
    row = propose(utter, 0, 20)
    evaluation.return_shift(utter.actor("officer"), row.id, "Too much.", row.version)

    confirmed = text_of(panel.post("officer", f"{path}/confirm", version="1"), 409)
    returned = text_of(panel.post("officer", f"{path}/return", return_reason="My own words", version="1"), 409)

    assert "another person decided it" in confirmed and "Too much." in confirmed
    assert "another person decided it" in returned and "My own words" in returned


def test_nobody_is_asked_for_a_consensus_and_the_list_is_asked_for_once_every_sheet_is_in(
    utter: Scene, panel: Browser
) -> None:
    def asked(name: str) -> list[str]:
        found = (*evaluations.duties(utter.actor(name), CLOSED), *queries.duties(utter.actor(name), CLOSED))
        return [f"{duty.what}. {duty.why}" for duty in found]

    decide_it = "Decide the ranked list"
    score(utter, 0, ALL_SEVEN, MIXED)
    score(utter, 1, ALL_TEN, ALL_TEN)
    assert not [said for said in asked("chair") if "onsensus" in said or decide_it in said]
    page = text_of(panel.get("manager", f"/calls/{utter.slug}/decision"))
    assert "1 application has no official score yet" in page and "consensus yet" not in page
    score(utter, 2, ALL_THREE, ALL_THREE)
    assert [said for said in asked("chair") if decide_it in said and "Every application has every assessment." in said]
    assert not [said for said in asked("chair") if "Write the consensus" in said]
    assert "Ready to write" not in text_of(panel.get("chair", "/consensus"))
    assert f'href="/shifts/{utter.references[2]}"' in panel.get("chair", f"/consensus/{utter.references[2]}").text


@pytest.mark.usefixtures("scored_world")
def test_a_decided_move_stands_as_it_was_written(utter: Scene) -> None:
    move(utter, 1, 60)
    db.session.rollback()

    for change in ("shift_half = 2", "reason = 'x'", "decided_by = proposed_by"):
        with pytest.raises(DBAPIError, match=r"was written once|permission denied"), db.engine.connect() as connection:
            connection.exec_driver_sql("begin read write")
            connection.exec_driver_sql(f"UPDATE score_shift SET {change}")


# --- the decision and the result --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scored_world")
def test_the_decided_list_and_the_result_say_what_the_score_is_made_of(utter: Scene, panel: Browser) -> None:
    move(utter, 0, 20)
    key = decide(utter)
    services.confirm(utter.actor("officer"), key)
    utter.people["lead0"] = utter.leads[0]

    db.session.rollback()
    items = db.session.execute(
        select(SelectionItem.score, SelectionItem.halves, SelectionItem.shift_half, SelectionItem.basis)
        .where(SelectionItem.selection_id == key)
        .order_by(SelectionItem.position)
    ).all()
    assert tuple(items[1]) == ("81", dict(zip(KEYS, (17, 14, 14, 10, 14, 14), strict=True)), 20, MEAN)
    frozen = queries.ranking_page(utter.actor("manager"), utter.slug).rows[1]
    assert (frozen.score, frozen.shift_words) == (81, "Moved by the panel by +10: It serves two islands.")
    with pytest.raises(Refused, match="is not under evaluation"):
        propose(utter, 0, 4)

    publish(utter, ResultsInput(datetime(2023, 3, 1, 9)))
    with clock.at(datetime(2023, 3, 2, tzinfo=CLOSED.tzinfo)):
        text = text_of(panel.get("lead0", f"/applications/{utter.references[0]}/result"))
    assert f"{MEAN}. Marks: 0, 3, 7 or 10" in text and "8.5" in text
    assert "the score is 81 of 100 and must be 50. The panel moved the score by +10." in text
    assert "<b>41.5</b> of 60" in text and "islands" not in text
    # Nobody promised words that no rule of this call asks for.
    assert "No words for this criterion" not in text and "What the evaluators wrote for you" not in text
    assert "what each of them wrote is not told" in text


@pytest.mark.usefixtures("scored_world")
def test_a_list_somebody_saw_before_a_move_is_not_decided(utter: Scene) -> None:
    seen = decision(utter)
    move(utter, 0, 20)

    with pytest.raises(Conflict, match="The list changed"):
        services.decide(utter.actor("manager"), utter.call_id, seen)
    assert seen.list_hash != decision(utter).list_hash


@pytest.mark.usefixtures("scored_world")
def test_a_sheet_changed_while_the_panel_sits_stands_in_its_log(utter: Scene) -> None:
    seat_panel(utter, with_place=1)
    meeting = planned(utter)
    about = utter.application_ids[0]
    name = utter.seats(about)[0]
    seat = evaluations.own_seat(utter.people[name], about)
    assert seat is not None
    meeting.all_arrive()
    with clock.at(CLOSED + timedelta(minutes=5)):
        meeting.does("chair", "begin")
        meeting.does("chair", "open_item", utter.references[0])
        evaluation.reopen(utter.actor("manager"), seat, "A criterion was mistaken.")
        evaluation.submit(utter.actor(name), about, utter.sheet(*ALL_TEN))
        jobs.work_off(actor_of=actor_for, but_not=("mail",))

    gone, came = score_log(meeting)
    assert gone == (
        "an assessment was given back to its evaluator, and there is none now",
        "71 points",
        "A criterion was mistaken.",
    )
    # Who assessed stays unnamed.
    assert came[:2] == ("an assessment came in, and it is 86 points", "no score") and "changed from 7 to 10" in came[2]


def score_log(meeting: Meeting) -> list[tuple[str, str, str]]:
    """What changed a score, as the log of the meeting has it."""
    db.session.rollback()
    return [(each.text, each.before, each.reason) for each in meeting.events() if each.kind is Happened.SCORED]


def sitting(scene: Scene) -> tuple[Meeting, str]:
    """The panel sits over the first application, which has its score of 71 points; and one of its evaluators."""
    seat_panel(scene, with_place=1)
    meeting = planned(scene)
    meeting.all_arrive()
    with clock.at(CLOSED + timedelta(minutes=5)):
        meeting.does("chair", "begin")
        meeting.does("chair", "open_item", scene.references[0])
    return meeting, scene.seats(scene.application_ids[0])[0]


def work_off() -> None:
    jobs.work_off(actor_of=actor_for, but_not=("mail",))


@pytest.mark.usefixtures("scored_world")
def test_a_sheet_given_back_twice_while_the_panel_sits_stands_in_its_log_each_time(utter: Scene) -> None:
    about = utter.application_ids[0]
    meeting, name = sitting(utter)
    seat = evaluations.own_seat(utter.people[name], about)
    assert seat is not None
    for minute, halves in ((6, ALL_TEN), (7, ALL_SEVEN)):
        with clock.at(CLOSED + timedelta(minutes=minute)):
            evaluation.reopen(utter.actor("manager"), seat, "A criterion was mistaken.")
            evaluation.submit(utter.actor(name), about, utter.sheet(*halves))
            work_off()

    assert [before for _, before, _ in score_log(meeting)] == ["71 points", "no score", "86 points", "no score"]
    assert score_log(meeting)[-1][0] == "an assessment came in, and it is 71 points"


@pytest.mark.usefixtures("scored_world")
def test_a_seat_emptied_and_filled_while_the_panel_sits_stands_in_its_log_without_whose_it_was(utter: Scene) -> None:
    about = utter.application_ids[0]
    meeting, name = sitting(utter)
    with clock.at(CLOSED + timedelta(minutes=6)):
        declares(utter.actor(name), utter.call_id, (Answered(about, Declared.CONFLICT, "My sister works there"),))
        work_off()
    with clock.at(CLOSED + timedelta(minutes=7)):
        (other,) = utter.seats(about)
        free = next(each for each in utter.evaluators if each not in (name, other))
        utter.give(free, about, "A seat fell free.")
        evaluation.submit(utter.actor(free), about, utter.sheet(*ALL_TEN))
        work_off()

    assert score_log(meeting) == [
        ("a seat was emptied, and there is none now", "71 points", "The sheet of an emptied seat counts no more."),
        ("an assessment came in, and it is 86 points", "no score", "It was submitted."),
    ]


@pytest.mark.usefixtures("scored_world")
def test_a_seat_given_on_top_takes_the_score_until_its_sheet_is_in_and_the_panel_is_told(utter: Scene) -> None:
    about = utter.application_ids[0]
    with arranging():
        row = get(Call, utter.call_id)
        content: Any = deepcopy(row.content)
        content["fields"]["evaluation.evaluators_per_application"]["value"] = 3
        row.content = content
    meeting, _ = sitting(utter)
    with clock.at(CLOSED + timedelta(minutes=6)):
        free = next(each for each in utter.evaluators if each not in utter.seats(about))
        utter.give(free, about, "A third pair of eyes.")
        work_off()

    ((text, before, _),) = score_log(meeting)
    assert (text, before) == ("another seat was given, and there is none now", "71 points")


@pytest.mark.usefixtures("scored_world")
def test_a_move_of_a_score_while_the_panel_sits_stands_in_its_log_and_its_minutes(utter: Scene) -> None:
    seat_panel(utter, with_place=1)
    meeting = planned(utter)
    about, reference = utter.application_ids[0], utter.references[0]
    meeting.all_arrive()
    move(utter, 0, 60)
    assert [event for event in meeting.events() if event.kind is Happened.SCORED] == []
    with clock.at(CLOSED + timedelta(minutes=5)):
        meeting.does("chair", "begin")
        meeting.does("chair", "open_item", reference)
        evaluation.propose_shift(utter.actor("chair"), about, ShiftInput(20, "Two islands, not three."))
        lower = waiting(about)
        evaluation.confirm_shift(utter.actor("officer"), lower.id, lower.version)
        jobs.work_off(actor_of=actor_for, but_not=("mail",))
        # Said again, it is logged once.
        (job,) = [each for each in db.session.scalars(select(Job)) if each.args.get("before") == "moved by +30"]
        said = {name: job.args[name] for name in ("text", "before", "reason")}
        program = system_actor("the program", (Permission.PANEL_LOG_SCORE,))
        assert services.panel_log.log_score(program, about, utter.people["officer"], clock.now(), **said) == 1

    (logged,) = [event for event in meeting.events() if event.kind is Happened.SCORED]
    assert logged.text.startswith("moved by +10, by ")
    assert (logged.before, logged.reason) == ("moved by +30", "Two islands, not three.")
    now = meeting.page("chair").current
    assert now is not None and [each.kind for each in now.told.changes] == [Happened.SCORED]
    meeting.does("chair", "end")
    services.minutes.freeze(utter.actor("manager"), meeting.id)
    text = queries.minutes.minutes_page(utter.actor("manager"), meeting.slug).text
    assert text is not None
    (item,) = [each for each in text.items if each.reference == reference]
    assert [change.words for change in item.changes] == [f"The score: {logged.text} (before: moved by +30)."]


def log_late(scene: Scene, at: datetime, text: str, *, named: bool = True) -> int:
    """The job of a change at that moment, worked off now."""
    program = system_actor("the program", (Permission.PANEL_LOG_SCORE,))
    about, by = scene.application_ids[0], scene.people["officer"]
    return services.panel_log.log_score(program, about, by, at, text, "not moved", "Two islands.", named=named)


def held(utter: Scene) -> Meeting:
    """A meeting that opened the first application; one member has a conflict with it."""
    # Time stands still here: what came in before the meeting is worked off before it, as it would be.
    jobs.work_off(actor_of=actor_for, but_not=("mail",))
    seat_panel(utter)
    meeting = planned(utter)
    meeting.open_first()
    return meeting


def scored(meeting: Meeting) -> list[tuple[str, timedelta]]:
    return [(each.text, each.at - CLOSED) for each in meeting.events() if each.kind is Happened.SCORED]


MINUTE = timedelta(minutes=1)


@pytest.mark.usefixtures("scored_world")
def test_a_change_just_before_the_end_is_logged_with_its_moment_and_no_minutes_are_without_it(utter: Scene) -> None:
    meeting = held(utter)
    with clock.at(CLOSED + 5 * MINUTE):
        move(utter, 0, 20)
    with clock.at(CLOSED + 6 * MINUTE):
        meeting.does("chair", "end")
    with clock.at(CLOSED + 7 * MINUTE):
        with pytest.raises(Refused, match="log is being written"):
            services.minutes.freeze(utter.actor("manager"), meeting.id)
        jobs.work_off(actor_of=actor_for, but_not=("mail",))
        ((text, at),) = scored(meeting)
        assert text.startswith("moved by +10, by ") and at == 5 * MINUTE
        # What happened after the end is no part of the meeting.
        assert log_late(utter, CLOSED + 7 * MINUTE, "moved later") == 0 == log_late(utter, CLOSED - MINUTE, "before it")
        services.minutes.freeze(utter.actor("manager"), meeting.id)
        services.minutes.sign(utter.actor("chair"), meeting.id, 1)
        # One that comes once they are frozen, even signed by one: they are frozen anew.
        assert log_late(utter, CLOSED + 5 * MINUTE, "agreed anew", named=False) == 1
        with pytest.raises(Refused, match="Ask the minute-taker to freeze them again"):
            services.minutes.sign(utter.actor("ben"), meeting.id, 1)
        assert services.minutes.freeze(utter.actor("manager"), meeting.id) == 2
        for name in ("chair", "ben"):
            services.minutes.sign(utter.actor(name), meeting.id, 2)
        assert log_late(utter, CLOSED + 5 * MINUTE, "too late") == 0
    assert [said for said, _ in scored(meeting)] == [text, "agreed anew"]
    shown = queries.minutes.minutes_page(utter.actor("ben"), meeting.slug)
    assert shown.text == (shown.standing and shown.standing.text)


@pytest.mark.usefixtures("scored_world")
def test_a_meeting_that_ends_while_a_change_after_its_end_is_logged_takes_nothing(
    app: Flask, utter: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, lock = held(utter), services.panel_log.locked

    def ends() -> None:
        with app.app_context(), clock.at(CLOSED + MINUTE):
            meeting.does("chair", "end")
            db.session.remove()

    def ended_before(table: Any, key: Any) -> Any:
        if table is PanelMeeting:
            monkeypatch.setattr(services.panel_log, "locked", lock)
            other = Thread(target=ends)
            other.start()
            other.join()
        return lock(table, key)

    monkeypatch.setattr(services.panel_log, "locked", ended_before)
    with clock.at(CLOSED + 2 * MINUTE):
        assert log_late(utter, CLOSED + 2 * MINUTE, "moved by +10") == 0
    assert scored(meeting) == [] and meeting.events()[-1].kind is Happened.ENDED


@pytest.mark.usefixtures("scored_world")
def test_who_has_a_conflict_reads_no_change_of_its_score_live_or_in_any_copy(utter: Scene, panel: Browser) -> None:
    meeting = held(utter)
    path, words = f"/panels/{meeting.slug}", "moved by +10"
    with clock.at(CLOSED + 5 * MINUTE):
        move(utter, 0, 20)
        jobs.work_off(actor_of=actor_for, but_not=("mail",))
        assert words in panel.get("ben", f"{path}/live").text
        assert not any(row.told.changes for row in meeting.page("cleo").rows)
        assert words not in panel.get("cleo", path).text and words not in panel.get("cleo", f"{path}/live").text
    with clock.at(CLOSED + 6 * MINUTE):
        meeting.does("chair", "end")
        services.minutes.freeze(utter.actor("manager"), meeting.id)
    for name, reads in (("ben", True), ("cleo", False)):
        shown = queries.minutes.minutes_page(utter.actor(name), meeting.slug)
        assert shown.text is not None and shown.standing is not None
        copies = (repr(shown.text), repr(shown.standing.text), panel.get(name, f"{path}/minutes").text)
        assert [words in copy for copy in copies] == [reads] * 3


@pytest.mark.usefixtures("scored_world")
def test_a_score_changed_of_what_was_never_opened_stands_in_the_minutes(utter: Scene, panel: Browser) -> None:
    meeting = held(utter)
    with clock.at(CLOSED + 5 * MINUTE):
        move(utter, 1, 20)
    with clock.at(CLOSED + 6 * MINUTE):
        jobs.work_off(actor_of=actor_for, but_not=("mail",))
        meeting.does("chair", "end")
    with clock.at(CLOSED + 7 * MINUTE):
        text = queries.minutes.minutes_page(utter.actor("ben"), meeting.slug).text
        assert text is not None
        (item,) = text.changed_unopened
        assert item.reference == utter.references[1] and item in text.not_reached
        page = panel.get("ben", f"/panels/{meeting.slug}/minutes").text
        assert "Scores changed of what was not opened" in page and "moved by +10" in page
