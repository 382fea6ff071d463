"""What people of evaluation must do next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from grants.applications.models import Application
from grants.calls.models import Call
from grants.core.db import among
from grants.core.duties import DUTIES_MAX, Duty, every, with_the_rest
from grants.core.permissions import Actor, Permission
from grants.core.together import EVERY, Asking, ask, reader, side_by_side
from grants.evaluation.models import Assessment, Assignment, ConflictDeclaration, Consensus, DetectedConflict, Evaluator
from grants.evaluation.queries.access import IN_EVALUATION, results_known, within
from grants.evaluation.queries.conflicts import must_declare, waits_for_ruling
from grants.evaluation.queries.consensus import to_write
from grants.evaluation.queries.detected import waits_for_decision_of
from grants.evaluation.queries.entities import entities_unasked
from grants.evaluation.queries.invitations import pool_duties
from grants.evaluation.queries.late import late_duties
from grants.evaluation.queries.score_sheets import my_seats
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity.models import User


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """Conflicts to declare, sheets, consensus, seats to fill, people to remind, doubts to rule on, found conflicts to decide about."""
    kinds = (
        (Permission.CONFLICT_DECLARE, _undeclared_duty),
        (Permission.ASSESSMENT_SCORE, _sheet_duties),
        (Permission.CONSENSUS_WRITE, _writing_duty),
        (Permission.ASSIGNMENT_DECIDE, _manager_duties),
        (Permission.CONFLICT_CONFIRM, _found_duties),
    )
    asked: list[Asking[Any]] = [kind(actor) for permission, kind in kinds if actor.can(permission)]
    if actor.can(Permission.ASSIGNMENT_DECIDE):
        asked.append(late_duties.asking(actor, at))
    found = yield from side_by_side([pool_duties.asking(actor, at), *asked])
    return tuple(duty for duties in found for duty in duties)


def _many(count: int, one: str, several: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {several}"


@reader
def unanswered(actor: Actor) -> Asking[int]:
    """About how many applications this person must still declare; one statement."""
    if not actor.can(Permission.CONFLICT_DECLARE):
        return 0
    mine = select(ConflictDeclaration.application_id).where(ConflictDeclaration.user_id == actor.user_id)
    ((count,),) = yield from ask(
        select(func.count())
        .select_from(Application)
        .where(
            Application.state.in_(IN_EVALUATION),
            must_declare(actor),
            or_(Application.id.not_in(mine), entities_unasked(actor.user_id)),
        )
    )
    return int(count)


def _undeclared_duty(actor: Actor) -> Asking[list[Duty]]:
    count = yield from unanswered.asking(actor)
    if not count:
        return []
    what = f"Declare whether you have a conflict of interest: {_many(count, 'application', 'applications')}"
    return [Duty(what, "You can open an application only after you have answered for it.", "Declare conflicts",
                 "evaluation.conflicts")]  # fmt: skip


def _sheet_duties(actor: Actor) -> Asking[list[Duty]]:
    seats = my_seats(actor).with_only_columns(
        Application.id, Assignment.due_at, Assessment.state.label("sheet"), Consensus.state.label("consensus")
    )
    rows = yield from ask(seats)
    open_ones = [row for row in rows if row.sheet != AssessmentState.SUBMITTED.value]
    to_agree = [row for row in rows if row.consensus == ConsensusState.PROPOSED.value and row not in open_ones]
    found = []
    if open_ones:
        due = min((row.due_at for row in open_ones if row.due_at), default=None)
        found.append(
            Duty(
                f"Assess {_many(len(open_ones), 'application', 'applications')}",
                "The ranking waits for your scores and reasons.",
                "Go to my assessments",
                "evaluation.assessments",
                due_at=due,
            )
        )
    agreed = yield from _agreed_by_me(actor, [row.id for row in to_agree])
    waiting = [row for row in to_agree if row.id not in agreed]
    if waiting:
        found.append(
            Duty(
                f"Read and agree the consensus of {_many(len(waiting), 'application', 'applications')}",
                "The ranking waits until every evaluator has agreed.",
                "Go to the consensus",
                "evaluation.consensus_list",
            )
        )
    return found


def _agreed_by_me(actor: Actor, application_ids: Sequence[UUID]) -> Asking[set[UUID]]:
    if not application_ids:
        return set()
    rows = yield from ask(
        select(Consensus.application_id, Consensus.agreed_by).where(among(Consensus.application_id, application_ids))
    )
    return {key for key, agreed in rows if any(entry["user_id"] == str(actor.user_id) for entry in agreed)}


def _writing_duty(actor: Actor) -> Asking[list[Duty]]:
    # Whoever assesses an application does not lead its consensus.
    assessing = (
        select(Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(Evaluator.user_id == actor.user_id, Assignment.state == SeatState.ACTIVE.value)
    )
    ((ready,),) = yield from ask(
        to_write(actor).where(Application.id.not_in(assessing)).with_only_columns(func.count())
    )
    if not ready:
        return []
    what = f"Write the consensus of {_many(ready, 'application', 'applications')}"
    return [Duty(what, "All assessments are in.", "Go to the consensus", "evaluation.consensus_list")]


def _manager_duties(actor: Actor) -> Asking[list[Duty]]:
    found: list[Duty] = []
    work = yield from ask(_call_work(actor))
    for slug, title, doubts, applications, seats, gone, per, _ in work:
        if doubts:
            found.append(
                Duty(
                    f"Rule on {_many(doubts, 'doubt', 'doubts')} about conflicts of interest, {title}",
                    "The application stays closed for the evaluator until then.",
                    "Go to the assignments", "evaluation.assignments", {"slug": slug},
                )
            )  # fmt: skip
        missing = max(0, applications * per - seats)
        left = f"Stepped down: {gone}. " if gone else ""
        if missing:
            found.append(
                Duty(
                    f"Fill {_many(missing, 'seat', 'seats')} of evaluators, {title}",
                    f"{left}Each of {_many(applications, 'application', 'applications')} needs {per} evaluators.",
                    "Go to the assignments", "evaluation.assignments", {"slug": slug},
                )
            )  # fmt: skip
    # One call may ask for two things.
    rest = every(work) - len(work)
    return with_the_rest(found, len(found) + rest, "Look at seats and doubts")


def _found_duties(actor: Actor) -> Asking[list[Duty]]:
    """What the program found that may be a conflict and nobody decided, by call; one statement."""
    waits = (
        select(Application.call_id, DetectedConflict.user_id, DetectedConflict.application_id)
        .join(Application, Application.id == DetectedConflict.application_id)
        .where(waits_for_decision_of(actor), not_(results_known()))
        .distinct()
        .subquery()
    )
    rows = yield from ask(
        select(Call.slug, Call.title, func.count().label("number"), EVERY)
        .join(waits, waits.c.call_id == Call.id)
        .group_by(Call.id)
        .order_by(Call.reference)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Decide about {_many(row.number, 'possible conflict', 'possible conflicts')} of interest, {row.title}",
            "Nobody new is seated there until then; a list that rests on such a sheet is not decided.",
            "Go to the conflicts found", "evaluation.detected", {"slug": row.slug},
        )
        for row in rows
    ]  # fmt: skip
    return with_the_rest(found, every(rows), "Decide about possible conflicts of interest")


def _call_work(actor: Actor) -> Select[Any]:
    """Calls with empty seats or with doubts nobody ruled on, with their applications and active seats.

    A call that asks for nothing is not among them: else it would take the place of one that does, and be counted. What the person is kept from counts nowhere. A doubt is a duty until it is ruled on, whatever became of its application.
    """
    mine = within(actor, Permission.ASSIGNMENT_DECIDE)
    doubts = (
        select(func.count(ConflictDeclaration.id))
        .join(Application, Application.id == ConflictDeclaration.application_id)
        .where(
            Application.call_id == Call.id,
            mine,
            waits_for_ruling(),
        )
        .scalar_subquery()
    )
    seats = (
        select(func.count(Assignment.id))
        .join(Application, Application.id == Assignment.application_id)
        .where(
            Application.call_id == Call.id,
            Application.state.in_(IN_EVALUATION),
            mine,
            Assignment.state == SeatState.ACTIVE.value,
        )
        .scalar_subquery()
    )
    gone = (
        select(func.string_agg(User.name, aggregate_order_by(literal(", "), User.name)))
        .join(Evaluator, Evaluator.user_id == User.id)
        .where(Evaluator.call_id == Call.id, Evaluator.stepped_down_at.is_not(None))
        .scalar_subquery()
    )
    in_evaluation = Application.state.in_(IN_EVALUATION)
    applications = func.count(Application.id).filter(in_evaluation)
    per = Call.content["fields"]["evaluation.evaluators_per_application"]["value"].as_integer()
    doubtful = (
        select(ConflictDeclaration.id)
        .where(ConflictDeclaration.application_id == Application.id, waits_for_ruling())
        .exists()
    )
    return (
        select(
            *(Call.slug, Call.title, doubts, applications, seats, gone, func.coalesce(per, 0), EVERY),
        )
        .join(Application, Application.call_id == Call.id)
        .where(or_(in_evaluation, doubtful), mine)
        .group_by(Call.id)
        .having(or_(doubts > 0, applications * func.coalesce(per, 0) > seats))
        .order_by(Call.reference)
        .limit(DUTIES_MAX)
    )
