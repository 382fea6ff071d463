"""Where things of evaluation lie, and who may open what: the conditions every query of this stage carries."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal, not_, or_, select

from grants.applications.models import Application
from grants.applications.queries import opens_when
from grants.applications.states import ApplicationState
from grants.calls.models import Call
from grants.core import faults
from grants.core.db import db, get, locked
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader
from grants.evaluation import rules
from grants.evaluation.models import Assessment, Assignment, ConflictDeclaration, Evaluator, ScoreShift
from grants.evaluation.states import AssessmentState, Declared, Ruling, SeatState

# States in which conflicts are declared and seats are given.
IN_EVALUATION = (ApplicationState.ELIGIBLE.value, ApplicationState.UNDER_EVALUATION.value)
# States after that: seats, sheets and doubts stand as they were.
EVALUATED = tuple(
    state.value
    for state in (
        ApplicationState.SELECTED, ApplicationState.RESERVE, ApplicationState.BELOW_THRESHOLD, ApplicationState.NOT_FUNDED,
        ApplicationState.IN_PREPARATION, ApplicationState.AWARDED, ApplicationState.DECLINED, ApplicationState.DROPPED,
    )
)  # fmt: skip
ROWS_MAX = 2_000


def call_scope(call_id: UUID) -> Scope:
    """A call, locked: what seats and declarations of its applications queue on."""
    return Scope.of(("call", locked(Call, call_id).id))


def application_scope(application_id: UUID) -> Scope:
    """An application, locked, in its call."""
    row = locked(Application, application_id)
    return Scope.of(("application", row.id), ("call", row.call_id))


def declaration_scope(declaration_id: UUID) -> Scope:
    """A declaration lies where its application lies. The call is locked first, as whoever declares or publishes does."""
    application_id = db.session.scalar(
        select(ConflictDeclaration.application_id).where(ConflictDeclaration.id == declaration_id)
    )
    if application_id is None:
        raise NotFound
    call_scope(get(Application, application_id).call_id)
    scope = application_scope(application_id)
    locked(ConflictDeclaration, declaration_id)
    return scope


def seat_scope(seat_id: UUID) -> Scope:
    """A seat lies where its application lies."""
    return application_scope(locked(Assignment, seat_id).application_id)


def shift_scope(shift_id: UUID) -> Scope:
    """A move of a score lies where its application lies."""
    return application_scope(get(ScoreShift, shift_id).application_id)


def within(actor: Actor, *permissions: Permission) -> ColumnElement[bool]:
    """The condition on :class:`Application` that one of the permissions holds there and no bar stands before it."""
    places: list[ColumnElement[bool]] = []
    for permission in permissions:
        if actor.everywhere(permission):
            places.append(literal(True))
        places.append(Application.id.in_(actor.places(permission, "application")))
        places.append(Application.call_id.in_(actor.places(permission, "call")))
    return and_(
        Application.id.not_in(actor.barred("application")),
        Application.call_id.not_in(actor.barred("call")),
        or_(literal(False), *places),
    )


def clear_for(user_id: UUID | None) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person declared no conflict, or was cleared: else nothing opens."""
    faults.point("conflict")
    return (
        select(ConflictDeclaration.id)
        .where(
            ConflictDeclaration.application_id == Application.id,
            ConflictDeclaration.user_id == user_id,
            or_(
                ConflictDeclaration.ruling == Ruling.CLEARED.value,
                and_(ConflictDeclaration.ruling.is_(None), ConflictDeclaration.declared == Declared.NONE.value),
            ),
        )
        .exists()
    )


# The pages of applications open to a panel by the same condition.
opens_when(clear_for)


@reader
def undeclared(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications that stay shut to a person who must declare: not declared, in doubt, or conflicted."""
    faults.point("conflict")
    if not actor.can(Permission.CONFLICT_DECLARE):
        return frozenset()
    clear = yield from ask(select(Application.id).where(Application.id.in_(application_ids), clear_for(actor.user_id)))
    return frozenset(application_ids) - {row.id for row in clear}


@reader
def conflicted(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications with which this person stands in conflict, by declaration or ruling."""
    faults.point("conflict")
    if not application_ids:
        return frozenset()
    rows = yield from ask(
        select(ConflictDeclaration.application_id, ConflictDeclaration.declared, ConflictDeclaration.ruling).where(
            ConflictDeclaration.user_id == actor.user_id, ConflictDeclaration.application_id.in_(application_ids)
        )
    )
    return frozenset(
        key for key, said, ruled in rows if rules.is_conflict(Declared(said), Ruling(ruled) if ruled else None)
    )


def readable(actor: Actor) -> ColumnElement[bool]:
    """Applications whose assessments this person may read whole: by role in scope; who must declare, has declared.

    Never where the same person still scores: whatever else they are, they score blind.
    """
    reads = and_(within(actor, Permission.ASSESSMENT_READ_ALL), not_(scores_now(actor)))
    return and_(reads, clear_for(actor.user_id)) if actor.can(Permission.CONFLICT_DECLARE) else reads


def scores_now(actor: Actor) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person holds a seat on it and has not submitted their sheet."""
    return (
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(
            Assignment.application_id == Application.id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == actor.user_id,
            Assessment.state.is_distinct_from(AssessmentState.SUBMITTED.value),
        )
        .exists()
    )


def declaration_of(user_id: UUID, application_id: UUID) -> tuple[Declared | None, Ruling | None]:
    """What a person declared about an application, and the ruling."""
    row = db.session.execute(
        select(ConflictDeclaration.declared, ConflictDeclaration.ruling).where(
            ConflictDeclaration.user_id == user_id, ConflictDeclaration.application_id == application_id
        )
    ).one_or_none()
    return (Declared(row[0]), Ruling(row[1]) if row[1] else None) if row else (None, None)


@reader
def declarations(application_ids: Iterable[UUID]) -> Asking[dict[tuple[UUID, UUID], tuple[Declared, Ruling | None]]]:
    """(person, application) to what was declared and ruled, in one statement."""
    rows = yield from ask(
        select(
            ConflictDeclaration.user_id,
            ConflictDeclaration.application_id,
            ConflictDeclaration.declared,
            ConflictDeclaration.ruling,
        ).where(ConflictDeclaration.application_id.in_(list(application_ids)))
    )
    return {(row[0], row[1]): (Declared(row[2]), Ruling(row[3]) if row[3] else None) for row in rows}


def refuse_conflict(user_id: UUID, application_id: UUID) -> None:
    """Raise :class:`NotFound` unless this person declared no conflict or was cleared. The last look before every deed."""
    faults.point("conflict")
    if not rules.stands_clear(*declaration_of(user_id, application_id)):
        raise NotFound


def own_seat(user_id: UUID | None, application_id: UUID) -> UUID | None:
    """The active seat this person holds on an application, if any."""
    return db.session.scalar(
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == user_id,
        )
    )


def refuse_own_seat(actor: Actor, application_id: UUID) -> None:
    """Raise :class:`NotAllowed` for whoever assesses an application: they neither lead its consensus nor manage its seats."""
    faults.point("four_eyes")
    if own_seat(actor.user_id, application_id) is not None:
        raise NotAllowed(
            "You assess this application yourself; somebody else leads its consensus and manages its seats."
        )


def refuse_closed(application: Application) -> None:
    """Raise :class:`Refused` when an application is no longer in evaluation."""
    if application.state not in IN_EVALUATION:
        word = application.state.replace("_", " ")
        raise Refused(f"{application.reference} is {word}; it is no longer in evaluation. Nothing was changed.")
