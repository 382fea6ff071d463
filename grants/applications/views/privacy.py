"""The privacy notice of a call: read by everybody, versioned by staff, accepted by whoever works on an application."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.applications import queries, services
from grants.applications.forms import DeedForm
from grants.applications.queries import privacy
from grants.applications.views.frame import bp
from grants.calls import queries as calls
from grants.calls.forms import NoticeForm
from grants.calls.rules.privacy import HEADINGS
from grants.core.errors import NotFound
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, public, requires, see_other


@bp.get("/calls/<slug>/privacy")
@public
def call_privacy(slug: str) -> Any:
    """The version that stands, or an earlier one that is asked for."""
    call = calls.call(current_actor(), slug)
    found = privacy.notices(call.id)
    wanted = request.args.get("version", "")
    shown = next((each for each in found if str(each.number) == wanted), None) if wanted else next(iter(found), None)
    if wanted and shown is None:
        raise NotFound
    return page("applications/privacy.html", call=call, notices=found, shown=shown)


@bp.get("/calls/<slug>/privacy/edit")
@requires(Permission.CALL_MANAGE)
def edit_privacy(slug: str) -> Any:
    call = calls.call(current_actor(), slug)
    stands = next(iter(privacy.notices(call.id)), None)
    data = {name: getattr(stands.text, name) for name in HEADINGS} if stands else None
    return page("applications/privacy_edit.html", call=call, stands=stands, form=NoticeForm(data=data))


@bp.post("/calls/<slug>/privacy/edit")
@requires(Permission.CALL_MANAGE)
def add_privacy_notice(slug: str) -> Any:
    form, call = NoticeForm(), calls.call(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            number = services.add_privacy_notice(current_actor(), call.id, form.to_input(), form.note.data or "")
            flash(f"Version {number} stands. Everybody at work on an application is asked to read it.", "success")
            return see_other(".call_privacy", slug=slug)
    stands = next(iter(privacy.notices(call.id)), None)
    return page("applications/privacy_edit.html", call=call, stands=stands, form=form), 422


@bp.post("/applications/<ref>/privacy")
@requires(Permission.APPLICATION_READ)
def accept_notice(ref: str) -> Any:
    """Whoever works on the application read the version that stands."""
    form = DeedForm()
    application_id = queries.team_id_of(current_actor(), ref)
    with form.refusals():
        services.accept_notice(current_actor(), application_id, number_of(request.form.get("notice", "")) or 0)
        flash("Kept: you have read the privacy notice.", "success")
        return see_other(".show", ref=ref)
    for sentence, _ in form.what_is_wrong():
        flash(sentence, "warning")
    return see_other(".show", ref=ref)


def number_of(text: str) -> int | None:
    """The version a form carried; None where it carried none."""
    return int(text) if text.isdecimal() and len(text) < 6 else None
