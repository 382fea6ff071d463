"""Taking a file of evaluators over: exactly what was shown, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.calls import queries as calls
from grants.calls.services import look_for_conflicts
from grants.core import encoding
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission
from grants.core.text import csv_table
from grants.evaluation import queries, rules
from grants.evaluation.models import Evaluator, EvaluatorInvitation
from grants.evaluation.rules import ImportLine, ImportPlan, LineDeed
from grants.evaluation.services.evaluators import fill_entry, keep_employers
from grants.evaluation.services.invitations import ask_person
from grants.identity import queries as identity


@act(
    "evaluator.import",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="took evaluators over from a file into the pool of {subject}",
)
def import_evaluators(actor: Actor, call_id: UUID, text: str, shown: bytes) -> ImportPlan:
    """Do what the preview of this very text showed; lines it left out stay out.

    ``shown`` is the hash of that preview: where something changed since, nothing is written, and one looks again.
    """
    call = calls.call_by_id(call_id)
    plan = queries.import_plan(actor, call, csv_table(text))
    if plan.sha256 != shown:
        raise Refused(
            "What stands in the pool changed after this file was shown to you. Nothing was taken over; look at what it "
            "would do now, and confirm that."
        )
    _change(call_id, [line for line in plan.lines if line.deed is LineDeed.CHANGED])
    _make(call_id, [line for line in plan.lines if line.deed is LineDeed.MADE])
    for line in plan.lines:
        if line.deed is LineDeed.INVITED:
            assert line.values is not None, "a line that is taken over says something"
            ask_person(actor, call, line.email, line.name, line.values, "", rules.INVITATION_DAYS)
    look_for_conflicts(call_id)
    return plan


def _change(call_id: UUID, lines: Sequence[ImportLine]) -> None:
    """Entries that stand get what the file says; an offer that waits is another one, without a second mail."""
    found = {line.values.user_id: line.values for line in lines if line.values is not None}
    rows = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id.in_(found)).with_for_update()
    ).all()
    for row in rows:
        fill_entry(row, found[row.user_id])
    keep_employers({row.id: found[row.user_id].employers or () for row in rows})
    offers = db.session.scalars(
        select(EvaluatorInvitation)
        .where(
            EvaluatorInvitation.call_id == call_id,
            EvaluatorInvitation.user_id.in_(found.keys() - {row.user_id for row in rows}),
        )
        .with_for_update()
    )
    for offer in offers:
        offer.entry = encoding.encode(found[offer.user_id])


def _make(call_id: UUID, lines: Sequence[ImportLine]) -> None:
    """People who evaluate already are in the pool at once."""
    found = {line.values.user_id: line.values for line in lines if line.values is not None}
    people = identity.people(found)
    made = {}
    for user_id, values in found.items():
        row = Evaluator(call_id=call_id, user_id=user_id, organisation_id=people[user_id].organisation_id)
        db.session.add(row)
        fill_entry(row, values)
        made[row.id] = values.employers or ()
    db.session.flush()
    keep_employers(made)
