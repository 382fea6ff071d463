"""What the total of a run loses without one of its seats: asked for by a person, worked out by a job, kept beside the run."""

from __future__ import annotations

import json
import zlib
from time import perf_counter
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import matching, queries, rules
from grants.evaluation.models import Assignment, AssignmentLoss, AssignmentRun, Evaluator

LOSS_JOB = "jobs.evaluation.work_out_loss"
NOT_IN_PART = (
    "An application of this call is closed to you, or you assess one yourself, and what the total would lose without a seat hangs on "
    "all of them. Somebody who sees the whole call can have it worked out."
)


@act(
    "assignment.request_loss",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="asked what the total of an assignment in {subject} would lose without one seat",
)
def request_loss(actor: Actor, call_id: UUID, seat_id: UUID) -> UUID:
    """Ask for the loss without a seat that a run gave; a job works it out, and is not asked for twice. Returns its id."""
    if queries.sees_a_part(actor, call_id):
        raise NotAllowed(NOT_IN_PART)
    seat = db.session.scalars(
        select(Assignment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(Assignment.id == seat_id, Evaluator.call_id == call_id)
    ).one_or_none()
    if seat is None or seat.application_id in queries.unseatable(actor, [seat.application_id]):
        raise NotFound
    if seat.run_id is None or not db.session.scalar(
        select(AssignmentRun.input.is_not(None)).where(AssignmentRun.id == seat.run_id)
    ):
        raise Refused(
            "No run gave this seat, or one from before the inputs of a run were kept: there is nothing to solve again."
        )
    acts.subject("call", call_id)
    last = jobs.latest(("assignment", seat_id), LOSS_JOB)
    if last is not None and not last.is_over:
        return last.id
    return jobs.queue(
        LOSS_JOB,
        subject=("assignment", seat_id),
        call_id=str(call_id),
        run_id=str(seat.run_id),
        application_id=str(seat.application_id),
        evaluator_id=str(seat.evaluator_id),
    )


def work_out_loss(actor: Actor, call_id: UUID, run_id: UUID, pair: matching.Pair) -> None:
    """Solve a run again without one of its seats and keep what that loses; nothing is held meanwhile.

    Safe to run twice: what is kept already is not worked out again.
    """
    if not actor.may(Permission.ASSIGNMENT_DECIDE, Scope.of(("call", call_id))) or queries.sees_a_part(actor, call_id):
        raise NotAllowed(NOT_IN_PART)
    if _kept(run_id, pair):
        return
    jobs.progress(0, 1, "Solving the assignment again without this seat")
    instance, found = _as_it_was(call_id, run_id)
    db.session.rollback()
    began = perf_counter()
    loss = matching.loss_without(instance, found, pair)
    keep_loss(actor, call_id, run_id, pair, loss, round((perf_counter() - began) * 1_000))


@act(
    "assignment.keep_loss",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="worked out what the total of an assignment in {subject} would lose without one seat",
)
def keep_loss(
    actor: Actor, call_id: UUID, run_id: UUID, pair: matching.Pair, loss: matching.Loss, milliseconds: int
) -> None:
    """Keep a loss beside its run, where another job did not meanwhile."""
    acts.subject("call", call_id)
    if not _kept(run_id, pair):
        db.session.add(
            AssignmentLoss(
                run_id=run_id, application_id=pair[0], evaluator_id=pair[1], least=loss.least, most=loss.most,
                moved=loss.moved, milliseconds=milliseconds,
            )
        )  # fmt: skip


def _kept(run_id: UUID, pair: matching.Pair) -> bool:
    asked = select(AssignmentLoss.id).where(
        AssignmentLoss.run_id == run_id,
        AssignmentLoss.application_id == pair[0],
        AssignmentLoss.evaluator_id == pair[1],
    )
    return db.session.scalar(asked) is not None


def _as_it_was(call_id: UUID, run_id: UUID) -> tuple[matching.Instance, matching.Matched]:
    """What a run was given and what came of it, from what is kept of it."""
    row = db.session.scalars(
        select(AssignmentRun).where(AssignmentRun.id == run_id, AssignmentRun.call_id == call_id)
    ).one()
    assert row.input is not None and row.objective is not None and row.bound is not None, "asked for of such runs alone"
    told: dict[str, Any] = json.loads(zlib.decompress(row.input))
    instance = matching.instance_of(told)
    pairs = tuple((UUID(application), UUID(evaluator)) for application, evaluator in row.certificate["seats"])
    return instance, matching.Matched(
        pairs, row.objective, row.bound, row.rounds, row.pairs_priced, matching.Certificate(),
        row.ideal if row.ideal is not None else row.bound, row.floor or 0, row.spread or 0,
        len(instance.standing & set(pairs)), "programme" if rules.SEARCHER in row.solver else "flow",
    )  # fmt: skip
