"""Pages of the panel that move the score of an application."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.calls.rules import points
from grants.evaluation import queries, services
from grants.evaluation.forms import ReturnShiftForm, ShiftForm
from grants.evaluation.views.frame import P, bp
from grants.web.forms import ContestedForm, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/shifts/<ref>")
@requires(P.SELECTION_DECIDE, P.SELECTION_CONFIRM)
def shift(ref: str) -> Any:
    return _shift(ref)


@bp.post("/shifts/<ref>")
@requires(P.SELECTION_DECIDE)
def propose_shift(ref: str) -> Any:
    shown, form = queries.shift_page(current_actor(), ref), ShiftForm()
    if form.validate_on_submit():
        with form.refusals():
            services.propose_shift(current_actor(), shown.head.id, form.to_input())
            flash("The move is proposed. It counts once another person confirms it.")
            return see_other(".shift", ref=ref)
    return _shift(ref, form=form), 422


@bp.post("/shifts/<ref>/confirm")
@requires(P.SELECTION_CONFIRM)
def confirm_shift(ref: str) -> Any:
    form, waiting = ContestedForm(), queries.shift_page(current_actor(), ref).waiting
    if waiting is None:
        return _too_late(ref, form, deed=form)
    if form.validate_on_submit():
        with form.attempt():
            services.confirm_shift(current_actor(), waiting.id, form.version_shown())
            flash("The move stands; the list counts with it.")
            return see_other(".shift", ref=ref)
    return _shift(ref, deed=form), status_of(form)


@bp.post("/shifts/<ref>/return")
@requires(P.SELECTION_CONFIRM)
def return_shift(ref: str) -> Any:
    form, waiting = ReturnShiftForm(), queries.shift_page(current_actor(), ref).waiting
    if waiting is None:
        return _too_late(ref, form, back=form)
    if form.validate_on_submit():
        with form.attempt():
            services.return_shift(current_actor(), waiting.id, form.return_reason.data or "", form.version_shown())
            flash("The move is returned; the score stays as it stands.")
            return see_other(".shift", ref=ref)
    return _shift(ref, back=form), status_of(form)


def _too_late(ref: str, form: ContestedForm, **shown: Any) -> Any:
    """Nothing waits any more: somebody else was faster. What was typed stands on the page."""
    form.problems.append(
        "No move of this score waits any more: another person decided it. What became of it stands below."
    )
    return _shift(ref, **shown), 409


def _shift(
    ref: str,
    form: ShiftForm | None = None,
    deed: ContestedForm | None = None,
    back: ReturnShiftForm | None = None,
) -> str:
    shown = queries.shift_page(current_actor(), ref)
    version = {"version": str(shown.waiting.version if shown.waiting else 0)}
    for sent in (deed, back):
        if sent is not None and sent.clashed:
            sent.comes_again(int(version["version"]))
    return page(
        "evaluation/shift.html", shown=shown, points=points, form=form or ShiftForm(formdata=None),
        deed=deed or ContestedForm(formdata=None, data=version), back=back or ReturnShiftForm(formdata=None, data=version),
    )  # fmt: skip
