"""Pages of conflicts: what a person declares, and the manager’s ruling on a doubt."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, request

from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    RuleForm,
    conflicts_form,
)
from grants.evaluation.states import Ruling
from grants.evaluation.views.frame import P, bp, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/assessments/conflicts")
@requires(P.CONFLICT_DECLARE)
def conflicts() -> Any:
    pages = [(shown, conflicts_form(shown)) for shown in queries.conflict_pages(current_actor())]
    return page("evaluation/conflicts.html", pages=pages)


@bp.post("/assessments/conflicts/<slug>")
@requires(P.CONFLICT_DECLARE)
def declare(slug: str) -> Any:
    found = queries.conflict_pages(current_actor())
    pages = [(shown, conflicts_form(shown)) for shown in found]
    shown, form = next(((one, form) for one, form in pages if one.call_slug == slug), (None, None))
    if shown is None or form is None:
        abort(404)
    if form.validate_on_submit():
        with form.refusals():
            answers = form.to_input_with_rest() if request.form.get("go") == "rest" else form.to_input()
            count = services.declare(current_actor(), shown.call_id, answers)
            flash(_declared_words(len(answers), count))
            return see_other(".conflicts")
    return page("evaluation/conflicts.html", pages=pages, form=form), 422


def _declared_words(answers: int, conflicts: int) -> str:
    words = f"Your declarations are stored: {answers} answered."
    return words if not conflicts else f"{words} {conflicts} with a conflict will not appear again."


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
