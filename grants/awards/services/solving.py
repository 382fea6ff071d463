"""What rules, scenarios and other aims select where it takes a solver: asked for in an act, worked out by a job, kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.awards import queries, rules
from grants.awards.models import SelectionSolve
from grants.awards.ranking import Solved
from grants.awards.rules import Plan
from grants.awards.services.deciding import confirmed_list, refuse_conflicted, refuse_open_list
from grants.awards.states import SolveKind
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, encoding, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import NotAllowed, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation.queries import call_scope

SOLVE_JOB = "jobs.awards.solve"


@act(
    "selection_solve.request",
    needs=Permission.SELECTION_DECIDE,
    scope=call_scope,
    says="asked for what rules and scenarios of {subject} select to be worked out",
)
def request_solve(actor: Actor, call_id: UUID) -> UUID:
    """Ask for every selection of a call to be worked out as its list stands; returns the job's id."""
    refuse_asking(actor, calls.call_by_id(call_id))
    acts.subject("call", call_id)
    last = jobs.latest(("call", call_id), SOLVE_JOB)
    if last is not None and last.state is jobs.JobState.QUEUED:
        return last.id
    return ask_solve(call_id)


@act(
    "selection_solve.request_typed",
    needs=Permission.SELECTION_DECIDE,
    scope=call_scope,
    says="asked for a list of {subject} as it was typed to be worked out",
)
def request_typed(actor: Actor, call_id: UUID, typed: Plan) -> UUID | None:
    """Ask for one list as somebody typed it, which has no name: its job is found again by the question it answers.

    None where it is worked out already, or takes no solver; a job that is on its way is not asked for twice.
    """
    call = calls.call_by_id(call_id)
    listed = refuse_asking(actor, call)
    found, _, _ = queries.live_list(call, typed)
    if not found.question_sha256:
        return None
    acts.subject("call", call_id)
    last = solving_job(call_id, found.question_sha256)
    if last is not None and not last.is_over:
        return last.id
    asked = {"typed": encoding.encode(_what_counts(typed, listed)), "call_id": str(call_id)}
    return jobs.queue(SOLVE_JOB, subject=_about(found.question_sha256), **asked)


def refuse_asking(actor: Actor, call: CallView) -> frozenset[str]:
    """Refuse where a list stands, to whoever may not decide it, and where nothing is ranked; the references that are."""
    refuse_open_list(call.id)
    rules.refuse_second_list(confirmed_list(call.id))
    read = queries.scored(call)
    refuse_conflicted(actor, [row.id for row in (*read.ready, *read.waiting)])
    if not read.ready:
        raise Refused("No application of this call has a score yet. There is nothing to select from.")
    return frozenset(row.reference for row in read.ready)


def _what_counts(typed: Plan, listed: Collection[str]) -> Plan:
    """A plan without its words, which change no answer, and without what names nobody of the list."""
    kept = (replace(one, conditions="", reason="") for one in typed.overrides if one.reference in listed)
    order = tuple(one for one in typed.panel_order if one in listed)
    return replace(typed, panel_order=order, overrides=tuple(kept), reason="")


def _about(question_sha256: bytes) -> tuple[str, UUID]:
    # The subject of a job is named by a UUID: of the hash its first 16 bytes, which no two questions will share.
    return "selection_question", UUID(bytes=question_sha256[:16])


def solving_job(call_id: UUID, question_sha256: bytes = b"") -> jobs.JobView | None:
    """The newest job that answers this question, which has no name; without one, that works out everything of the call."""
    return jobs.latest(_about(question_sha256) if question_sha256 else ("call", call_id), SOLVE_JOB)


def ask_solve(call_id: UUID) -> UUID:
    """The same inside an act that changes what is asked: a job that waits already might read before this is committed."""
    return jobs.queue(SOLVE_JOB, subject=("call", call_id), call_id=str(call_id))


def solve(actor: Actor, call_id: UUID, typed: Mapping[str, Any] | None = None) -> int:
    """Work out what is asked of the list as it stands and not answered yet; returns how many answers that added.

    ``typed`` is one plan as :func:`request_typed` wrote it; without it everything of the call is worked out.

    Worked out while nothing is held, however long that takes. Each answer stands for what it was made from, so it does
    no harm when the list changes meanwhile.
    """
    if not actor.may(Permission.SELECTION_DECIDE, Scope.of(("call", call_id))):
        raise NotAllowed("Selections are worked out for those who decide them.", Permission.SELECTION_DECIDE)
    jobs.progress(0, 1, "Reading scores, rules and scenarios")
    plan: Plan | None = encoding.decode({"value": typed}, Plan) if typed else None
    asked = queries.to_solve(calls.call_by_id(call_id), plan)
    # What was read is used on its own: no row and no snapshot is held while it is worked out.
    db.session.expunge_all()
    db.session.rollback()
    found = queries.worked_out(asked, jobs.progress)
    return keep_answers(actor, call_id, found) if found else 0


@act(
    "selection_solve.keep",
    needs=Permission.SELECTION_DECIDE,
    scope=call_scope,
    says="worked out what rules and scenarios of {subject} select",
)
def keep_answers(actor: Actor, call_id: UUID, answers: tuple[Solved, ...]) -> int:
    """Keep answers, but for those that another job kept meanwhile."""
    acts.subject("call", call_id)
    there = {one.question_sha256 for one in queries.answers_kept(call_id, tuple(SolveKind)) if not one.refusal}
    number = db.session.scalar(select(func.max(SelectionSolve.number)).where(SelectionSolve.call_id == call_id)) or 0
    added = [one for one in answers if one.question_sha256 not in there]
    for at, one in enumerate(added, number + 1):
        db.session.add(
            SelectionSolve(
                call_id=call_id, number=at, kind=one.kind.value, input_sha256=one.question_sha256, answer=dict(one.answer),
                refusal=one.refusal,
            )
        )  # fmt: skip
    return len(added)
