"""The official score of every application of a call, by the rule of the call; what is missing is said, never taken for zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from grants.calls.models import Call
from grants.calls.rules import CallContent
from grants.calls.states import ScoreMethod
from grants.core.together import Answer, Asking, Question, reader
from grants.evaluation import rules
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Consensus, ConsensusScore, ScoreShift
from grants.evaluation.rules import Gathered, OfficialScore
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState, ShiftState


def by_mean() -> ColumnElement[bool]:
    """Whether a call ranks by the mean of the marks, so that nobody writes a consensus; what its rules say in the row."""
    method = Call.content["fields"]["evaluation.scoring"]["value"]["method"].as_string()
    return func.coalesce(method == ScoreMethod.MEAN_PER_CRITERION.value, False)


@reader
def official_scores(content: CallContent, application_ids: Sequence[UUID]) -> Asking[dict[UUID, OfficialScore]]:
    """For each of these applications of one call its official score with its basis, or what is missing. One statement."""
    by_mean = content.scoring.method is ScoreMethod.MEAN_PER_CRITERION
    questions: list[Question] = [
        _sheets(application_ids),
        _sums(content, application_ids) if by_mean else _agreed(application_ids),
    ]
    # Also where the call knows no moves: a corrigendum may have taken away the bound a move stood on.
    questions.append(
        select(ScoreShift.application_id, ScoreShift.shift_half, ScoreShift.reason).where(
            ScoreShift.application_id.in_(application_ids), ScoreShift.state == ShiftState.CONFIRMED.value
        )
    )
    sheets, marks, shifts = yield questions
    seats: dict[UUID, int] = defaultdict(int)
    totals: dict[UUID, list[int]] = defaultdict(list)
    for application_id, submitted, total in sheets:
        seats[application_id] += 1
        if submitted:
            totals[application_id].append(int(total or 0))
    found = _of_sums(marks) if by_mean else _of_agreed(marks)
    moved = {application_id: (half, reason) for application_id, half, reason in shifts}
    results = {}
    for key in application_ids:
        gathered = found.get(key, {})
        standing = Gathered(seats=seats[key], submitted=len(totals[key]), **gathered)
        halves, basis, missing = rules.scored(standing, content.marking, content.evaluators_least)
        half, reason = moved.get(key, (0, ""))
        if beyond := rules.beyond_words(half, content.scoring):
            halves, basis, missing = None, "", beyond
        said = rules.shift_sentence(half, reason)
        results[key] = OfficialScore(key, halves, tuple(sorted(totals[key])), basis, missing, half, said)
    return results


def _sheets(application_ids: Sequence[UUID]) -> Question:
    """Each active seat with whether its sheet is submitted, and the unweighted sum of its marks."""
    return (
        select(
            *(Assignment.application_id, Assessment.id.is_not(None).label("submitted")),
            func.sum(AssessmentScore.half).label("total"),
        )
        .outerjoin(
            Assessment,
            and_(Assessment.assignment_id == Assignment.id, Assessment.state == AssessmentState.SUBMITTED.value),
        )
        .outerjoin(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(Assignment.application_id.in_(application_ids), Assignment.state == SeatState.ACTIVE.value)
        .group_by(Assignment.id, Assessment.id)
        .order_by(Assignment.id)
    )


def _sums(content: CallContent, application_ids: Sequence[UUID]) -> Question:
    """By application and criterion how many marks submitted sheets give, how many are on the scale, and their sum."""
    marking = content.marking
    on_scale = or_(
        *(
            and_(AssessmentScore.criterion == one.key, AssessmentScore.half.in_(marking.marks(one)))
            for one in marking.criteria
        )
    )
    return (
        select(
            *(Assignment.application_id, AssessmentScore.criterion, func.count(AssessmentScore.half).label("given")),
            func.count(case((on_scale, 1))).label("on_scale"),
            func.sum(AssessmentScore.half).label("total"),
        )
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.application_id.in_(application_ids),
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
        )
        .group_by(Assignment.application_id, AssessmentScore.criterion)
    )


def _agreed(application_ids: Sequence[UUID]) -> Question:
    """Each consensus with its state, and its marks once it is agreed."""
    return (
        select(Consensus.application_id, Consensus.state, ConsensusScore.criterion, ConsensusScore.half)
        .outerjoin(
            ConsensusScore,
            and_(ConsensusScore.consensus_id == Consensus.id, Consensus.state == ConsensusState.AGREED.value),
        )
        .where(Consensus.application_id.in_(application_ids))
    )


def _of_sums(rows: Answer) -> dict[UUID, Mapping[str, Any]]:
    found: dict[UUID, dict[str, tuple[int, int, int]]] = defaultdict(dict)
    for application_id, criterion, given, on_scale, total in rows:
        found[application_id][criterion] = (given, on_scale, int(total or 0))
    return {key: {"sums": sums} for key, sums in found.items()}


def _of_agreed(rows: Answer) -> dict[UUID, Mapping[str, Any]]:
    states: dict[UUID, ConsensusState] = {}
    agreed: dict[UUID, dict[str, int | None]] = defaultdict(dict)
    for application_id, state, criterion, half in rows:
        states[application_id] = ConsensusState(state)
        if criterion is not None:
            agreed[application_id][criterion] = half
    return {key: {"consensus": state, "agreed": agreed[key]} for key, state in states.items()}
