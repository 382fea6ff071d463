"""When a deadline moves, everybody at work on an application of that call is told, and nobody else."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import DeadlineInput
from grants.core import clock, jobs
from grants.core.db import db
from grants.identity import queries as identity
from tests.agreements.conftest import actor


def test_everybody_with_a_draft_is_told_that_the_deadline_moved(demo_app: Flask) -> None:
    (call,) = [view for view in calls.front_calls(clock.now()).now if "Warm homes" in view.title]
    assert call.closes_at is not None
    later = clock.in_zone(call.closes_at, call.zone).replace(tzinfo=None) + timedelta(days=7)
    call_services.extend_deadline(actor("manager"), call.id, DeadlineInput(later, "High demand", "One week more"))
    before = jobs.counts()
    jobs.work_off(actor_of=identity.actor_for)
    asked = db.session.scalars(select(jobs.Job.args).where(jobs.Job.args["template"].astext == "call_deadline_moved"))
    mail = identity.rendered_mail(actor("marek").user_id, "call_deadline_moved", asked.all()[0]["context"])

    told = {
        mail.to.email
        for mail in identity.mails(actor("administrator")).items
        if mail.template == "call_deadline_moved" and mail.to is not None
    }
    writing = ("irina", "marek", "paolo", "jaro", "eleni", "eleni.mayor", "mayor", "theresa")
    assert told == {f"{key}@demo.example" for key in writing}
    assert sum(jobs.counts().values()) == sum(before.values()) + len(writing)
    now_at, was_at = (f"{each.day} {each:%B %Y}, {each:%H:%M}" for each in (later, later - timedelta(days=7)))
    assert mail.subject.startswith(f"More time for {call.title}: the deadline is now {now_at}")
    assert f"It was: {was_at}" in mail.text


def test_a_notice_sent_again_after_a_later_one_tells_nobody(demo_app: Flask) -> None:
    (call,) = [view for view in calls.front_calls(clock.now()).now if "Warm homes" in view.title]
    assert call.closes_at is not None
    local = clock.in_zone(call.closes_at, call.zone).replace(tzinfo=None)
    for days in (7, 14):
        given = DeadlineInput(local + timedelta(days=days), "High demand", "More time")
        call_services.extend_deadline(actor("manager"), call.id, given)
    first_moved = 2

    assert call_services.tell_deadline_moved(actor("manager"), call.id, first_moved) == 0
    assert call_services.tell_deadline_moved(actor("manager"), call.id, first_moved + 1) > 0
