"""How robust a selection is: asked for beside the advice, worked out by a job over simulated orders, kept. It decides nothing."""

from __future__ import annotations

from uuid import UUID

from grants.awards import queries, rules
from grants.awards.queries.robustness import robustness_of
from grants.awards.queries.sheets import input_hash
from grants.awards.ranking import Solved, judging
from grants.awards.services.solving import keep_answers, refuse_asking
from grants.awards.states import AdviceKind, SolveKind
from grants.calls import queries as calls
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import NotAllowed, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation.queries import call_scope

ROBUSTNESS_JOB = "jobs.awards.robust"


@act(
    "selection_solve.request_robust",
    needs=Permission.CONSENSUS_WRITE,
    scope=call_scope,
    says="asked how robust the selection of {subject} is",
)
def request_robustness(actor: Actor, call_id: UUID) -> UUID:
    """Ask in how many orders simulated from the advice each application stays selected; returns the job's id."""
    call = calls.call_by_id(call_id)
    refuse_asking(actor, call)
    _refuse_robustness(queries.robustness_input(call))
    acts.subject("call", call_id)
    last = jobs.latest(("call", call_id), ROBUSTNESS_JOB)
    if last is not None and not last.is_over:
        return last.id
    return jobs.queue(ROBUSTNESS_JOB, subject=("call", call_id), call_id=str(call_id))


def _refuse_robustness(asked: queries.RobustnessInput) -> None:
    """Refuse where there is no advice to simulate from, or it is of other sheets than are there now."""
    run = asked.run
    if run is None:
        raise Refused(
            "The orders are simulated from the advice, and nobody asked for it yet. Ask for the advice first."
        )
    if run.kind != AdviceKind.FULL.value:
        raise Refused("The advice abstains here, so there is nothing to simulate from. It says why on its page.")
    if input_hash(asked.sheets, judging.settings(run.places, run.settings["each"])) != run.input_sha256:
        raise Refused(
            f"The score sheets changed since run {run.number} of the advice. Ask for the advice again, then for this."
        )
    if asked.unsolved:
        raise Refused(
            "What the rules of this call select is not worked out yet. Open the ranking and ask for it there."
        )
    known = {sheet.application for sheet in asked.sheets.sheets}
    if any(str(one.application_id) not in known for one in asked.candidates):
        raise Refused("An application of the list has no score sheet that counts, so no simulated order can place it.")
    if not asked.candidates:
        raise Refused("No application of this call has a score above the thresholds. There is nothing to select.")


def work_out_robustness(actor: Actor, call_id: UUID) -> int:
    """Work out in how many simulated orders each application is selected, and keep it; how many were looked at.

    Worked out while nothing is held; the answer stands for what it was made from. Asked again it is not made anew.
    """
    if not actor.may(Permission.CONSENSUS_WRITE, Scope.of(("call", call_id))):
        raise NotAllowed("This is worked out for the chairs.", Permission.CONSENSUS_WRITE)
    jobs.progress(0, 1, "Reading the list and its score sheets")
    call = calls.call_by_id(call_id)
    asked = queries.robustness_input(call)
    _refuse_robustness(asked)
    assert asked.run is not None, "that was refused"
    number, orders = asked.run.number, asked.orders
    asked_for = asked.question_sha256
    for one in queries.answers_kept(call_id, (SolveKind.ROBUST,)):
        if one.question_sha256 == asked_for:
            return int(one.answer["draws"])
    db.session.expunge_all()
    db.session.rollback()
    found = robustness_of(asked, lambda done: jobs.progress(done, orders, "Selecting from each simulated order"))
    answer = rules.robustness_kept(number, asked.list_hash, found.orders, found.unproven, found.selected)
    keep_answers(actor, call_id, (Solved(SolveKind.ROBUST, asked_for, answer),))
    return found.orders
