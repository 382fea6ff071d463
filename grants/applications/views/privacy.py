"""The privacy notice of a call, accepted by whoever works on an application."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.applications import queries, services
from grants.applications.forms import DeedForm
from grants.applications.views.frame import bp
from grants.core.permissions import Permission
from grants.web.routing import current_actor, requires, see_other


@bp.post("/applications/<ref>/privacy")
@requires(Permission.APPLICATION_READ)
def accept_notice(ref: str) -> Any:
    """Whoever works on the application read the version that stands."""
    form = DeedForm()
    application_id = queries.team_id_of(current_actor(), ref)
    with form.refusals():
        services.accept_notice(current_actor(), application_id, number_of(request.form.get("notice", "")) or 0)
        flash("Kept: you have read the privacy notice.", "success")
        return _back(ref)
    for sentence, _ in form.what_is_wrong():
        flash(sentence, "warning")
    return _back(ref)


def _back(ref: str) -> Any:
    """To the page where it was asked for."""
    back = request.args.get("back")
    return see_other(f".{back}" if back in ("check", "submit") else ".show", ref=ref)


def number_of(text: str) -> int | None:
    """The version a form carried; None where it carried none."""
    return int(text) if text.isdecimal() and len(text) < 6 else None
