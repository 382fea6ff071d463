"""What stands between people and applications: what was declared and ruled, and what was found."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, literal, null, select, union_all

from grants.applications.models import Application
from grants.core import faults
from grants.core.db import among, db
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import ConflictDeclaration, DetectedConflict
from grants.evaluation.queries.access import in_conflict
from grants.evaluation.queries.entities import all_entity_conflicts
from grants.evaluation.rules import Said
from grants.evaluation.states import Declared, DetectedState, Ruling
from grants.identity.models import User

# What people declared and what was found, as rows of one shape.
_SAID = union_all(
    select(
        *(ConflictDeclaration.user_id, ConflictDeclaration.application_id),
        *(ConflictDeclaration.declared.label("said"), ConflictDeclaration.ruling),
    ),
    select(
        *(DetectedConflict.user_id, DetectedConflict.application_id),
        *(DetectedConflict.state, cast(null(), Text)),
    ).where(DetectedConflict.state.in_([DetectedState.CONFIRMED.value, DetectedState.PROPOSED.value])),
    all_entity_conflicts().add_columns(literal(DetectedState.CONFIRMED.value), cast(null(), Text)),
).subquery("said")


def _said() -> Select[Any]:
    return select(_SAID.c.user_id, _SAID.c.application_id, _SAID.c.said, _SAID.c.ruling)


def _by_pair(rows: Iterable[Any]) -> dict[tuple[UUID, UUID], Said]:
    """(person, application) to what stands between them: a found conflict before all, then what was declared.

    A proposal that waits changes nothing of what was declared, and so nothing of what opens: it is told beside it.
    """
    declared: dict[tuple[UUID, UUID], Said] = {}
    found: dict[tuple[UUID, UUID], set[str]] = {}
    for user_id, application_id, said, ruling in rows:
        pair = (user_id, application_id)
        if said in (DetectedState.CONFIRMED.value, DetectedState.PROPOSED.value):
            found.setdefault(pair, set()).add(said)
        else:
            declared[pair] = Said(Declared(said), Ruling(ruling) if ruling else None)
    for pair, states in found.items():
        if DetectedState.CONFIRMED.value in states:
            declared[pair] = Said(Declared.CONFLICT, Ruling.CONFIRMED)
        elif pair in declared:
            declared[pair] = declared[pair]._replace(waits=True)
    return declared


def declaration_of(user_id: UUID, application_id: UUID) -> Said:
    """What stands between a person and an application: what was declared and ruled, and what was found."""
    rows = db.session.execute(_said().where(_SAID.c.user_id == user_id, _SAID.c.application_id == application_id))
    return _by_pair(rows).get((user_id, application_id), Said())


def told_of(user_id: UUID, application_id: UUID) -> tuple[Declared | None, Ruling | None]:
    """What a person declared about an application themselves, and the ruling on that."""
    row = db.session.execute(
        select(ConflictDeclaration.declared, ConflictDeclaration.ruling).where(
            ConflictDeclaration.user_id == user_id, ConflictDeclaration.application_id == application_id
        )
    ).one_or_none()
    return (Declared(row[0]), Ruling(row[1]) if row[1] else None) if row else (None, None)


@reader
def declarations(application_ids: Collection[UUID]) -> Asking[dict[tuple[UUID, UUID], Said]]:
    """(person, application) to what was declared and ruled, and what was found, in one statement."""
    return _by_pair((yield from ask(_said().where(among(_SAID.c.application_id, application_ids)))))


@reader
def conflicted(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications with which this person stands in conflict, by declaration, by ruling, or as was found."""
    faults.point("conflict")
    if not application_ids:
        return frozenset()
    rows = yield from ask(
        _said().where(_SAID.c.user_id == actor.user_id, among(_SAID.c.application_id, application_ids))
    )
    return frozenset(key for (_, key), said in _by_pair(rows).items() if said.is_conflict)


@reader
def shut_out(application_ids: Collection[UUID], user_ids: Collection[UUID]) -> Asking[frozenset[tuple[UUID, UUID]]]:
    """(person, application) of those of these people who have a conflict with an application, whatever was declared of it.

    One statement for a whole call: by everything that shuts an application to a person, not by the pool’s entry alone.
    """
    faults.point("conflict")
    rows = yield from ask(
        select(User.id.label("user_id"), Application.id.label("application_id"))
        .join(Application, literal(True))
        .where(User.id.in_(user_ids), among(Application.id, application_ids), in_conflict(User.id))
    )
    return frozenset((row.user_id, row.application_id) for row in rows)


def has_conflict(user_id: UUID, application_id: UUID) -> bool:
    """Whether this person has a conflict with this application, declared, found, or by taking part in it."""
    wanted = select(Application.id).where(Application.id == application_id, in_conflict(user_id))
    return db.session.scalar(wanted) is not None
