"""The eligibility desk."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.applications import queries, rules, services
from grants.applications.forms import CheckForm, check_form
from grants.applications.rules import ApplicationView
from grants.applications.states import ApplicationState
from grants.applications.views.frame import bp, submitted_context
from grants.calls import queries as calls
from grants.calls.rules.declarations import declared_lines
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Permission, Scope
from grants.identity import queries as identity
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/eligibility")
@requires(Permission.APPLICATION_CHECK)
def eligibility_list(slug: str) -> Any:
    """The applications of one call that wait for the desk, and those that are done."""
    call = calls.call(current_actor(), slug)
    rows = queries.for_call(current_actor(), call.id)
    waiting = [row for row in rows if row.state is ApplicationState.SUBMITTED]
    done = [row for row in rows if row.state is not ApplicationState.SUBMITTED and row.submitted_at]
    open_now = call.is_open(clock.now())
    return page("applications/eligibility_list.html", call=call, waiting=waiting, done=done, open=open_now, rules=rules)


@bp.get("/applications/<ref>/eligibility")
@requires(Permission.APPLICATION_CHECK, Permission.APPLICATION_READ)
def eligibility(ref: str) -> Any:
    """Each condition with its evidence and the answer so far."""
    return _desk_page(queries.view(current_actor(), ref), None)


@bp.post("/applications/<ref>/eligibility")
@requires(Permission.APPLICATION_CHECK)
def decide(ref: str) -> Any:
    """Save the answers, or save them and declare the verdict."""
    application = queries.view(current_actor(), ref)
    form = check_form(application.call.content.conditions, {}, 0)
    if form.validate_on_submit():
        with form.attempt():
            return _decided(application, form)
    return _desk_page(queries.view(current_actor(), ref), form), 409 if form.clashed else 422


def _decided(application: ApplicationView, form: CheckForm) -> Any:
    actor, answers, version = current_actor(), form.answers(), form.version_shown()
    if request.form.get("go") != "declare":
        services.record_answers(actor, application.id, answers, version)
        flash("The answers are saved.", "success")
        return see_other(".eligibility", ref=application.reference)
    verdict = services.declare(actor, application.id, answers, form.remark.data or "", version)
    flash(
        f"{application.reference} is declared {'eligible' if verdict.value == 'pass' else 'not eligible'}.", "success"
    )
    return see_other(".eligibility_list", slug=application.call.slug)


def _desk_page(application: ApplicationView, form: CheckForm | None) -> str:
    if application.submission is None:
        raise NotFound
    desk = queries.desk(current_actor(), application)
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    # Until the verdict the answers are the desk's own: neither the team nor other readers see them half done.
    checks = current_actor().may(Permission.APPLICATION_CHECK, scope)
    if desk.decided_at is None and not checks:
        raise NotFound
    last = None
    if form is not None and form.clashed:
        form.try_again(desk.version)
        if desk.check_id:
            last = identity.overtaker(current_actor(), "eligibility_check", desk.check_id, application.reference)
    if form is None:
        answers = {view.condition.key: rules.proposed(view) for view in desk.conditions}
        form = check_form(application.call.content.conditions, answers, desk.version)
    sent = submitted_context(application)
    return page(
        "applications/eligibility.html",
        declared=declared_lines(application.call.content.declarations, sent["sections"]),
        form=form,
        desk=desk,
        last=last,
        decider=identity.people([desk.decided_by]) if desk.decided_by else {},
        checks=checks,
        closed=not application.call.is_open(clock.now()),
        **sent,
    )
