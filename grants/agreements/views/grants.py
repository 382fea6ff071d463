"""Pages of the list of grants, of one grant, and of the beginning of a preparation."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.agreements import queries, services
from grants.agreements.forms import (
    PrepareForm,
)
from grants.agreements.states import GrantState
from grants.agreements.views.frame import P, bp, grant_of, this_day
from grants.applications import queries as applications
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, requires, see_other

# As the list is narrowed; both ways to end a grant before both signed are one state.
STATE_WORDS = {
    GrantState.PREPARATION: "In preparation",
    GrantState.READY_TO_SIGN: "Ready to sign",
    GrantState.IN_FORCE: "In force",
    GrantState.CLOSED: "Closed",
    GrantState.DROPPED: "Dropped or declined",
}


@bp.get("/grants")
@requires(P.AGREEMENT_READ)
def index() -> Any:
    actor, search = current_actor(), request.args.get("q", "")
    problems: list[str] = []
    words = {each.value: said for each, said in STATE_WORDS.items()}
    state = chosen("state", "state", {each.value: each for each in STATE_WORDS}, problems, words=words)
    found = queries.grants(actor, paging.asked(), state=state, search=search)
    return page(
        "agreements/index.html",
        rows=found,
        problems=problems,
        states=STATE_WORDS,
        chosen=state,
        search=search,
        waiting=queries.selected_without_grant(actor),
    )


@bp.route("/grants/prepare/<application_ref>", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def prepare(application_ref: str) -> Any:
    actor, form = current_actor(), PrepareForm()
    application = applications.view(actor, application_ref)
    if form.validate_on_submit() and form.starts_on.data:
        with form.refusals():
            made = services.prepare(actor, application.id, starts_on=form.starts_on.data)
            flash("The preparation has begun.", "success")
            return see_other(".preparation", ref=made.reference)
    return page("agreements/prepare.html", application=application, form=form), 422 if form.is_submitted() else 200


@bp.get("/grants/<ref>")
@requires(P.AGREEMENT_READ)
def show(ref: str) -> Any:
    return page("agreements/grant.html", grant=grant_of(ref), today=this_day())
