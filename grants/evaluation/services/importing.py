"""Taking a file of evaluators over: exactly what was shown, or nothing; a long one piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select

from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.calls.services import look_for_conflicts
from grants.core import encoding, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.core.text import csv_table
from grants.evaluation import queries, rules
from grants.evaluation.models import Evaluator, EvaluatorImport, EvaluatorInvitation
from grants.evaluation.rules import ImportLine, ImportPlan, LineDeed
from grants.evaluation.services.evaluators import fill_entry, keep_employers
from grants.evaluation.services.invitations import ask_person
from grants.identity import queries as identity

JOB = "jobs.evaluation.import_pool"


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
    under_way = queries.import_progress(call_id)
    if under_way is not None and not under_way.is_over:
        raise Refused(f"Another file is being taken over. {under_way.words} Then look at what this one would do.")
    plan = queries.import_plan(actor, call, table)
    if plan.sha256 != shown:
        raise Refused(
            "What stands in the pool changed after this file was shown to you. Nothing was taken over; look at what it "
            "would do now, and confirm that."
        )
    if plan.takes_a_job:
        _keep(call_id, rules.piece_text(table, plan), plan.doing)
        return plan
    _take(actor, call, plan.doing)
    return plan


def _keep(call_id: UUID, text: str, lines: Sequence[ImportLine]) -> None:
    """Keep a long file until its last piece is done, and ask for the first; what an earlier one left is emptied."""
    _empty(EvaluatorImport.call_id == call_id)
    # A second file at the same moment finds this one in the way.
    row = EvaluatorImport(
        call_id=call_id, lines=text, shown=[line.sha256 for line in lines], done=0, total=len(lines), left_out=0
    )  # fmt: skip
    _ask_piece(row)
    db.session.add(row)


def _ask_piece(row: EvaluatorImport) -> None:
    row.job_id = jobs.queue(JOB, subject=("call", row.call_id), call_id=row.call_id, import_id=row.id, done=row.done)


def _empty(which: ColumnElement[bool]) -> int:
    kept = select(EvaluatorImport).where(EvaluatorImport.lines.is_not(None), which)
    rows = db.session.scalars(kept.order_by(EvaluatorImport.id).with_for_update()).all()
    for row in rows:
        row.lines = row.shown = None
    db.session.flush()
    return len(rows)


@act(
    "evaluator.import_piece",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="took a piece of a file of evaluators over into the pool of {subject}",
)
def import_piece(actor: Actor, call_id: UUID, import_id: UUID, done: int) -> int:
    """Do the lines of a long file after the first ``done``, and ask for the piece after them; how many were left out.

    A line that would do something else than was shown is left out. A piece that is done already does nothing.
    """
    row = locked(EvaluatorImport, import_id)
    if row.call_id != call_id:
        raise NotFound
    if row.done != done:
        return 0
    if row.lines is None or row.shown is None:
        raise Refused("This file is not kept any more. Upload it again to see what is still to do.")
    call, (head, *lines) = calls.call_by_id(call_id), csv_table(row.lines)
    piece = slice(done, done + rules.IMPORT_AT_ONCE)
    plan = queries.import_plan(actor, call, [head, *lines[piece]])
    doing = [line for line, shown in zip(plan.lines, row.shown[piece], strict=True) if line.sha256 == shown]
    _take(actor, call, doing)
    left_out = len(plan.lines) - len(doing)
    row.done, row.left_out = done + len(plan.lines), row.left_out + left_out
    if row.done < row.total:
        _ask_piece(row)
    else:
        row.lines = row.shown = None
    return left_out


@act(
    "evaluator.empty_imports",
    needs=Permission.ASSIGNMENT_DECIDE,
    says="emptied files of evaluators whose taking over had failed or was cancelled",
)
def empty_imports(actor: Actor) -> int:
    """Keep no file whose job came to its end before its last piece; until the night it can be started again."""
    ended = select(jobs.Job.id).where(jobs.Job.finished_at.is_not(None))
    return _empty(EvaluatorImport.job_id.in_(ended))


def _take(actor: Actor, call: CallView, lines: Sequence[ImportLine]) -> None:
    _change(call.id, [line for line in lines if line.deed is LineDeed.CHANGED])
    _make(call.id, [line for line in lines if line.deed is LineDeed.MADE])
    for line in lines:
        if line.deed is LineDeed.INVITED:
            assert line.values is not None, "a line that is taken over says something"
            ask_person(actor, call, line.email, line.name, line.values, "", rules.INVITATION_DAYS)
    # After each piece: the next may never come, and whoever is in the pool is assigned and reads from now on.
    look_for_conflicts(call.id)


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
