"""Information sessions of a call: the calendar file and slides for everybody, and the page where staff announce them."""

from __future__ import annotations

from typing import Any

from flask import Response, flash

from grants.calls import queries as calls
from grants.calls import services
from grants.calls.forms import DeedForm, SessionForm, SlidesForm
from grants.calls.rules import CallView
from grants.calls.rules.sessions import SessionView, calendar
from grants.calls.views.building import bp
from grants.core import clock, files
from grants.core.errors import Conflict, Invalid, NotFound
from grants.core.file_types import FileType
from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.web import downloads
from grants.web.routing import current_actor, page, public, requires, see_other


@bp.get("/<slug>/calendar.ics")
@public
def call_calendar(slug: str) -> Any:
    """The sessions, the end of questions and the deadline, for everybody's own calendar."""
    call = calls.call(current_actor(), slug)
    text = calendar(call, calls.sessions(call.id), address=identity.address_of("calls.show", slug=slug), at=clock.now())
    about = {"Content-Disposition": f'attachment; filename="{slug}.ics"', "X-Content-Type-Options": "nosniff"}
    return Response(text, mimetype="text/calendar", headers=about)


@bp.get("/<slug>/sessions/<int(max=2147483647):number>/slides")
@public
def slides(slug: str, number: int) -> Any:
    """The slides of one session."""
    found = _session(calls.call(current_actor(), slug), number)
    if found.slides is None:
        raise NotFound
    return downloads.send(files.view(found.slides.file_id))


@bp.get("/<slug>/sessions")
@requires(Permission.CALL_MANAGE)
def call_sessions(slug: str) -> Any:
    """All sessions, and the form to announce another."""
    return _list_page(slug, SessionForm())


@bp.post("/<slug>/sessions")
@requires(Permission.CALL_MANAGE)
def add_session(slug: str) -> Any:
    form = SessionForm()
    if form.validate_on_submit():
        with form.refusals():
            services.add_session(current_actor(), calls.id_of(current_actor(), slug), form.to_input())
            flash("The session stands on the page of the call.", "success")
            return see_other(".call_sessions", slug=slug)
    return _list_page(slug, form), 422


def _list_page(slug: str, form: SessionForm) -> str:
    call = calls.call(current_actor(), slug)
    return page("calls/sessions.html", call=call, sessions=calls.sessions(call.id), form=form)


@bp.get("/<slug>/sessions/<int(max=2147483647):number>")
@requires(Permission.CALL_MANAGE)
def call_session(slug: str, number: int) -> Any:
    """One session: changed, with its recording and slides afterwards."""
    call = calls.call(current_actor(), slug)
    found = _session(call, number)
    return _one_page(call, found, SessionForm.of(found, call.zone))


@bp.post("/<slug>/sessions/<int(max=2147483647):number>")
@requires(Permission.CALL_MANAGE)
def edit_session(slug: str, number: int) -> Any:
    form, call = SessionForm(), calls.call(current_actor(), slug)
    if form.validate_on_submit():
        try:
            with form.refusals():
                shown = form.version_shown()
                services.edit_session(current_actor(), call.id, number, form.to_input(), version=shown)
                flash("Saved. It stands so on the page of the call.", "success")
                return see_other(".call_sessions", slug=slug)
        except Conflict as error:
            found = _session(call, number)
            form.problems.append(f"{error} What you typed stands below.")
            form.try_again(found.version)
            return _one_page(call, found, form), 409
    return _one_page(call, _session(call, number), form), 422


@bp.post("/<slug>/sessions/<int(max=2147483647):number>/cancel")
@requires(Permission.CALL_MANAGE)
def cancel_session(slug: str, number: int) -> Any:
    form, call = DeedForm(), calls.call(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            services.cancel_session(current_actor(), call.id, number)
            flash("The session is called off, and everybody with a draft is told.", "success")
            return see_other(".call_sessions", slug=slug)
    found = _session(call, number)
    return _one_page(call, found, SessionForm.of(found, call.zone), refused=form), 422


@bp.post("/<slug>/sessions/<int(max=2147483647):number>/slides")
@requires(Permission.CALL_MANAGE)
def add_slides(slug: str, number: int) -> Any:
    form, call = SlidesForm(), calls.call(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            upload = form.file.data
            if upload is None or not getattr(upload, "filename", ""):
                raise Invalid("Choose the slides.", {"file": "Choose the slides."})
            incoming = files.receive(upload, allowed={FileType.PDF})
            services.add_slides(current_actor(), call.id, number, incoming)
            flash("The slides are on the page of the call.", "success")
            return see_other(".call_session", slug=slug, number=number)
    found = _session(call, number)
    return _one_page(call, found, SessionForm.of(found, call.zone), slides=form), 422


def _session(call: CallView, number: int) -> SessionView:
    found = next((each for each in calls.sessions(call.id) if each.number == number), None)
    if found is None:
        raise NotFound
    return found


def _one_page(
    call: CallView,
    found: SessionView,
    form: SessionForm,
    *,
    slides: SlidesForm | None = None,
    refused: DeedForm | None = None,
) -> str:
    return page(
        "calls/session.html",
        call=call,
        found=found,
        form=form,
        slides_form=slides or SlidesForm(formdata=None),
        deed=refused or DeedForm(formdata=None),
    )
