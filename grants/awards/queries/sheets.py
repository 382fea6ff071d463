"""The score sheets of a call as the advice reads them, its newest run, and the rank intervals a draw by lot goes by."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, and_, func, select

from grants.applications.models import Application
from grants.applications.states import Origin
from grants.awards.models import RankingRun
from grants.awards.ranking.variance import SCALE, Sheet
from grants.awards.states import AdviceKind
from grants.calls.rules import CallView, Intervals
from grants.core.errors import Refused
from grants.core.text import grouped
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Evaluator
from grants.evaluation.states import AssessmentState, SeatState

ROWS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class SheetsRead:
    """Every submitted sheet of a call as one score, and the references of applications that lack some."""

    sheets: tuple[Sheet, ...]
    incomplete: tuple[str, ...]


@reader
def sheets_read(call: CallView) -> Asking[SheetsRead]:
    """All applications of a call that are or were in evaluation, whatever became of them. One statement.

    Raises :class:`Refused` where there are more than it can take.

    Voided seats, and seats of people who stand in conflict with the application, declared or found, count for nothing.
    """
    seated = and_(Assignment.application_id == Application.id, Assignment.state == SeatState.ACTIVE.value)
    rows = yield from ask(
        select(
            Application.id,
            Application.reference,
            Evaluator.id.label("evaluator"),
            evaluation.in_conflict(Evaluator.user_id).label("conflicted"),
            func.jsonb_object_agg(AssessmentScore.criterion, AssessmentScore.half)
            .filter(AssessmentScore.half.is_not(None))
            .label("halves"),
        )
        .outerjoin(Assignment, seated)
        .outerjoin(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(
            Assessment,
            and_(Assessment.assignment_id == Assignment.id, Assessment.state == AssessmentState.SUBMITTED.value),
        )
        .outerjoin(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Application.call_id == call.id,
            Application.origin == Origin.SUBMITTED_HERE.value,
            Application.state.in_((*evaluation.IN_EVALUATION, *evaluation.EVALUATED)),
        )
        .group_by(Application.id, Evaluator.id, Assignment.id)
        .order_by(Application.reference, Evaluator.id, Assignment.id)
        .limit(ROWS_MAX + 1)
    )
    if len(rows) > ROWS_MAX:
        # Of a part the advice would be another one, and nobody could see that.
        raise Refused(
            f"The advice is worked out from at most {grouped(ROWS_MAX)} seats of evaluators, and this call has more. "
            "The official list needs no advice; for so large a call have it worked out elsewhere."
        )
    return _counted(call, rows)


def _counted(call: CallView, rows: Sequence[Any]) -> SheetsRead:
    weights = {one.key: one.weight for one in call.content.criteria}
    # In half points, as the marks are.
    most = call.content.marking.score_max * 2
    sheets: list[Sheet] = []
    needed: dict[str, int] = {}
    have: dict[str, int] = defaultdict(int)
    for row in rows:
        needed.setdefault(row.reference, call.content.evaluators_per_application)
        if row.conflicted:
            needed[row.reference] -= 1
            continue
        halves: Mapping[str, int] = row.halves or {}
        # A sheet without the score of a criterion is no zero: it is not counted.
        if set(halves) >= set(weights):
            total = sum((weights[key] * halves[key] for key in weights), Fraction(0))
            sheets.append(Sheet(str(row.id), str(row.evaluator), float(total / most * Fraction(SCALE))))
            have[row.reference] += 1
    return SheetsRead(tuple(sheets), tuple(key for key in sorted(needed) if have[key] < max(1, needed[key])))


def of_newest_run(call_id: ScalarSelect[UUID] | UUID) -> Select[RankingRun]:
    """The newest run of the advice of a call, as a statement."""
    return select(RankingRun).where(RankingRun.call_id == call_id).order_by(RankingRun.number.desc()).limit(1)


@reader
def newest_run(call_id: UUID) -> Asking[RankingRun | None]:
    """The newest run of the advice of a call; None where there is none."""
    rows = yield from ask(of_newest_run(call_id))
    return next(iter(rows), None)


def input_hash(read: SheetsRead, settings: dict[str, object]) -> bytes:
    """SHA-256 of everything the advice depends on, the same for any order of it."""
    sheets = sorted([one.application, one.evaluator, one.score] for one in read.sheets)
    said = json.dumps({"sheets": sheets, "incomplete": read.incomplete, "settings": settings}, sort_keys=True)
    return hashlib.sha256(said.encode()).digest()


def intervals_of(run: RankingRun | None, read: SheetsRead, references: Mapping[UUID, str]) -> Intervals:
    """The 50 % rank intervals of these applications by the newest run, if it is one of the sheets as they are."""
    if run is None or run.input_sha256 != input_hash(read, run.settings):
        return Intervals(why_not="none were worked out from the score sheets as they are", missing=True)
    rows = {row["id"]: row.get("half") for row in run.result.get("rows", ())}
    # Its reason names applications with too few sheets: it stands beside the advice, for those who may read it.
    if run.kind != AdviceKind.FULL.value or not all(rows.get(str(key)) for key in references):
        return Intervals(run.number, run.input_sha256.hex(), why_not=f"run {run.number} of the advice says why")
    each = sorted((reference, *rows[str(key)]) for key, reference in references.items())
    return Intervals(run.number, run.input_sha256.hex(), tuple(each))


@reader
def intervals_now(call: CallView, references: Mapping[UUID, str]) -> Asking[Intervals | None]:
    """The rank intervals a list of these applications is drawn by if it is decided now; None in a call that draws by none."""
    if call.content.draw is None or not call.content.draw.intervals:
        return None
    asked: list[Asking[Any]] = [newest_run.asking(call.id), sheets_read.asking(call)]
    try:
        run, read = yield from side_by_side(asked)
    except Refused:
        # The list itself needs no advice: it is shown, and only tied applications are drawn.
        return Intervals(why_not="the call has more seats than the advice is worked out from")
    return intervals_of(run, read, references)
