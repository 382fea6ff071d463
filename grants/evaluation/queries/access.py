"""Who may open what of evaluation: the conditions every query of this stage carries."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    cast,
    false,
    literal,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.engine import Row

from grants.applications.models import Application
from grants.applications.queries import opens_when
from grants.applications.states import ApplicationState
from grants.calls.models import Call
from grants.core import clock, faults
from grants.core.conditions import Maker, made_when_written
from grants.core.db import among, as_sent, db, ids_sent, not_among
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import Assignment, ConflictDeclaration, Evaluator
from grants.evaluation.queries.accepting import terms_accepted
from grants.evaluation.queries.conflict_rows import (
    IN_EVALUATION,
    About,
    Person,
    about,
    conflicts,
    conflicts_held,
    found_for,
    found_of,
    in_set,
    told_by,
)
from grants.evaluation.queries.entities import entity_doubts, unasked_members
from grants.evaluation.states import Declared, Ruling, SeatState
from grants.identity.models import User
from grants.identity.queries import Moment, shut_by

# Who reads of seats, of conflicts, of how people score: whoever decides there, and whoever audits, who changes nothing.
READS_ASSIGNMENTS = (Permission.ASSIGNMENT_DECIDE, Permission.AUDIT_READ)
READS_CONFLICTS = (Permission.CONFLICT_CONFIRM, Permission.AUDIT_READ)
READS_SCORES = (Permission.CONSENSUS_WRITE, Permission.AUDIT_READ)
# States after that: seats, sheets and doubts stand as they were.
EVALUATED = tuple(
    state.value
    for state in (
        ApplicationState.SELECTED, ApplicationState.RESERVE, ApplicationState.BELOW_THRESHOLD, ApplicationState.NOT_FUNDED,
        ApplicationState.IN_PREPARATION, ApplicationState.AWARDED, ApplicationState.DECLINED, ApplicationState.DROPPED,
    )
)  # fmt: skip
ROWS_MAX = 2_000


def within(actor: Actor, *permissions: Permission) -> ColumnElement[bool]:
    """The condition on :class:`Application` that one of the permissions holds there and no bar stands before it."""
    places: list[ColumnElement[bool]] = []
    for permission in permissions:
        if actor.everywhere(permission):
            places.append(literal(True))
        places.append(Application.id.in_(actor.places(permission, "application")))
        places.append(Application.call_id.in_(actor.places(permission, "call")))
    # Nobody judges, assigns or decides an application they act for, in whatever second role.
    own = actor.places(Permission.APPLICATION_READ, "application")
    return and_(
        Application.id.not_in(actor.barred("application") | own),
        Application.call_id.not_in(actor.barred("call")),
        or_(literal(False), *places),
    )


@functools.cache
def within_given() -> ColumnElement[bool]:
    """What :func:`within` says of one permission, put together once: with places for :func:`places_given`."""
    return and_(
        not_among(Application.id, ids_sent("kept_from")),
        not_among(Application.call_id, ids_sent("calls_kept_from")),
        or_(
            bindparam("everywhere", type_=Boolean),
            among(Application.id, ids_sent("applications")),
            among(Application.call_id, ids_sent("calls")),
        ),
    )


def places_given(actor: Actor, permission: Permission) -> dict[str, Any]:
    """What is sent with :func:`within_given`."""
    own = actor.places(Permission.APPLICATION_READ, "application")
    return {
        "kept_from": as_sent(actor.barred("application") | own),
        "calls_kept_from": as_sent(actor.barred("call")),
        "everywhere": actor.everywhere(permission),
        "applications": as_sent(actor.places(permission, "application")),
        "calls": as_sent(actor.places(permission, "call")),
    }


def clear_for(user_id: Person, at: Moment | None = None) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person declared no conflict, or was cleared: else nothing opens.

    Nor does it before they said so of each organisation of it, nor where a conflict was found that stands, or where the
    person or their organisation takes part, whatever was declared: that holds from the moment it is so. A statement
    that is put together once has places for both, and passes the fault point ``conflict`` itself each time it is asked.
    """
    faults.point("conflict")
    return _written(_clear_for, user_id, at)


def _clear_for(user_id: Person, now: Moment) -> ColumnElement[bool]:
    told, closing = _told_and_closing(user_id, now)
    # An evaluator reads nothing of a call before they have accepted the words that stand there.
    accepted = terms_accepted(user_id, Application.call_id)
    return and_(about(*told), *(not_(about(*each)) for each in closing), accepted)


def closed_to(user_id: Person) -> ColumnElement[bool]:
    """The contrary of :func:`clear_for`, as sets of ids that hang on no row: each is asked once for a thousand rows.

    Where the planner expects few of them it asks row by row what stands there otherwise, and took longer than for all the rest.
    """
    faults.point("conflict")
    return _written(_closed_to, user_id)


def _closed_to(user_id: Person, now: Moment) -> ColumnElement[bool]:
    told, closing = _told_and_closing(user_id, now)
    accepted = terms_accepted(user_id, Application.call_id)
    return or_(not_(in_set(*told)), *(in_set(*each) for each in closing), not_(accepted))


def _told_and_closing(user_id: Person, now: Moment) -> tuple[About, tuple[About, ...]]:
    """What must have been told of an application for it to open, and what closes it again."""
    clear = or_(
        ConflictDeclaration.ruling == Ruling.CLEARED.value,
        and_(ConflictDeclaration.ruling.is_(None), ConflictDeclaration.declared == Declared.NONE.value),
    )
    doubts = entity_doubts(user_id, Declared.CONFLICT, Declared.UNSURE)
    return told_by(user_id, clear), (unasked_members(user_id), doubts, *found_of(user_id, now))


def open_for(user_id: Person) -> ColumnElement[bool]:
    """The condition on :class:`Application` that nothing shuts it for somebody who is never asked to declare."""
    faults.point("conflict")
    return _written(_open_for, user_id)


def _open_for(user_id: Person, now: Moment) -> ColumnElement[bool]:
    doubt = or_(
        ConflictDeclaration.ruling == Ruling.CONFIRMED.value,
        and_(ConflictDeclaration.ruling.is_(None), ConflictDeclaration.declared != Declared.NONE.value),
    )
    entities = entity_doubts(user_id, Declared.CONFLICT, Declared.UNSURE)
    return and_(not_(about(*told_by(user_id, doubt))), not_(about(*entities)), _nothing_found(user_id, now))


def _nothing_found(user_id: Person, now: Moment) -> ColumnElement[bool]:
    """The condition on :class:`Application` that no conflict of this person was found and that they take no part in it."""
    return and_(*(not_(about(*each)) for each in found_of(user_id, now)))


def in_conflict(user_id: Person) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person stands in conflict with it: said so, found, or takes part."""
    faults.point("conflict")
    return _written(_in_conflict, user_id)


def _in_conflict(user_id: Person, now: Moment) -> ColumnElement[bool]:
    return or_(*(about(*each) for each in conflicts(user_id, now)))


def _written(maker: Maker, user_id: Person, at: Moment | None = None) -> ColumnElement[bool]:
    """Nearly every statement of this stage carries one of these: each is put together once. Nobody is a person too."""
    now = clock.now() if at is None else at
    return made_when_written(maker, cast(null(), Uuid) if user_id is None else user_id, now)


def _held_by(user_id: Person, now: Moment) -> ColumnElement[bool]:
    """What :func:`in_conflict` says of each, as sets of ids that hang on no row."""
    return or_(*(in_set(*each) for each in conflicts(user_id, now)))


# The pages of applications open to a panel by the first condition; by the second all is shut to everybody, like by a bar.
opens_when(clear_for)
shut_by(conflicts_held)


@reader
def undeclared(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications that stay shut to a person who must declare: not declared, in doubt, or conflicted."""
    faults.point("conflict")
    if not actor.can(Permission.CONFLICT_DECLARE):
        return frozenset()
    clear = yield from ask(
        select(Application.id).where(among(Application.id, application_ids), clear_for(actor.user_id))
    )
    return frozenset(application_ids) - {row.id for row in clear}


def declares_about(actor: Actor) -> ColumnElement[bool]:
    """Applications this person says something about, whatever their state: of the calls whose pool they are in; for a panel, those it reads.

    Whoever stepped down from a call declares about what they submitted there alone.
    """
    mine = select(Evaluator.call_id).where(Evaluator.user_id == actor.user_id)
    seats = (
        select(Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(Evaluator.user_id == actor.user_id, Assignment.state == SeatState.ACTIVE.value)
    )
    sees: ColumnElement[bool] = or_(
        Application.call_id.in_(mine.where(Evaluator.stepped_down_at.is_(None))),
        Application.id.in_(seats.where(Evaluator.stepped_down_at.is_not(None))),
    )
    if actor.can(Permission.ASSESSMENT_READ_ALL):
        sees = or_(sees, within(actor, Permission.ASSESSMENT_READ_ALL))
    return and_(within(actor, Permission.CONFLICT_DECLARE), sees)


def still_declares(actor: Actor) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person must declare about it and it does not open to them (yet).

    Whatever other office they have: who judges learns of its seats no sooner there than where they judge. What was never
    declared about by the time it was decided stays so.
    """
    if not actor.can(Permission.CONFLICT_DECLARE):
        return false()
    faults.point("conflict")
    # Of what was published elsewhere nobody declares; before it is eligible, neither.
    asked = and_(Application.state.in_((*IN_EVALUATION, *EVALUATED)), Application.submission_id.is_not(None))
    return and_(asked, declares_about(actor), closed_to(actor.user_id))


def still_declared_by(actor: Actor) -> Select[Any]:
    """Ids of what :func:`still_declares` holds of, as a set that hangs on no row."""
    return select(Application.id).where(still_declares(actor)).correlate(None)


@reader
def unseatable(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications whose seats this person changes nothing of: kept from for good, or still to declare about."""
    shut = yield from undecidable.asking(actor, (), application_ids)
    if not actor.can(Permission.CONFLICT_DECLARE):
        return shut
    rows = yield from ask(select(Application.id).where(among(Application.id, application_ids), still_declares(actor)))
    return shut | {row.id for row in rows}


@reader
def shut_to(
    actor: Actor, application_ids: Collection[UUID], undeclarable: Collection[UUID] = ()
) -> Asking[frozenset[UUID]]:
    """Those of these applications of which this person learns nothing, whatever their office.

    Barred, their own or their organisation’s, in a conflict they declared or that was found; and for who must declare,
    not declared. ``undeclarable`` are such as nobody declares about yet. Once the results of the call are public, and it is
    not assessed anew, only what they act for themselves stays apart, and for who judges what was shut before: the rest is known to everybody.
    """
    faults.point("conflict")
    return (yield from _shut(actor, application_ids, undeclarable, not_(results_known())))


@reader
def undecidable(
    actor: Actor, application_ids: Collection[UUID], undeclarable: Collection[UUID] = ()
) -> Asking[frozenset[UUID]]:
    """Those of these applications of which this person decides nothing: as :func:`shut_to`, and for good."""
    faults.point("conflict")
    return (yield from _shut(actor, application_ids, undeclarable, literal(True)))


def _shut(
    actor: Actor, application_ids: Collection[UUID], undeclarable: Collection[UUID], holds: ColumnElement[bool]
) -> Asking[frozenset[UUID]]:
    every = frozenset(application_ids) | frozenset(undeclarable)
    if not every:
        return frozenset()
    shut = and_(_written(_held_by, actor.user_id), holds)
    # Whoever judges learns no more of it than anybody, also when the results are public.
    if actor.can(Permission.CONFLICT_DECLARE):
        asked_nothing = frozenset(undeclarable) - frozenset(application_ids)
        shut = or_(shut, and_(not_among(Application.id, asked_nothing), closed_to(actor.user_id)))
    found = yield from ask(select(Application.id).where(among(Application.id, every), shut))
    own = actor.places(Permission.APPLICATION_READ, "application")
    return frozenset(row.id for row in found) | (every & (actor.barred("application") | own))


def results_known() -> ColumnElement[bool]:
    """The condition on :class:`Application` that the results of its call are public by now, and its own is no longer worked out.

    What is assessed anew after a complaint is like what is assessed for the first time until its outcome is settled.
    """
    public = (
        select(Call.id)
        .where(Call.id == Application.call_id, Call.results_public_at <= clock.now())
        .correlate_except(Call)
        .exists()
    )
    return and_(Application.state.not_in(IN_EVALUATION), public)


@reader
def shut_for(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications that do not open for this person: by what they said or not, and by what was found."""
    faults.point("conflict")
    opens = clear_for if actor.can(Permission.CONFLICT_DECLARE) else open_for
    rows = yield from ask(select(Application.id).where(among(Application.id, application_ids), opens(actor.user_id)))
    return frozenset(application_ids) - {row.id for row in rows}


@reader
def clear_people(
    people: Collection[UUID], application_ids: Collection[UUID], must_declare: Collection[UUID]
) -> Asking[frozenset[tuple[UUID, UUID]]]:
    """(person, application) of those to whom it opens, as :func:`shut_for` has it of one person."""
    opens = or_(
        and_(User.id.in_(must_declare), clear_for(User.id)),
        and_(User.id.not_in(must_declare), open_for(User.id)),
    )
    rows = yield from ask(
        select(User.id, Application.id.label("application_id"))
        .join(Application, among(Application.id, application_ids))
        .where(User.id.in_(people), opens)
    )
    return frozenset((row.id, row.application_id) for row in rows)


def found_conflict(user_id: UUID, application_id: UUID) -> bool:
    """Whether a conflict of this person with this application was found and stands, whatever they declared."""
    return bool(
        db.session.scalar(select(Application.id).where(Application.id == application_id, about(*found_for(user_id))))
    )


def refuse_conflict(user_id: UUID, application_id: UUID) -> None:
    """Raise :class:`NotFound` unless this person declared no conflict or was cleared. The last look before every deed."""
    faults.point("conflict")
    is_clear = db.session.scalar(select(Application.id).where(Application.id == application_id, clear_for(user_id)))
    if is_clear is None:
        raise NotFound


def refuse_closed(application: Application | Row[Any]) -> None:
    """Raise :class:`Refused` when an application, or the one whose state and reference a row has, is no longer in evaluation."""
    if application.state not in IN_EVALUATION:
        word = application.state.replace("_", " ")
        raise Refused(f"{application.reference} is {word}; it is no longer in evaluation. Nothing was changed.")
