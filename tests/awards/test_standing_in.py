"""The chair is cut off, or kept out of an item: who leads then, who is told why they have no vote, how late an item is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from grants.awards import services
from grants.awards.rules import panel as rules
from grants.awards.states import Happened, Turn
from grants.core import clock
from grants.core.errors import Conflict, NotAllowed, NotFound, Refused
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from tests.awards.meeting import Meeting
from tests.awards.test_panel import meeting, panel_world, seat
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, declares

__all__ = ["meeting", "panel_world"]


def test_the_deputy_leads_once_the_chair_is_cut_off_and_the_chair_comes_back(meeting: Meeting) -> None:
    scene = meeting.scene
    meeting.open_first()
    assert meeting.page("ada").may_stand_in and not meeting.page("ada").turns
    with pytest.raises(NotAllowed, match="The chair leads this item"):
        meeting.does("ada", "propose", "Recommend it")

    services.stand_in(scene.actor("ada"), meeting.id)

    last = meeting.events()[-1]
    assert (last.kind, last.person, last.by) == (Happened.LEFT, scene.people["chair"], scene.people["ada"])
    assert last.reason == rules.CUT_OFF
    page = meeting.page("ada")
    assert (page.leads, page.turns, page.may_stand_in) == (True, True, False)
    assert meeting.does("ada", "propose", "Recommend it") == 1
    # The chair is not there by the record, and says so to lead again.
    with pytest.raises(NotAllowed, match="Say that you are here"):
        meeting.does("chair", "count", 1)
    meeting.does("chair", "arrive")
    assert meeting.page("chair").leads and not meeting.page("ada").leads
    with pytest.raises(NotAllowed):
        meeting.does("ada", "count", 1)


def test_only_the_deputy_who_is_there_stands_in_and_only_for_a_chair_who_is(meeting: Meeting, browser: Browser) -> None:
    scene = meeting.scene
    with pytest.raises(Refused, match="not in progress"):
        services.stand_in(scene.actor("ada"), meeting.id)
    meeting.open_first()
    for name in ("ben", "chair"):
        with pytest.raises(NotAllowed, match="Only the deputy"):
            services.stand_in(scene.actor(name), meeting.id)
        assert "cut off" not in text_of(browser.get(name, f"/panels/{meeting.slug}/live"))
    version = meeting.page("ada").head.version
    with pytest.raises(Conflict):
        services.stand_in(scene.actor("ada"), meeting.id, version - 1)
    assert "The chair was cut off?" in text_of(browser.get("ada", f"/panels/{meeting.slug}/live"))
    assert browser.post("ada", f"/panels/{meeting.slug}/live/stand-in", version=str(version)).status_code == 303
    with pytest.raises(Refused, match="you lead this meeting now"):
        services.stand_in(scene.actor("ada"), meeting.id)
    meeting.does("ada", "leave")
    with pytest.raises(NotAllowed, match="here first"):
        services.stand_in(scene.actor("ada"), meeting.id)


def test_what_the_deputy_says_takes_nothing_from_the_chair(meeting: Meeting) -> None:
    meeting.open_first()
    for _ in range(4):
        services.stand_in(meeting.scene.actor("ada"), meeting.id)
        meeting.does("chair", "arrive")
    # Four of the deputy and her own coming are counted with her, four comings with the chair.
    moves = [event for event in meeting.events() if event.kind in (Happened.ARRIVED, Happened.LEFT)]
    assert sum(event.by == meeting.scene.people["ada"] for event in moves) == 5


def test_nobody_is_stuck_in_an_item_that_is_shut_to_whoever_is_left(meeting: Meeting) -> None:
    scene = meeting.scene
    shut = (Answered(scene.application_ids[1], Declared.CONFLICT, "Kin"),)
    declares(scene.actor("chair"), scene.call_id, shut)
    meeting.all_arrive()
    meeting.does("chair", "begin")
    meeting.does("ada", "open_item", scene.references[1])
    assert meeting.page("chair").closed and not meeting.page("chair").turns
    meeting.does("ada", "leave")

    page = meeting.page("chair")
    assert page.closed and page.turns and not page.leads
    with pytest.raises(NotFound):
        meeting.does("chair", "propose", "Recommend it")
    meeting.does("chair", "turn", Turn.BACK)
    assert not meeting.page("chair").closed


def test_whoever_assessed_an_application_is_told_why_they_have_no_vote(meeting: Meeting, browser: Browser) -> None:
    scene = meeting.scene
    seat(scene, "ben", 1, submitted=True)
    meeting.all_arrive("chair", "ada", "ben")
    meeting.does("chair", "begin")
    meeting.does("chair", "open_item", scene.references[1])
    live = f"/panels/{meeting.slug}/live"

    assert "You assessed this application yourself. You hear what the panel says" in text_of(browser.get("ben", live))
    chair = text_of(browser.get("chair", live))
    assert "No vote on it, having assessed it: Ben Member." in chair and "yourself" not in chair
    assert "once you have said that you are here" in text_of(browser.get("cleo", live))
    assert "You take the minutes; you have no vote." in text_of(browser.get("manager", live))
    assert "Ben Member" not in text_of(browser.get("chair", f"/panels/{meeting.slug}/projector"))


def test_an_item_says_by_how_much_it_is_late(meeting: Meeting, browser: Browser) -> None:
    meeting.open_first()
    with clock.at(CLOSED + timedelta(minutes=17, seconds=5)):
        assert "2:05 over" in text_of(browser.get("chair", f"/panels/{meeting.slug}/live"))
