"""The job of the assignment: done as the person who asked, and again without adding anything."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from grants.core import jobs
from grants.core.db import db
from grants.core.jobs import JobState
from grants.evaluation import services
from grants.evaluation.models import AssignmentRun
from grants.evaluation.rules import RunInput
from grants.identity.queries import actor_for
from tests.evaluation.scene import Scene


@pytest.mark.usefixtures("declared_world")
def test_the_job_makes_the_run_that_was_asked_for(scene: Scene) -> None:
    for _ in range(2):
        job_id = services.request_run(scene.actor("manager"), scene.call_id, RunInput("2022", None))
        db.session.rollback()

        assert jobs.work(job_id, actor_of=actor_for, worker="tests") is JobState.DONE

    db.session.rollback()
    runs = db.session.scalars(select(AssignmentRun).order_by(AssignmentRun.number)).all()
    assert [(run.status, run.seats, run.seats_new) for run in runs] == [("solved", 9, 9), ("solved", 9, 0)]
    assert jobs.view(job_id).note == "Done"


@pytest.mark.usefixtures("declared_world")
def test_what_a_run_tells_while_it_is_made_counts_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(jobs, "progress", lambda done, total, note: told.append(note))

    scene.assign()

    # Whoever assigns in the call reads it, also who is kept from one of its applications.
    assert len(told) == 5 and not any(each.isdigit() for note in told for each in note), told
