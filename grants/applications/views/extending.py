"""The page on which one applicant gets more time."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.applications import queries, rules, services
from grants.applications.forms import OneExtensionForm
from grants.applications.views.frame import bp
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core.errors import Invalid, NotFound
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/more-time")
@requires(Permission.CALL_EXTEND)
def more_time(slug: str) -> Any:
    """Who asked, until when, why; and what was given before, without names."""
    return _more_time_page(
        calls.call_held(current_actor(), slug, Permission.CALL_EXTEND), OneExtensionForm(formdata=None)
    )


@bp.post("/calls/<slug>/more-time")
@requires(Permission.CALL_EXTEND)
def give_more_time(slug: str) -> Any:
    call, form = calls.call_held(current_actor(), slug, Permission.CALL_EXTEND), OneExtensionForm()
    if form.validate_on_submit():
        with form.refusals():
            application_id = _asked(call, (form.reference.data or "").strip().upper())
            moved = services.extend_for_one(current_actor(), application_id, form.to_input())
            flash(f"The deadline of this applicant is {rules.said(moved.closes_at, moved.zone)} now.", "success")
            flash("Its team is told by mail; the page of the call says why, and not who.", "success")
            return see_other("calls.dates", slug=slug)
    return _more_time_page(call, form), 422


def _asked(call: CallView, reference: str) -> Any:
    try:
        return queries.in_call(call.id, reference)
    except NotFound as error:
        sentence = f"No application of this call has the reference {reference[:40]}. Ask the applicant for it."
        raise Invalid(sentence, {"reference": sentence}) from error


def _more_time_page(call: CallView, form: OneExtensionForm) -> str:
    record = calls.public_record(call.id)
    return page(
        "applications/more_time.html",
        call=call,
        form=form,
        record=record,
        given=queries.with_own_deadline(current_actor(), call.id),
        days_max=rules.ONE_EXTENSION_MAX.days,
    )
