"""The minutes of a meeting: written from its log, frozen, signed by two, and on paper without what a reader may not see."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from grants.awards import queries, services
from grants.awards.models import PanelMinutes
from grants.awards.states import Vote
from grants.core import clock, files
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, NotAllowed, NotFound, Refused
from grants.documents import services as documents
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from tests.awards.meeting import Meeting, planned
from tests.awards.test_panel import FIRST, meeting, panel_world
from tests.awards.test_publication import statements
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, declares
from tests.shut import shuts
from tests.worlds import World, Worlds

__all__ = ["meeting", "panel_world"]


def hold(meeting: Meeting) -> None:
    """Half an hour: the first item with a vote and a change, the second looked at, the third not reached."""
    meeting.open_first()
    meeting.does("manager", "come_to_write")
    with clock.at(CLOSED + timedelta(minutes=4)):
        meeting.does("chair", "recommend", "Name the streets", "The sheets miss them")
    with clock.at(CLOSED + timedelta(minutes=9)):
        meeting.does("chair", "propose", "Recommend it for funding")
        meeting.does("ben", "vote", 1, Vote.APPROVE)
        meeting.does("ada", "vote", 1, Vote.REJECT)
        meeting.does("chair", "vote", 1, Vote.APPROVE)
        meeting.does("chair", "count", 1)
    with clock.at(CLOSED + timedelta(minutes=12)):
        meeting.does("chair", "open_item", meeting.scene.references[1])
    with clock.at(CLOSED + timedelta(minutes=30)):
        meeting.does("chair", "end")


def view(meeting: Meeting, who: str) -> Any:
    return queries.minutes.minutes_page(meeting.scene.actor(who), meeting.slug).standing


def freeze(meeting: Meeting) -> int:
    return services.minutes.freeze(meeting.scene.actor("manager"), meeting.id)


def sign(meeting: Meeting, who: str, number: int = 1) -> None:
    services.minutes.sign(meeting.scene.actor(who), meeting.id, number)


@pytest.fixture(scope="session")
def held_world(worlds: Worlds, panel_world: World[Meeting]) -> World[Meeting]:
    """The meeting was held."""

    def held_for_minutes() -> Meeting:
        meeting = panel_world.told()
        hold(meeting)
        return meeting

    with clock.at(CLOSED):
        return worlds.of(held_for_minutes, like=panel_world)


@pytest.fixture(scope="session")
def frozen_world(worlds: Worlds, held_world: World[Meeting]) -> World[Meeting]:
    """The minutes of the meeting that was held are frozen."""

    def frozen_minutes() -> Meeting:
        meeting = held_world.told()
        freeze(meeting)
        return meeting

    with clock.at(CLOSED):
        return worlds.of(frozen_minutes, like=held_world)


@pytest.fixture
def held(meeting: Meeting, held_world: World[Meeting]) -> Meeting:
    return meeting


@pytest.fixture
def frozen(meeting: Meeting, frozen_world: World[Meeting]) -> Meeting:
    return meeting


def test_the_minutes_say_what_was_logged_and_only_that(held: Meeting) -> None:
    services.minutes.remark(
        held.scene.actor("manager"), held.id, held.scene.references[0], "The panel thanks the evaluators."
    )

    text = queries.minutes.minutes_page(held.scene.actor("auditor"), held.slug).text
    assert text is not None
    by_title = {item.title: item for item in text.items}
    first = by_title[FIRST]
    assert (first.seconds, first.decision, first.recommended) == (
        12 * 60,
        "Recommend it for funding",
        "Name the streets",
    )
    assert [vote.words for vote in first.votes] == ["Carried: 2 for, 1 against, 0 abstained; 3 of 3 eligible voted."]
    assert first.votes[0].reject == ("Ada Member",)
    assert [(stay.name, stay.until) for stay in first.out] == [("Cleo Member", CLOSED + timedelta(minutes=12))]
    assert first.changes[0].reason == "The sheets miss them"
    assert first.remark == "The panel thanks the evaluators."
    assert [item.opened_at for item in text.items].count(None) == 1
    assert (text.began_at, text.ended_at) == (CLOSED, CLOSED + timedelta(minutes=30))
    assert [person.role for person in text.people] == ["Chair", "Deputy chair", "Member", "Member", "Minute-taker"]


def test_the_minutes_name_who_led_in_the_place_of_the_chair_and_what_was_not_reached_once(
    meeting: Meeting, browser: Browser
) -> None:
    """The chair is cut off for five minutes, and later out of the room for an item of their own; two items stay unopened."""
    scene = meeting.scene
    kin = (Answered(scene.application_ids[1], Declared.CONFLICT, "Kin"),)
    declares(scene.actor("chair"), scene.call_id, kin)
    meeting.all_arrive()
    meeting.does("chair", "begin")
    with clock.at(CLOSED + timedelta(minutes=2)):
        services.stand_in(scene.actor("ada"), meeting.id)
    with clock.at(CLOSED + timedelta(minutes=7)):
        meeting.does("chair", "arrive")
        meeting.does("ada", "open_item", scene.references[1])
    with clock.at(CLOSED + timedelta(days=1, minutes=9)):
        meeting.does("ada", "end")

    text = queries.minutes.minutes_page(scene.actor("auditor"), meeting.slug).text
    assert text is not None
    (lead,) = text.led
    assert (lead.name, lead.since, lead.until) == (
        "Ada Member", CLOSED + timedelta(minutes=2), CLOSED + timedelta(minutes=7),
    )  # fmt: skip
    assert [(item.reference, item.led_by) for item in text.reached] == [(scene.references[1], "Ada Member")]
    path = f"/panels/{meeting.slug}/minutes"
    shown = re.sub("<[^>]+>", "", text_of(browser.get("auditor", path)))
    assert (
        "Ada Member led the meeting from 20 November 2022, 10:02 to 10:07 in the place of the chair, who had been cut off."
        in shown
    )
    assert "Led by Ada Member in the place of the chair." in shown
    assert shown.count("ot reached") == 2 and "2 applications were not reached." in shown
    # The chair reads nothing of what is shut to them, not even who led it.
    assert "Led by" not in text_of(browser.get("chair", path))
    # A meeting that took several days says which; one day is said once, at its head.
    assert "Opened 20 November 2022, 10:07, closed 21 November 2022, 10:09; " in shown
    assert replace(text, ended_at=lead.until).span_words(lead.since, lead.until) == "10:02 to 10:07"
    freeze(meeting)
    printed = paper(meeting, "auditor")
    # One heading over the table of them, and none beside it.
    assert "Applications" not in printed.splitlines()
    assert "2 applications were not reached." in printed and "closed 21 November 2022, 10:09" in printed
    agenda = text_of(browser.get("auditor", f"/panels/{meeting.slug}"))
    assert agenda.count("Not reached") == 2 and "To come" not in agenda

    # A remark on one that was not reached has its field on that line alone.
    first = scene.references[0]
    asked = text_of(browser.get("manager", f"{path}?remark={first}"))
    assert asked.count(f'id="remark-{first}"') == 1 and f'id="remark-{scene.references[2]}"' not in asked
    assert browser.post("manager", f"{path}/remark/{first}", remark="Next time.").status_code == 303
    assert "Next time." in text_of(browser.get("auditor", path))

    # The next meeting begins with what no meeting has opened.
    following = planned(scene)
    assert [row.reference for row in following.page("auditor").rows][-1] == scene.references[1]


def test_minutes_are_frozen_after_the_meeting_by_who_takes_them(meeting: Meeting) -> None:
    meeting.open_first()
    with pytest.raises(Refused, match="once the meeting has ended"):
        freeze(meeting)
    meeting.does("chair", "end")
    with pytest.raises(NotAllowed):
        services.minutes.freeze(meeting.scene.actor("chair"), meeting.id)

    assert freeze(meeting) == 1
    with pytest.raises(Refused, match="says exactly this"):
        freeze(meeting)


def test_a_remark_after_the_freezing_makes_the_next_version_until_both_have_signed(frozen: Meeting) -> None:
    sign(frozen, "chair")
    manager, reference = frozen.scene.actor("manager"), frozen.scene.references[0]
    services.minutes.remark(manager, frozen.id, reference, "One more thing")
    assert freeze(frozen) == 2
    with pytest.raises(Conflict, match="newer version"):
        sign(frozen, "ben", 1)

    sign(frozen, "chair", 2)
    with pytest.raises(Refused, match="has signed already"):
        sign(frozen, "ada", 2)
    sign(frozen, "ben", 2)
    with pytest.raises(Refused, match="second person has signed"):
        sign(frozen, "manager", 2)
    with pytest.raises(Refused, match="signed by both"):
        services.minutes.remark(frozen.scene.actor("manager"), frozen.id, reference, "Too late")
    with pytest.raises(Refused, match="signed by both"):
        freeze(frozen)
    assert view(frozen, "ben").signed


def test_nobody_outside_the_meeting_signs(frozen: Meeting) -> None:
    with pytest.raises(NotAllowed):
        sign(frozen, "auditor")
    with pytest.raises(DBAPIError), arranging():
        row = db.session.query(PanelMinutes).one()
        row.chair_signed_by = row.second_signed_by = frozen.scene.people["chair"]
        row.chair_signed_at = row.second_signed_at = CLOSED
        db.session.flush()
    db.session.rollback()


def test_who_cannot_read_the_whole_does_not_sign_and_learns_who_can(frozen: Meeting, browser: Browser) -> None:
    button = "Sign these minutes"

    with pytest.raises(Refused, match=r"Ben Member or .* can sign instead") as told:
        sign(frozen, "cleo")
    assert FIRST not in str(told.value)
    path = f"/panels/{frozen.slug}/minutes"
    assert button not in text_of(browser.get("cleo", path))
    assert button in text_of(browser.get("ben", path))


def test_what_is_frozen_is_not_rewritten(frozen: Meeting) -> None:
    with pytest.raises(DBAPIError), arranging():
        db.session.execute(update(PanelMinutes).values(content={}), execution_options={"core_write": True})
    db.session.rollback()


@shuts(leaves_out=("awards.minutes_pdf",))
def test_the_copy_of_a_conflicted_member_leaves_the_item_out_on_page_and_paper(
    frozen: Meeting, browser: Browser
) -> None:
    path = f"/panels/{frozen.slug}/minutes"
    hidden = (FIRST, frozen.scene.references[0], "Recommend it for funding", "Name the streets", "12:00")

    text = text_of(browser.get("cleo", path))
    assert [word for word in hidden if word in text] == []
    assert "Your copy leaves items out" in text
    assert all(word in text_of(browser.get("auditor", path)) for word in hidden)
    pages = {who: paper(frozen, who) for who in ("cleo", "auditor")}
    assert [word for word in hidden if word in pages["cleo"]] == []
    assert "copy with items left out" in pages["cleo"]
    with browser.get("cleo", f"{path}/1.pdf") as handed_out:
        read = PdfReader(io.BytesIO(handed_out.data)).pages
        assert "\n".join(page.extract_text() for page in read) == pages["cleo"]
    assert all(word in pages["auditor"] for word in hidden)


def paper(meeting: Meeting, who: str) -> str:
    """The text of the PDF that this person may have, made as the job makes it."""
    actor = meeting.scene.actor(who)
    key = view(meeting, who).id
    documents.print_minutes(meeting.scene.actor(who), key)
    data = files.genuine(services.minutes.download(actor, meeting.id, 1)).read_bytes()
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def test_the_paper_is_asked_for_made_and_handed_out_on_the_record(frozen: Meeting, browser: Browser) -> None:
    path = f"/panels/{frozen.slug}/minutes"
    assert browser.get("ben", f"{path}/1.pdf").status_code == 404
    assert browser.post("ben", f"{path}/1/file").status_code == 303
    assert "The PDF is being made." in text_of(browser.get("ben", path))
    paper(frozen, "ben")
    with browser.get("ben", f"{path}/1.pdf") as handed_out:
        assert handed_out.mimetype == "application/pdf"
    assert browser.get("cleo", f"{path}/1.pdf").status_code == 404
    with pytest.raises(NotFound):
        services.minutes.download(frozen.scene.actor("ben"), frozen.id, 7)

    sign(frozen, "chair")
    assert browser.get("ben", f"{path}/1.pdf").status_code == 404
    assert "For the chair: Carla Chair, 20 November 2022" in paper(frozen, "ben")


def test_the_minutes_are_written_signed_and_read_on_their_page(meeting: Meeting, browser: Browser) -> None:
    path = f"/panels/{meeting.slug}/minutes"
    assert "There are no minutes yet" in text_of(browser.get("ben", path))
    hold(meeting)
    assert browser.post("ben", f"{path}/freeze").status_code == 403
    remark = f"{path}/remark/{meeting.scene.references[0]}"
    assert "Write the remark." in text_of(browser.post("manager", remark, remark=""), 422)
    assert browser.post("manager", remark, remark="Heard twice.").status_code == 303
    assert browser.post("manager", f"{path}/freeze").status_code == 303
    assert "Heard twice." in text_of(browser.get("auditor", path))
    assert "Sign these minutes" not in text_of(browser.get("auditor", path))
    assert "Sign these minutes" in text_of(browser.get("chair", path))
    assert browser.post("chair", f"{path}/1/sign").status_code == 303
    assert browser.post("ben", f"{path}/2/sign").status_code == 409
    assert browser.post("ben", f"{path}/1/sign").status_code == 303
    assert "Signed second by Ben Member" in text_of(browser.get("auditor", path))


def test_the_minutes_cost_the_same_whatever_they_hold(frozen: Meeting) -> None:
    actor = frozen.scene.actor("auditor")
    with statements() as seen:
        queries.minutes.minutes_page(actor, frozen.slug)

    assert len(seen) <= 4


def test_what_two_people_signed_grows_no_more(frozen: Meeting) -> None:
    for who in ("chair", "ben"):
        sign(frozen, who)
    before = frozen.events()

    with pytest.raises(Refused, match="signed by both"):
        services.minutes.remark(frozen.scene.actor("manager"), frozen.id, frozen.scene.references[1], "It was said too")
    assert frozen.events() == before


def test_a_version_beyond_those_a_page_shows_is_not_found(frozen: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    first = view(frozen, "manager")
    monkeypatch.setattr(queries.minutes, "VERSIONS_MAX", 1)
    services.minutes.remark(frozen.scene.actor("manager"), frozen.id, frozen.scene.references[1], "More was said")
    freeze(frozen)

    with pytest.raises(NotFound):
        queries.minutes.minutes_for(frozen.scene.actor("manager"), first.id)
