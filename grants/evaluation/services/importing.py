"""Taking a file of evaluators over: exactly what was shown, or nothing; a long one piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.calls.services import look_for_conflicts
from grants.core import encoding, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission
from grants.core.text import csv_table
from grants.evaluation import queries, rules
from grants.evaluation.models import Evaluator, EvaluatorInvitation
from grants.evaluation.rules import ImportLine, ImportPlan, LineDeed, PieceInput
from grants.evaluation.services.evaluators import fill_entry, keep_employers
from grants.evaluation.services.invitations import ask_person
from grants.identity import queries as identity

JOB = "jobs.evaluation.take_pool"


@act(
    "evaluator.import",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="took evaluators over from a file into the pool of {subject}",
)
def import_evaluators(actor: Actor, call_id: UUID, text: str, shown: bytes) -> ImportPlan:
    """Do what the preview of this very text showed; lines it left out stay out. A long file is asked of a job.

    ``shown`` is the hash of that preview: where something changed since, nothing is written, and one looks again.
    """
    call, table = calls.call_by_id(call_id), csv_table(text)
    under_way = queries.takeover(call_id)
    if under_way is not None and not under_way.is_over:
        raise Refused(f"Another file is being taken over. {under_way.words} Then look at what this one would do.")
    plan = queries.import_plan(actor, call, table)
    if plan.sha256 != shown:
        raise Refused(
            "What stands in the pool changed after this file was shown to you. Nothing was taken over; look at what it "
            "would do now, and confirm that."
        )
    if plan.takes_a_job:
        told = [line.told for line in plan.doing]
        jobs.queue(
            JOB, subject=("call", call_id), call_id=call_id, text=rules.piece_text(table, plan), told=told,
            done=0, total=len(told), left_out=0, source="",
        )  # fmt: skip
        return plan
    _take(actor, call, plan.doing)
    look_for_conflicts(call_id)
    return plan


@act(
    "evaluator.import_piece",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="took a piece of a file of evaluators over into the pool of {subject}",
)
def import_piece(actor: Actor, call_id: UUID, source: UUID, values: PieceInput) -> int:
    """Do the next lines of a long file as they were shown, and ask for the piece after it; how many were left out.

    A line that would do something else by now is left out: so a piece that is done twice invites nobody twice.
    """
    call, (head, *rows) = calls.call_by_id(call_id), csv_table(values.text)
    piece = slice(values.done, values.done + rules.IMPORT_AT_ONCE)
    plan = queries.import_plan(actor, call, [head, *rows[piece]])
    doing = [line for line, told in zip(plan.lines, values.told[piece], strict=True) if line.told == told]
    _take(actor, call, doing)
    done, left_out = values.done + len(plan.lines), len(plan.lines) - len(doing)
    if done < len(values.told):
        jobs.queue(
            JOB, subject=("call", call_id), call_id=call_id, text="", told=[], done=done, total=len(values.told),
            left_out=values.left_out + left_out, source=source,
        )  # fmt: skip
    else:
        look_for_conflicts(call_id)
    return left_out


def _take(actor: Actor, call: CallView, lines: Sequence[ImportLine]) -> None:
    _change(call.id, [line for line in lines if line.deed is LineDeed.CHANGED])
    _make(call.id, [line for line in lines if line.deed is LineDeed.MADE])
    for line in lines:
        if line.deed is LineDeed.INVITED:
            assert line.values is not None, "a line that is taken over says something"
            ask_person(actor, call, line.email, line.name, line.values, "", rules.INVITATION_DAYS)


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
