"""The pages of an evaluator: what to assess, one score sheet beside the application."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Uuid, bindparam, func, select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView, Criterion
from grants.core import clock, faults
from grants.core.db import among, as_sent, db, ids_sent
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, Given, ask, both, reader, side_by_side
from grants.evaluation.models import (
    Assessment,
    AssessmentScore,
    Assignment,
    ConflictDeclaration,
    Consensus,
    Evaluator,
    SheetPlace,
)
from grants.evaluation.queries.access import clear_for, places_given, within, within_given
from grants.evaluation.queries.applicants import cities_of, head_of
from grants.evaluation.rules import (
    AssessmentPage,
    AssessmentRow,
    MarkInput,
    Place,
    SheetView,
    next_of,
    of_now,
    pace_minutes,
    patterns_of,
)
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity.models import User


def my_seats(actor: Actor) -> Any:
    """Seats of this person that are open to them: active, in scope, declared clear, not barred."""
    return _seats(actor.user_id, within(actor, Permission.ASSESSMENT_SCORE), clear_for(actor.user_id))


@functools.cache
def _my_seats() -> Select[Any]:
    """What :func:`my_seats` asks, put together once: every page of a sheet asks it."""
    person = bindparam("user_id", type_=Uuid)
    clear = clear_for(person, bindparam("at", type_=DateTime(timezone=True)))
    found: Select[Any] = _seats(person, within_given(), clear).order_by(Application.reference)
    return found


def _seats(person: Any, *conditions: ColumnElement[bool]) -> Any:
    return (
        select(
            *(Application.id, Application.reference, Application.title, Application.call_id, Application.submission_id),
            *(Call.slug, Call.title.label("call_title"), Assignment.id.label("seat_id"), Assignment.due_at),
            *(Assessment.id.label("sheet_id"), Assessment.state.label("sheet"), Assessment.submitted_at),
            Consensus.state.label("consensus"),
            *(SheetPlace.answer, SheetPlace.answer_offset, SheetPlace.field, SheetPlace.field_offset),
            *(SheetPlace.seconds, SheetPlace.skipped_at, SheetPlace.at.label("worked_at")),
        )
        .join(Assignment, Assignment.application_id == Application.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(Call, Call.id == Application.call_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .outerjoin(SheetPlace, SheetPlace.assignment_id == Assignment.id)
        .where(
            Evaluator.user_id == person,
            Assignment.state == SeatState.ACTIVE.value,
            *conditions,
        )
    )


@reader
def assessments(actor: Actor) -> Asking[tuple[AssessmentRow, ...]]:
    """What this person assesses: unfinished first, then by deadline and reference. Two statements."""
    lines, _ = yield from _lines((yield from _seats_of(actor)))
    return lines


def _seats_of(actor: Actor) -> Asking[Sequence[Any]]:
    # All of them, at most ``POOL_LOAD_MAX`` in a call: seats of calls long past would push the newest behind a limit.
    faults.point("conflict")
    places = places_given(actor, Permission.ASSESSMENT_SCORE)
    return (yield from ask(Given(_my_seats(), {**places, "user_id": actor.user_id, "at": clock.now()})))


def _lines(rows: Sequence[Any]) -> Asking[tuple[tuple[AssessmentRow, ...], Mapping[UUID, CallView]]]:
    """The own list from the open seats, and their calls; one statement."""
    about: list[Asking[Any]] = [
        _own_marks([row.sheet_id for row in rows if row.sheet_id]),
        calls.call_views.asking({row.call_id for row in rows}),
        cities_of.asking([row.id for row in rows]),
    ]
    marks, views, cities = yield from side_by_side(about)
    marking = {key: view.content.marking for key, view in views.items()}
    lines = [
        AssessmentRow(
            row.id,
            row.reference,
            row.title,
            cities.get(row.id, ""),
            row.slug,
            row.call_title,
            AssessmentState(row.sheet) if row.sheet else None,
            sum(half is not None for half in marks[row.sheet_id].values()),
            len(marking[row.call_id].criteria),
            row.due_at,
            row.submitted_at,
            ConsensusState(row.consensus) if row.consensus else None,
            marking[row.call_id],
            tuple((each, marks[row.sheet_id].get(each.key)) for each in marking[row.call_id].criteria),
            row.seconds or 0,
            row.skipped_at,
            row.worked_at,
        )
        for row in rows
    ]
    return tuple(sorted(lines, key=lambda line: (line.state is AssessmentState.SUBMITTED, line.reference))), views


def _own_marks(assessment_ids: Sequence[UUID]) -> Asking[dict[UUID | None, dict[str, int | None]]]:
    """By sheet the half points of each criterion."""
    rows = yield from ask(Given(_marks_of(), {"sheets": as_sent(assessment_ids)}))
    found: dict[UUID | None, dict[str, int | None]] = defaultdict(dict)
    for assessment_id, criterion, half in rows:
        found[assessment_id][criterion] = half
    return found


@functools.cache
def _marks_of() -> Select[UUID, str, int | None]:
    score = AssessmentScore
    return select(score.assessment_id, score.criterion, score.half).where(
        among(score.assessment_id, ids_sent("sheets"))
    )


def application_id_of(actor: Actor, reference: str) -> UUID:
    """The application of that reference, if this person has an open seat on it; :class:`NotFound` otherwise."""
    row = db.session.execute(my_seats(actor).where(Application.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    found: UUID = row.id
    return found


def seat_application(actor: Actor, reference: str) -> UUID:
    """The application of that reference if this person holds a seat on it, for an act that asks everything else itself."""
    found: UUID | None = db.session.scalar(_seat_of(), {"reference": reference, "user_id": actor.user_id})
    if found is None:
        raise NotFound
    return found


@functools.cache
def _seat_of() -> Select[Any]:
    """What :func:`seat_application` asks, put together once: every save while one scores begins with it."""
    return (
        select(Application.id)
        .join(Assignment, Assignment.application_id == Application.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Application.reference == bindparam("reference"),
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == bindparam("user_id"),
        )
    )


def own_open_seat(actor: Actor, reference: str) -> str:
    """The same reference where this person assesses that application and it is open to them; empty elsewhere."""
    found = db.session.execute(my_seats(actor).where(Application.reference == reference)).first()
    return reference if found else ""


@reader
def assessment_page(actor: Actor, reference: str) -> Asking[AssessmentPage]:
    """The split screen of one application, in two statements; :class:`NotFound` without an open seat."""
    # The whole own list at once: the page tells how far it is, and which is next.
    rows = yield from _seats_of(actor)
    seat = next((row for row in rows if row.reference == reference), None)
    if seat is None:
        raise NotFound
    submitted = seat.sheet == AssessmentState.SUBMITTED.value
    about: list[Asking[Any]] = [
        # Blind until the own sheet is in: the others are not even read from the database before that.
        _stored_sheets(seat.id, only=None if submitted else seat.seat_id),
        _lines(rows),
        # How many are still to come is told to whoever has sent their own.
        seats_of.asking([seat.id] if submitted else []),
        applications.shared_clarifications.asking(seat.id),
        _declared(actor, seat.id),
    ]
    stored, (progress, views), seats, clarified, declared = yield from side_by_side(about)
    call = views[seat.call_id]
    read = _sheets(stored, call)
    own = next((view for seat_id, view in read if seat_id == seat.seat_id), _empty_sheet(actor.name))
    others = tuple(
        view for seat_id, view in read if seat_id != seat.seat_id and view.state is AssessmentState.SUBMITTED
    )
    elsewhere = [line for line in progress if line.reference != reference]
    cities = next(line.cities for line in progress if line.reference == reference)
    # How far one is counts as on the own list: in what is going on, or for a sheet of before among those of before.
    listed = next(part for part in of_now(progress) if any(line.reference == reference for line in part))
    state = ConsensusState(seat.consensus) if seat.consensus else None
    return AssessmentPage(
        head_of(seat, cities, call),
        seat.submission_id,
        clarified,
        call.content.criteria,
        call.content.marking,
        call.content.total_threshold_half,
        own,
        others,
        seats.get(seat.id, 0) - 1 - len(others) if submitted else 0,
        seat.due_at,
        _locked_words(state, submitted),
        state,
        sum(line.state is AssessmentState.SUBMITTED for line in listed),
        len(listed),
        next_of(elsewhere),
        patterns_of([line for line in elsewhere if line.call_slug == seat.slug], call.content.marking),
        pace_minutes(progress),
        Place(seat.answer or "", seat.answer_offset or 0, seat.field or "", seat.field_offset or 0),
        *declared,
    )


def _declared(actor: Actor, application_id: UUID) -> Asking[tuple[datetime | None, datetime | None]]:
    """When this person declared about an application, and when that was ruled on."""
    rows = yield from ask(Given(_told(), {"user_id": actor.user_id, "application_id": application_id}))
    return (rows[0].declared_at, rows[0].ruled_at) if rows else (None, None)


@functools.cache
def _told() -> Select[datetime, datetime | None]:
    told = ConflictDeclaration
    return select(told.declared_at, told.ruled_at).where(
        told.user_id == bindparam("user_id", type_=Uuid), told.application_id == bindparam("application_id", type_=Uuid)
    )


def call_and_sheets(call_id: UUID, application_id: UUID) -> Asking[tuple[CallView, list[tuple[UUID, SheetView]]]]:
    """A call, and the sheets of one of its applications in the order of its criteria; one statement."""
    call, stored = yield from both(calls.call_by_id.asking(call_id), _stored_sheets(application_id))
    return call, _sheets(stored, call)


def _sheets(stored: tuple[Sequence[Any], Sequence[Any]], call: CallView) -> list[tuple[UUID, SheetView]]:
    rows, scores = stored
    marks: dict[UUID, dict[str, MarkInput]] = defaultdict(dict)
    for score in scores:
        marks[score.assessment_id][score.criterion] = MarkInput(score.criterion, score.half, score.comment)
    return [(row.seat_id, _sheet(row, marks.get(row.id, {}), call.content.criteria)) for row in rows]


def _locked_words(consensus: ConsensusState | None, submitted: bool) -> str:
    if consensus is ConsensusState.AGREED:
        return "The consensus is agreed; assessments of this application no longer change."
    return (
        "You have submitted this assessment. The programme manager can reopen it: ask through Help."
        if submitted
        else ""
    )


def _empty_sheet(name: str) -> SheetView:
    return SheetView(None, name, AssessmentState.DRAFT, (), "", 0, None, None)


def _stored_sheets(application_id: UUID, only: UUID | None = None) -> Asking[tuple[Sequence[Any], Sequence[Any]]]:
    """The sheets of the active seats with their seats, by name of the evaluator, and their scores; of one seat alone with ``only``."""
    values = {"application_id": application_id} | ({} if only is None else {"only": only})
    rows, scores = yield [Given(each, values) for each in _sheets_stored(only is not None)]
    return rows, scores


@functools.cache
def _sheets_stored(of_one: bool) -> tuple[Select[Any], Select[Any]]:
    """What :func:`_stored_sheets` asks, put together once."""
    statement = (
        select(
            *(Assignment.id.label("seat_id"), User.name, Assessment.id, Assessment.state, Assessment.remark),
            *(Assessment.version, Assessment.saved_at, Assessment.submitted_at, Assessment.numbers),
            Assessment.marks_before,
        )
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(
            Assignment.application_id == bindparam("application_id", type_=Uuid),
            Assignment.state == SeatState.ACTIVE.value,
        )
        .order_by(User.name, Assignment.id)
    )
    if of_one:
        statement = statement.where(Assignment.id == bindparam("only", type_=Uuid))
    of_these = statement.with_only_columns(Assessment.id).order_by(None)
    return statement, select(AssessmentScore).where(AssessmentScore.assessment_id.in_(of_these))


def _sheet(row: Any, marks: Mapping[str, MarkInput], criteria: Sequence[Criterion]) -> SheetView:
    ordered = tuple(marks.get(criterion.key, MarkInput(criterion.key, None)) for criterion in criteria)
    state = AssessmentState(row.state)
    return SheetView(
        row.id,
        row.name,
        state,
        ordered,
        row.remark,
        row.version,
        row.saved_at,
        row.submitted_at,
        row.numbers,
        row.marks_before or {},
    )


@reader
def seats_of(application_ids: Sequence[UUID]) -> Asking[dict[UUID, int]]:
    """How many active seats each application has."""
    if not application_ids:
        return {}
    rows = yield from ask(
        select(Assignment.application_id, func.count().label("seats"))
        .where(among(Assignment.application_id, application_ids), Assignment.state == SeatState.ACTIVE.value)
        .group_by(Assignment.application_id)
    )
    return {application_id: count for application_id, count in rows}
