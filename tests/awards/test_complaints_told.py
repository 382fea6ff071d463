"""Where a complaint is led to and counted: the letter names its window, pages link it, and lists ask the same however long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import queries, services
from grants.awards.models import Complaint
from grants.awards.rules.complaints import ABOUT_WORDS
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.paging import Page
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests.awards.test_complaints import (
    DAY,
    ENDS,
    GIVEN,
    NUMBER,
    PUBLIC,
    REJECT,
    UPHOLD,
    draft,
    mails,
    reviewed,
    sent,
    state,
    told,
    told_world,
)
from tests.awards.test_reserve import dropped, move_up
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people
from tests.statements import statements

__all__ = ["told", "told_world"]

STATEMENTS_MAX = 8


# --- the letter, the links and the counts -------------------------------------------------------------------------


def lettered(scene: Scene) -> None:
    """The letters of the confirmed list are sent, at this moment."""
    acts = services.letters
    shown = queries.letters.letters_page(scene.actor("manager"), scene.slug)
    acts.prepare(scene.actor("manager"), scene.call_id, shown.shown_hash)
    mailing = queries.letters.letters_page(scene.actor("manager"), scene.slug).open_mailing
    assert mailing is not None
    acts.confirm_mailing(scene.actor("officer"), mailing.id)
    jobs.work_off(actor_of=actor_for, but_not=("mail",))


def test_the_window_is_the_one_the_letter_names(told: Scene) -> None:
    with clock.at(PUBLIC + 3 * DAY):
        lettered(told)
        _, letter = queries.letters.sent_letter(told.actor("lead1"), told.references[NUMBER], clock.now())
        shown = queries.own_complaints.own_page(told.actor("lead1"), told.references[NUMBER], clock.now())

    assert letter.text.complaint_words == f"You may complain until {shown.window.until_words}."
    assert shown.window.until_words == "the end of 9 March 2023 (24:00 CET)"
    # By the moment of publication alone it would have ended on 6 March.
    with clock.at(ENDS + DAY):
        services.complaints.send(told.actor("lead1"), draft(told))
    (mail,) = [each for each in mails("decision_letter") if each["user_id"] == str(told.people["lead1"])]
    assert mail["context"]["complains"] is True
    selected = [each for each in mails("decision_letter") if each["user_id"] == str(told.people["lead0"])]
    assert [each["context"]["complains"] for each in selected] == [False]


def test_the_time_runs_anew_once_the_reasons_can_be_read(told: Scene) -> None:
    early, ref = PUBLIC - 30 * DAY, told.references[NUMBER]
    with clock.at(early):
        lettered(told)
        _, letter = queries.letters.sent_letter(told.actor("lead1"), ref, clock.now())
        found = draft(told)
    assert letter.text.complaint_words.endswith(
        "and for 5 calendar days after the results become public, when the reasons can be read."
    )
    with clock.at(PUBLIC - DAY):
        window = queries.own_complaints.own_page(told.actor("lead1"), ref, clock.now()).window
        assert window.why_not.endswith("You can complain again for 5 calendar days once the results are public.")
        with pytest.raises(Refused, match="too late"):
            services.complaints.send(told.actor("lead1"), found)

    with clock.at(ENDS - DAY):
        window = queries.own_complaints.own_page(told.actor("lead1"), ref, clock.now()).window
        assert (window.why_not, window.reached_at, window.due_at) == ("", PUBLIC, ENDS)
        services.complaints.send(told.actor("lead1"), found)
    assert (get(Complaint, found).reached_at, get(Complaint, found).due_at) == (PUBLIC, ENDS)


def test_no_mail_tells_of_a_complaint_to_whoever_must_declare_about_the_application_first(told: Scene) -> None:
    with arranging():
        both = people.user("Paul Both", Role.PROJECT_OFFICER, Role.PANEL_MEMBER).id
    with clock.at(PUBLIC - 30 * DAY):
        lettered(told)
        services.complaints.send(told.actor("lead1"), draft(told))

    heard = {each["user_id"] for each in mails("complaint_waits")}
    assert str(told.people["petra"]) in heard and str(both) not in heard


def test_who_was_told_without_a_letter_complains_from_then_on(told: Scene, browser: Browser) -> None:
    application_id, ref = told.application_ids[NUMBER], told.references[NUMBER]
    here, early = f"/calls/{told.slug}/decision/letters/{ref}", PUBLIC - 30 * DAY
    with clock.at(early):
        with pytest.raises(Refused, match="its letter tells its team"):
            services.leaving_out.told_otherwise(told.actor("manager"), application_id)
        services.leaving_out.leave_out(told.actor("manager"), application_id, "We visit them.")
        assert "Record that its team was told" in browser.get("manager", here).text
        assert "Record that its team" not in browser.get("officer", here).text
        assert browser.post("officer", f"{here}/told").status_code == 403
        window = queries.own_complaints.own_page(told.actor("lead1"), ref, clock.now()).window
        assert (window.about, browser.get("lead1", f"/applications/{ref}/result").status_code) == (None, 404)
    with clock.at(early + DAY / 24):
        assert browser.post("manager", f"{here}/told").status_code == 303
        with pytest.raises(Refused, match="recorded already"):
            services.leaving_out.told_otherwise(told.actor("manager"), application_id)
        assert "Its team was told; recorded on" in browser.get("manager", here).text
        assert "reserve list" in browser.get("lead1", f"/applications/{ref}").text
    with clock.at(early + 2 * DAY):
        window = queries.own_complaints.own_page(told.actor("lead1"), ref, clock.now()).window
        assert (window.about, window.reached_at) == (ApplicationState.RESERVE, early + DAY / 24)
        services.complaints.send(told.actor("lead1"), draft(told))


def test_the_duty_to_send_a_draft_tells_the_time_that_runs_anew(told: Scene) -> None:
    """Begun after the letter, days before the results are public: its own last day is over when the reasons can be read."""

    def asked() -> list[Any]:
        found = queries.duties(told.actor("lead1"), clock.now())
        return [each.due_at for each in found if "Send the complaint" in each.what]

    with clock.at(PUBLIC - 10 * DAY):
        lettered(told)
        found = draft(told)
        assert asked() == [get(Complaint, found).due_at - timedelta(seconds=1)] < [PUBLIC]
    with clock.at(PUBLIC - DAY):
        assert asked() == []
    with clock.at(PUBLIC + DAY):
        assert asked() == [ENDS - timedelta(seconds=1)]
        # Written on, the row has it too.
        services.complaints.save(
            told.actor("lead1"), told.application_ids[NUMBER], GIVEN, get(Complaint, found).version
        )
        db.session.rollback()
        assert (get(Complaint, found).due_at, get(Complaint, found).reached_at) == (ENDS, PUBLIC)
        assert asked() == [ENDS - timedelta(seconds=1)]
    with clock.at(ENDS):
        assert asked() == []


def test_a_result_that_changed_after_its_letter_has_its_time_from_then(told: Scene) -> None:
    with clock.at(PUBLIC):
        lettered(told)
    with clock.at(PUBLIC + 10 * DAY), arranging():
        get(Application, told.application_ids[NUMBER]).state = "not_funded"
    db.session.rollback()
    shown = queries.own_complaints.own_page(told.actor("lead1"), told.references[NUMBER], PUBLIC + 11 * DAY)

    assert shown.window.reached_at == PUBLIC + 10 * DAY


def test_a_move_up_from_the_reserve_list_moves_no_last_day_and_ends_what_the_complaint_could_bring(told: Scene) -> None:
    found = reviewed(told)
    with clock.at(PUBLIC + 20 * DAY):
        dropped(told, 0)
        services.confirm_move(told.actor("chair"), move_up(told).id)
        shown = queries.own_complaints.own_page(told.actor("lead1"), told.references[NUMBER], clock.now())
        assert (shown.application.state.value, shown.window.reached_at) == ("reserve", PUBLIC)

        acts = services.reviewing
        with pytest.raises(Refused, match="moved up from the reserve list and is selected now"):
            acts.propose(told.actor("petra"), found, UPHOLD)
        acts.propose(told.actor("petra"), found, REJECT)
        with pytest.raises(Refused, match="letter of decision has not left"):
            acts.decide(told.actor("piet"), found)
        lettered(told)
        acts.decide(told.actor("piet"), found)
    letter = get(Complaint, found).letter
    assert letter is not None and "Since then another result took the place of the first one." in letter["paragraphs"]


@pytest.mark.parametrize("state", sorted(ABOUT_WORDS))
def test_the_page_of_the_application_leads_its_team_to_the_complaint(
    told: Scene, browser: Browser, state: ApplicationState
) -> None:
    with clock.at(PUBLIC), arranging():
        row = get(Application, told.application_ids[NUMBER])
        row.state, row.told_state, row.told_since = state.value, None, None
    db.session.rollback()
    path, link = f"/applications/{told.references[NUMBER]}", f'href="/applications/{told.references[NUMBER]}/complaint"'
    with clock.at(PUBLIC + DAY):
        assert link in browser.get("lead1", path).text
        assert browser.get("lead1", f"{path}/complaint").status_code == 200
        assert link not in browser.get("petra", path).text
        assert "/complaint" not in browser.get("lead0", f"/applications/{told.references[0]}").text
    # Too late, the way is offered nowhere, and the page it led to says why.
    with clock.at(PUBLIC + 40 * DAY):
        later = Browser(browser.app, told)
        assert link not in later.get("lead1", path).text
        assert "Complaints were taken until" in later.get("lead1", f"{path}/complaint").text


def test_the_decision_page_counts_what_is_open_and_the_public_only_states(told: Scene, browser: Browser) -> None:
    decision, public = f"/calls/{told.slug}/decision", f"/calls/{told.slug}/awards"
    with clock.at(PUBLIC + DAY):
        before = text_of(browser.get("manager", decision))
        assert "complaint is open" not in before and "Complaints about results" not in browser.get("petra", public).text
    found = sent(told)
    with clock.at(PUBLIC + DAY):
        shown = browser.get("manager", decision).text
        assert "1 complaint is open" in shown and f'href="/calls/{told.slug}/complaints"' in shown
        told_all = text_of(browser.get("lead0", public))
        assert (
            "Complaints about results" in told_all
            and "Received: 1" in told_all
            and told.references[NUMBER] not in told_all
        )
        services.complaints.withdraw(told.actor("lead1"), found, "Settled otherwise.")
        assert "complaint is open" not in browser.get("manager", decision).text


# --- how much a page asks -----------------------------------------------------------------------------------------


def copied(number: int) -> None:
    """So many more complaints, withdrawn ones, about the application of the one that stands."""
    with arranging():
        first = db.session.scalars(select(Complaint).order_by(Complaint.number)).first()
        assert first is not None
        kept = {
            c.key: getattr(first, c.key)
            for c in Complaint.__table__.columns
            if c.key not in ("id", "version", "created_at")
        }
        gone = {
            "state": "withdrawn", "withdrawn_at": first.sent_at, "withdrawn_by": first.sent_by,
            "withdraw_reason": "We found the sentence.",
        }  # fmt: skip
        kept = {name: value for name, value in kept.items() if value is not None}
        db.session.add_all(Complaint(**{**kept, **gone, "number": 2 + each}) for each in range(number))
    db.session.rollback()


def test_pages_of_complaints_ask_the_same_for_one_and_for_many(told: Scene, browser: Browser) -> None:
    found = reviewed(told)
    paths = (
        ("petra", f"/calls/{told.slug}/complaints"),
        ("lead1", f"/applications/{told.references[NUMBER]}/complaint"),
        ("petra", f"/applications/{told.references[NUMBER]}/complaints/1"),
    )
    with clock.at(PUBLIC + 3 * DAY):

        def asked() -> list[int]:
            for name, path in paths:
                browser.get(name, path)
            return [counted(name, path) for name, path in paths]

        def counted(name: str, path: str) -> int:
            with statements() as sent_down:
                assert browser.get(name, path).status_code == 200
            return len(sent_down)

        one = asked()
        copied(20)
        assert asked() == one
    assert max(one[:2]) <= STATEMENTS_MAX, one
    assert state(found) == "under_review"


def test_the_hundredth_complaint_stands_on_a_page_that_is_found_by_its_key(told: Scene, browser: Browser) -> None:
    reviewed(told)
    copied(119)
    listed = queries.complaints.list_page
    with clock.at(PUBLIC + 3 * DAY):
        key, numbers = None, []
        while True:
            shown = listed(told.actor("petra"), told.slug, Page(50, key), clock.now())
            assert shown.rows.total == 120
            numbers += [each.number for each in shown.rows.items]
            key = shown.rows.next_key
            if key is None:
                break
        assert numbers == list(range(1, 121))
        first = browser.get("petra", f"/calls/{told.slug}/complaints").text
        assert "after=" in first
        assert browser.get("petra", f"/calls/{told.slug}/complaints.csv").text.count("\r\n") == 121
