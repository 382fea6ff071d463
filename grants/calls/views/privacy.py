"""The privacy notice of a call: read by everybody, and versioned by staff."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.calls import queries, services
from grants.calls.forms import NoticeForm
from grants.calls.rules.privacy import HEADINGS
from grants.calls.views.building import bp
from grants.core.permissions import Permission
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, public, requires, see_other


@bp.get("/<slug>/privacy")
@public
def call_privacy(slug: str) -> Any:
    """The version that stands, or an earlier one that is asked for."""
    call = queries.call(current_actor(), slug)
    found = queries.notices(call.id)
    problems: list[str] = []
    shown = chosen("version", "version", {str(each.number): each for each in found}, problems) or next(
        iter(found), None
    )
    return page("calls/privacy.html", call=call, notices=found, shown=shown, problems=problems)


@bp.get("/<slug>/privacy/edit")
@requires(Permission.CALL_MANAGE)
def edit_privacy(slug: str) -> Any:
    call = queries.call_held(current_actor(), slug, Permission.CALL_MANAGE)
    stands = next(iter(queries.notices(call.id)), None)
    data = {name: getattr(stands.text, name) for name in HEADINGS} if stands else None
    return page("calls/privacy_edit.html", call=call, stands=stands, form=NoticeForm(data=data))


@bp.post("/<slug>/privacy/edit")
@requires(Permission.CALL_MANAGE)
def add_privacy_notice(slug: str) -> Any:
    form, call = NoticeForm(), queries.call_held(current_actor(), slug, Permission.CALL_MANAGE)
    if form.validate_on_submit():
        with form.refusals():
            number = services.add_privacy_notice(current_actor(), call.id, form.to_input(), form.note.data or "")
            flash(f"Version {number} stands. Everybody at work on an application is asked to read it.", "success")
            return see_other(".call_privacy", slug=slug)
    stands = next(iter(queries.notices(call.id)), None)
    return page("calls/privacy_edit.html", call=call, stands=stands, form=form), 422
