"""Pages of an evaluator: the list of assessments and the split screen of one."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.applications import queries as applications
from grants.applications import services as application_writes
from grants.core.errors import Conflict
from grants.dossiers import rules as dossiers
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    SheetForm,
    sheet_form,
)
from grants.evaluation.rules import AssessmentPage
from grants.evaluation.views.frame import P, anchors_of, bp, typed_again
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/assessments")
@requires(P.ASSESSMENT_SCORE, P.CONFLICT_DECLARE)
def assessments() -> Any:
    actor = current_actor()
    return page("evaluation/assessments.html", rows=queries.assessments(actor), undeclared=queries.unanswered(actor))


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
    if form.validate_on_submit():
        try:
            with form.refusals():
                return _store_sheet(shown, form, go)
        except Conflict:
            stands = queries.assessment_page(current_actor(), ref)
            return _assessment(stands, typed_again(form, stands.sheet.version)), 409
    return _assessment(shown, form), 422


def _store_sheet(shown: AssessmentPage, form: SheetForm, go: str) -> Any:
    actor, key = current_actor(), shown.head.id
    if go == "submit":
        services.submit(actor, key, form.to_input(), form.version_shown())
        flash("Your assessment is submitted. You can read the others that are in.")
        return see_other(".assessment", ref=shown.head.reference)
    services.save(actor, key, form.to_input(), form.version_shown())
    flash(f"Your draft for “{shown.head.title}” is saved.")
    following = shown.next_reference if go == "next" else None
    return see_other(".assessment", ref=following or shown.head.reference)


def _form_of(shown: AssessmentPage) -> SheetForm:
    said = "Anything else the panel should know"
    return sheet_form(shown.marking, shown.sheet, remark=said, said=shown.sheet.remark)


def _assessment(shown: AssessmentPage, form: SheetForm) -> str:
    content = applications.submitted_content(shown.head.id)
    sections = dossiers.answered(content.dossier)
    names = {str(file.file_id): file.name for file in content.files}
    return page(
        "evaluation/assessment.html", shown=shown, form=form, sections=sections, content=content, names=names,
        clarified=applications.shared_clarifications(shown.head.id),
        jumps=_jumps(shown, sections), anchors=anchors_of(shown.marking.scale), half_words=rules.half_words,
    )  # fmt: skip


def _jumps(shown: AssessmentPage, sections: tuple[dossiers.AnsweredSection, ...]) -> list[tuple[str, str]]:
    """For each criterion a short name and the first answer that feeds it."""
    first: dict[str, str] = {}
    for section in sections:
        for item in section.items:
            if item.question.criterion:
                first.setdefault(item.question.criterion, f"answer-{item.question.key}")
    named = [(number, one) for number, one in enumerate(shown.criteria, 1) if one.key in first]
    return [(f"{number} {one.name.split()[0]}", first[one.key]) for number, one in named]


@bp.get("/assessments/<ref>/files/<sha256>")
@requires(P.ASSESSMENT_SCORE)
def file(ref: str, sha256: str) -> Any:
    application_id = queries.application_id_of(current_actor(), ref)
    return send(application_writes.download_assigned(current_actor(), application_id, sha256))
