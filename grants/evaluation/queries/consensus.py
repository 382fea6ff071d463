"""The consensus of an application, and the agreed scores the ranking takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls.models import Call
from grants.calls.rules import Criterion
from grants.core.db import among, db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation.models import (
    Assessment,
    AssessmentScore,
    Assignment,
    Consensus,
    ConsensusAnswer,
    ConsensusScore,
    ConsensusVersion,
    Evaluator,
)
from grants.evaluation.queries.access import clear_for, within
from grants.evaluation.queries.applicants import cities_of, head_of
from grants.evaluation.queries.official import by_mean
from grants.evaluation.queries.score_sheets import call_and_sheets
from grants.evaluation.queries.scoring import readable
from grants.evaluation.rules import AgreedWords, ConsensusPage, MarkInput
from grants.evaluation.states import Answer, AssessmentState, ConsensusState, SeatState
from grants.identity.models import User


def may_open(actor: Actor) -> ColumnElement[bool]:
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
    found = db.session.scalar(select(Application.id).where(Application.reference == reference, may_open(actor)))
    if found is None:
        raise NotFound
    return found


@reader
def consensus_page(actor: Actor, reference: str) -> Asking[ConsensusPage]:
    """Scores and words side by side with what is agreed, in two statements; only submitted sheets are shown."""
    found = yield from ask(
        select(Application.id, Application.reference, Application.title, Application.call_id, Application.state).where(
            Application.reference == reference, may_open(actor)
        )
    )
    if not found:
        raise NotFound
    application = found[0]
    about: list[Asking[Any]] = [
        call_and_sheets(application.call_id, application.id),
        _stored(application.id),
        seat_people.asking(application.id),
        cities_of.asking([application.id]),
        standing_answers.asking(application.id),
    ]
    (call, read), (row, scores), people, cities, (versions, said) = yield from side_by_side(about)
    criteria, sheets = call.content.criteria, [view for _, view in read]
    agreed = {UUID(entry["user_id"]) for entry in row.agreed_by} if row else set()
    state = ConsensusState(row.state) if row else None
    scope = Scope.of(("application", application.id), ("call", application.call_id))
    writes = (
        actor.may(Permission.CONSENSUS_WRITE, scope)
        and actor.user_id not in people
        and application.state == ApplicationState.UNDER_EVALUATION.value
    )
    return ConsensusPage(
        head_of(application, cities.get(application.id, ""), call),
        criteria,
        call.content.marking,
        call.content.total_threshold_half,
        tuple(view for view in sheets if view.state is AssessmentState.SUBMITTED),
        len(people),
        state,
        _marks(scores, criteria) if row else (),
        row.text if row else "",
        (row.minority_view or "") if row else "",
        row.version if row else 0,
        tuple(name for user_id, name in people.items() if user_id in agreed),
        tuple(name for user_id, name in people.items() if user_id not in agreed),
        writes,
        state is ConsensusState.PROPOSED and actor.user_id in people and actor.user_id not in agreed,
        _dissents(said, {user_id: name for user_id, name in people.items() if user_id not in agreed}),
        versions,
        state is ConsensusState.PROPOSED and actor.user_id in people,
        row.numbers if row else {},
        row.saved_at if row else None,
        state is ConsensusState.AGREED and writes,
        actor.user_id in people,
        call.content.evaluators_per_application,
        tuple(name for user_id, name in people.items() if user_id not in agreed | dissenting(said)),
    )


def dissenting(said: Sequence[Any]) -> set[UUID]:
    """Whose last answer to the words as they stand is that they hold something else."""
    last = {each.user_id: each.answer for each in said}
    return {user_id for user_id, answer in last.items() if answer == Answer.DISSENT.value}


def _dissents(said: Sequence[Any], people: Mapping[UUID, str]) -> tuple[tuple[str, str, datetime], ...]:
    """All that each of these people holds against the words as they stand, in order; what they agreed to after is held no more."""
    held: dict[UUID, list[Any]] = {}
    for each in said:
        if each.answer == Answer.DISSENT.value:
            held.setdefault(each.user_id, []).append(each)
        else:
            held.pop(each.user_id, None)
    return tuple(
        (people[user_id], each.words, each.answered_at)
        for user_id, words in held.items()
        for each in words
        if user_id in people
    )


@reader
def agreed_words(application_id: UUID, criteria: Sequence[Criterion]) -> Asking[AgreedWords | None]:
    """What the evaluators agreed to tell an application; None where no consensus is agreed. Who reads it is checked before."""
    row, scores = yield from _stored(application_id)
    if row is None or row.state != ConsensusState.AGREED.value:
        return None
    return AgreedWords(_marks(scores, criteria), row.text)


@reader
def agreed_before(application_id: UUID, criteria: Sequence[Criterion], at: datetime) -> Asking[AgreedWords | None]:
    """What stood as agreed at a moment when a consensus was, whatever was written since; None where none was.

    One that was proposed before versions were kept, and stands, is read as it stands.
    """
    versions, (row, scores) = yield from both(
        ask(
            select(ConsensusVersion.marks, ConsensusVersion.text)
            .join(Consensus, Consensus.id == ConsensusVersion.consensus_id)
            .where(Consensus.application_id == application_id, ConsensusVersion.written_at <= at)
            .order_by(ConsensusVersion.number.desc())
            .limit(1)
        ),
        _stored(application_id),
    )
    for version in versions:
        kept = {key: MarkInput(key, half, comment) for key, (half, comment) in version.marks.items()}
        return AgreedWords(tuple(kept.get(one.key, MarkInput(one.key, None)) for one in criteria), version.text)
    if row is None or row.state != ConsensusState.AGREED.value:
        return None
    return AgreedWords(_marks(scores, criteria), row.text)


@reader
def agreed_words_of(
    application_ids: Collection[UUID], criteria: Sequence[Criterion]
) -> Asking[dict[UUID, AgreedWords]]:
    """The same for many applications of one call in one statement; those without an agreed consensus are left out."""
    agreed = (among(Consensus.application_id, application_ids), Consensus.state == ConsensusState.AGREED.value)
    rows, scores = yield [
        select(Consensus.id, Consensus.application_id, Consensus.text).where(*agreed),
        select(ConsensusScore).join(Consensus, Consensus.id == ConsensusScore.consensus_id).where(*agreed),
    ]
    by_consensus: dict[UUID, list[Any]] = {row.id: [] for row in rows}
    for score in scores:
        by_consensus[score.consensus_id].append(score)
    return {row.application_id: AgreedWords(_marks(by_consensus[row.id], criteria), row.text) for row in rows}


@reader
def seat_people(application_id: UUID) -> Asking[dict[UUID, str]]:
    """The people on the active seats of an application, by name."""
    rows = yield from ask(
        select(User.id, User.name)
        .join(Evaluator, Evaluator.user_id == User.id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .where(Assignment.application_id == application_id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(User.name, User.id)
    )
    return {user_id: name for user_id, name in rows}


def _stored(application_id: UUID) -> Asking[tuple[Any, Sequence[Any]]]:
    """The row of a consensus, None where nobody wrote one, and its scores."""
    rows, scores = yield [
        select(Consensus).where(Consensus.application_id == application_id),
        select(ConsensusScore)
        .join(Consensus, Consensus.id == ConsensusScore.consensus_id)
        .where(Consensus.application_id == application_id),
    ]
    return next(iter(rows), None), scores


def _marks(found: Sequence[Any], criteria: Sequence[Criterion]) -> tuple[MarkInput, ...]:
    scores = {score.criterion: MarkInput(score.criterion, score.half, score.comment) for score in found}
    return tuple(scores.get(criterion.key, MarkInput(criterion.key, None)) for criterion in criteria)


@reader
def standing_answers(application_id: UUID) -> Asking[tuple[int, tuple[Any, ...]]]:
    """How many versions an application’s consensus has, and what was said to the last of them. One statement."""
    standing = (
        select(ConsensusVersion.id, ConsensusVersion.number)
        .join(Consensus, Consensus.id == ConsensusVersion.consensus_id)
        .where(Consensus.application_id == application_id)
        .order_by(ConsensusVersion.number.desc())
        .limit(1)
    )
    versions, answers = yield [
        standing,
        select(ConsensusAnswer.user_id, ConsensusAnswer.answer, ConsensusAnswer.words, ConsensusAnswer.answered_at)
        .where(ConsensusAnswer.version_id == standing.with_only_columns(ConsensusVersion.id).scalar_subquery())
        # All of them: who closes it goes by who said nothing.
        .order_by(ConsensusAnswer.answered_at, ConsensusAnswer.answer, ConsensusAnswer.id),
    ]
    return (versions[0].number if versions else 0), tuple(answers)


def all_sheets_in() -> ColumnElement[bool]:
    """Applications with seats, each of which has its sheet in."""
    return (
        select(func.count(Assignment.id), func.count(Assessment.id))
        .outerjoin(
            Assessment,
            and_(Assessment.assignment_id == Assignment.id, Assessment.state == AssessmentState.SUBMITTED.value),
        )
        .where(Assignment.application_id == Application.id, Assignment.state == SeatState.ACTIVE.value)
        .having(func.count(Assignment.id) > 0, func.count(Assignment.id) == func.count(Assessment.id))
        .exists()
    )


def to_write(actor: Actor) -> Select[Any]:
    """Applications whose every seat has its sheet in and whose consensus nobody proposed yet, among those of the list.

    None of a call that ranks by the mean of the marks.
    """
    return (
        select(Application.id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(
            Application.state == ApplicationState.UNDER_EVALUATION.value,
            may_open(actor),
            or_(Consensus.state.is_(None), Consensus.state == ConsensusState.DRAFT.value),
            all_sheets_in(),
            # Once a call and not once an application: it is read out of the whole content of a call.
            Application.call_id.not_in(select(Call.id).where(by_mean())),
        )
    )


def widest(*among: ColumnElement[bool]) -> Subquery:
    """How far apart the evaluators of each application are on the criterion they differ most on, in half points.

    Only of those where every seat has its sheet in: before that nobody reads what others gave.
    """
    half, seat = AssessmentScore.half, aliased(Assignment)
    by_criterion = (
        select(
            *(Assignment.application_id, (func.max(half) - func.min(half)).label("spread")),
            func.count(half).label("given"),
        )
        .join(Application, Application.id == Assignment.application_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
            *among,
        )
        .group_by(Assignment.application_id, AssessmentScore.criterion)
        .subquery()
    )
    seats = (
        select(func.count(seat.id))
        .where(seat.application_id == by_criterion.c.application_id, seat.state == SeatState.ACTIVE.value)
        .scalar_subquery()
    )
    return (
        select(by_criterion.c.application_id, func.max(by_criterion.c.spread).label("spread"))
        .group_by(by_criterion.c.application_id)
        .having(func.min(by_criterion.c.given) == seats)
        .subquery()
    )


@reader
def spreads(application_ids: Sequence[UUID]) -> Asking[dict[UUID, int]]:
    """How far apart the evaluators of each application are, by the rule of :func:`widest`. One statement."""
    found = widest(among(Assignment.application_id, application_ids))
    rows = yield from ask(select(found.c.application_id, found.c.spread))
    return {row.application_id: row.spread for row in rows}
