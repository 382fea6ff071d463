"""Another lead for an application whose lead is gone: asked for by its team, answered by staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.applications import queries, services
from grants.applications.forms import DeedForm, TakeoverForm, TakeoverRefusalForm
from grants.applications.views.frame import bp, team_context
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/applications/<ref>/takeover", methods=["GET", "POST"])
@requires(Permission.APPLICATION_COMMENT)
def takeover(ref: str) -> Any:
    """Ask that another person of the leading organisation leads."""
    place = queries.workplace(current_actor(), ref)
    found = queries.could_lead(place.application)
    form = TakeoverForm().among(found)
    if form.validate_on_submit():
        with form.refusals():
            services.ask_takeover(current_actor(), place.application.id, UUID(form.person.data), str(form.reason.data))
            flash("The programme office was asked. Everybody of the team is told once it has answered.", "success")
            return see_other(".team", ref=ref)
    return page(
        "applications/takeover.html",
        form=form,
        gone=queries.lead_is_gone(place.application, found),
        waits=queries.takeover_waits(place.application.id),
        **team_context(place),
    ), 422 if form.is_submitted() else 200


@bp.get("/takeovers")
@requires(Permission.APPLICATION_CONFIRM_TAKEOVER)
def takeovers() -> Any:
    """The requests that wait, with the words of those who asked."""
    return _takeovers()


def _takeovers(form: Any = None) -> str:
    return page(
        "applications/takeovers.html",
        asked=queries.takeovers(current_actor()),
        form=form or DeedForm(formdata=None),
        deed=DeedForm(formdata=None),
    )


@bp.post("/takeovers/confirm")
@requires(Permission.APPLICATION_CONFIRM_TAKEOVER)
def confirm_takeover() -> Any:
    """The person leads from now on."""
    form = DeedForm()
    with form.refusals():
        services.confirm_takeover(current_actor(), form.thing_id() or UUID(int=0))
        flash("Confirmed. Everybody of the team is told.", "success")
        return see_other(".takeovers")
    return _takeovers(form), 422


@bp.post("/takeovers/refuse")
@requires(Permission.APPLICATION_CONFIRM_TAKEOVER)
def refuse_takeover() -> Any:
    """The person does not lead."""
    form = TakeoverRefusalForm()
    with form.refusals():
        services.refuse_takeover(current_actor(), form.thing_id() or UUID(int=0), form.reason.data or "")
        flash("Refused. Everybody of the team is told.", "success")
        return see_other(".takeovers")
    return _takeovers(form), 422
