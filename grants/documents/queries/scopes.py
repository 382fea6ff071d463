"""What a statement can be about: found by reference, or by a part of its name, and who may ask for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.calls.models import Call
from grants.core.db import db, get
from grants.core.errors import Invalid, NotFound, quoted, shortened
from grants.core.permissions import NOWHERE, Actor, Permission, Scope
from grants.core.text import fold
from grants.documents.models import StatementRun
from grants.documents.rules import ScopeFound, ScopeKind
from grants.programmes.models import Programme

SUGGESTIONS_MAX = 8


def call_id_of(reference: str) -> UUID:
    """The id behind a call's reference; raises :class:`NotFound`."""
    found = db.session.scalar(select(Call.id).where(Call.reference == reference))
    if found is None:
        raise NotFound(f"There is no call with the reference {shortened(reference)}.")
    return found


def scope_of(kinds: Sequence[ScopeKind], reference: str) -> ScopeFound:
    """What a reference names, among the kinds a statement can be about; raises :class:`NotFound` with those kinds."""
    for kind in kinds:
        if (found := _named(kind, reference)) is not None:
            return found
    words = " or ".join(kind.value for kind in kinds)
    raise NotFound(f"There is no {words} with the reference {shortened(reference)}.")


def _named(kind: ScopeKind, reference: str) -> ScopeFound | None:
    match kind:
        case ScopeKind.PROGRAMME:
            programme = db.session.scalars(select(Programme).where(Programme.code == reference)).one_or_none()
            return None if programme is None else ScopeFound(kind, programme.id, programme.code, programme.name, None)
        case ScopeKind.CALL:
            call = db.session.scalars(select(Call).where(Call.reference == reference)).one_or_none()
            return None if call is None else ScopeFound(kind, call.id, call.reference, call.title, call.id)
        case ScopeKind.GRANT:
            grant = db.session.scalars(select(Grant).where(Grant.reference == reference)).one_or_none()
            if grant is None:
                return None
            return ScopeFound(kind, grant.id, grant.reference, grant.acronym or grant.title, grant.call_id)


def lies_in(found: ScopeFound) -> Scope:
    """Where a statement about this lies: with its grant, in its call, or nowhere but everywhere."""
    return _scope(found.kind, found.id, found.call_id)


def lies_in_run(run: StatementRun) -> Scope:
    """Where a statement that was asked for lies."""
    return _scope(ScopeKind(run.scope_kind), run.scope_id, run.call_id)


def _scope(kind: ScopeKind, scope_id: UUID, call_id: UUID | None) -> Scope:
    match kind:
        case ScopeKind.PROGRAMME:
            return NOWHERE
        case ScopeKind.CALL:
            return Scope.of(("call", scope_id))
        case ScopeKind.GRANT:
            return agreements.lies_in(scope_id)


def call_ids(found: ScopeFound) -> tuple[UUID, ...]:
    """The calls a statement tells of."""
    if found.kind is ScopeKind.PROGRAMME:
        statement = select(Call.id).where(Call.programme_id == found.id).order_by(Call.reference)
        return tuple(db.session.scalars(statement))
    return (found.call_id,) if found.call_id else ()


def calls_of(grant_ids: Collection[UUID]) -> Select[UUID]:
    """The calls these grants came of."""
    return select(Grant.call_id).where(Grant.id.in_(grant_ids))


def holds_barred(actor: Actor, kind: ScopeKind, scope_id: UUID) -> bool:
    """Whether a statement about this would tell of a pilot, or of a call, the person is barred from."""
    grants, calls = actor.barred("grant"), actor.barred("call")
    if not grants and not calls:
        return False
    match kind:
        case ScopeKind.GRANT:
            return scope_id in grants or get(Grant, scope_id).call_id in calls
        case ScopeKind.CALL:
            return scope_id in calls or scope_id in set(db.session.scalars(calls_of(grants)))
        case ScopeKind.PROGRAMME:
            touched = select(Call.id).where(Call.programme_id == scope_id, _touched(actor))
            return db.session.scalar(touched.limit(1)) is not None


def _touched(actor: Actor) -> ColumnElement[bool]:
    """Calls the person is barred from, or with a grant the person is barred from."""
    return or_(Call.id.in_(actor.barred("call")), Call.id.in_(calls_of(actor.barred("grant"))))


KEPT_AWAY = (
    "A conflict of interest keeps statements about this {kind} from you: they tell of a pilot you declared it for. "
    "A colleague without one can ask for it."
)


def meant(actor: Actor, kinds: Sequence[ScopeKind], text: str) -> ScopeFound:
    """What somebody who typed this means; raises :class:`Invalid` beside the field where it is nothing, or not one thing."""
    words = " or ".join(kind.value for kind in kinds)
    if not text:
        only = suggestions(actor, [ScopeKind.PROGRAMME], "") if ScopeKind.PROGRAMME in kinds else ()
        if len(only) == 1:
            return only[0]
        raise _unclear(f"Write which {words} it is about: a reference, or a part of the name.")
    found = next((each for kind in kinds if (each := _named(kind, text.upper())) is not None), None)
    if found is None:
        near = suggestions(actor, kinds, text)
        if not near:
            raise _unclear(f"No {words} here is called {quoted(text)}. Write a reference, or a part of the name.")
        raise _unclear(f"{quoted(text)} is no reference. Choose what you mean, or write more of it.")
    # Whoever may not see a grant learns nothing of it; that a call and a programme are there, everybody knows.
    if found.kind is not ScopeKind.GRANT and holds_barred(actor, found.kind, found.id):
        raise _unclear(KEPT_AWAY.format(kind=found.kind.value))
    if not actor.may(Permission.STATEMENT_REQUEST, lies_in(found)) or holds_barred(actor, found.kind, found.id):
        raise _unclear(f"No {words} here is called {quoted(text)}. Write a reference, or a part of the name.")
    return found


def _unclear(sentence: str) -> Invalid:
    return Invalid(sentence, {"scope": sentence})


def suggestions(actor: Actor, kinds: Sequence[ScopeKind], text: str) -> tuple[ScopeFound, ...]:
    """What somebody may mean who typed a part of a reference or of a name: at most eight of what this person may see."""
    found: list[ScopeFound] = []
    if ScopeKind.PROGRAMME in kinds and actor.everywhere(Permission.STATEMENT_REQUEST):
        found += _programmes(text)
    if ScopeKind.CALL in kinds:
        wanted = _calls(actor).where(_like(Call.reference, text) | _like(Call.title, text))
        rows = db.session.scalars(wanted.order_by(Call.reference.desc()).limit(SUGGESTIONS_MAX))
        found += [ScopeFound(ScopeKind.CALL, row.id, row.reference, row.title, row.id) for row in rows]
    if ScopeKind.GRANT in kinds:
        found += _grants(actor, text)
    return tuple(found[:SUGGESTIONS_MAX])


def _programmes(text: str) -> list[ScopeFound]:
    wanted = select(Programme).where(_like(Programme.code, text) | _like(Programme.name, text))
    rows = db.session.scalars(wanted.order_by(Programme.code).limit(SUGGESTIONS_MAX))
    return [ScopeFound(ScopeKind.PROGRAMME, row.id, row.code, row.name, None) for row in rows]


def _grants(actor: Actor, text: str) -> list[ScopeFound]:
    words = Grant.search_text.contains(fold(text), autoescape=True)
    wanted = select(Grant).where(
        agreements.visible(actor, Permission.STATEMENT_REQUEST), words | _like(Grant.reference, text)
    )
    rows = db.session.scalars(wanted.order_by(Grant.reference).limit(SUGGESTIONS_MAX))
    return [
        ScopeFound(ScopeKind.GRANT, row.id, row.reference, row.acronym or row.title, row.call_id)
        for row in rows
        if row.call_id not in actor.barred("call")
    ]


def _like(column: Any, text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def _calls(actor: Actor) -> Select[Call]:
    """Calls whose statements the person may ask for; none that would tell of a pilot a conflict bars from."""
    statement = select(Call).where(~_touched(actor))
    if actor.everywhere(Permission.STATEMENT_REQUEST):
        return statement
    places = actor.places(Permission.STATEMENT_REQUEST, "call")
    return statement.where(Call.id.in_(places) if places else false())
