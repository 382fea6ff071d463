"""Pages of who acts for the coordinator."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import services
from grants.agreements.forms import (
    ContactForm,
    DismissForm,
)
from grants.agreements.rules import DismissInput
from grants.agreements.views.frame import P, bp, grant_of
from grants.core.errors import NotFound
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/grants/<ref>/people", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def people(ref: str) -> Any:
    grant, form = grant_of(ref), ContactForm()
    if form.validate_on_submit():
        with form.refusals():
            services.appoint(current_actor(), grant.id, form.to_input())
            flash(f"{form.to_input().name} is named. Everybody of {grant.coordinator} is told by mail.", "success")
            return see_other(".people", ref=ref)
    return page("agreements/people.html", grant=grant, form=form), 422 if form.is_submitted() else 200


@bp.route("/grants/<ref>/people/<handle>/<role>/dismiss", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def dismiss(ref: str, handle: str, role: str) -> Any:
    grant, form = grant_of(ref), DismissForm()
    person = next((each for each in grant.contacts if (each.handle, each.role.value) == (handle, role)), None)
    if person is None:
        raise NotFound
    if form.validate_on_submit():
        with form.refusals():
            given = DismissInput(handle, person.role, str(form.reason.data), bool(form.leaves.data))
            services.dismiss(current_actor(), grant.id, given)
            flash(f"{person.name} has this part no more and was told by mail.", "success")
            return see_other(".people", ref=ref)
    return page("agreements/dismiss.html", grant=grant, form=form, person=person), 422 if form.is_submitted() else 200
