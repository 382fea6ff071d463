"""Reminding evaluators of assessments that are missing: exactly the mails that were shown, or none."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment, AssignmentReminder, Evaluator
from grants.evaluation.rules import RemindInput
from grants.identity import services as people
from grants.identity.models import User

NOT_AS_SHOWN = (
    "What would be sent is not what was shown: the words, the choice or an assessment changed since. Nothing was sent. "
    "Look at the mails below, and send them."
)


@act(
    "assignment.remind",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="reminded evaluators of {subject} of assessments that are missing",
)
def remind_of_assessments(actor: Actor, call_id: UUID, values: RemindInput, shown: bytes) -> int:
    """One mail for each person about the seats chosen, and a line of the log for each seat; how many people it reached.

    ``shown`` is the hash of the mails that were looked at. Whoever was reminded within a day, in whatever call, of
    anything the person may see is left out unless a reason says why again.
    """
    assert actor.user_id is not None, "a person reminds"
    if len(values.seat_ids) > rules.REMINDED_MAX:
        raise Invalid(
            f"{len(values.seat_ids)} rows are chosen; the limit is {rules.REMINDED_MAX}. Send the reminder in parts."
        )
    _hold(values)
    call = calls.call_by_id(call_id)
    plan = queries.reminder_plan(actor, call, values)
    if plan.sha256 != shown:
        raise Conflict(NOT_AS_SHOWN)
    if not plan.reached:
        raise Refused("Nobody would get a mail, so nothing was sent. Choose somebody else, or say why again so soon.")
    if values.reason:
        acts.reason(values.reason)
    for line in plan.reached:
        context = queries.mail_context(call, line.rows, values.message, acts.moment())
        people.mail([line.user_id], queries.REMINDER_MAIL, "call", call_id, **context)
        for row in line.rows:
            db.session.add(
                AssignmentReminder(
                    assignment_id=row.seat_id, reminded_by=actor.user_id, message=values.message,
                    reason=values.reason if line.again is not None else None,
                )
            )  # fmt: skip
    return len(plan.reached)


def _hold(values: RemindInput) -> None:
    """Hold the people until the act ends: two managers, also of two calls, never remind the same person at once."""
    who = (
        select(Evaluator.user_id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .where(Assignment.id.in_(values.seat_ids))
    )
    db.session.execute(select(User.id).where(User.id.in_(who)).order_by(User.id).with_for_update(key_share=True)).all()
