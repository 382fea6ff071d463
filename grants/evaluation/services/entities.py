"""What people declare about organisations, stored inside the act that declares: one answer for all applications of a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select

from grants.core import acts, faults
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.evaluation import queries, rules
from grants.evaluation.models import EntityDeclaration
from grants.evaluation.rules import AnsweredEntity
from grants.evaluation.states import ConflictKind
from grants.identity.models import Organisation


def declare_entities(
    actor: Actor, call_id: UUID, allowed: Collection[UUID], answers: Collection[AnsweredEntity]
) -> None:
    """Store the answers about organisations of the applications a person may declare about; :class:`NotFound` for others."""
    faults.point("conflict")
    stored, unsettled = _stored(actor, call_id), queries.unsettled(actor.user_id, *queries.IN_EVALUATION)
    # Read once nobody else can write.
    rows = {row.organisation_id: row for row in queries.entity_rows(actor.user_id, allowed)}
    for answer in answers:
        row = rows.get(answer.organisation_id)
        if row is None:
            raise NotFound
        rules.refuse_overtaken(answer.over, row.mark, answer.mark)
        if row.mark == answer.mark:
            continue
        if row.declared is not None:
            settled = (call_id, answer.organisation_id) not in unsettled
            rules.refuse_taking_back_entity(row.declared, answer.declared, ruled=settled)
        _store(actor, call_id, answer, stored.get(answer.organisation_id, ()))
    db.session.flush()


def _stored(actor: Actor, call_id: UUID) -> Mapping[UUID, Sequence[EntityDeclaration]]:
    """What the person said in this call, under lock, by the entry that stands for each organisation."""
    rows = db.session.execute(
        select(EntityDeclaration, func.coalesce(Organisation.same_as_id, Organisation.id))
        .join(Organisation, Organisation.id == EntityDeclaration.organisation_id)
        .where(EntityDeclaration.user_id == actor.user_id, EntityDeclaration.call_id == call_id)
        .order_by(EntityDeclaration.id)
        .with_for_update(of=EntityDeclaration)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[EntityDeclaration]] = {}
    for row, standing_id in rows:
        found.setdefault(standing_id, []).append(row)
    return found


def _store(actor: Actor, call_id: UUID, said: AnsweredEntity, rows: Sequence[EntityDeclaration]) -> None:
    """Write an answer; what was said of other entries of the same organisation is said anew with it."""
    if not rows:
        rows = [EntityDeclaration(user_id=actor.user_id, call_id=call_id, organisation_id=said.organisation_id)]
        db.session.add_all(rows)
    for row in rows:
        row.declared, row.reason = said.declared.value, said.reason or None
        row.kind = ConflictKind(said.kind).value if said.kind is not None else None
        row.declared_at = acts.moment()
