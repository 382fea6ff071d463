"""The empty form and the empty budget of a call as files, for everybody before any sign-in."""

from __future__ import annotations

from flask import Response

from grants.budgets import offline as budget_files
from grants.calls import queries
from grants.calls.rules.saying import budget_notes, form_notes
from grants.calls.views.building import bp
from grants.core.errors import NotFound
from grants.core.file_types import FileType
from grants.dossiers import offline as form_files
from grants.web.downloads import hand_over
from grants.web.routing import current_actor, public


@bp.get("/<slug>/form.docx")
@public
def empty_form(slug: str) -> Response:
    """The whole form of a call with its limits and guidance, as a Word file."""
    call = queries.call(current_actor(), slug)
    made = form_files.written(call.title, form_notes(call), call.content.definition, {})
    return hand_over(made, FileType.DOCX, f"{call.reference} form.docx")


@bp.get("/<slug>/form.xlsx")
@public
def empty_sheet(slug: str) -> Response:
    """The same as a workbook."""
    call = queries.call(current_actor(), slug)
    made = form_files.written_sheet(call.title, call.content.definition, {})
    return hand_over(made, FileType.XLSX, f"{call.reference} form.xlsx")


@bp.get("/<slug>/budget.xlsx")
@public
def empty_budget(slug: str) -> Response:
    """The empty budget with its limits and guidance; a call that pays nothing has none."""
    call = queries.call(current_actor(), slug)
    if not call.content.pays:
        raise NotFound
    made = budget_files.written(f"Budget, {call.title}", budget_notes(call), call.content.budget_rules, ())
    return hand_over(made, FileType.XLSX, f"{call.reference} budget.xlsx")
