"""A meeting of the panel: it follows the chair, keeps conflicted people out by name and time, and votes are theirs alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from grants.applications.models import Application
from grants.awards import queries
from grants.awards.models import PanelEvent, PanelMeeting
from grants.awards.rules import panel as rules
from grants.awards.states import Happened, MeetingState, Turn, Vote
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.paging import Page
from grants.evaluation.models import Assessment, Assignment, Evaluator
from grants.evaluation.rules import Answered
from grants.evaluation.states import AssessmentState, Declared, DetectedState, SeatState
from grants.identity.policy import Role
from tests.awards.meeting import MEMBERS, NAMES, Meeting, planned, seat_panel
from tests.awards.test_publication import statements
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene, declares
from tests.factories import identity as people
from tests.worlds import World, Worlds

FIRST = "Cool Courtyards"
CLOSED_WORDS = "This item is closed to you. You are called back after it."


@pytest.fixture(scope="session")
def panel_world(worlds: Worlds, small_world: World[Scene], evaluated_world: World[None]) -> World[Meeting]:
    """Every consensus agreed, a meeting planned; Cleo is in conflict with the first application."""

    def made() -> Meeting:
        scene = small_world.told()
        seat_panel(scene)
        return planned(scene)

    with clock.at(CLOSED):
        return worlds.of(made, like=evaluated_world)


@pytest.fixture(scope="session")
def opened_world(worlds: Worlds, panel_world: World[Meeting]) -> World[None]:
    """The first application is open."""

    def opened() -> None:
        panel_world.told().open_first()

    with clock.at(CLOSED):
        return worlds.of(opened, like=panel_world)


@pytest.fixture
def meeting(scene: Scene, panel_world: World[Meeting]) -> Meeting:
    told = panel_world.told()
    scene.people.update(told.scene.people)
    return Meeting(scene, told.slug, told.id)


def test_the_agenda_is_by_spread_then_by_rank_and_holds_every_application(meeting: Meeting) -> None:
    page = meeting.page("manager")

    assert len(page.rows) == 3
    assert [row.rank for row in page.rows] == sorted(row.rank or 0 for row in page.rows)
    assert page.head.state is MeetingState.PLANNED


def test_a_meeting_is_led_by_somebody_and_written_by_somebody_else(meeting: Meeting) -> None:
    scene = meeting.scene
    with pytest.raises(Invalid) as found:
        planned(scene, quorum=5)
    assert found.value.problems == {"quorum": "The quorum is from 1 to 4, the people of this meeting who vote."}


def test_only_who_belongs_to_the_panel_of_the_call_is_seated(meeting: Meeting) -> None:
    meeting.scene.people["ben"] = meeting.scene.people["eva1"]

    with pytest.raises(Invalid) as found:
        planned(meeting.scene)
    assert list(found.value.problems) == ["members"]


def test_the_agenda_is_put_in_order_and_what_is_not_named_comes_after(meeting: Meeting) -> None:
    first, second, third = meeting.scene.references
    meeting.does("manager", "order", (third, first))

    assert [row.reference for row in meeting.page("manager").rows] == [third, first, second]
    with pytest.raises(Invalid, match="not changed"):
        meeting.does("manager", "order", ("PCP-1",))


def test_a_meeting_begins_with_its_quorum_and_no_sooner(meeting: Meeting) -> None:
    meeting.does("chair", "arrive")
    with pytest.raises(Refused, match="1 of the people who may vote is here; the meeting needs 2"):
        meeting.does("chair", "begin")

    meeting.does("manager", "come_to_write")
    with pytest.raises(Refused, match="needs 2"):
        meeting.does("chair", "begin")

    meeting.does("ben", "arrive")
    meeting.does("chair", "begin")
    assert meeting.page("ben").head.state is MeetingState.RUNNING


@pytest.mark.usefixtures("opened_world")
def test_everybody_follows_the_chair_but_who_is_in_conflict(meeting: Meeting) -> None:
    assert meeting.page("ben").current is not None and meeting.page("ben").current.title == FIRST
    page = meeting.page("cleo")
    assert (page.closed, page.current, page.eligible, page.leads) == (True, None, 0, False)
    assert FIRST not in str(page) and meeting.scene.references[0] not in str(page)
    assert [row.rank for row in page.rows] == [None, None]


@pytest.mark.usefixtures("opened_world")
def test_leaving_and_coming_back_are_on_the_record_with_their_times(meeting: Meeting) -> None:
    cleo = meeting.scene.people["cleo"]
    with clock.at(CLOSED + timedelta(minutes=12)):
        meeting.does("chair", "open_item", meeting.scene.references[1])

    told = queries.panel.meeting_page(meeting.scene.actor("ben"), meeting.slug).rows
    stays = next(row for row in told if row.title == FIRST).told.out
    assert [(stay.person, stay.since, stay.until) for stay in stays] == [(cleo, CLOSED, CLOSED + timedelta(minutes=12))]
    kinds = [(each.kind, each.person) for each in meeting.events() if each.person == cleo]
    assert kinds == [(Happened.ARRIVED, cleo), (Happened.STEPPED_OUT, cleo), (Happened.CALLED_BACK, cleo)]


def test_who_arrives_while_their_item_is_open_stays_out(meeting: Meeting) -> None:
    meeting.all_arrive("chair", "ada")
    meeting.does("chair", "begin")
    meeting.does("chair", "open_item", meeting.scene.references[0])
    meeting.does("cleo", "arrive")

    assert meeting.page("cleo").closed
    assert [seat.name for seat in meeting.page("ada").people if seat.out] == ["Cleo Member"]


@pytest.mark.usefixtures("opened_world")
def test_the_pulse_of_somebody_kept_out_is_one_and_the_same_whatever_happens(meeting: Meeting) -> None:
    pulses = [queries.panel.pulse(meeting.scene.actor("cleo"), meeting.slug)]
    others = [queries.panel.pulse(meeting.scene.actor("ben"), meeting.slug)]
    assert [meeting.page(who).beat for who in ("cleo", "ben")] == [pulses[0].beat, others[0].beat]
    meeting.does("chair", "propose", "Recommend it")
    for who, cast in (("ben", Vote.APPROVE), ("ada", Vote.REJECT)):
        meeting.does(who, "vote", 1, cast)
        pulses.append(queries.panel.pulse(meeting.scene.actor("cleo"), meeting.slug))
        others.append(queries.panel.pulse(meeting.scene.actor("ben"), meeting.slug))

    assert len(set(pulses)) == 1 and pulses[0].closed
    assert len(set(others)) == 3

    meeting.does("chair", "turn", Turn.NEXT)
    assert queries.panel.pulse(meeting.scene.actor("cleo"), meeting.slug) not in pulses


@pytest.mark.usefixtures("opened_world")
def test_the_pulse_costs_two_statements_and_says_not_modified(meeting: Meeting, browser: Browser) -> None:
    actor = meeting.scene.actor("ben")
    with statements() as seen:
        queries.panel.pulse(actor, meeting.slug)
    assert len(seen) <= 2

    answer = browser.get("ben", f"/panels/{meeting.slug}/live/pulse")
    assert list(answer.json) == ["beat"]
    again = browser._client("ben").get(
        f"/panels/{meeting.slug}/live/pulse", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.usefixtures("opened_world")
def test_a_vote_is_counted_among_those_who_may_and_stands(meeting: Meeting) -> None:
    assert meeting.does("chair", "propose", "Recommend it for funding") == 1
    with pytest.raises(NotFound):
        meeting.does("cleo", "vote", 1, Vote.APPROVE)
    meeting.does("ben", "vote", 1, Vote.APPROVE)
    meeting.does("ada", "vote", 1, Vote.ABSTAIN)
    with pytest.raises(Refused, match="a vote stands"):
        meeting.does("ben", "vote", 1, Vote.REJECT)
    with pytest.raises(Conflict):
        meeting.does("chair", "vote", 2, Vote.REJECT)

    assert meeting.does("chair", "count", 1) is True
    current = meeting.page("ben").current
    assert current is not None
    (put,) = current.told.proposals
    assert (len(put.votes), put.eligible, put.count_words) == (2, 3, "1 for, 0 against, 1 abstained")
    with pytest.raises(Conflict):
        meeting.does("chair", "vote", 1, Vote.APPROVE)


def test_who_declares_a_conflict_after_voting_is_out_and_their_vote_counts_for_nothing(meeting: Meeting) -> None:
    scene = meeting.scene
    meeting.open_first()
    meeting.does("chair", "propose", "Recommend it")
    meeting.does("ben", "vote", 1, Vote.APPROVE)
    meeting.does("ada", "vote", 1, Vote.REJECT)
    declares(scene.actor("ben"), scene.call_id, (Answered(scene.application_ids[0], Declared.CONFLICT, "A new job"),))
    assert meeting.page("ben").closed

    with pytest.raises(Refused, match="1 of the people who may vote has voted; a vote is counted from 2"):
        meeting.does("chair", "count", 1)
    meeting.does("chair", "vote", 1, Vote.ABSTAIN)

    assert meeting.does("chair", "count", 1) is False
    current = meeting.page("ada").current
    assert current is not None
    (put,) = current.told.proposals
    assert (put.count_words, put.eligible) == ("0 for, 1 against, 1 abstained", 2)
    assert scene.people["ben"] in {stay.person for stay in current.told.out}


def seat(scene: Scene, name: str, place: int, *, submitted: bool = False) -> None:
    """Somebody of the panel assesses the application at that place too."""
    with arranging():
        evaluator = Evaluator(
            call_id=scene.call_id, user_id=scene.people[name], country_code="FI", languages=[], topics=[], topic_levels={},
            language_levels={}, roles=[], load_min=0, load_max=3,
        )  # fmt: skip
        db.session.add(evaluator)
        db.session.flush()
        row = Assignment(
            application_id=scene.application_ids[place], evaluator_id=evaluator.id, state=SeatState.ACTIVE.value, utility=0,
            hand_reason="A seat fell empty",
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        state = AssessmentState.SUBMITTED if submitted else AssessmentState.DRAFT
        db.session.add(
            Assessment(
                assignment_id=row.id, state=state.value, remark="", saved_at=CLOSED, saves=1, numbers={},
                submitted_at=CLOSED if submitted else None,
            )
        )  # fmt: skip
    db.session.rollback()


def test_who_still_scores_an_application_reads_nothing_of_it_and_neither_votes_nor_leads(meeting: Meeting) -> None:
    scene = meeting.scene
    seat(scene, "chair", 0)
    seat(scene, "ben", 0)
    meeting.all_arrive()
    meeting.does("chair", "begin")
    with pytest.raises(NotFound):
        meeting.does("chair", "open_item", scene.references[0])
    meeting.does("ada", "open_item", scene.references[0])

    for name in ("chair", "ben"):
        page = meeting.page(name)
        assert page.closed and FIRST not in str(page)
        with pytest.raises(NotFound):
            meeting.does(name, "vote", 1, Vote.APPROVE)
    with pytest.raises(NotFound):
        meeting.does("chair", "propose", "Recommend it")
    out = meeting.page("ada").current
    assert out is not None
    assert {stay.person for stay in out.told.out} == {scene.people[name] for name in ("chair", "ben", "cleo")}
    # Ada alone has a voice on it, so nothing is carried.
    with pytest.raises(Refused, match="a vote needs 2"):
        meeting.does("ada", "propose", "Recommend it")


def test_who_assessed_an_application_hears_of_it_and_the_deputy_leads_it(meeting: Meeting) -> None:
    scene = meeting.scene
    seat(scene, "chair", 1, submitted=True)
    meeting.all_arrive()
    meeting.does("chair", "begin")
    meeting.does("chair", "open_item", scene.references[1])

    page = meeting.page("chair")
    assert page.current is not None and not page.closed and not page.leads
    for deed in (("propose", "Recommend it"), ("vote", 1, Vote.APPROVE), ("recommend", "Fund it", "I scored it")):
        with pytest.raises(NotAllowed, match="You assess this application yourself"):
            meeting.does("chair", *deed)
    assert meeting.does("ada", "propose", "Recommend it") == 1
    assert meeting.page("ada").eligible == 3


def test_who_assesses_one_of_two_tied_ones_does_not_put_the_other_before_it(
    scene: Scene, small_world: World[Scene]
) -> None:
    scene.evaluate(((8, 8, 8), (8, 8, 8), (9, 9, 9)))
    seat_panel(scene, with_place=2)
    meeting, change = planned(scene), ("reorder", scene.references[1], "It covers a region nobody covers")
    seat(scene, "chair", 1, submitted=True)
    meeting.open_first()

    with pytest.raises(Invalid) as found:
        meeting.does("chair", *change)
    assert "You assess that application yourself" in found.value.problems["other"]
    # The way out the sentence names.
    meeting.does("chair", "leave")
    meeting.does("ada", *change)
    assert [each.by for each in meeting.events() if each.kind is Happened.REORDERED] == [scene.people["ada"]]


@pytest.mark.usefixtures("opened_world")
def test_nothing_is_said_on_an_item_while_the_meeting_is_paused(meeting: Meeting) -> None:
    meeting.does("chair", "propose", "Recommend it")
    meeting.does("chair", "pause")
    before = len(meeting.events())

    for name, *deed in (
        ("ben", "vote", 1, Vote.APPROVE),
        ("chair", "count", 1),
        ("chair", "reorder", meeting.scene.references[1], "It covers more"),
        ("chair", "recommend", "Name the streets", "The sheets miss them"),
    ):
        with pytest.raises(Refused, match="This meeting is paused"):
            meeting.does(name, *deed)
    assert len(meeting.events()) == before


def test_nobody_fills_the_log_by_coming_and_going_and_a_full_log_still_ends(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(rules.COMINGS_SOON_MAX // 2):
        meeting.does("ben", "arrive")
        meeting.does("ben", "leave")
    with pytest.raises(Refused, match="You came and went 10 times within 5 minutes"):
        meeting.does("ben", "arrive")
    with clock.at(CLOSED + timedelta(minutes=10)):
        meeting.does("ben", "arrive")
    meeting.all_arrive("chair", "ada")
    meeting.does("chair", "begin")
    monkeypatch.setattr(rules, "LOG_MAX", len(meeting.events()))

    with pytest.raises(Refused, match="entries, as many as it holds"):
        meeting.does("chair", "turn", Turn.NEXT)
    meeting.does("chair", "end")
    assert meeting.page("ada").head.state is MeetingState.ENDED


def test_a_vote_needs_the_quorum_of_those_who_may_vote_on_the_item(meeting: Meeting) -> None:
    meeting.all_arrive("chair", "cleo")
    meeting.does("chair", "begin")
    meeting.does("chair", "open_item", meeting.scene.references[0])

    with pytest.raises(Refused, match="1 of the people who may vote is here; a vote needs 2"):
        meeting.does("chair", "propose", "Recommend it")


def test_an_item_that_no_vote_is_possible_on_says_so_before_anything_is_proposed(
    meeting: Meeting, browser: Browser
) -> None:
    scene = meeting.scene
    planned_at, live = f"/panels/{meeting.slug}", f"/panels/{meeting.slug}/live"
    assert "No vote is possible" not in text_of(browser.get("manager", planned_at))
    for name in ("ada", "ben", "cleo"):
        shut = (Answered(scene.application_ids[1], Declared.CONFLICT, "Kin"),)
        declares(scene.actor(name), scene.call_id, shut)

    planned_page = text_of(browser.get("manager", planned_at))
    assert "No vote is possible on 1 of these applications as things stand" in planned_page
    title = get(Application, scene.application_ids[1]).title
    assert f"its quorum of 2: {title} (1). A conflict, an assessment of their own" in planned_page
    assert "Plan another meeting with the same people" in planned_page
    assert "No vote is possible" not in text_of(browser.get("ben", planned_at))

    meeting.all_arrive("chair", "ada")
    meeting.does("chair", "begin")
    meeting.does("chair", "open_item", scene.references[1])
    page = text_of(browser.get("chair", live))
    assert "No vote is possible on this item: 1 of this meeting may vote on it, and the quorum is 2." in page
    assert "another meeting, with other people or a lower quorum" in page and "Put it to the vote" not in page
    meeting.does("chair", "open_item", scene.references[2])
    page = text_of(browser.get("chair", live))
    assert "No vote is possible" not in page and "Put it to the vote" in page


@pytest.mark.usefixtures("opened_world")
def test_the_minute_taker_and_the_auditor_have_no_vote_and_do_not_lead(meeting: Meeting) -> None:
    meeting.does("chair", "propose", "Recommend it")

    for who in ("manager", "auditor"):
        for deed, *args in (("vote", 1, Vote.APPROVE), ("turn", Turn.NEXT), ("end",)):
            with pytest.raises(NotAllowed):
                meeting.does(who, deed, *args)
    with pytest.raises(NotAllowed, match="leads it"):
        meeting.does("ben", "turn", Turn.NEXT)
    with pytest.raises(NotAllowed, match="leads this item"):
        meeting.does("ben", "count", 1)


def test_where_the_chair_is_in_conflict_the_deputy_leads_and_the_chair_sees_nothing(meeting: Meeting) -> None:
    scene = meeting.scene
    declares(scene.actor("chair"), scene.call_id, (Answered(scene.application_ids[1], Declared.CONFLICT, "Kin"),))
    meeting.all_arrive()
    meeting.does("chair", "begin")
    with pytest.raises(NotFound):
        meeting.does("chair", "open_item", scene.references[1])
    meeting.does("ada", "open_item", scene.references[1])

    assert meeting.page("chair").closed and not meeting.page("chair").turns
    assert meeting.page("ada").leads and meeting.page("ada").turns
    with pytest.raises(NotFound):
        meeting.does("chair", "propose", "Recommend it")
    meeting.does("ada", "propose", "Recommend it")


def test_an_item_nobody_may_lead_is_not_opened(scene: Scene, evaluated_world: World[None]) -> None:
    seat_panel(scene)
    meeting = planned(scene, deputy=None)
    declares(scene.actor("chair"), scene.call_id, (Answered(scene.application_ids[1], Declared.CONFLICT, "Kin"),))
    meeting.all_arrive()
    meeting.does("chair", "begin")
    meeting.does("manager", "order", (scene.references[1],))

    with pytest.raises(Refused, match="Neither the chair nor a deputy may lead"):
        meeting.does("chair", "turn", Turn.NEXT)


@pytest.mark.usefixtures("opened_world")
def test_the_time_of_an_item_leaves_pauses_out_and_goes_on_when_it_is_opened_again(meeting: Meeting) -> None:
    for minute, deed in ((5, ("pause",)), (20, ("resume",)), (24, ("turn", Turn.NEXT)), (30, ("turn", Turn.BACK))):
        with clock.at(CLOSED + timedelta(minutes=minute)):
            meeting.does("chair", *deed)
    with clock.at(CLOSED + timedelta(minutes=31)):
        current = meeting.page("ben").current
        assert current is not None and current.told.seconds == (5 + 4 + 1) * 60


@pytest.mark.usefixtures("opened_world")
def test_two_people_turning_the_page_at_once_turn_it_once(meeting: Meeting) -> None:
    version = meeting.page("chair").head.version
    meeting.does("chair", "turn", Turn.NEXT, version)

    with pytest.raises(Conflict):
        meeting.does("ada", "turn", Turn.NEXT, version)


@pytest.mark.usefixtures("opened_world")
def test_a_vote_makes_no_form_of_the_chair_stale(meeting: Meeting) -> None:
    meeting.does("chair", "propose", "Recommend it")
    version = meeting.page("chair").head.version
    meeting.does("ben", "vote", 1, Vote.APPROVE)

    stood = meeting.page("chair").current
    meeting.does("chair", "turn", Turn.NEXT, version)
    assert meeting.page("chair").current != stood


@pytest.mark.usefixtures("opened_world")
def test_forms_of_a_later_item_tell_nothing_of_how_much_happened_to_one_that_was_shut(
    meeting: Meeting, browser: Browser
) -> None:
    for number in (1, 2):
        assert meeting.does("chair", "propose", f"Proposal {number}") == number
        for name in ("ben", "ada", "chair"):
            meeting.does(name, "vote", number, Vote.APPROVE)
        meeting.does("chair", "count", number)
    meeting.does("chair", "open_item", meeting.scene.references[1])
    assert meeting.does("chair", "propose", "Recommend it") == 1

    # Cleo was shut out of the first item.
    page = browser.get("cleo", f"/panels/{meeting.slug}/live").text
    fields = dict(re.findall(r'name="(number|about|version)"[^>]* value="([^"]*)"', page))
    assert (fields["number"], fields["about"]) == ("1", meeting.scene.references[1])
    stands = db.session.get_one(PanelMeeting, meeting.id).version
    assert meeting.page("cleo").head.version == rules.version_mark(meeting.id, stands) != stands
    meeting.does("cleo", "vote", 1, Vote.APPROVE)


@pytest.mark.usefixtures("opened_world")
def test_a_vote_or_a_count_on_a_page_of_another_item_does_nothing(meeting: Meeting, browser: Browser) -> None:
    first, second = meeting.scene.references[:2]
    meeting.does("chair", "propose", "Recommend the courtyards")
    meeting.does("chair", "open_item", second)
    meeting.does("chair", "propose", "Recommend the ferry")
    for name in ("ben", "ada"):
        meeting.does(name, "vote", 1, Vote.APPROVE)
    live, before = f"/panels/{meeting.slug}/live", len(meeting.events())

    for about in (first, ""):
        late = browser.post("cleo", f"{live}/vote", number="1", about=about, vote="approve")
        assert "This proposal is no longer being voted on" in text_of(late, 422)
        late = browser.post("chair", f"{live}/count/1", about=about)
        assert "This proposal is not being voted on any more" in text_of(late, 422)
    assert len(meeting.events()) == before
    assert browser.post("chair", f"{live}/count/1", about=second).status_code == 303


@pytest.mark.usefixtures("opened_world")
def test_a_recommendation_changes_with_its_reason_and_what_stood_before(meeting: Meeting) -> None:
    meeting.does("chair", "recommend", "Name the streets", "The sheets miss them")
    meeting.does("chair", "recommend", "Name the streets and the owners", "Owners decide")
    with pytest.raises(Invalid):
        meeting.does("chair", "recommend", "Nothing", " ")

    current = meeting.page("ben").current
    assert current is not None and current.told.recommended == "Name the streets and the owners"
    assert [(each.before, each.reason) for each in current.told.changes] == [
        ("", "The sheets miss them"),
        ("Name the streets", "Owners decide"),
    ]


@pytest.mark.usefixtures("opened_world")
def test_only_applications_of_equal_score_change_their_order(meeting: Meeting) -> None:
    before = len(meeting.events())

    with pytest.raises(Invalid) as found:
        meeting.does("chair", "reorder", meeting.scene.references[1], "It covers more")
    assert "equal score" in found.value.problems["other"]
    assert len(meeting.events()) == before


def test_the_order_of_two_tied_is_changed_and_hidden_from_who_may_not_read_one(
    scene: Scene, small_world: World[Scene]
) -> None:
    scene.evaluate(((8, 8, 8), (8, 8, 8), (9, 9, 9)))
    seat_panel(scene, with_place=1)
    meeting = planned(scene)
    meeting.open_first()
    meeting.does("chair", "reorder", scene.references[1], "It covers a region nobody covers")

    (change,) = [each for each in meeting.events() if each.kind is Happened.REORDERED]
    assert change.text == f"{scene.references[0]} before {scene.references[1]}"
    current = meeting.page("cleo").current
    assert current is not None and current.told.changes == ()
    assert len(meeting.page("ben").current.told.changes) == 1


def test_the_log_of_a_meeting_is_never_changed(meeting: Meeting) -> None:
    meeting.all_arrive()

    with pytest.raises(DBAPIError), arranging():
        db.session.execute(update(PanelEvent).values(text="other"), execution_options={"core_write": True})
    db.session.rollback()
    assert [each.number for each in meeting.events()] == [1, 2, 3, 4]


# --- pages ----------------------------------------------------------------------------------------------------------


PAGES = ("", "/live", "/projector", "/minutes")


@pytest.mark.usefixtures("opened_world")
def test_no_page_tells_a_conflicted_member_anything_of_their_item(meeting: Meeting, browser: Browser) -> None:
    meeting.does("chair", "propose", "Recommend the courtyards")
    meeting.does("ben", "vote", 1, Vote.APPROVE)
    hidden = (FIRST, meeting.scene.references[0], "Neochóra", "Recommend the courtyards")

    for path in PAGES:
        text = text_of(browser.get("cleo", f"/panels/{meeting.slug}{path}"))
        assert [word for word in hidden if word in text] == [], path
    assert CLOSED_WORDS in text_of(browser.get("cleo", f"/panels/{meeting.slug}/live"))
    assert CLOSED_WORDS in text_of(browser.get("cleo", f"/panels/{meeting.slug}/projector"))
    assert FIRST in text_of(browser.get("ben", f"/panels/{meeting.slug}/live"))


@pytest.mark.usefixtures("opened_world")
def test_what_a_conflicted_member_sends_meets_nothing(meeting: Meeting, browser: Browser) -> None:
    meeting.does("chair", "propose", "Recommend it")
    reference = meeting.scene.references[0]
    sent = {
        "vote": {"number": "1", "vote": "approve"}, "propose": {"proposal": "No"}, "count/1": {},
        "recommend": {"text": "x", "reason": "y"}, f"open/{reference}": {},
    }  # fmt: skip
    before = len(meeting.events())

    for path, data in sent.items():
        assert browser.post("cleo", f"/panels/{meeting.slug}/live/{path}", **data).status_code in (403, 404), path
    assert len(meeting.events()) == before


@pytest.mark.usefixtures("opened_world")
def test_every_address_of_a_meeting_tells_a_conflicted_member_nothing(
    app: Flask, meeting: Meeting, browser: Browser
) -> None:
    """Every rule of the URL map under this meeting, with the hidden application in it where it takes a reference."""
    meeting.does("chair", "propose", "Recommend the courtyards")
    reference, before = meeting.scene.references[0], len(meeting.events())
    walked = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/panels/<slug>"):
            continue
        path = rule.rule.replace("<slug>", meeting.slug).replace("<ref>", reference)
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", re.sub(r"<int[^>]*>", "1", path))
        answer = browser.get("cleo", path) if "GET" in (rule.methods or ()) else browser.post("cleo", path, text="x")
        said = answer.get_data(as_text=True).replace(path, "")
        assert answer.status_code in (200, 303, 403, 404, 409, 422), (path, answer.status_code)
        assert FIRST not in said and "Recommend the courtyards" not in said, path
        answer.close()
        walked += 1
    assert walked > 15
    assert [each.kind for each in meeting.events()[before:]] == []


def test_undeclared_members_see_no_item_at_all(meeting: Meeting, browser: Browser) -> None:
    scene = meeting.scene
    with arranging():
        scene.people["dana"] = people.user("Dana Member", Role.PANEL_MEMBER).id
    db.session.rollback()

    text = text_of(browser.get("dana", f"/panels/{meeting.slug}"))
    assert [reference for reference in scene.references if reference in text] == []


def test_people_outside_the_panel_open_nothing(meeting: Meeting, browser: Browser) -> None:
    for path in (*PAGES, "/live/pulse"):
        assert browser.get("eva1", f"/panels/{meeting.slug}{path}").status_code == 403


def test_a_meeting_is_planned_led_and_voted_in_on_its_pages(meeting: Meeting, browser: Browser) -> None:
    ids = meeting.scene.people
    new = f"/calls/{meeting.scene.slug}/panels/new"
    assert "Ben Member" in text_of(browser.get("manager", new))
    bad = browser.post("manager", new, title="Second day", day="1 December 2022", time="9:00")
    assert "Choose who leads the meeting." in text_of(bad, 422) and "Second day" in bad.text
    sent = browser.post(
        "manager", new, title="Second day", day="1 December 2022", time="9:00", chair=ids["chair"],
        members=[ids["ben"], ids["ada"]], minutes=ids["manager"], quorum="2", minutes_an_item="10",
    )  # fmt: skip
    assert sent.status_code == 303
    slug = sent.location.rsplit("/", 1)[1]
    live = f"/panels/{slug}/live"
    for who in ("chair", "ben", "manager"):
        assert browser.post(who, f"{live}/arrive").status_code == 303
    text = text_of(browser.get("chair", live))
    version = text.split('name="version" value="')[1].split('"')[0]
    assert browser.post("chair", f"{live}/begin", version=version).status_code == 303
    assert "No item is open." in text_of(browser.get("ben", live))
    assert browser.post("chair", f"{live}/next").status_code == 303
    stale = browser.post("chair", f"{live}/next", version=version)
    assert stale.status_code == 409
    assert "Write what is proposed" in text_of(browser.post("chair", f"{live}/propose"), 422)
    assert browser.post("chair", f"{live}/propose", proposal="Recommend it").status_code == 303
    assert "Choose how you vote." in text_of(browser.post("ben", f"{live}/vote", number="1"), 422)
    assert browser.post("ben", f"{live}/vote", number="1", vote="approve").status_code == 303
    assert "You voted: Approve." in text_of(browser.get("ben", live))
    assert "2 eligible" not in text_of(browser.get("ben", f"/panels/{slug}/projector"))
    assert "Ben Member" not in browser.get("ben", f"/panels/{slug}/projector").text
    assert "a vote is counted from 2" in text_of(browser.post("chair", f"{live}/count/1"), 422)
    few = text_of(browser.get("chair", live))
    assert "It is counted from 2 votes on." in few and "Count the votes" not in few and "Cast my vote" in few
    # Leaving an item with its vote open, and ending the meeting, say first what is left behind.
    assert (
        "Next item without counting" in few and "“Recommend it” is put to the vote and not counted: 1 has voted." in few
    )
    assert "End it for good" in few and "2 applications are not reached: " in few
    assert browser.post("chair", f"{live}/next").status_code == 303
    left = text_of(browser.get("chair", live))
    assert "1 has voted. Open that item again to go on with the vote." in left
    assert "Vote open" in left and "Discussed" not in left and "without counting" not in left
    assert browser.post("chair", f"{live}/back").status_code == 303
    assert browser.post("chair", f"{live}/pause").status_code == 303
    paused = text_of(browser.get("chair", live))
    assert "The meeting is paused. Votes are cast and counted when it goes on." in paused
    assert "Count the votes" not in paused and "Cast my vote" not in paused
    assert browser.post("chair", f"{live}/resume").status_code == 303
    assert browser.post("chair", f"{live}/vote", number="1", vote="approve").status_code == 303
    assert "Count the votes" in browser.get("chair", live).text
    assert browser.post("chair", f"{live}/count/1").status_code == 303
    assert "Carried: 2 for, 0 against, 0 abstained" in text_of(browser.get("ben", live))
    assert "Second day" in text_of(browser.get("ben", "/panels"))

    # A meeting that has ended stays so: its page says why, and leads to another one with the same people.
    assert browser.post("chair", f"{live}/end").status_code == 303
    assert "what is left takes another meeting" in text_of(browser.get("chair", live))
    assert "The programme manager plans it." in text_of(browser.get("ben", f"/panels/{slug}"))
    ended = text_of(browser.get("manager", f"/panels/{slug}"))
    assert "This meeting has ended and is not opened again" in ended and f'href="{new}?after={slug}"' in ended
    going_on = text_of(browser.get("manager", f"{new}?after={slug}"))
    for value in ("Second day, continued", "2", "10"):
        assert f'value="{value}"' in going_on
    assert [f'<option selected value="{ids[each]}">' in going_on for each in ("chair", "manager", "ben")] == [
        True,
        True,
        False,
    ]
    for each in ("ada", "ben"):
        assert re.search(f'checked[^>]*value="{ids[each]}"|value="{ids[each]}"[^>]*checked', going_on)
    assert browser.get("manager", f"{new}?after=no-meeting").status_code == 404


@pytest.mark.usefixtures("opened_world")
def test_a_page_costs_the_same_whatever_its_length(meeting: Meeting) -> None:
    actor = meeting.scene.actor("ben")
    with statements() as few:
        queries.panel.meeting_page(actor, meeting.slug)
    for way in (Turn.NEXT, Turn.NEXT, Turn.BACK):
        meeting.does("chair", "turn", way)
    actor = meeting.scene.actor("ben")
    with statements() as many:
        queries.panel.meeting_page(actor, meeting.slug)

    assert len(many) == len(few) <= 4
    with statements() as listed:
        assert len(queries.panel.meetings(actor, Page(size=1)).items) == 1
    assert len(listed) == 1


def test_everybody_of_the_meeting_is_named_once(meeting: Meeting) -> None:
    names = [seat.name for seat in meeting.page("chair").people]

    assert len(names) == len(set(names)) == len(MEMBERS) + 2


def test_what_waits_for_a_decision_leaves_the_member_in_the_room_and_what_stands_sends_them_out(
    meeting: Meeting,
) -> None:
    meeting.scene.find("ben", 0)
    meeting.scene.find("ada", 0, DetectedState.CONFIRMED)

    meeting.open_first()

    ben, ada = meeting.page("ben"), meeting.page("ada")
    assert ben.current is not None and ben.current.title == FIRST and ben.votes
    assert {each.name: each.eligible for each in ben.people if each.name in NAMES.values()} == {
        "Ada Member": False,
        "Ben Member": True,
        "Cleo Member": False,
    }
    assert (ada.closed, ada.current) == (True, None)
    out = {each.person for each in meeting.events() if each.kind is Happened.STEPPED_OUT}
    assert out == {meeting.scene.people["ada"], meeting.scene.people["cleo"]}


def test_meetings_stand_by_when_they_begin_the_latest_first_page_by_page(meeting: Meeting) -> None:
    actor, scene = meeting.scene.actor("manager"), meeting.scene
    with clock.at(CLOSED + timedelta(days=4)):
        latest = planned(scene)
    with clock.at(CLOSED + timedelta(days=2)):
        between = planned(scene)

    def walked(size: int, of_call: str = "") -> list[str]:
        found, after = [], None
        while True:
            rows = queries.panel.meetings(actor, Page(size, after), of_call)
            found += [row.slug for row in rows.items]
            if rows.next_key is None:
                return found
            after = rows.next_key

    wanted = [latest.slug, between.slug, meeting.slug]
    assert walked(1) == walked(2) == walked(50) == wanted
    call_slug = meeting.page("manager").head.call_slug
    assert walked(1, call_slug) == wanted
    assert walked(1, "no-such-call") == []
    assert queries.panel.meetings(actor, Page(1, "no-such-meeting")).items == ()
