"""What people of a panel are told to do next, and the one mail about a meeting."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from grants.awards import queries, services
from grants.awards.models import SelectionItem
from grants.core import clock
from grants.core.db import db
from grants.core.jobs import Job
from grants.core.permissions import Actor
from grants.identity.queries import rendered_mail
from tests.awards.meeting import MEMBERS, Meeting, planned
from tests.awards.test_minutes import freeze, hold, sign
from tests.awards.test_panel import meeting, panel_world
from tests.awards.test_reserve import confirmed, dropped, move_up
from tests.awards.test_utter import propose, scored_world, utter, utter_world
from tests.evaluation.scene import CLOSED, Scene
from tests.statements import statements

__all__ = ["confirmed", "meeting", "panel_world", "scored_world", "utter", "utter_world"]


def told(scene: Scene, who: str) -> list[str]:
    return [duty.what for duty in queries.duties(scene.actor(who), clock.now())]


def test_a_meeting_is_told_of_once_by_mail_with_its_moment_in_the_zone_of_the_call(meeting: Meeting) -> None:
    mails = db.session.scalars(
        select(Job).where(Job.name == "jobs.mail.send", Job.args["template"].astext == "panel_planned")
    ).all()
    who = {str(meeting.scene.people[name]) for name in ("chair", *MEMBERS, "manager")}
    assert sorted(job.args["user_id"] for job in mails) == sorted(who)

    job = mails[0]
    text = rendered_mail(meeting.scene.people["chair"], "panel_planned", job.args["context"])
    local = clock.in_zone(CLOSED, meeting.page("chair").head.zone)
    assert (
        f"{clock.long_date(local.date())}, {local:%H:%M} {clock.zone_letters(CLOSED, meeting.page('chair').head.zone)}"
        in text.text
    )
    assert f"/panels/{meeting.slug}" in text.text
    assert "Cool Courtyards" not in text.text


def test_who_belongs_to_a_meeting_attends_it_until_it_has_ended(meeting: Meeting) -> None:
    scene, words = meeting.scene, "Attend Panel, first day"
    assert [words in told(scene, who) for who in ("chair", "ben", "manager", "auditor")] == [True, True, True, False]

    hold(meeting)

    assert words not in told(scene, "chair")


def test_minutes_are_to_be_signed_by_who_may_and_can_read_the_whole(meeting: Meeting) -> None:
    hold(meeting)
    scene, words = meeting.scene, "Sign the minutes of Panel, first day"
    assert words not in told(scene, "chair")
    freeze(meeting)
    assert [words in told(scene, who) for who in ("chair", "ada", "ben", "cleo")] == [True, True, True, False]

    sign(meeting, "chair")
    assert [words in told(scene, who) for who in ("chair", "ada", "ben")] == [False, False, True]
    sign(meeting, "ben")
    assert words not in told(scene, "manager")


def test_the_duties_of_a_panel_cost_the_same_with_more_meetings(meeting: Meeting) -> None:
    hold(meeting)
    freeze(meeting)
    actor = meeting.scene.actor("chair")
    with statements() as few:
        queries.duties(actor, clock.now())
    second = planned(meeting.scene)
    hold(second)
    freeze(second)
    planned(meeting.scene)

    with statements() as many:
        assert len([duty for duty in queries.duties(actor, clock.now()) if "Sign" in duty.what]) == 2
    assert len(many) == len(few) <= 5


def test_money_that_came_free_is_a_duty_for_two_people_and_none_for_who_is_in_conflict(confirmed: Scene) -> None:
    look, second = "Look at the reserve list", "Confirm or return the move of"

    def has(who: str, words: str) -> bool:
        return any(what.startswith(words) for what in told(confirmed, who))

    assert not has("manager", look)
    dropped(confirmed, 0)
    assert has("manager", look)

    move = move_up(confirmed)
    assert not has("manager", look)
    assert (has("chair", second), has("manager", second)) == (True, False)
    barred = replace(confirmed.actor("chair"), bars=frozenset({("application", confirmed.application_ids[2])}))
    assert not [duty for duty in queries.duties(barred, clock.now()) if duty.what.startswith(second)]

    services.confirm_move(confirmed.actor("chair"), move.id)
    assert not has("chair", second) and not has("manager", look)
    assert db.session.query(SelectionItem).filter(SelectionItem.entry_id.is_not(None)).count() == 3


@pytest.mark.usefixtures("scored_world")
def test_a_proposed_move_of_a_score_waits_for_another_person_who_may_read_it(utter: Scene) -> None:
    propose(utter, 1, -2)
    words = "Confirm or return the move of the score of"

    def has(actor: Actor) -> bool:
        return any(duty.what.startswith(words) for duty in queries.duties(actor, clock.now()))

    second = utter.actor("officer")
    assert (has(second), has(utter.actor("chair"))) == (True, False)
    assert not has(replace(second, bars=frozenset({("application", utter.application_ids[1])})))


def test_the_letter_to_a_selected_applicant_says_its_condition_where_there_is_one(evaluated: Scene) -> None:
    about = {"reference": "A-1", "title": "Cool Courtyards", "call_title": "Small call", "amount": "EUR 5.00"}

    def letter(**more: str) -> str:
        return rendered_mail(evaluated.leads[0], "repeated_selected", {**about, **more}).text

    assert "reserved for it.\n\nIt is selected on this condition: Ethics check first\n\nThis is" in letter(
        conditions="Ethics check first"
    )
    # Letters that were queued before conditions were told have none.
    assert letter() == letter(conditions="") and "reserved for it.\n\nThis is" in letter()
