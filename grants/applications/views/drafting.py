"""One application: its task list and details; its sections are in the module for writing."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.applications import queries, services
from grants.applications.forms import DetailsForm
from grants.applications.states import ApplicationState
from grants.applications.views.call_changes import change_href, unread
from grants.applications.views.frame import bp, submitted_context, team_context
from grants.calls.rules.telling import told_once
from grants.core import clock
from grants.core.permissions import Permission, Scope
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>")
@requires(Permission.APPLICATION_READ)
def show(ref: str) -> Any:
    """The task list for the team; for staff what was submitted."""
    actor = current_actor()
    application = queries.view(actor, ref)
    ended = queries.reason_of_end(actor, application)
    team = queries.is_team(actor, application.id)
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    shown = {
        "ended": ended,
        # An officer may have a conflict with what others sent.
        "declares": not team and application.submission and actor.may(Permission.CONFLICT_DECLARE_IN_OFFICE, scope),
        "ineligible": queries.desk(actor, application) if application.state is ApplicationState.INELIGIBLE else None,
        "concept": queries.concept_of(application.id) if application.call.by_invitation else None,
    }
    now = clock.now()
    if team and application.dossier_id is not None:
        place = queries.workplace_of(application, now, reader=actor)
        versions = unread(place)
        lines = told_once(change for version in versions for change in version.changes)
        told = {"unread": versions, "unread_lines": lines, "change_href": change_href(place), "changes": place.changes}
        return page("applications/task_list.html", **shown, **told, **team_context(place))
    if application.submission is None:
        # Of what was published elsewhere there is no version to read, only where it stands.
        way = queries.stages(application, now, actor)
        return page(
            "applications/submitted.html", timeline=way, **shown, **submitted_context(application, clarified=())
        )
    timeline, clarified, content = queries.stages_and_questions(actor, application, now)
    context = submitted_context(application, content, clarified)
    return page("applications/submitted.html", timeline=timeline, **shown, **context)


@bp.get("/applications/<ref>/details")
@requires(Permission.APPLICATION_EDIT)
def details(ref: str) -> Any:
    """Title, short name and summary."""
    place = queries.workplace(current_actor(), ref)
    view = place.application
    form = DetailsForm(
        data={
            "title": view.title,
            "acronym": view.acronym or "",
            "about": view.summary or "",
            # It rises with every decision: once nothing can be written any more, the page carries none.
            "version": str(view.version) if view.editable(clock.now()) else "",
        }
    )
    register = queries.register_now(place)
    return page("applications/details.html", form=form, stored=None, register=register, **team_context(place))


@bp.post("/applications/<ref>/details")
@requires(Permission.APPLICATION_EDIT)
def edit_details(ref: str) -> Any:
    """Save them."""
    form, place = DetailsForm(), queries.workplace(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.edit_details(current_actor(), place.application.id, form.to_input(), form.version_shown())
            flash("The details are saved.", "success")
            return see_other(".show", ref=ref)
    if form.clashed:
        place = queries.workplace(current_actor(), ref)
        form.comes_again(place.application.version)
    stored = place.application if form.clashed else None
    register = queries.register_now(place)
    shown = page("applications/details.html", form=form, stored=stored, register=register, **team_context(place))
    return shown, 409 if stored else 422
