"""The words evaluators of a call accept, versioned by staff."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.calls import queries, services
from grants.calls.forms import ExpertTermsForm
from grants.calls.rules.expert_terms import TERMS_HEADINGS
from grants.calls.views.building import bp
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/<slug>/expert-terms/edit", methods=["GET", "POST"])
@requires(Permission.CALL_MANAGE)
def edit_expert_terms(slug: str) -> Any:
    """A version of the contract and of the confidentiality; everybody of the pool is asked to accept it."""
    call = queries.call_held(current_actor(), slug, Permission.CALL_MANAGE)
    versions = queries.expert_terms(call.id)
    stands = next(iter(versions), None)
    text = stands.text if stands else None
    form = ExpertTermsForm(data={name: getattr(text, name) for name in TERMS_HEADINGS} if text else None)
    if form.validate_on_submit():
        with form.refusals():
            number = services.add_expert_terms(
                current_actor(), call.id, form.to_input(), form.note.data or "", shown=form.number()
            )
            flash(f"Version {number} stands. Nothing opens to an evaluator before they accept it.", "success")
            return see_other(".edit_expert_terms", slug=slug)
        versions = queries.expert_terms(call.id)
        stands = next(iter(versions), None)
    form.shown.data, form.shown.raw_data = str(stands.number if stands else 0), None
    status = 422 if form.is_submitted() else 200
    return page("calls/expert_terms.html", call=call, versions=versions, stands=stands, form=form), status
