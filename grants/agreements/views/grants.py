"""Pages of the list of grants, of one grant, and of the beginning of a preparation."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.agreements import queries, services
from grants.agreements.forms import PrepareForm
from grants.agreements.states import GrantState
from grants.agreements.views.frame import P, bp, grant_of, this_day
from grants.applications import queries as applications
from grants.core.errors import Invalid
from grants.web import downloads, paging
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, requires, see_other

# As the list is narrowed; both ways to end a grant before both signed are one state.
STATE_WORDS = {
    GrantState.PREPARATION: "In preparation",
    GrantState.READY_TO_SIGN: "Ready to sign",
    GrantState.IN_FORCE: "In force",
    GrantState.TERMINATED: "Terminated",
    GrantState.CLOSED: "Closed",
    GrantState.DROPPED: "Dropped or declined",
}


@bp.get("/grants")
@requires(P.AGREEMENT_READ)
def index() -> Any:
    actor = current_actor()
    search, state, problems = _listed()
    return page(
        "agreements/index.html",
        rows=queries.grants(actor, paging.asked(), state=state, search=search),
        problems=problems,
        states=STATE_WORDS,
        chosen=state,
        search=search,
        waiting=queries.selected_without_grant(actor),
    )


def _listed() -> tuple[str, GrantState | None, list[str]]:
    """What the address asks of the list, and what of it is not understood."""
    problems: list[str] = []
    words = {each.value: said for each, said in STATE_WORDS.items()}
    state = chosen("state", "state", {each.value: each for each in STATE_WORDS}, problems, words=words)
    return request.args.get("q", ""), state, problems


LIST_COLUMNS = ("grant", "acronym", "title", "coordinator", "country", "state", "starts", "ends_before", "maximum_eur", "maximum_invented")  # fmt: skip


@bp.get("/grants.<any(csv, xlsx):kind>")
@requires(P.AGREEMENT_READ)
def list_file(kind: str) -> Any:
    """The same grants as a file, at most 5,000."""
    search, state, problems = _listed()
    if problems:
        raise Invalid(" ".join(problems))
    found = queries.grants(current_actor(), paging.Page(size=downloads.LIST_ROWS_MAX), state=state, search=search)
    rows: list[tuple[object, ...]] = [
        (
            *(row.reference, row.acronym, row.title, row.coordinator, row.country_code, STATE_WORDS[row.state]),
            *(row.starts_on, row.ends_before, row.maximum, "yes" if row.amount_is_invented else "no"),
        )
        for row in found.items
    ]
    if found.next_key is not None:
        rows.append((downloads.CUT_OFF, *(None,) * (len(LIST_COLUMNS) - 1)))
    return downloads.list_file("grants", LIST_COLUMNS, rows, kind)


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
