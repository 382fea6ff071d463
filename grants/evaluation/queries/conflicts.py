"""What people declare about applications, and what waits for a ruling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Label, and_, func, or_, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.core.db import among, db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation import rules
from grants.evaluation.models import (
    Assessment,
    Assignment,
    ConflictDeclaration,
    DetectedConflict,
    Evaluator,
    EvaluatorWish,
)
from grants.evaluation.queries.accepting import terms_accepted
from grants.evaluation.queries.access import EVALUATED, IN_EVALUATION, ROWS_MAX, declares_about, within
from grants.evaluation.queries.applicants import cities_of, consortia_of, head_of
from grants.evaluation.queries.entities import entity_rows, unsettled
from grants.evaluation.rules import ApplicationHead, ConflictPage, ConflictRow, Consortium, DoubtRow, EntityRow
from grants.evaluation.states import AssessmentState, Declared, DetectedKind, DetectedState, Ruling, SeatState
from grants.identity.models import Organisation, User

# What was found and nobody dismissed.
STANDS = (DetectedState.PROPOSED.value, DetectedState.CONFIRMED.value)


@reader
def conflict_pages(actor: Actor) -> Asking[tuple[ConflictPage, ...]]:
    """Every application this person must declare about, by call, open ones first; barred ones are gone. In two rounds."""
    declared = aliased(ConflictDeclaration)
    rows, found_about = yield from both(
        ask(
            select(
                *(Application.id, Application.call_id, Call.slug, Call.title, Call.reference.label("call_key")),
                *(declared.declared, declared.reason, declared.ruling),
                *(Evaluator.id.label("evaluator_id"), EvaluatorWish.wish, _own_seat()),
            )
            .join(Call, Call.id == Application.call_id)
            .outerjoin(Evaluator, and_(Evaluator.call_id == Application.call_id, Evaluator.user_id == actor.user_id))
            .outerjoin(
                EvaluatorWish,
                and_(EvaluatorWish.evaluator_id == Evaluator.id, EvaluatorWish.application_id == Application.id),
            )
            .outerjoin(declared, and_(declared.application_id == Application.id, declared.user_id == actor.user_id))
            .where(_declared_now(actor), must_declare(actor))
            # What was not answered stands first: where they are more than a page takes, each answer brings the next one.
            .order_by(declared.declared.is_not(None), Call.reference, Application.reference)
            .limit(ROWS_MAX)
        ),
        _found_about(actor),
    )
    ids = [row.id for row in rows]
    about_them: list[Asking[Any]] = [
        consortia_of.asking(ids), entity_rows.asking(actor.user_id, ids),
        unsettled.asking(actor.user_id, *IN_EVALUATION),
    ]  # fmt: skip
    consortia, entities, unsettled_ones = yield from side_by_side(about_them)
    about = {one.application_id: one for one in consortia}
    by_call: dict[UUID, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.call_key):
        by_call[row.call_id].append(row)
    pages = []
    for call_id, found in by_call.items():
        doubts = {standing_id for where, standing_id in unsettled_ones if where == call_id}
        ours = _entities_of([each for each in entities if each.call_id == call_id], found_about, doubts)
        lines = [_conflict_row(about[row.id], row, found_about.get(row.id, ""), ours) for row in found]
        lines.sort(key=lambda line: line.key)
        pages.append(ConflictPage(call_id, found[0].slug, found[0].title, tuple(lines), ours))
    return tuple(pages)


def _own_seat() -> Label[Any]:
    """How far the sheet of the person's own seat is, a draft where nothing was written; nothing without a seat."""
    return (
        select(func.coalesce(Assessment.state, AssessmentState.DRAFT.value))
        .select_from(Assignment)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(
            Assignment.evaluator_id == Evaluator.id,
            Assignment.application_id == Application.id,
            Assignment.state == SeatState.ACTIVE.value,
        )
        .limit(1)
        .scalar_subquery()
        .label("seat")
    )


def _entities_of(
    rows: Sequence[EntityRow], noticed: Mapping[UUID, str], doubts: Collection[UUID]
) -> tuple[EntityRow, ...]:
    """The organisations of one call, open ones first, each with what was noticed of its applications and is unsettled."""
    ours = [
        replace(
            row,
            noticed=any(key in noticed for key in row.application_ids),
            settled=row.organisation_id not in doubts,
        )
        for row in rows
    ]
    ours.sort(key=lambda row: not row.is_open)
    return tuple(ours)


def _declared_now(actor: Actor) -> ColumnElement[bool]:
    """Applications about which conflicts are declared: those in evaluation, and for whoever decides those on the reserve.

    Whoever only judged learns nothing from it: which application is on the reserve list may not be public yet.
    """
    decides = within(actor, Permission.SELECTION_DECIDE, Permission.SELECTION_CONFIRM)
    on_reserve = and_(Application.state == ApplicationState.RESERVE.value, decides)
    return or_(Application.state.in_(IN_EVALUATION), on_reserve)


def must_declare(actor: Actor) -> ColumnElement[bool]:
    """Applications this person declares about (``declares_about``), once they accepted the words of the call."""
    return and_(declares_about(actor), terms_accepted(actor.user_id, Application.call_id))


def may_declare(actor: Actor, call_id: UUID) -> frozenset[UUID]:
    """The applications of one call this person may declare about now."""
    found = db.session.scalars(
        select(Application.id).where(Application.call_id == call_id, _declared_now(actor), must_declare(actor))
    )
    return frozenset(found)


def _found_about(actor: Actor) -> Asking[dict[UUID, str]]:
    """By application what the program found between it and this person and nobody dismissed, in words.

    The same that waits for the manager: what a person reads here is what somebody decides about.
    """
    rows = yield from ask(
        select(DetectedConflict.application_id, DetectedConflict.kind, Organisation.name)
        .outerjoin(Organisation, Organisation.id == DetectedConflict.organisation_id)
        .where(DetectedConflict.user_id == actor.user_id, DetectedConflict.state.in_(STANDS))
        .order_by(DetectedConflict.kind, Organisation.name)
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for row in rows:
        words = rules.KIND_WORDS[DetectedKind(row.kind)]
        found[row.application_id].append(f"{words}, {row.name}" if row.name else words)
    return {key: "; ".join(dict.fromkeys(words)) for key, words in found.items()}


def _conflict_row(about: Consortium, stored: Any, noticed: str, entities: Sequence[EntityRow]) -> ConflictRow:
    return ConflictRow(
        about.application_id,
        about.reference,
        about.title,
        about.cities,
        noticed,
        Declared(stored.declared) if stored.declared else None,
        stored.reason or "",
        Ruling(stored.ruling) if stored.ruling else None,
        stored.evaluator_id is not None,
        stored.wish or 0,
        seat=AssessmentState(stored.seat) if stored.seat else None,
        waits_for=tuple(
            each.name for each in entities if each.is_open and about.application_id in each.application_ids
        ),
    )


@reader
def doubts_about(application_ids: Sequence[UUID]) -> Asking[tuple[DoubtRow, ...]]:
    """Doubts and conflicts of these applications, those without a ruling first."""
    return (yield from doubts_where(among(ConflictDeclaration.application_id, application_ids)))


def doubts_where(*wanted: ColumnElement[bool], most: int = ROWS_MAX) -> Asking[tuple[DoubtRow, ...]]:
    """Doubts and conflicts for which this holds: doubts that wait first, then conflicts without a ruling."""
    told = ConflictDeclaration
    rows = yield from ask(
        select(
            *(told.id, told.declared, told.reason, told.declared_at, told.ruling, told.ruling_reason, told.version),
            *(User.name, User.handle, Application.reference, Application.title, Application.state),
        )
        .join(User, User.id == ConflictDeclaration.user_id)
        .join(Application, Application.id == ConflictDeclaration.application_id)
        .where(
            or_(ConflictDeclaration.declared != Declared.NONE.value, ConflictDeclaration.ruling.is_not(None)),
            *wanted,
        )
        .order_by(~waits_for_ruling(), ConflictDeclaration.ruling.is_not(None), User.name, Application.reference)
        .limit(most)
    )
    return tuple(
        DoubtRow(
            row.id,
            row.name,
            row.handle,
            row.reference,
            row.title,
            Declared(row.declared),
            row.reason or "",
            row.declared_at,
            Ruling(row.ruling) if row.ruling else None,
            row.ruling_reason or "",
            row.version,
            row.state in IN_EVALUATION,
        )
        for row in rows
    )


@reader
def to_declare_in_office(actor: Actor, reference: str) -> Asking[ApplicationHead]:
    """The application an officer may say to be in conflict with; :class:`NotFound` out of scope."""
    rows = yield from ask(
        select(Application.id, Application.reference, Application.title, Application.call_id).where(
            Application.reference == reference,
            # What was published elsewhere went no way here, and its grant is paid all the same.
            or_(Application.submission_id.is_not(None), Application.state.in_(EVALUATED)),
            within(actor, Permission.CONFLICT_DECLARE_IN_OFFICE),
        )
    )
    if not rows:
        raise NotFound
    cities = yield from cities_of.asking([rows[0].id])
    return head_of(rows[0], cities.get(rows[0].id, ""), calls.call_by_id(rows[0].call_id))


def waiting_doubts(call_id: UUID) -> tuple[tuple[str, str], ...]:
    """Whose doubt about which application of a call waits for a ruling: name and reference."""
    rows = db.session.execute(
        select(User.name, Application.reference)
        .join(ConflictDeclaration, ConflictDeclaration.user_id == User.id)
        .join(Application, Application.id == ConflictDeclaration.application_id)
        .where(Application.call_id == call_id, waits_for_ruling())
        # All of them: an act refuses for the one it is about, which may be the last.
        .order_by(Application.reference, User.name)
    )
    return tuple((name, reference) for name, reference in rows)


def waits_for_ruling() -> ColumnElement[bool]:
    """The condition on :class:`ConflictDeclaration` that a person is unsure and nobody has ruled."""
    return and_(ConflictDeclaration.declared == Declared.UNSURE.value, ConflictDeclaration.ruling.is_(None))


def doubt(actor: Actor, slug: str, reference: str, handle: str) -> DoubtRow:
    """One declaration for the page where it is ruled on; :class:`NotFound` out of scope."""
    found = db.session.execute(
        select(Application.id, ConflictDeclaration.id)
        .join(ConflictDeclaration, ConflictDeclaration.application_id == Application.id)
        .join(User, User.id == ConflictDeclaration.user_id)
        .join(Call, Call.id == Application.call_id)
        .where(
            Call.slug == slug,
            Application.reference == reference,
            User.handle == handle,
            within(actor, Permission.CONFLICT_CONFIRM),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    rows = [row for row in doubts_about([found[0]]) if row.id == found[1]]
    if not rows:
        raise NotFound
    return rows[0]
