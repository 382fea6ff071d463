"""How the evaluators of a call score, read by who chairs it; never before their own sheets of the call are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, not_, select

from grants.applications.models import Application
from grants.applications.states import Origin
from grants.calls import queries as calls
from grants.core.errors import NotFound, Refused
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import rules
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Evaluator
from grants.evaluation.queries.access import EVALUATED, IN_EVALUATION, READS_SCORES, in_conflict
from grants.evaluation.queries.scoring import readable
from grants.evaluation.rules import EvaluatorSheet, ScoresByEvaluator
from grants.evaluation.states import AssessmentState, SeatState
from grants.identity.models import User

# As many as the advice reads.
SHEETS_MAX = 20_000
ACTIVE = Assignment.state == SeatState.ACTIVE.value


@reader
def scores_by_evaluator(actor: Actor, slug: str, page: Page) -> Asking[ScoresByEvaluator]:
    """The scores each evaluator gave, by name; :class:`NotFound` for who neither chairs nor audits the call. Two statements.

    What is shut to the reader counts in no figure, nor do sheets of people in conflict with the application.
    Raises :class:`Refused` where there are more sheets than are read: a figure of a part would be a wrong figure.
    """
    call = yield from calls.call.asking(actor, slug)
    place = Scope.of(("call", call.id))
    if not any(actor.may(permission, place) for permission in READS_SCORES):
        raise NotFound
    asked: list[Asking[Any]] = [_own_work(actor, call.id), _sheets(actor, call.id)]
    (own_open, in_pool), found = yield from side_by_side(asked)
    marking = call.content.marking
    if own_open or in_pool:
        # Whoever scores in this call, or may yet, scores blind: of how others score they learn nothing.
        return ScoresByEvaluator(call.slug, call.title, marking, own_open, in_pool, None, Rows(()))
    if len(found) > SHEETS_MAX:
        raise Refused(
            f"This call has more than {SHEETS_MAX:,} assessments, as many as these figures are worked out from; of a part "
            "they would be wrong. Open the applications in the list of consensus: each shows its assessments."
        )
    every, listed = rules.scores_by_evaluator(found, marking)
    after = [row for row in listed if row.key > (page.after or "")]
    rows = cut(after[: page.limit], page, key=lambda row: row.key, total=len(listed))
    # How severe somebody is, is for who chairs alone.
    chairs = actor.may(Permission.CONSENSUS_WRITE, place)
    if not chairs:
        rows = replace(rows, items=tuple(replace(row, against=None, compared=0) for row in rows.items))
    return ScoresByEvaluator(call.slug, call.title, marking, 0, False, every, rows, chairs)


def _own_work(actor: Actor, call_id: UUID) -> Asking[tuple[int, bool]]:
    """How many seats of this person in the call have no submitted sheet, and whether more may still come to them."""
    own = and_(Evaluator.call_id == call_id, Evaluator.user_id == actor.user_id)
    seats = (
        select(func.count(Assignment.id))
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(own, ACTIVE, Assessment.state.is_distinct_from(AssessmentState.SUBMITTED.value))
        .scalar_subquery()
    )
    here = exists().where(own, Evaluator.stepped_down_at.is_(None))
    goes_on = exists().where(Application.call_id == call_id, Application.state.in_(IN_EVALUATION))
    ((count, in_pool),) = yield from ask(select(seats, and_(here, goes_on)))
    return int(count), bool(in_pool)


def _sheets(actor: Actor, call_id: UUID) -> Asking[Sequence[EvaluatorSheet]]:
    rows = yield from ask(
        select(
            *(Assignment.evaluator_id, Assignment.application_id, User.name, User.handle),
            func.jsonb_object_agg(AssessmentScore.criterion, AssessmentScore.half).label("halves"),
        )
        .join(Application, Application.id == Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            *(Application.call_id == call_id, Application.origin == Origin.SUBMITTED_HERE.value),
            Application.state.in_((*IN_EVALUATION, *EVALUATED)),
            *(ACTIVE, Assessment.state == AssessmentState.SUBMITTED.value, AssessmentScore.half.is_not(None)),
            *(readable(actor), not_(in_conflict(Evaluator.user_id))),
        )
        .group_by(Assignment.id, Application.id, Evaluator.id, User.id)
        .order_by(User.name, User.handle, Assignment.id)
        .limit(SHEETS_MAX + 1)
    )
    return [EvaluatorSheet(row.evaluator_id, row.application_id, row.name, row.handle, row.halves) for row in rows]
