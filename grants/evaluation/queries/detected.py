"""What the program found that may be a conflict, for the manager’s page: by person and application, those that wait first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select, tuple_
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.paging import COUNTED_MAX, ROWS_ON_A_PAGE_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation.models import Assignment, ConflictDeclaration, DetectedConflict, Evaluator
from grants.evaluation.queries.access import IN_EVALUATION, READS_CONFLICTS, in_conflict, within
from grants.evaluation.rules import DetectedFact, DetectedPair, DetectedSearch
from grants.evaluation.states import DETECTED_SHOWN, Declared, DetectedKind, DetectedState, SeatState
from grants.identity.models import Organisation, User

# What joins a person and an application is found by these together, in this order.
_key = func.concat(Application.reference, " ", User.handle)


@reader
def detected_rows(
    actor: Actor, slug: str, search: DetectedSearch, asked: Page
) -> Asking[tuple[CallView, Rows[DetectedPair], Tally, Mapping[DetectedState, Tally]]]:
    """The pairs of a call with such a fact, in the order of references; how many wait in all, and how many of each state are so narrowed."""
    call = yield from _call_decided_in(actor, slug, READS_CONFLICTS)
    wanted = _narrowed(actor, call.id, search).order_by(_key).limit(asked.limit)
    if asked.after:
        wanted = wanted.where(_key > asked.after)
    asking: list[Asking[Any]] = [ask(wanted), detected_count.asking(actor, call.id), _tallies(actor, call.id, search)]
    rows, waiting, tallies = yield from side_by_side(asking)
    pairs = yield from _pairs([(row.user_id, row.application_id) for row in rows])
    shown = cut(pairs, asked, key=lambda pair: pair.key, total=tallies[search.state])
    return call, shown, waiting, tallies


@reader
def detected_picked(actor: Actor, slug: str, keys: Collection[str]) -> Asking[tuple[DetectedPair, ...]]:
    """The pairs of a call that were ticked, as far as they are this person's to decide about."""
    call = yield from _call_decided_in(actor, slug)
    mine = and_(_within_call(actor, call.id), DetectedConflict.state != DetectedState.GONE.value)
    rows = yield from ask(_pair_keys().where(mine, _key.in_(keys)).order_by(_key).limit(ROWS_ON_A_PAGE_MAX))
    return (yield from _pairs([(row.user_id, row.application_id) for row in rows]))


def _call_decided_in(
    actor: Actor, slug: str, permissions: Sequence[Permission] = (Permission.CONFLICT_CONFIRM,)
) -> Asking[CallView]:
    call = yield from calls.call.asking(actor, slug)
    if not any(actor.may(permission, Scope.of(("call", call.id))) for permission in permissions):
        raise NotFound
    return call


def _within_call(
    actor: Actor, call_id: UUID, permissions: Sequence[Permission] = (Permission.CONFLICT_CONFIRM,)
) -> ColumnElement[bool]:
    """What of a call this person may decide about: never what was found about themselves."""
    return and_(
        Application.call_id == call_id,
        DetectedConflict.user_id != actor.user_id,
        within(actor, *permissions),
    )


def _pair_keys() -> Select[Any]:
    columns: tuple[Any, ...] = (DetectedConflict.user_id, DetectedConflict.application_id, _key.label("key"))
    return (
        select(*columns)
        .join(Application, Application.id == DetectedConflict.application_id)
        .join(User, User.id == DetectedConflict.user_id)
        .distinct()
    )


def _narrowed(actor: Actor, call_id: UUID, search: DetectedSearch) -> Select[Any]:
    wanted = [_within_call(actor, call_id, READS_CONFLICTS), DetectedConflict.state == search.state.value]
    if search.person:
        wanted.append(User.name.icontains(search.person, autoescape=True))
    if search.application:
        fits = (
            each.icontains(search.application, autoescape=True) for each in (Application.reference, Application.title)
        )
        wanted.append(or_(*fits))
    if search.kind is not None:
        wanted.append(DetectedConflict.kind == search.kind.value)
    return _pair_keys().where(*wanted)


def _tallies(actor: Actor, call_id: UUID, search: DetectedSearch) -> Asking[Mapping[DetectedState, Tally]]:
    """How many pairs of each state that is shown are so narrowed, as far as counting goes; one statement."""
    counts = []
    for state in DETECTED_SHOWN:
        found = _narrowed(actor, call_id, replace(search, state=state)).limit(COUNTED_MAX + 1).subquery()
        counts.append(select(func.count()).select_from(found).scalar_subquery().label(state.value))
    rows = yield from ask(select(*counts))
    return {state: Tally.of(getattr(rows[0], state.value)) for state in DETECTED_SHOWN}


@reader
def detected_count(actor: Actor, call_id: UUID) -> Asking[Tally]:
    """How many pairs of a call wait for a person to decide, as far as counting goes."""
    waits = (
        select(DetectedConflict.user_id, DetectedConflict.application_id)
        .join(Application, Application.id == DetectedConflict.application_id)
        .where(Application.call_id == call_id, waits_for_decision_of(actor, READS_CONFLICTS))
        .distinct()
        .limit(COUNTED_MAX + 1)
        .subquery()
    )
    rows = yield from ask(select(func.count().label("number")).select_from(waits))
    return Tally.of(rows[0].number)


def waits_for_decision_of(
    actor: Actor, permissions: Sequence[Permission] = (Permission.CONFLICT_CONFIRM,)
) -> ColumnElement[bool]:
    """The condition on :class:`DetectedConflict`, beside its :class:`Application`, that it waits and this person may decide about it.

    With other ``permissions`` that it waits and they may read of it.
    """
    return and_(
        DetectedConflict.state == DetectedState.PROPOSED.value,
        DetectedConflict.user_id != actor.user_id,
        within(actor, *permissions),
    )


def waiting_detections(call_id: UUID) -> tuple[tuple[str, str], ...]:
    """Whose sheet may come out of a conflict with which application, as was found and nobody decided: name and reference.

    Those who have a seat: nobody else wrote anything a list rests on, and nobody new is seated meanwhile.
    """
    seated = (
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Assignment.application_id == Application.id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == User.id,
        )
    )
    rows = db.session.execute(
        select(User.name, Application.reference)
        .join(DetectedConflict, DetectedConflict.user_id == User.id)
        .join(Application, Application.id == DetectedConflict.application_id)
        .where(
            Application.call_id == call_id,
            Application.state.in_(IN_EVALUATION),
            waits_for_decision(),
            seated.exists(),
        )
        .group_by(User.id, User.name, Application.reference)
        # All of them: an act refuses for the one it is about, which may be the last.
        .order_by(Application.reference, User.name, User.id)
    )
    return tuple((name, reference) for name, reference in rows)


def waits_for_decision() -> ColumnElement[bool]:
    """The condition on :class:`DetectedConflict`, beside its :class:`Application`, that a person must decide about it.

    Who stands in conflict with it anyway is kept away whatever is decided: that holds nothing up.
    """
    return and_(
        DetectedConflict.state == DetectedState.PROPOSED.value,
        not_(in_conflict(DetectedConflict.user_id)),
    )


@reader
def detected_pair(actor: Actor, slug: str, reference: str, handle: str) -> Asking[DetectedPair]:
    """One person and one application with all that was found between them; :class:`NotFound` out of scope."""
    call = yield from calls.call.asking(actor, slug)
    rows = yield from ask(
        select(DetectedConflict.user_id, DetectedConflict.application_id)
        .join(Application, Application.id == DetectedConflict.application_id)
        .join(User, User.id == DetectedConflict.user_id)
        .where(
            Application.call_id == call.id,
            Application.reference == reference,
            User.handle == handle,
            DetectedConflict.state != DetectedState.GONE.value,
            within(actor, Permission.CONFLICT_CONFIRM),
        )
        .limit(1)
    )
    if not rows:
        raise NotFound
    (found,) = yield from _pairs([(rows[0].user_id, rows[0].application_id)])
    return found


def _pairs(keys: Iterable[tuple[UUID, UUID]]) -> Asking[tuple[DetectedPair, ...]]:
    """All that stands between each of these, by reference and handle."""
    wanted = list(keys)
    if not wanted:
        return ()
    told, decider = aliased(ConflictDeclaration), aliased(User)
    rows = yield from ask(
        select(
            *(DetectedConflict.user_id, DetectedConflict.application_id, DetectedConflict.kind, DetectedConflict.state),
            *(DetectedConflict.evidence, DetectedConflict.found_at, DetectedConflict.decided_at),
            *(DetectedConflict.decision_reason, DetectedConflict.version, DetectedConflict.id),
            *(User.name, User.handle, Application.reference, Application.title, told.declared),
            Organisation.name.label("entity"),
            decider.name.label("decided_by"),
        )
        .join(User, User.id == DetectedConflict.user_id)
        .join(Application, Application.id == DetectedConflict.application_id)
        .outerjoin(Organisation, Organisation.id == DetectedConflict.organisation_id)
        .outerjoin(decider, decider.id == DetectedConflict.decided_by)
        .outerjoin(
            told,
            and_(told.user_id == DetectedConflict.user_id, told.application_id == DetectedConflict.application_id),
        )
        .where(
            tuple_(DetectedConflict.user_id, DetectedConflict.application_id).in_(wanted),
            DetectedConflict.state != DetectedState.GONE.value,
        )
        .order_by(Application.reference, User.handle, DetectedConflict.kind, Organisation.name)
    )
    found: dict[tuple[UUID, UUID], list[Any]] = defaultdict(list)
    for row in rows:
        found[row.user_id, row.application_id].append(row)
    return tuple(_pair(each) for each in found.values())


def _pair(rows: list[Any]) -> DetectedPair:
    first = rows[0]
    facts = tuple(
        DetectedFact(
            DetectedKind(row.kind),
            row.entity or "",
            row.evidence,
            DetectedState(row.state),
            row.found_at,
            row.decided_by or "",
            row.decided_at,
            row.decision_reason or "",
            row.version,
            row.id,
        )
        for row in rows
    )
    declared = Declared(first.declared) if first.declared else None
    return DetectedPair(
        first.user_id, first.application_id, first.name, first.handle, first.reference, first.title, declared, facts
    )
