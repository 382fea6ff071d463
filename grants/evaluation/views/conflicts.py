"""Pages of conflicts: what a person declares, and the manager’s ruling on a doubt."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, request

from grants.calls.services import LOOK_JOB
from grants.core import jobs
from grants.core.errors import Conflict, NotFound, no_such
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    ConflictsForm,
    ReasonForm,
    RuleForm,
    conflicts_form,
)
from grants.evaluation.rules import ConflictPage
from grants.evaluation.states import DetectedState, Ruling
from grants.evaluation.views.frame import P, bp, status_of
from grants.web import paging
from grants.web.routing import current_actor, page, requires, see_other

# What is gone is on the record alone.
SHOWN = (DetectedState.PROPOSED, DetectedState.CONFIRMED, DetectedState.DISMISSED)


@bp.get("/assessments/conflicts")
@requires(P.CONFLICT_DECLARE)
def conflicts() -> Any:
    pages = [(shown, conflicts_form(shown)) for shown in queries.conflict_pages(current_actor())]
    return page(
        "evaluation/conflicts.html",
        pages=pages,
        terms=queries.own_terms(current_actor()),
        own=queries.own_pools(current_actor()),
    )


@bp.post("/assessments/conflicts/<slug>")
@requires(P.CONFLICT_DECLARE)
def declare(slug: str) -> Any:
    pages, shown, form = _sent_to(slug)
    if form.validate_on_submit():
        try:
            with form.refusals():
                rest = request.form.get("go") == "rest"
                answers, entities = form.to_input_with_rest() if rest else form.to_input(), form.to_entities(rest=rest)
                count = services.declare(current_actor(), shown.call_id, answers, entities)
                flash(_declared_words(len(answers) + len(entities), count))
                return see_other(".conflicts")
        except (Conflict, NotFound):
            # Another window of theirs was first, by less than this page took: what it stored is read, and told row by row.
            pages, shown, form = _sent_to(slug)
            if form.validate():
                raise
    return page(
        "evaluation/conflicts.html",
        pages=pages,
        form=form,
        terms=queries.own_terms(current_actor()),
        own=queries.own_pools(current_actor()),
    ), 422


def _sent_to(slug: str) -> tuple[list[tuple[ConflictPage, ConflictsForm]], ConflictPage, ConflictsForm]:
    """All that is declared about now, the part of this call, and its form with what was sent."""
    found = queries.conflict_pages(current_actor())
    pages = [(shown, conflicts_form(shown, sent=shown.call_slug == slug)) for shown in found]
    for shown, form in pages:
        if shown.call_slug == slug:
            return pages, shown, form
    abort(404)


def _declared_words(answers: int, conflicts: int) -> str:
    if not answers:
        return "Nothing was answered, so nothing was stored."
    words = f"Your declarations are stored: {answers} answered."
    if not conflicts:
        return words
    gone = (
        "1 application you have a conflict with"
        if conflicts == 1
        else f"{conflicts} applications you have a conflict with"
    )
    return f"{words} {gone} will not appear again."


@bp.get("/calls/<slug>/conflicts")
@requires(P.CONFLICT_CONFIRM)
def detected(slug: str) -> Any:
    """What the program found that may be a conflict: what waits, what keeps people away, what was dismissed."""
    asked = request.args.get("show", DetectedState.PROPOSED.value)
    known = {state.value: state for state in SHOWN}
    problems = [] if asked in known else [no_such("state", asked, known)]
    state = known.get(asked, DetectedState.PROPOSED)
    call, rows, waiting = queries.detected_rows(current_actor(), slug, state, paging.asked())
    shown, look = paging.Rows(()) if problems else rows, jobs.latest(("call", call.id), LOOK_JOB)
    told = {"rows": shown, "waiting": waiting, "problems": problems, "state": state.value, "look": look}
    return page("evaluation/detected.html", call=call, **told)


@bp.route("/calls/<slug>/conflicts/<ref>/<handle>/found", methods=["GET", "POST"])
@requires(P.CONFLICT_CONFIRM)
def decide_detected(slug: str, ref: str, handle: str) -> Any:
    """Confirm or dismiss what was found between one person and one application."""
    pair = queries.detected_pair(current_actor(), slug, ref, handle)
    form = RuleForm(version=str(pair.version))
    if form.validate_on_submit():
        with form.attempt():
            ruling, version = Ruling(form.ruling.data), form.version_shown()
            followed = services.decide_detected(
                current_actor(), pair.application_id, pair.user_id, ruling, form.reason.data or "", version
            )
            flash(rules.RULED_WORDS[followed])
            return see_other(".detected", slug=slug)
        pair = queries.detected_pair(current_actor(), slug, ref, handle)
    if form.clashed:
        form.comes_again(pair.version)
    return page("evaluation/decide_detected.html", pair=pair, form=form, slug=slug), status_of(form)


@bp.route("/calls/<slug>/conflicts/<ref>/<handle>", methods=["GET", "POST"])
@requires(P.CONFLICT_CONFIRM)
def rule(slug: str, ref: str, handle: str) -> Any:
    row = queries.doubt(current_actor(), slug, ref, handle)
    form = RuleForm(version=str(row.version))
    if form.validate_on_submit():
        with form.attempt():
            ruling, version = Ruling(form.ruling.data), form.version_shown()
            followed = services.rule(current_actor(), row.id, ruling, form.reason.data or "", version)
            flash(rules.RULED_WORDS[followed])
            return see_other(".assignments", slug=slug)
        row = queries.doubt(current_actor(), slug, ref, handle)
    if form.clashed:
        form.comes_again(row.version)
    return page("evaluation/rule.html", row=row, form=form, slug=slug), status_of(form)


@bp.route("/applications/<ref>/conflict", methods=["GET", "POST"])
@requires(P.CONFLICT_DECLARE_IN_OFFICE)
def declare_in_office(ref: str) -> Any:
    """An officer says that they have a conflict with an application; it is no longer there for them then."""
    head = queries.to_declare_in_office(current_actor(), ref)
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.declare_in_office(current_actor(), head.id, form.reason.data or "")
            flash("Your declaration is stored. Somebody else decides about this application.")
            return see_other("oversight.home")
    return page("evaluation/declare_in_office.html", head=head, form=form), 422 if form.is_submitted() else 200
