"""Leaving a seat: the evaluator gives it back; finished sheets sent together."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.dossiers.forms import read_number
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import LeaveForm, Leaving
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from grants.evaluation.views.frame import P, anchors_of, bp
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/assessments/<ref>/leave", methods=["GET", "POST"])
@requires(P.ASSESSMENT_SCORE)
def leave(ref: str) -> Any:
    """Give a seat back: a conflict noticed late is declared as one, anything else is told to the manager."""
    actor, form = current_actor(), LeaveForm()
    shown = queries.assessment_page(actor, ref)
    if form.validate_on_submit():
        with form.refusals():
            words = form.reason.data or ""
            if form.why.data == Leaving.CONFLICT.value:
                services.declare(actor, shown.head.call_id, (Answered(shown.head.id, Declared.CONFLICT, words),), ())
                flash(f"Your conflict with “{shown.head.title}” is on the record, and the seat is empty.")
            else:
                services.recuse(actor, shown.head.id, words)
                flash(f"You gave “{shown.head.title}” back. The programme manager is told.")
            return see_other(".assessments")
    return page("evaluation/leave.html", shown=shown, form=form), 422 if form.is_submitted() else 200


@bp.get("/assessments/send")
@requires(P.ASSESSMENT_SCORE)
def finished() -> Any:
    """The own sheets that are finished and not submitted, to be read once more."""
    return _finished(DeedForm())


@bp.post("/assessments/send")
@requires(P.ASSESSMENT_SCORE)
def send_finished() -> Any:
    """Submit each that is ticked, as it was read; what changed meanwhile is left and named."""
    form, actor = DeedForm(), current_actor()
    if not form.validate_on_submit():
        return _finished(form), 422
    sent = 0
    for each in queries.drafts(actor):
        number = request.form.get(f"send_{each.head.reference}")
        if number is None:
            continue
        try:
            services.submit_written(actor, each.head.id, read_number(number))
            sent += 1
        except (Conflict, Refused, Invalid, NotFound) as error:
            said = " ".join(error.problems.values()) if isinstance(error, Invalid) and error.problems else str(error)
            form.problems.append(f"{each.head.reference} was not submitted. {said}")
    if sent:
        flash(f"{sent} {'assessment is' if sent == 1 else 'assessments are'} submitted.")
    if not sent and not form.problems:
        form.problems.append("Nothing was ticked, so nothing was submitted. Tick the assessments to submit.")
    return (_finished(form), 422) if form.problems else see_other(".assessments")


def _finished(form: DeedForm) -> str:
    ready = [(each, anchors_of(each.marking.scale)) for each in queries.drafts(current_actor())]
    return page("evaluation/send.html", ready=ready, form=form, half_words=rules.half_words)
