"""Pages of scenarios: side by side, each with its list, and the choice of one."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.awards import queries, rules, services
from grants.awards.forms import ChooseForm, ScenarioForm, SolveForm
from grants.awards.rules import DecisionInput, RankingPage, ScenarioView
from grants.awards.views.frame import READS, P, add_problems, bp, may_decide
from grants.awards.views.ranking import listed
from grants.awards.views.solving import solving_of
from grants.calls.rules import CallView
from grants.core.permissions import Scope
from grants.dossiers.rules import clean_text
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/scenarios")
@requires(*READS)
def scenarios(slug: str) -> Any:
    return _side_by_side(slug)


def _side_by_side(slug: str, form: ScenarioForm | None = None, asked: SolveForm | None = None) -> str:
    shown = queries.scenarios_page(current_actor(), slug)
    # One more begins with what the call published: only what is changed departs from it.
    form = ScenarioForm.of("", rules.Plan(shown.rules)) if form is None else form
    may = shown.ready and current_actor().may(P.SELECTION_DECIDE, Scope.of(("call", shown.call_id)))
    form.by_rules(shown.rules, shown.draws)
    solving = None
    if asked is not None or (shown.unsolved and shown.decided is None):
        solving = solving_of(shown.call_id, slug, "scenarios", names=shown.unsolved, form=asked)
    return page("awards/scenarios.html", shown=shown, form=form, may=may, solving=solving)


@bp.post("/calls/<slug>/scenarios")
@requires(P.SELECTION_DECIDE)
def add_scenario(slug: str) -> Any:
    (call, _), form = queries.opened(current_actor(), slug), ScenarioForm()
    if form.validate_on_submit():
        with form.attempt():
            given = form.to_input(call.content.selection)
            number = services.save_scenario(current_actor(), call.id, given)
            flash("The scenario is saved.")
            return see_other(".scenario", slug=slug, number=number)
    else:
        _tell_the_rest(form, call)
    return _side_by_side(slug, form), 409 if form.clashed else 422


def _tell_the_rest(form: ScenarioForm, call: CallView, number: int | None = None) -> None:
    """Where a form is wrong by itself no act looks at it, so what is wrong beside the list is told here with the rest."""
    shown = queries.ranking_page(current_actor(), call.slug)
    if shown.partial or shown.selection is not None:
        return
    saved = {each.number: each.name for each in queries.scenarios(call.id)}
    wrong = rules.wrong_name(clean_text(form.title.data or ""), number, saved)
    asked = {row.reference: row.requested for row in shown.rows}
    published, draws = call.content.selection, call.content.draw is not None
    wrong |= rules.wrong_departures(form.readable(published), asked, published, shown.budget, draws=draws)
    add_problems(form, wrong)


@bp.get("/calls/<slug>/scenarios/<int(max=2147483647):number>")
@requires(*READS)
def scenario(slug: str, number: int) -> Any:
    shown, saved = queries.scenario_page(current_actor(), slug, number)
    form = ScenarioForm.of(saved.name, saved.plan, saved.version)
    return _scenario(shown, saved, form, ChooseForm(formdata=None, list_hash=shown.list_hash))


def _scenario(shown: RankingPage, saved: ScenarioView, form: ScenarioForm, choice: ChooseForm) -> str:
    may = may_decide(shown)
    lacks = shown.unsolved and not shown.partial
    form.by_rules(shown.rules, bool(shown.drawing))
    solving = solving_of(shown.call_id, shown.call_slug, str(saved.number)) if lacks else None
    return page(
        "awards/scenario.html",
        shown=shown,
        **listed(shown),
        saved=saved,
        form=form,
        choice=choice,
        may=may,
        may_change=_may_change(shown),
        solving=solving,
        held=rules.complaints_words(queries.complaints.about_eligibility(shown.call_id)) if may else "",
    )


def _may_change(shown: RankingPage) -> bool:
    """Whether this person may change a scenario: also one that selects nothing, or that is not worked out."""
    stands = shown.selection is not None or shown.partial
    return not stands and current_actor().may(P.SELECTION_DECIDE, Scope.of(("call", shown.call_id)))


@bp.post("/calls/<slug>/scenarios/<int(max=2147483647):number>")
@requires(P.SELECTION_DECIDE)
def change_scenario(slug: str, number: int) -> Any:
    (call, _), form = queries.opened(current_actor(), slug), ScenarioForm()
    if form.validate_on_submit():
        with form.attempt():
            services.save_scenario(current_actor(), call.id, form.to_input(call.content.selection, number))
            flash("The scenario is saved.")
            return see_other(".scenario", slug=slug, number=number)
    else:
        _tell_the_rest(form, call, number)
    shown, saved = queries.scenario_page(current_actor(), slug, number)
    if form.clashed:
        form.comes_again(saved.version)
    choice = ChooseForm(formdata=None, list_hash=shown.list_hash)
    return _scenario(shown, saved, form, choice), 409 if form.clashed else 422


@bp.post("/calls/<slug>/scenarios/<int(max=2147483647):number>/choose")
@requires(P.SELECTION_DECIDE)
def choose_scenario(slug: str, number: int) -> Any:
    (call, _), choice = queries.opened(current_actor(), slug), ChooseForm()
    if choice.validate_on_submit():
        with choice.attempt():
            given = DecisionInput(
                choice.list_hash.data or "",
                choice.reason.data or "",
                scenario=number,
                despite=choice.despite.data or "",
                redrawn=choice.redrawn.data or "",
            )
            decided = services.decide(current_actor(), call.id, given)
            flash(
                "The scenario is chosen and its list decided. Another person must confirm it before money is reserved."
            )
            return see_other(".selection", slug=slug, number=decided)
    shown, saved = queries.scenario_page(current_actor(), slug, number)
    form = ScenarioForm.of(saved.name, saved.plan, saved.version)
    if choice.clashed:
        choice.list_hash.data, choice.list_hash.raw_data = shown.list_hash, [shown.list_hash]
    return _scenario(shown, saved, form, choice), 409 if choice.clashed else 422


@bp.get("/calls/<slug>/scenarios/what-if")
@requires(*READS)
def what_if(slug: str) -> Any:
    """What other aims would select: worked out by a job when it is asked for, and never a decision."""
    shown = queries.what_ifs(current_actor(), slug)
    solving = solving_of(shown.call_id, slug, "what-if") if shown.unsolved and shown.call_id else None
    return page("awards/what_if.html", shown=shown, solving=solving)


# Where the button stands, by what its form says; a scenario by its number.
BACK = {"ranking": ".ranking", "decision": ".decision", "scenarios": ".scenarios", "what-if": ".what_if"}


@bp.post("/calls/<slug>/solve")
@requires(P.SELECTION_DECIDE)
def ask_solve(slug: str) -> Any:
    """Ask for everything that takes a solver, and back to the page that lacked it."""
    (call, _), form = queries.opened(current_actor(), slug), SolveForm()
    if form.validate_on_submit():
        with form.refusals():
            services.request_solve(current_actor(), call.id)
            flash("It is asked for. The page shows it when it is worked out.")
            back = form.back.data or ""
            if len(back) < 10 and back.isascii() and back.isdigit():
                return see_other(".scenario", slug=slug, number=int(back))
            return see_other(BACK.get(back, ".scenarios"), slug=slug)
    return _side_by_side(slug, asked=form), 422
