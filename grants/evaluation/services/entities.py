"""What people declare about organisations, stored inside the act that declares: one answer for all applications of a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select

from grants.core import acts, faults
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.evaluation import queries, rules
from grants.evaluation.models import ConflictDeclaration, EntityDeclaration
from grants.evaluation.rules import Answered, AnsweredEntity, EntityRow
from grants.evaluation.states import ConflictKind, Declared


def declare_entities(
    actor: Actor,
    call_id: UUID,
    allowed: Collection[UUID],
    answers: Collection[Answered],
    entities: Collection[AnsweredEntity] | None,
) -> None:
    """Store the answers about organisations of the applications a person may declare about; :class:`NotFound` for others.

    Where none are handed over, “none” is said of those of whom nothing was said, but for applications in conflict.
    """
    faults.point("conflict")
    rows = {row.organisation_id: row for row in queries.entity_rows(actor.user_id, allowed)}
    if entities is None:
        free = {each.application_id for each in answers if each.declared is not Declared.CONFLICT}
        entities = [
            AnsweredEntity(key, Declared.NONE)
            for key, row in rows.items()
            if row.is_open and row.application_ids & free
        ]
    stored = _stored(actor, call_id)
    for answer in entities:
        row = rows.get(answer.organisation_id)
        if row is None:
            raise NotFound
        _store(actor, call_id, row, answer, stored)
    db.session.flush()


def _stored(actor: Actor, call_id: UUID) -> Mapping[UUID, EntityDeclaration]:
    rows = db.session.scalars(
        select(EntityDeclaration)
        .where(EntityDeclaration.user_id == actor.user_id, EntityDeclaration.call_id == call_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.organisation_id: row for row in rows}


def _store(
    actor: Actor, call_id: UUID, shown: EntityRow, said: AnsweredEntity, stored: Mapping[UUID, EntityDeclaration]
) -> None:
    if (shown.declared, shown.kind, shown.reason) == (said.declared, said.kind, said.reason):
        return
    if shown.declared is not None:
        rules.refuse_taking_back_entity(shown.declared, said.declared, ruled=_all_ruled(actor, shown))
    row = stored.get(said.organisation_id)
    if row is None:
        row = EntityDeclaration(user_id=actor.user_id, call_id=call_id, organisation_id=said.organisation_id)
        db.session.add(row)
    row.declared, row.reason = said.declared.value, said.reason or None
    row.kind = ConflictKind(said.kind).value if said.kind is not None else None
    row.declared_at = acts.moment()


def _all_ruled(actor: Actor, shown: EntityRow) -> bool:
    """Whether the manager has ruled on this person and each application the organisation takes part in."""
    ruled = db.session.scalars(
        select(ConflictDeclaration.application_id).where(
            ConflictDeclaration.user_id == actor.user_id,
            ConflictDeclaration.application_id.in_(shown.application_ids),
            ConflictDeclaration.ruling.is_not(None),
        )
    )
    return shown.application_ids <= set(ruled)
