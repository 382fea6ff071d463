"""The consensus of an application, and the agreed scores the ranking takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import Criterion
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, reader
from grants.evaluation import rules
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Consensus, ConsensusScore, Evaluator
from grants.evaluation.queries.access import ROWS_MAX, clear_for, readable, within
from grants.evaluation.queries.applicants import cities_of, head_of
from grants.evaluation.queries.score_sheets import seats_of, sheets_of
from grants.evaluation.rules import AgreedScores, AgreedWords, ConsensusPage, ConsensusRow, MarkInput
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity.models import User


def _consensus_condition(actor: Actor) -> ColumnElement[bool]:
    """Applications whose consensus this person may open: by role, or as an evaluator whose own sheet is in."""
    own = (
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(
            Assignment.application_id == Application.id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == actor.user_id,
            Assessment.state == AssessmentState.SUBMITTED.value,
        )
        .exists()
    )
    return or_(readable(actor), and_(within(actor, Permission.CONSENSUS_AGREE), clear_for(actor.user_id), own))


def consensus_application(actor: Actor, reference: str) -> UUID:
    """The application of that reference, if this person may open its consensus; :class:`NotFound` otherwise."""
    found = db.session.scalar(
        select(Application.id).where(Application.reference == reference, _consensus_condition(actor))
    )
    if found is None:
        raise NotFound
    return found


def consensus_page(actor: Actor, reference: str) -> ConsensusPage:
    """Scores and words side by side with what is agreed; only submitted sheets are shown."""
    application = db.session.scalars(
        select(Application).where(Application.reference == reference, _consensus_condition(actor))
    ).one_or_none()
    if application is None:
        raise NotFound
    call = calls.call_by_id(application.call_id)
    criteria = call.content.criteria
    sheets = [view for _, view in sheets_of(application.id, criteria)]
    row = db.session.scalars(select(Consensus).where(Consensus.application_id == application.id)).one_or_none()
    people = seat_people(application.id)
    agreed = {UUID(entry["user_id"]) for entry in row.agreed_by} if row else set()
    state = ConsensusState(row.state) if row else None
    scope = Scope.of(("application", application.id), ("call", application.call_id))
    return ConsensusPage(
        head_of(application, call),
        criteria,
        call.content.scale.anchors,
        call.content.max_half,
        call.content.total_threshold_half,
        tuple(view for view in sheets if view.state is AssessmentState.SUBMITTED),
        len(people),
        state,
        _consensus_marks(row, criteria),
        row.text if row else "",
        (row.minority_view or "") if row else "",
        row.version if row else 0,
        tuple(name for user_id, name in people.items() if user_id in agreed),
        tuple(name for user_id, name in people.items() if user_id not in agreed),
        actor.may(Permission.CONSENSUS_WRITE, scope)
        and actor.user_id not in people
        and application.state == ApplicationState.UNDER_EVALUATION.value,
        state is ConsensusState.PROPOSED and actor.user_id in people and actor.user_id not in agreed,
    )


def agreed_words(application_id: UUID, criteria: Sequence[Criterion]) -> AgreedWords | None:
    """What the evaluators agreed to tell an application; None where no consensus is agreed. Who reads it is checked before."""
    row = db.session.scalars(
        select(Consensus).where(
            Consensus.application_id == application_id, Consensus.state == ConsensusState.AGREED.value
        )
    ).one_or_none()
    return AgreedWords(_consensus_marks(row, criteria), row.text) if row else None


def seat_people(application_id: UUID) -> dict[UUID, str]:
    """The people on the active seats of an application, by name."""
    rows = db.session.execute(
        select(User.id, User.name)
        .join(Evaluator, Evaluator.user_id == User.id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .where(Assignment.application_id == application_id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(User.name, User.id)
    )
    return {user_id: name for user_id, name in rows}


def _consensus_marks(row: Consensus | None, criteria: Sequence[Criterion]) -> tuple[MarkInput, ...]:
    if row is None:
        return ()
    scores = {
        score.criterion: MarkInput(score.criterion, score.half, score.comment)
        for score in db.session.scalars(select(ConsensusScore).where(ConsensusScore.consensus_id == row.id))
    }
    return tuple(scores.get(criterion.key, MarkInput(criterion.key, None)) for criterion in criteria)


def consensus_list(actor: Actor) -> tuple[ConsensusRow, ...]:
    """Applications whose consensus this person may open, widest disagreement first."""
    rows = db.session.execute(
        select(Application, Call.slug, Call.title, Consensus.state)
        .join(Call, Call.id == Application.call_id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(Application.state == ApplicationState.UNDER_EVALUATION.value, _consensus_condition(actor))
        .order_by(Application.reference)
        .limit(ROWS_MAX)
    ).all()
    ids = [row[0].id for row in rows]
    seats, cities, halves = seats_of(ids), cities_of(ids), _submitted_halves(ids)
    lines = []
    for application, slug, title, state in rows:
        by_criterion = halves.get(application.id, {})
        spread = max((rules.spread_half(given) or 0 for given in by_criterion.values()), default=0)
        sheets = max((len(given) for given in by_criterion.values()), default=0)
        line = ConsensusRow(
            application.id,
            application.reference,
            application.title,
            cities.get(application.id, ""),
            slug,
            title,
            seats.get(application.id, 0),
            sheets,
            rules.half_words(spread) if sheets > 1 else "",
            ConsensusState(state) if state else None,
        )
        lines.append((-spread, line))
    return tuple(line for _, line in sorted(lines, key=lambda pair: (pair[0], pair[1].reference)))


def to_write(actor: Actor) -> Select[Any]:
    """Applications whose every seat has its sheet in and whose consensus nobody proposed yet, among those of the list."""
    seats = (
        select(func.count(Assignment.id), func.count(Assessment.id))
        .outerjoin(
            Assessment,
            and_(Assessment.assignment_id == Assignment.id, Assessment.state == AssessmentState.SUBMITTED.value),
        )
        .where(Assignment.application_id == Application.id, Assignment.state == SeatState.ACTIVE.value)
        .having(func.count(Assignment.id) > 0, func.count(Assignment.id) == func.count(Assessment.id))
    )
    return (
        select(Application.id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(
            Application.state == ApplicationState.UNDER_EVALUATION.value,
            _consensus_condition(actor),
            or_(Consensus.state.is_(None), Consensus.state == ConsensusState.DRAFT.value),
            seats.exists(),
        )
    )


def _submitted_halves(application_ids: Sequence[UUID]) -> dict[UUID, dict[str, list[int]]]:
    """Submitted scores of the active seats: application, criterion, half points."""
    found: dict[UUID, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for application_id, criterion, half in db.session.execute(
        select(Assignment.application_id, AssessmentScore.criterion, AssessmentScore.half)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.application_id.in_(application_ids),
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
            AssessmentScore.half.is_not(None),
        )
        .order_by(Assignment.id)
    ):
        if half is not None:
            found[application_id][criterion].append(half)
    return found


@reader
def agreed_scores(application_ids: Sequence[UUID]) -> Asking[dict[UUID, AgreedScores]]:
    """For the ranking: agreed half points of each application, and the evaluators' unweighted totals beside them."""
    halves, sums = yield [
        select(Consensus.application_id, ConsensusScore.criterion, ConsensusScore.half)
        .join(ConsensusScore, ConsensusScore.consensus_id == Consensus.id)
        .where(Consensus.application_id.in_(application_ids), Consensus.state == ConsensusState.AGREED.value),
        select(Assignment.application_id, func.sum(AssessmentScore.half))
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.application_id.in_(application_ids),
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
        )
        .group_by(Assignment.application_id, Assessment.id)
        .order_by(Assessment.id),
    ]
    agreed: dict[UUID, dict[str, int]] = defaultdict(dict)
    for application_id, criterion, half in halves:
        if half is not None:
            agreed[application_id][criterion] = half
    totals: dict[UUID, list[int]] = defaultdict(list)
    for application_id, total in sums:
        totals[application_id].append(int(total or 0))
    return {
        key: AgreedScores(key, dict(agreed[key]) if key in agreed else None, tuple(sorted(totals[key])))
        for key in application_ids
    }
