"""Pages of the suspensions of a grant: those that stand, those that were lifted, and how one is laid down."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import queries, services
from grants.agreements.forms import HoldForm, LiftHoldForm, hold_form
from grants.agreements.rules import GrantView
from grants.agreements.states import RUNNING
from grants.agreements.views.frame import P, bp, grant_of, this_day
from grants.core.errors import Conflict, NotFound
from grants.core.file_types import FileType
from grants.web.downloads import send
from grants.web.forms import received
from grants.web.routing import current_actor, page, requires, see_other

NOTICES = frozenset({FileType.PDF, FileType.JPEG, FileType.PNG})
_NUMBER = "<int(max=9999):number>"


@bp.get("/grants/<ref>/hold")
@requires(P.AGREEMENT_READ)
def hold(ref: str) -> Any:
    """Every suspension of a grant, for both sides."""
    return _holds(grant_of(ref))


@bp.post("/grants/<ref>/hold")
@requires(P.AGREEMENT_HOLD)
def lay_down_hold(ref: str) -> Any:
    grant = grant_of(ref)
    form = hold_form(grant, this_day())
    if form.validate_on_submit():
        with form.refusals():
            notice = received(form.file, allowed=NOTICES)
            if notice is not None:
                services.hold(current_actor(), grant.id, form.to_input(), notice)
                flash("The suspension is recorded. Everybody of both sides is told by mail.", "success")
                return see_other(".hold", ref=ref)
    return _holds(grant, form)


@bp.route(f"/grants/<ref>/hold/{_NUMBER}/lift", methods=["GET", "POST"])
@requires(P.AGREEMENT_HOLD)
def lift_hold(ref: str, number: int) -> Any:
    grant, form = grant_of(ref), LiftHoldForm()
    found = next((each for each in grant.holds if each.number == number), None)
    if found is None:
        raise NotFound
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.lift_hold(current_actor(), grant.id, number, words=str(form.words.data))
                flash("The suspension is lifted. Everybody of both sides is told by mail.", "success")
                return see_other(".hold", ref=ref)
        except Conflict as error:
            form.problems.append(str(error))
            return page("agreements/lift_hold.html", grant=grant_of(ref), found=found, form=form), 409
    return page("agreements/lift_hold.html", grant=grant, found=found, form=form), 422 if form.is_submitted() else 200


@bp.get(f"/grants/<ref>/hold/{_NUMBER}/notice")
@requires(P.AGREEMENT_READ)
def hold_notice(ref: str, number: int) -> Any:
    return send(services.open_hold_notice(current_actor(), grant_of(ref).id, number))


def _holds(grant: GrantView, form: HoldForm | None = None) -> Any:
    actor, today = current_actor(), this_day()
    may = actor.may(P.AGREEMENT_HOLD, queries.scope_of_view(grant))
    shown = page(
        "agreements/hold.html",
        grant=grant,
        today=today,
        lifts=may,
        form=(form or hold_form(grant, today)) if may and grant.state in RUNNING else None,
    )
    return shown, 422 if form is not None else 200
