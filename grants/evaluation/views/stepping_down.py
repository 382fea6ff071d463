"""An evaluator steps down from a whole call, and comes back to it."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.evaluation import queries, rules, services
from grants.evaluation.forms import WhyForm
from grants.evaluation.views.frame import P, bp
from grants.web.forms import ContestedForm, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/calls/<slug>/step-down", methods=["GET", "POST"])
@requires(P.CONFLICT_DECLARE)
def step_down(slug: str) -> Any:
    """Stop evaluating in a call: what follows is said, a reason is asked for, and the open seats are free."""
    shown, form = queries.stepping_down(current_actor(), slug), WhyForm()
    if form.validate_on_submit():
        with form.attempt():
            freed = services.step_down(current_actor(), shown.call_id, form.reason.data or "", form.version_shown())
            seats = "1 seat is" if freed == 1 else f"{freed} seats are"
            flash(f"You no longer evaluate in {shown.title}. {seats} free; the programme manager is told.", "success")
            return see_other(".assessments")
    return _page(slug, form)


@bp.post("/calls/<slug>/step-down/back")
@requires(P.CONFLICT_DECLARE)
def come_back(slug: str) -> Any:
    """Be there for new seats of a call again."""
    shown, form = queries.stepping_down(current_actor(), slug), ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            services.come_back(current_actor(), shown.call_id, form.version_shown())
            flash(f"You evaluate in {shown.title} again; the programme manager is told.", "success")
            return see_other(".conflicts")
    return _page(slug, form)


def _page(slug: str, sent: ContestedForm) -> Any:
    shown = queries.stepping_down(current_actor(), slug)
    form = sent if isinstance(sent, WhyForm) else WhyForm(formdata=None)
    if sent.clashed:
        sent.comes_again(shown.version)
    elif not sent.is_submitted():
        form.version.data = str(shown.version)
    if form is not sent:
        form.problems += sent.problems
        form.version.data = str(shown.version)
    back = ContestedForm(formdata=None, data={"version": str(shown.version)})
    return page(
        "evaluation/step_down.html", shown=shown, form=form, back_form=back, all_submitted=rules.ALL_SUBMITTED
    ), status_of(sent)
