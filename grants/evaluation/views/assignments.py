"""Pages of the manager’s assignments: runs, seats filled and emptied by hand, sheets opened again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, request
from werkzeug.datastructures import MultiDict

from grants.core import clock, jobs
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    AdjustForm,
    ReasonForm,
    RunForm,
)
from grants.evaluation.rules import SEARCH_MAX, MatrixOrder, MatrixSearch, SeatFilter, SeatSearch
from grants.evaluation.states import StandingRule
from grants.evaluation.views.frame import P, bp
from grants.evaluation.views.looking import look_at, looked_at
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.forms import Form, status_of
from grants.web.routing import current_actor, page, requires, see_other

# Each with its seats, their states and deeds: a tall row, on a phone above all.
ROWS_SHOWN = 20
# Of the matrix: what a screen takes in.
MATRIX_ROWS_SHOWN = 15


@bp.get("/calls/<slug>/assignments")
@requires(*queries.READS_ASSIGNMENTS)
def assignments(slug: str) -> Any:
    return _assignments(slug, RunForm(seed=slug))


@bp.post("/calls/<slug>/assignments")
@requires(P.ASSIGNMENT_DECIDE)
def run(slug: str) -> Any:
    form = RunForm()
    call = queries.call_to_assign(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            services.request_run(current_actor(), call.id, form.to_input())
            return see_other(".assignments", slug=slug)
    return _assignments(slug, form), 422


def _assignments(slug: str, form: RunForm) -> str:
    problems: list[str] = []
    only = chosen(
        "only", "filter", {each.value: each for each in SeatFilter}, problems,
        words={each.value: each.words for each in SeatFilter},
    )  # fmt: skip
    search = SeatSearch(
        request.args.get("q", "").strip()[:SEARCH_MAX], only, request.args.get("topic", "")[:SEARCH_MAX]
    )
    shown = queries.assignments_page(current_actor(), slug, search, paging.asked(ROWS_SHOWN))
    chosen("topic", "topic", {key: key for key in shown.topics}, problems, words=shown.topics)
    job = jobs.latest(("call", shown.call_id), "jobs.evaluation.assign")
    if shown.is_full and not form.is_submitted():
        form.standing.data = StandingRule.MOVABLE.value
    return page(
        "evaluation/assignments.html", shown=shown, form=form, job=job, problems=problems, at=clock.now(),
        seat_words=rules.seat_words,
        filters=[each for each in SeatFilter if each is not SeatFilter.ROLE or shown.roles],
    )  # fmt: skip


@bp.route("/calls/<slug>/assignments/<ref>/<handle>/reopen", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def reopen(slug: str, ref: str, handle: str) -> Any:
    head, seat = queries.seat_of(current_actor(), slug, ref, handle)
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.reopen(current_actor(), seat.id, form.reason.data or "")
            flash(f"The assessment of {seat.name} is open again.")
            return see_other(".assignments", slug=slug)
    return page("evaluation/reopen.html", head=head, seat=seat, form=form), 422 if form.is_submitted() else 200


@bp.get("/calls/<slug>/assignments/runs/<int(max=2147483647):number>")
@requires(*queries.READS_ASSIGNMENTS)
def assignment_run(slug: str, number: int) -> Any:
    return page("evaluation/run.html", shown=queries.run_page(current_actor(), slug, number, paging.asked()))


@bp.get("/calls/<slug>/assignments/<ref>/<handle>/why")
@requires(*queries.READS_ASSIGNMENTS)
def why(slug: str, ref: str, handle: str) -> Any:
    shown = queries.seat_why(current_actor(), slug, ref, handle)
    job = jobs.latest(("assignment", shown.seat.id), services.LOSS_JOB) if shown.can_be_worked_out else None
    return page("evaluation/why.html", shown=shown, job=job, form=Form())


@bp.post("/calls/<slug>/assignments/<ref>/<handle>/why")
@requires(P.ASSIGNMENT_DECIDE)
def work_out_loss(slug: str, ref: str, handle: str) -> Any:
    """Ask for what the total would lose without this seat; a job solves the run again."""
    shown = queries.seat_why(current_actor(), slug, ref, handle)
    if Form().validate_on_submit():
        services.request_loss(current_actor(), shown.head.call_id, shown.seat.id)
        flash("It is being worked out. You can go on working meanwhile.")
    return see_other(".why", slug=slug, ref=ref, handle=handle)


@bp.get("/calls/<slug>/assignments/matrix")
@requires(*queries.READS_ASSIGNMENTS)
def matrix(slug: str) -> Any:
    """Applications down, evaluators across; each cell leads whoever decides to the change it stands for."""
    problems: list[str] = []
    orders = {each.value: each for each in MatrixOrder}
    order = chosen(
        "first", "order", orders, problems, otherwise=MatrixOrder.MATTERS, words={each.value: each.words for each in MatrixOrder}
    )  # fmt: skip
    start = request.args.get("people", 0, type=int)
    search = MatrixSearch(
        request.args.get("q", "").strip()[:SEARCH_MAX], order or MatrixOrder.MATTERS,
        start if 0 <= start <= rules.START_MAX else 0,
    )  # fmt: skip
    shown = queries.matrix_page(current_actor(), slug, paging.asked(MATRIX_ROWS_SHOWN), search)
    return page("evaluation/matrix.html", shown=shown, problems=problems, orders=tuple(MatrixOrder))


@bp.get("/calls/<slug>/assignments/<ref>/adjust")
@requires(P.ASSIGNMENT_DECIDE)
def adjusting(slug: str, ref: str) -> Any:
    leaving = request.args.get("leaving", "")
    # What a link of the list asks for is chosen already; what it cannot be stays open.
    deed = request.args.get("deed", "move" if leaving else None)
    form = AdjustForm(deed=deed, leaving=leaving, taking=request.args.get("taking"))
    if said := looked_at(f"seats of {ref}", form):
        return _looked_at(slug, ref, said)
    shown = queries.adjust_page(current_actor(), slug, ref)
    return page("evaluation/adjust.html", shown=shown, form=form.with_people(shown))


def _looked_at(slug: str, ref: str, said: dict[str, Any]) -> Any:
    """What a change that was sent to look at would do now; what was typed stands, and who was faster is said."""
    form = AdjustForm(formdata=MultiDict(said))
    shown = queries.adjust_page(current_actor(), slug, ref, form.to_input())
    if form.with_people(shown).is_overtaken(shown):
        return page("evaluation/adjust.html", shown=replace(shown, what_if=None), form=form)
    return _beside(shown, form)


def _beside(shown: rules.AdjustPage, form: AdjustForm) -> str:
    """The form with what it would do."""
    return page("evaluation/adjust.html", shown=shown, form=form.beside_look(), asked=True)


@bp.post("/calls/<slug>/assignments/<ref>/adjust")
@requires(P.ASSIGNMENT_DECIDE)
def adjust(slug: str, ref: str) -> Any:
    shown = queries.adjust_page(current_actor(), slug, ref)
    form = AdjustForm().with_people(shown)
    form.stores = not request.form.get("show")
    if not form.validate_on_submit():
        if form.is_overtaken(shown):
            return page("evaluation/adjust.html", shown=shown, form=form), 409
        return _refused(slug, ref, shown, form), 422
    if not form.stores:
        # Nothing is stored: the same form comes back with what the change would do, by an address of its own.
        if name := look_at(f"seats of {ref}", **form.looked_at):
            return see_other(".adjusting", slug=slug, ref=ref, look=name)
        return _beside(queries.adjust_page(current_actor(), slug, ref, form.to_input()), form)
    with form.attempt():
        flash(services.adjust(current_actor(), shown.head.id, form.to_input(), form.version_shown()))
        return see_other(".assignments", slug=slug)
    if form.clashed:
        form.comes_again(shown.version)
        return page("evaluation/adjust.html", shown=shown, form=form), status_of(form)
    return _refused(slug, ref, shown, form), status_of(form)


def _refused(slug: str, ref: str, shown: rules.AdjustPage, form: AdjustForm) -> str:
    """A change that was not stored, beside what it would do where that was on the page it came from."""
    if form.comes_with_look:
        return _beside(queries.adjust_page(current_actor(), slug, ref, form.to_input()), form)
    return page("evaluation/adjust.html", shown=shown, form=form)
