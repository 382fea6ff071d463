"""Two connections on one complaint at one moment: one of two deeds is done, and what stands afterwards is whole."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select

from grants.awards import services
from grants.awards.models import Complaint
from grants.core import clock
from grants.core.db import db, get
from grants.core.jobs import Job
from tests.awards.at_once import at_once
from tests.awards.test_complaints import DAY, ENDS, PUBLIC, REJECT, TICK, draft, reviewed, state, told, told_world
from tests.evaluation.scene import Scene

__all__ = ["told", "told_world"]


def of(found: UUID) -> Complaint:
    db.session.rollback()
    return get(Complaint, found)


def test_in_time_or_late_is_decided_by_the_moment_a_complaint_came_and_not_by_who_gets_the_lock(told: Scene) -> None:
    with clock.at(ENDS - DAY):
        found = draft(told)
    lead, version = told.actor("lead1"), of(found).version

    def send() -> object:
        return services.complaints.send(lead, found, version)

    became = at_once((ENDS - TICK, send), (ENDS, send))

    assert became in (["Conflict", "done"], ["Refused", "done"])
    assert (state(found), of(found).sent_at) == ("received", ENDS - TICK)


def test_of_two_deeds_on_one_proposal_the_second_is_told_that_something_else_stands(told: Scene) -> None:
    found = reviewed(told)
    petra, piet, lead = (told.actor(name) for name in ("petra", "piet", "lead1"))
    with clock.at(PUBLIC + 3 * DAY):
        services.reviewing.propose(petra, found, REJECT)
    version, now = of(found).version, PUBLIC + 4 * DAY
    other = replace(REJECT, text="Other words.")

    # What somebody confirms is what they read: a proposal that was changed meanwhile is not confirmed unseen.
    became = at_once(
        (now, lambda: services.reviewing.propose(petra, found, other, version)),
        (now, lambda: services.reviewing.return_decision(piet, found, "Say where.", version)),
    )
    assert became == ["Conflict", "done"]

    with clock.at(now):
        services.reviewing.propose(petra, found, REJECT)
    version = of(found).version
    became = at_once(
        (now, lambda: services.complaints.withdraw(lead, found, "We saw it.", version)),
        (now, lambda: services.reviewing.decide(piet, found, version)),
        (now, lambda: services.reviewing.decide(piet, found, version)),
    )
    assert became == ["Conflict", "Conflict", "done"]
    row = of(found)
    is_decided = row.state == "rejected"
    assert is_decided or row.state == "withdrawn"
    assert (row.letter is not None, row.decided_at is not None, row.withdrawn_at is None) == (is_decided,) * 3
    printed = select(func.count()).select_from(Job).where(Job.name == "jobs.documents.complaint_decision")
    assert db.session.scalar(printed) == int(is_decided)
