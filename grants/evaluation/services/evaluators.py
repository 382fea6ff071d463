"""Acts on the pool of evaluators of a call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.calls.services import look_for_conflicts
from grants.core.acts import act
from grants.core.db import check_version, db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment, Evaluator, EvaluatorWish
from grants.evaluation.rules import EvaluatorInput
from grants.identity import queries as identity


@act(
    "evaluator.pool",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="put an evaluator into the pool of {subject}",
)
def pool(actor: Actor, call_id: UUID, values: EvaluatorInput, version: int | None = None) -> UUID:
    """Add a person to the pool of a call, or change their expertise and loads."""
    values = rules.checked_member(values)
    person = identity.person(values.user_id)
    row = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == values.user_id).with_for_update()
    ).one_or_none()
    if row is None:
        row = Evaluator(call_id=call_id, user_id=values.user_id, organisation_id=person.organisation_id)
        db.session.add(row)
    else:
        check_version(row, version)
        load = next(member.load for member in queries.pool(call_id) if member.user_id == values.user_id)
        if values.load_max < load:
            raise Invalid(
                "The largest number is too small.",
                {"load_max": f"{person.name} already has {load} applications. Enter {load} or more, or void a seat."},
            )
    row.country_code = values.country_code
    row.languages, row.topics = list(values.languages), list(values.topics)
    row.topic_levels, row.language_levels = dict(values.topic_levels), dict(values.language_levels)
    row.roles, (row.available_from, row.available_until) = list(values.roles), values.available
    row.load_min, row.load_max = values.load_min, values.load_max
    look_for_conflicts(call_id)
    return row.id


@act(
    "evaluator.remove",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="took an evaluator out of the pool of {subject}",
)
def remove(actor: Actor, call_id: UUID, user_id: UUID) -> None:
    """Take a person without any seat out of the pool."""
    row = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == user_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    seats = db.session.scalar(select(func.count()).select_from(Assignment).where(Assignment.evaluator_id == row.id))
    if seats:
        raise Refused(
            "This evaluator has or had a seat on an application and stays on the record. Void the seat instead."
        )
    for wish in db.session.scalars(select(EvaluatorWish).where(EvaluatorWish.evaluator_id == row.id)):
        db.session.delete(wish)
    db.session.delete(row)
