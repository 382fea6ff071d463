"""What the assignment of a call came to, once none of its applications is in evaluation any more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from grants.applications.models import Application
from grants.core.audit import AuditEvent
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation.models import AssignmentRun
from grants.evaluation.queries.assignments import RUNS_SHOWN, runs
from grants.evaluation.queries.seating import listed, loads_of
from grants.evaluation.rules import PastAssignment
from grants.identity.models import User


@reader
def past_assignment(actor: Actor, call_id: UUID) -> Asking[PastAssignment | None]:
    """Its runs with who asked for each, and the seats everybody had that this person may know of; None where nothing was given."""
    seen = select(Application.id).where(listed(actor, call_id))
    about: list[Asking[Any]] = [runs.asking(actor, call_id), _askers(call_id), loads_of(actor, seen)]
    ran, askers, loads = yield from side_by_side(about)
    return PastAssignment(ran, askers, loads) if ran or loads else None


def _askers(call_id: UUID) -> Asking[dict[int, str]]:
    """Who asked for each run, by its number. A run does not keep whose it is: the record does."""
    made = and_(AuditEvent.object_kind == AssignmentRun.__tablename__, AuditEvent.object_id == AssignmentRun.id)
    rows = yield from ask(
        select(AssignmentRun.number, User.name)
        .join(AuditEvent, made)
        .join(User, User.id == AuditEvent.user_id)
        .where(AssignmentRun.call_id == call_id, AuditEvent.verb == "assignment.run")
        .order_by(AssignmentRun.number.desc())
        .limit(RUNS_SHOWN)
    )
    return {row.number: row.name for row in rows}
