"""The act by which an application says which actions and barriers of its cities' contracts it serves."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import ApplicationServing
from grants.applications.rules import ServingInput
from grants.applications.services.drafting import refuse_before_acceptance, writable
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict, Refused
from grants.core.permissions import Actor, Permission


@act(
    "application.save_serving",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="said which contract actions application {subject} serves",
)
def save_serving(actor: Actor, application_id: UUID, given: Sequence[ServingInput], mark: str | None = None) -> None:
    """Replace what is named; the lead and the editors say it. ``mark`` is of what stood when the form was made."""
    writable(application_id)
    refuse_before_acceptance(actor, application_id)
    if not queries.writes_all(actor, application_id):
        raise Refused("Which actions it serves is said by the lead and the editors. Ask one of them to change it.")
    if mark is not None and mark != rules.serving_mark(queries.served(application_id)):
        raise Conflict("Somebody else changed which actions the application serves while you were writing.")
    rows = db.session.scalars(
        select(ApplicationServing)
        .where(ApplicationServing.application_id == application_id)
        .order_by(ApplicationServing.position)
    ).all()
    kept = frozenset(row.action_id for row in rows if row.action_id is not None)
    wanted = rules.checked_serving(given, queries.offered_actions(queries.view_by_id(application_id)), kept)
    for position, each in enumerate(wanted):
        row = rows[position] if position < len(rows) else ApplicationServing(application_id=application_id)
        row.position, row.action_id, row.sentence = position, each.action_id, each.sentence
        row.own_title = each.own_title or None
        db.session.add(row)
    for row in rows[len(wanted) :]:
        db.session.delete(row)
