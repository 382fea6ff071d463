"""Pages of an evaluator: the list of assessments and the split screen of one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import flash, request

from grants.applications import services as application_writes
from grants.core import clock
from grants.core.errors import Conflict
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    SheetForm,
    sheet_form,
)
from grants.evaluation.rules import AssessmentPage, ListOrder
from grants.evaluation.views.beside import beside
from grants.evaluation.views.contested import Meanwhile, meanwhile_of, numbers_carried, shown_in, take_sides
from grants.evaluation.views.frame import P, anchors_of, bp, typed_again
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/assessments")
@requires(P.ASSESSMENT_SCORE, P.CONFLICT_DECLARE)
def assessments() -> Any:
    actor = current_actor()
    rows, undeclared = queries.assessments_and_undeclared(actor)
    order = ListOrder.asked(request.args.get("order", ""))
    shown, earlier = rules.of_now(rules.in_order(rows, order))
    own = rules.own_work(shown)
    return page(
        "evaluation/assessments.html",
        rows=shown,
        earlier=earlier,
        order=order,
        orders=tuple(ListOrder),
        own=own,
        left_words=rules.left_words(_days_until(own.due_at)),
        patterns=rules.own_patterns(shown),
        patterns_before=rules.own_patterns(earlier),
        undeclared=undeclared,
    )


def _days_until(moment: datetime | None) -> int | None:
    """Calendar days in Brussels until a moment; negative afterwards."""
    return None if moment is None else (clock.in_zone(moment).date() - clock.today()).days


@bp.get("/assessments/<ref>")
@requires(P.ASSESSMENT_SCORE)
def assessment(ref: str) -> Any:
    shown = queries.assessment_page(current_actor(), ref)
    return _assessment(shown, _form_of(shown))


@bp.post("/assessments/<ref>")
@requires(P.ASSESSMENT_SCORE)
def save_assessment(ref: str) -> Any:
    shown = queries.assessment_page(current_actor(), ref)
    form, go = _form_of(shown), request.form.get("go", "save")
    take_sides(form)
    if form.validate_on_submit():
        try:
            with form.refusals():
                return _store_sheet(shown, form, go)
        except Conflict as error:
            stands = queries.assessment_page(current_actor(), ref)
            clashes = meanwhile_of(queries.form_of(stands), error)
            # Only the own hand writes on a sheet.
            again = typed_again(form, stands.sheet.version, "by you in another window")
            return _assessment(_as_sent(stands, clashes), again, clashes), 409
    return _assessment(_as_sent(shown), form), 422


def _as_sent(shown: AssessmentPage, settled: Collection[str] = ()) -> AssessmentPage:
    """The page with the numbers its form was sent with: what another window wrote since is not seen by coming back."""
    numbers = numbers_carried(queries.form_of(shown), shown.sheet.numbers, settled)
    return replace(shown, sheet=replace(shown.sheet, numbers=numbers))


def _store_sheet(shown: AssessmentPage, form: SheetForm, go: str) -> Any:
    actor, key, seen = current_actor(), shown.head.id, shown_in(queries.form_of(shown))
    # With the number of each field, only what another window wrote stands in the way.
    version = form.version_shown() if seen is None else None
    if go == "submit":
        services.submit(actor, key, form.to_input(), version, seen)
        flash("Your assessment is submitted. You can read the others that are in.")
        return see_other(".assessment", ref=shown.head.reference)
    services.save(actor, key, form.to_input(), version, seen)
    flash(f"Your draft for “{shown.head.title}” is saved.")
    if go == "skip":
        services.skip(queries.own_seat_id(actor, shown.head.reference))
    if go not in ("next", "skip"):
        return see_other(".assessment", ref=shown.head.reference)
    return see_other(".assessment", ref=shown.next_reference) if shown.next_reference else see_other(".assessments")


def _form_of(shown: AssessmentPage) -> SheetForm:
    return sheet_form(shown.marking, shown.sheet, remark=rules.REMARK_WORDS, said=shown.sheet.remark)


def _assessment(shown: AssessmentPage, form: SheetForm, meanwhile: dict[str, Meanwhile] | None = None) -> str:
    told = beside(shown.submission_id, shown.criteria)
    typed = {field.name: str(field.data or "") for field in form if field.name.startswith(("comment_", rules.REMARK))}
    numbered = enumerate(shown.criteria, 1)
    return page(
        "evaluation/assessment.html", shown=shown, form=form, beside=told, meanwhile=meanwhile or {},
        quotes=rules.quotes_in(typed, told.texts),
        jumps=[(f"{number} {one.name.split()[0]}", told.fed[one.key], one) for number, one in numbered if one.key in told.fed],
        anchors=anchors_of(shown.marking.scale), half_words=rules.half_words, weighted_words=rules.weighted_words, below_words=rules.below_words, lacking=_lacking(shown),
    )  # fmt: skip


def _lacking(shown: AssessmentPage) -> dict[str, str]:
    sheet = rules.SheetInput(shown.sheet.marks, shown.sheet.remark)
    return rules.lacking(sheet, shown.marking)


@bp.get("/assessments/<ref>/files/<sha256>")
@requires(P.ASSESSMENT_SCORE)
def file(ref: str, sha256: str) -> Any:
    application_id = queries.application_id_of(current_actor(), ref)
    return send(application_writes.download_assigned(current_actor(), application_id, sha256))
