"""The official score of every application of a call, by the rule of the call; what is missing is said, never taken for zero."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SelectBase, Text, and_, case, cast, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.calls.models import Call
from grants.calls.rules import CallContent
from grants.calls.states import ScoreMethod
from grants.core.db import among
from grants.core.together import Answer, Asking, ask, reader
from grants.evaluation import rules
from grants.evaluation.models import (
    Assessment,
    AssessmentScore,
    Assignment,
    Consensus,
    ConsensusScore,
    Evaluator,
    ScoreShift,
)
from grants.evaluation.queries.access import IN_EVALUATION, in_conflict
from grants.evaluation.rules import Gathered, OfficialScore
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState, ShiftState


def by_mean() -> ColumnElement[bool]:
    """Whether a call ranks by the mean of the marks, so that nobody writes a consensus; what its rules say in the row."""
    method = Call.content["fields"]["evaluation.scoring"]["value"]["method"].as_string()
    return func.coalesce(method == ScoreMethod.MEAN_PER_CRITERION.value, False)


# Which applications are asked about: the condition on a column that holds their ids.
Wanted = Callable[[Any], ColumnElement[bool]]


@reader
def official_scores(content: CallContent, application_ids: Sequence[UUID]) -> Asking[dict[UUID, OfficialScore]]:
    """For each of these applications of one call its official score with its basis, or what is missing. One statement."""

    def wanted(column: Any) -> ColumnElement[bool]:
        return among(column, application_ids)

    answers = yield [*score_questions(content, wanted), *score_questions_of_moment(content, wanted)]
    return scores_of(content, application_ids, answers)


@reader
def totals_at(
    content: CallContent, application_ids: Sequence[UUID], at: datetime
) -> Asking[dict[UUID, tuple[int, ...]]]:
    """Evaluators' unweighted totals as they stood at a moment, of those of these applications that lost a seat after it. One statement.

    A sheet stays as history with its seat; whatever was given since counts for later.
    """
    lost = aliased(Assignment)
    keys = [one.key for one in content.criteria]
    total = case((func.count(AssessmentScore.half) == len(keys), func.sum(AssessmentScore.half)))
    rows = yield from ask(
        select(Assignment.application_id, total.label("total"))
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .outerjoin(
            AssessmentScore,
            and_(AssessmentScore.assessment_id == Assessment.id, AssessmentScore.criterion.in_(keys)),
        )
        .where(
            among(Assignment.application_id, application_ids),
            Assessment.submitted_at <= at,
            or_(Assignment.voided_at.is_(None), Assignment.voided_at > at),
            exists().where(lost.application_id == Assignment.application_id, lost.voided_at > at),
        )
        .group_by(Assignment.application_id, Assignment.id, Assessment.id)
        .order_by(Assignment.application_id, Assignment.id)
    )
    found: dict[UUID, list[int]] = {}
    for row in rows:
        found.setdefault(row.application_id, []).extend([] if row.total is None else [int(row.total)])
    return {key: tuple(sorted(totals)) for key, totals in found.items()}


def score_questions(content: CallContent, wanted: Wanted) -> list[SelectBase]:
    """What is asked to tell official scores, before :func:`score_questions_of_moment`; :func:`scores_of` makes them of the answers."""
    by_mean = content.scoring.by_mean
    return [_sheets(content, wanted), _sums(content, wanted) if by_mean else _agreed(wanted)]


def score_questions_of_moment(content: CallContent, wanted: Wanted) -> list[SelectBase]:
    """Those that hang on the moment, in which a conflict may begin or end though nothing is written."""
    by_mean = content.scoring.by_mean
    # Also where the call knows no moves: a corrigendum may have taken away the bound a move stood on.
    return [*([_left(wanted)] if by_mean else ()), _shifts(wanted)]


def scores_of(
    content: CallContent, application_ids: Sequence[UUID], answers: Sequence[Answer]
) -> dict[UUID, OfficialScore]:
    """The official scores of these applications from the answers to these questions, in their order."""
    by_mean = content.scoring.by_mean
    sheets, marks, *others = answers
    left: dict[UUID, int] = {row[0]: row[1] for row in others.pop(0)} if by_mean else {}
    seats, in_by_now, changed = Counter[UUID](), Counter[UUID](), Counter[UUID]()
    totals: dict[UUID, list[int]] = {}
    for row in sheets:
        seats[row.application_id], in_by_now[row.application_id] = row.seats, row.submitted
        changed[row.application_id] = int(row.changed or 0)
        totals[row.application_id] = sorted(map(int, row.totals or ()))
    found = _of_sums(marks) if by_mean else _of_agreed(marks)
    moved = {row.application_id: row for row in others[0]}
    results = {}
    for key in application_ids:
        gathered = found.get(key, {})
        standing = Gathered(
            seats=seats[key], submitted=in_by_now[key], left=left.get(key, 0),
            asked=content.evaluators_per_application, **gathered,
        )  # fmt: skip
        halves, basis, missing = rules.scored(standing, content.marking, content.evaluators_least)
        shift = moved.get(key)
        half, said = (
            (0, "") if shift is None else (shift.shift_half, rules.shift_sentence(shift.shift_half, shift.reason))
        )
        if shift is not None and shift.tainted:
            halves, basis, half, said = None, "", 0, ""
            missing = missing or rules.SHIFT_TAINTED
        elif beyond := rules.beyond_words(half, content.scoring):
            halves, basis, missing = None, "", beyond
        results[key] = OfficialScore(key, halves, tuple(totals.get(key, ())), basis, missing, half, said, changed[key])
    return results


def _shifts(wanted: Wanted) -> SelectBase:
    """The moves two people stand behind; one is tainted while it is judged and one of the two turned out to have a conflict.

    Once the list is decided by two people, what was moved is the record of how.
    """
    tainted = and_(
        Application.state.in_(IN_EVALUATION),
        or_(in_conflict(ScoreShift.proposed_by), in_conflict(ScoreShift.decided_by)),
    )
    return (
        select(ScoreShift.application_id, ScoreShift.shift_half, ScoreShift.reason, tainted.label("tainted"))
        .join(Application, Application.id == ScoreShift.application_id)
        .where(wanted(ScoreShift.application_id), ScoreShift.state == ShiftState.CONFIRMED.value)
    )


def _left(wanted: Wanted) -> SelectBase:
    """By application how many submitted sheets left with their seat, for another reason than a conflict, and have no successor.

    A sheet that is in counts in the place of one that left where its seat was given afterwards; in the same deed, by hand.
    """
    after = aliased(Assignment)
    sheet = aliased(Assessment)
    afterwards = or_(
        after.created_at > Assignment.voided_at,
        and_(after.created_at == Assignment.voided_at, after.hand_reason.is_not(None)),
    )
    successors = (
        select(func.count())
        .select_from(after)
        .join(sheet, sheet.assignment_id == after.id)
        .where(
            after.application_id == Assignment.application_id,
            after.state == SeatState.ACTIVE.value,
            sheet.state == AssessmentState.SUBMITTED.value,
            afterwards,
        )
        .correlate(Assignment)
        .scalar_subquery()
    )
    seats = (
        select(Assignment.application_id, successors.label("successors"))
        .join(Application, Application.id == Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(
            wanted(Assignment.application_id),
            Assignment.state == SeatState.VOIDED.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
            not_(in_conflict(Evaluator.user_id)),
        )
        .subquery()
    )
    # The one that left first has the most successors: with as many of them as left, nobody is missing.
    return select(seats.c.application_id, func.count() - func.max(seats.c.successors)).group_by(seats.c.application_id)


def _sheets(content: CallContent, wanted: Wanted) -> SelectBase:
    """Of each application its active seats, how many of their sheets are submitted, and the unweighted sums of their marks.

    A sheet that lacks a mark has no sum. One row an application: a list of a thousand is made from it whenever anything was written.
    """
    keys = [one.key for one in content.criteria]
    of_call = and_(AssessmentScore.assessment_id == Assessment.id, AssessmentScore.criterion.in_(keys))
    total = case((func.count(AssessmentScore.half) == len(keys), func.sum(AssessmentScore.half)))
    was = Assessment.marks_before[AssessmentScore.criterion].astext
    sheets = (
        select(
            *(Assignment.application_id, Assessment.id.is_not(None).label("submitted")),
            total.label("total"),
            func.count(AssessmentScore.half).filter(was != cast(AssessmentScore.half, Text)).label("changed"),
        )
        .outerjoin(
            Assessment,
            and_(Assessment.assignment_id == Assignment.id, Assessment.state == AssessmentState.SUBMITTED.value),
        )
        .outerjoin(AssessmentScore, of_call)
        .where(wanted(Assignment.application_id), Assignment.state == SeatState.ACTIVE.value)
        .group_by(Assignment.id, Assessment.id)
        .subquery("sheets")
    )
    of = sheets.c
    return select(
        *(of.application_id, func.count().label("seats"), func.count().filter(of.submitted).label("submitted")),
        func.array_agg(of.total).filter(of.total.is_not(None)).label("totals"),
        func.sum(of.changed).label("changed"),
    ).group_by(of.application_id)


def _sums(content: CallContent, wanted: Wanted) -> SelectBase:
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
            wanted(Assignment.application_id),
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
        )
        .group_by(Assignment.application_id, AssessmentScore.criterion)
    )


def _agreed(wanted: Wanted) -> SelectBase:
    """Each consensus with its state, and its marks once it is agreed, criterion by criterion in two lists."""
    criterion = ConsensusScore.criterion
    there = criterion.is_not(None)
    return (
        select(
            *(Consensus.application_id, Consensus.state),
            func.array_agg(aggregate_order_by(criterion, criterion)).filter(there).label("criteria"),
            func.array_agg(aggregate_order_by(ConsensusScore.half, criterion)).filter(there).label("halves"),
        )
        .outerjoin(
            ConsensusScore,
            and_(ConsensusScore.consensus_id == Consensus.id, Consensus.state == ConsensusState.AGREED.value),
        )
        .where(wanted(Consensus.application_id))
        .group_by(Consensus.id)
    )


def _of_sums(rows: Answer) -> dict[UUID, Mapping[str, Any]]:
    found: dict[UUID, dict[str, tuple[int, int, int]]] = defaultdict(dict)
    for application_id, criterion, given, on_scale, total in rows:
        found[application_id][criterion] = (given, on_scale, int(total or 0))
    return {key: {"sums": sums} for key, sums in found.items()}


def _of_agreed(rows: Answer) -> dict[UUID, Mapping[str, Any]]:
    return {
        row.application_id: {
            "consensus": ConsensusState(row.state),
            "agreed": dict(zip(row.criteria or (), row.halves or (), strict=True)),
        }
        for row in rows
    }
