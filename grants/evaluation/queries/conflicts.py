"""What people declare about applications, and what waits for a ruling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader
from grants.evaluation import rules
from grants.evaluation.models import ConflictDeclaration, Evaluator, EvaluatorWish
from grants.evaluation.queries.access import IN_EVALUATION, ROWS_MAX, within
from grants.evaluation.queries.applicants import cities_of, consortia_of, head_of
from grants.evaluation.rules import ApplicationHead, ConflictPage, ConflictRow, Consortium, DoubtRow
from grants.evaluation.states import Declared, Ruling
from grants.identity.models import Membership, Organisation, User


@reader
def conflict_pages(actor: Actor) -> Asking[tuple[ConflictPage, ...]]:
    """Every application this person must declare about, by call, open ones first; barred ones are gone. Three statements."""
    assert actor.user_id is not None
    me, declared = actor.user_id, aliased(ConflictDeclaration)
    rows, (email, town) = yield from both(
        ask(
            select(
                *(Application.id, Application.call_id, Call.slug, Call.title),
                *(declared.declared, declared.reason, declared.ruling),
                *(Evaluator.id.label("evaluator_id"), EvaluatorWish.wish),
            )
            .join(Call, Call.id == Application.call_id)
            .outerjoin(Evaluator, and_(Evaluator.call_id == Application.call_id, Evaluator.user_id == actor.user_id))
            .outerjoin(
                EvaluatorWish,
                and_(EvaluatorWish.evaluator_id == Evaluator.id, EvaluatorWish.application_id == Application.id),
            )
            .outerjoin(declared, and_(declared.application_id == Application.id, declared.user_id == actor.user_id))
            .where(Application.state.in_(IN_EVALUATION), must_declare(actor))
            .order_by(Call.reference, Application.reference)
            .limit(ROWS_MAX)
        ),
        _own_address(actor),
    )
    about = {one.application_id: one for one in (yield from consortia_of.asking([row.id for row in rows]))}
    by_call: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_call[row.call_id].append(row)
    pages = []
    for call_id, found in by_call.items():
        lines = [
            _conflict_row(about[row.id], row, rules.noticed(actor.organisation_ids, email, me, town, about[row.id]))
            for row in found
        ]
        lines.sort(key=lambda line: (not line.is_open, line.reference))
        pages.append(ConflictPage(call_id, found[0].slug, found[0].title, tuple(lines)))
    return tuple(pages)


def must_declare(actor: Actor) -> ColumnElement[bool]:
    """Applications of the calls whose pool the person is in; for a panel, those whose assessments they may read."""
    pooled = Application.call_id.in_(select(Evaluator.call_id).where(Evaluator.user_id == actor.user_id))
    sees: ColumnElement[bool] = pooled
    if actor.can(Permission.ASSESSMENT_READ_ALL):
        sees = or_(pooled, within(actor, Permission.ASSESSMENT_READ_ALL))
    return and_(within(actor, Permission.CONFLICT_DECLARE), sees)


def may_declare(actor: Actor, call_id: UUID) -> frozenset[UUID]:
    """The applications of one call this person may declare about now."""
    found = db.session.scalars(
        select(Application.id).where(
            Application.call_id == call_id, Application.state.in_(IN_EVALUATION), must_declare(actor)
        )
    )
    return frozenset(found)


def _own_address(actor: Actor) -> Asking[tuple[str, str]]:
    """The own address and the town of the own organisation."""
    rows = yield from ask(
        select(User.email, Organisation.town)
        .outerjoin(Membership, and_(Membership.user_id == User.id, Membership.ends_before.is_(None)))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(User.id == actor.user_id)
        .order_by(Membership.starts_at)
        .limit(1)
    )
    return (rows[0].email, rows[0].town or "") if rows else ("", "")


def _conflict_row(about: Consortium, stored: Any, noticed: str) -> ConflictRow:
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
    )


@reader
def doubts_about(application_ids: Sequence[UUID]) -> Asking[tuple[DoubtRow, ...]]:
    """Doubts and conflicts of these applications, those without a ruling first."""
    told = ConflictDeclaration
    rows = yield from ask(
        select(
            *(told.id, told.declared, told.reason, told.declared_at, told.ruling, told.ruling_reason, told.version),
            *(User.name, User.handle, Application.reference, Application.title, Application.state),
        )
        .join(User, User.id == ConflictDeclaration.user_id)
        .join(Application, Application.id == ConflictDeclaration.application_id)
        .where(
            ConflictDeclaration.application_id.in_(application_ids),
            or_(ConflictDeclaration.declared != Declared.NONE.value, ConflictDeclaration.ruling.is_not(None)),
        )
        .order_by(ConflictDeclaration.ruling.is_not(None), User.name, Application.reference)
        .limit(ROWS_MAX)
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
            Application.submission_id.is_not(None),
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
        .order_by(Application.reference, User.name)
        .limit(ROWS_MAX)
    )
    return tuple((name, reference) for name, reference in rows)


def waits_for_ruling() -> ColumnElement[bool]:
    """The condition on :class:`ConflictDeclaration` that a person is unsure and nobody has ruled."""
    return and_(ConflictDeclaration.declared == Declared.UNSURE.value, ConflictDeclaration.ruling.is_(None))


@reader
def doubtful(actor: Actor, call_id: UUID) -> Asking[frozenset[UUID]]:
    """Applications of a call about which a doubt waits for a ruling, whatever became of them; barred ones are not told."""
    rows = yield from ask(
        select(Application.id)
        .join(ConflictDeclaration, ConflictDeclaration.application_id == Application.id)
        .where(
            Application.call_id == call_id,
            waits_for_ruling(),
            Application.id.not_in(actor.barred("application")),
        )
        .limit(ROWS_MAX)
    )
    return frozenset(row.id for row in rows)


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
