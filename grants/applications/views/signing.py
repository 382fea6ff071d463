"""Signing off: what each partner and the signatory confirm, on one page that fits a phone."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.applications import queries, services
from grants.applications.forms import SignOffForm
from grants.applications.queries import Workplace
from grants.applications.rules import SignedAnother, SignedPart
from grants.applications.views.frame import bp, team_context
from grants.core.permissions import Permission
from grants.dossiers.queries import SectionView
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/sign-off")
@requires(Permission.APPLICATION_READ)
def sign_off(ref: str) -> Any:
    """What is to be signed by this person, and how every sign-off stands."""
    return _sign_off_page(queries.workplace(current_actor(), ref), None)


@bp.post("/applications/<ref>/sign-off")
@requires(Permission.APPLICATION_SIGN_OFF)
def confirm_sign_off(ref: str) -> Any:
    """Confirm the version that was shown."""
    form, place = SignOffForm(), queries.workplace(current_actor(), ref)
    status = 422
    if form.validate_on_submit():
        with form.refusals():
            try:
                given = form.part_id(), form.fingerprint.data or ""
                services.sign_off(current_actor(), place.application.id, *given)
                flash("Signed off. If anything of it is changed, you are asked again.", "success")
                return see_other(".sign_off", ref=ref)
            except SignedAnother as error:
                form.problems.append(str(error))
                status = 409
    return _sign_off_page(queries.workplace(current_actor(), ref), form), status


@bp.post("/applications/<ref>/sign-off/ask")
@requires(Permission.APPLICATION_INVITE)
def ask_sign_offs(ref: str) -> Any:
    """Mail those whose sign-off is missing."""
    form = DeedForm()
    with form.refusals():
        told = services.ask_sign_offs(current_actor(), queries.team_id_of(current_actor(), ref))
        flash(f"{told} {'person was' if told == 1 else 'people were'} asked by mail.", "success")
        return see_other(".sign_off", ref=ref)
    return _sign_off_page(queries.workplace(current_actor(), ref), form), 422


def _sign_off_page(place: Workplace, sent: Any) -> str:
    own = [part for part in place.parts if part.may_sign(current_actor().user_id)]
    return page(
        "applications/sign_off.html",
        sent=sent,
        own=[(part, _form(part), _sections(place, part)) for part in own],
        **team_context(place),
    )


def _form(part: SignedPart) -> SignOffForm:
    form = SignOffForm(formdata=None, data={"thing": str(part.organisation_id or ""), "fingerprint": part.sha256})
    form.statement.id = f"statement-{part.organisation_id or 'whole'}"
    return form


def _sections(place: Workplace, part: SignedPart) -> tuple[SectionView, ...]:
    """The sections that are signed with a part; those of the whole are read in the print view."""
    partner = next((p for p in place.application.partners if p.organisation_id == part.organisation_id), None)
    return place.asked_of(partner.contact_id) if partner else ()
