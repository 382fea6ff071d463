"""What the total of a run loses without one of its seats: worked out later by a job, kept beside the run, and right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from grants.applications.models import Application
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import NotAllowed, Refused
from grants.core.jobs import JobState
from grants.evaluation import matching, queries, rules, services
from grants.evaluation.matching import Instance, Loss, Matched, assign, loss_without, mixed
from grants.evaluation.models import Assignment, AssignmentLoss, AssignmentRun
from grants.evaluation.rules import RunInput
from grants.identity.models import Membership
from grants.identity.queries import actor_for
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_groups import EXAMPLES, aims, everything, instances, real_size
from tests.evaluation.test_runs_apart import asked_of
from tests.evaluation.test_views import text_of

RUN = RunInput("2022", None)


@settings(max_examples=EXAMPLES, deadline=None)
@given(instances())
def test_a_loss_solved_again_is_that_of_trying_everything(instance: Instance) -> None:
    found = assign(instance)
    if not isinstance(found, Matched):
        return
    able = [pairs for pairs in everything(instance) if not instance.floor or aims(instance, pairs)[0] >= found.floor]
    for pair in sorted(set(found.pairs) - instance.locked):
        others = [aims(instance, pairs)[1:3] for pairs in able if pair not in pairs]

        loss = loss_without(instance, found, pair)

        if not others:
            assert loss == Loss()
            continue
        kept, total = max(others)
        assert loss == Loss(found.total - total, found.total - total, found.kept - kept)


def test_of_a_large_call_the_loss_lies_between_what_was_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = real_size(applications=24, people=24)
    exact = assign(instance)
    assert isinstance(exact, Matched)
    pair = next(pair for pair in exact.pairs if pair not in instance.locked)
    small = loss_without(instance, exact, pair)
    assert small.least == small.most
    # Every call counts as large, and its search stops well before it has the best.
    monkeypatch.setattr(mixed, "ALL_PAIRS_MAX", 10)
    monkeypatch.setattr(mixed, "GAP", 0.02)

    loss = loss_without(instance, exact, pair)

    assert loss.least is not None and loss.most is not None and small.most is not None
    assert loss.least <= small.most <= loss.most


def without_losses(scene: Scene) -> dict[matching.Pair, matching.Explained]:
    """A run as of a call so large that no loss is told; what it would be is returned."""
    scene.declare_all()
    worked_out = services.work_out(asked_of(scene, RUN), assign)
    reasons = {pair: replace(one, loss=None) for pair, one in worked_out.reasons.items()}
    services.give_out(scene.actor("manager"), scene.call_id, RUN, replace(worked_out, reasons=reasons))
    return dict(worked_out.reasons)


def test_the_loss_of_a_seat_is_worked_out_when_somebody_asks(browser: Browser, scene: Scene) -> None:
    known = without_losses(scene)
    seat = db.session.scalars(select(Assignment).order_by(Assignment.id)).first()
    assert seat is not None
    reference = get(Application, seat.application_id).reference
    pair, run_id = (seat.application_id, seat.evaluator_id), seat.run_id
    handle = next(one.handle for one in queries.pool(scene.call_id) if one.id == seat.evaluator_id)
    path = f"/calls/{scene.slug}/assignments/{reference}/{handle}/why"
    assert "was not worked out in this run" in text_of(browser.get("manager", path))
    assert "Work it out" not in text_of(browser.get("auditor", path))

    for _ in range(2):
        assert browser.post("manager", path).status_code == 303
    (job,) = db.session.scalars(select(jobs.Job).where(jobs.Job.name == services.LOSS_JOB)).all()
    assert "is being solved again" in text_of(browser.get("manager", path))
    job_id = job.id
    db.session.rollback()
    assert jobs.work(job_id, actor_of=actor_for, worker="tests") is JobState.DONE

    db.session.rollback()
    (row,) = db.session.scalars(select(AssignmentLoss)).all()
    loss = known[pair].loss
    assert (row.run_id, row.least, row.most, row.moved) == (run_id, loss, loss, 0)
    shown = text_of(browser.get("manager", path))
    assert rules.SeatLoss(loss, loss, 0, 0).words in shown and "Work it out" not in shown
    # Once more it adds nothing; and what is kept stays as it is.
    services.work_out_loss(scene.actor("manager"), scene.call_id, row.run_id, pair)
    assert len(db.session.scalars(select(AssignmentLoss)).all()) == 1
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"), db.engine.connect() as connection:
        connection.exec_driver_sql("begin read write")
        connection.execute(text("UPDATE assignment_loss SET moved = 1"))


def test_nobody_who_sees_a_part_of_the_call_has_a_loss_worked_out(browser: Browser, scene: Scene) -> None:
    without_losses(scene)
    first, second, _ = scene.application_ids
    seat = db.session.scalars(select(Assignment).where(Assignment.application_id == second)).first()
    assert seat is not None and seat.run_id is not None
    seat_id, pair, run_id = seat.id, (seat.application_id, seat.evaluator_id), seat.run_id
    with arranging():
        city = get(Application, first).coordinator_id
        db.session.add(Membership(user_id=scene.people["manager"], organisation_id=city, starts_at=clock.now()))

    with pytest.raises(NotAllowed):
        services.request_loss(scene.actor("manager"), scene.call_id, seat_id)
    with pytest.raises(NotAllowed):
        services.work_out_loss(scene.actor("manager"), scene.call_id, run_id, pair)
    with pytest.raises(NotAllowed):
        services.request_loss(scene.actor("eva1"), scene.call_id, seat_id)


def test_a_seat_that_no_run_gave_has_no_loss_to_work_out(seated: Scene) -> None:
    first = seated.application_ids[0]
    leaver = seated.seats(first)[0]
    spare = next(name for name in seated.evaluators if name not in seated.seats(first))
    seated.release(leaver, first, "Ill")
    seated.give(spare, first, "They know it")
    seat = db.session.scalars(select(Assignment).where(Assignment.run_id.is_(None))).one()

    with pytest.raises(Refused, match="nothing to solve again"):
        services.request_loss(seated.actor("manager"), seated.call_id, seat.id)
    assert db.session.scalars(select(AssignmentRun)).one().input is not None


def test_a_loss_that_another_job_kept_meanwhile_stands(scene: Scene) -> None:
    without_losses(scene)
    seat = db.session.scalars(select(Assignment)).first()
    assert seat is not None and seat.run_id is not None
    pair, run_id = (seat.application_id, seat.evaluator_id), seat.run_id
    for loss in (Loss(3, 9), Loss(4, 4)):
        services.keep_loss(scene.actor("manager"), scene.call_id, run_id, pair, loss, 7)

    (row,) = db.session.scalars(select(AssignmentLoss)).all()
    assert (row.least, row.most, row.milliseconds) == (3, 9, 7)
