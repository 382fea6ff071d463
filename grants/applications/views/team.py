"""The organisations of an application: invited, answered, taken out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.applications import queries, services
from grants.applications.forms import DeclineForm, DeedForm, InviteForm
from grants.applications.views.frame import bp, team_context
from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/team")
@requires(Permission.APPLICATION_READ)
def team(ref: str) -> Any:
    """The consortium, invitations and their answers."""
    return _team_page(ref, _invite_form())


@bp.post("/applications/<ref>/team")
@requires(Permission.APPLICATION_INVITE)
def invite(ref: str) -> Any:
    """Invite an organisation."""
    form = _invite_form()
    if form.validate_on_submit():
        with form.refusals():
            services.invite(current_actor(), queries.team_id_of(current_actor(), ref), form.to_input())
            flash(f"The invitation to {form.email.data} is on its way.", "success")
            return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/accept")
@requires(Permission.APPLICATION_EDIT)
def accept(ref: str) -> Any:
    """The invited person accepts."""
    form = DeedForm()
    with form.refusals():
        services.accept_invitation(current_actor(), queries.team_id_of(current_actor(), ref))
        flash("You have accepted the invitation. You can now write in the application.", "success")
        return see_other(".show", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/decline")
@requires(Permission.APPLICATION_EDIT)
def decline(ref: str) -> Any:
    """The invited person declines."""
    form = DeclineForm()
    with form.refusals():
        services.decline_invitation(current_actor(), queries.team_id_of(current_actor(), ref), form.reason.data or "")
        flash("You have declined the invitation. The lead city was told.", "success")
        return see_other(".index")
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/remove")
@requires(Permission.APPLICATION_INVITE)
def remove_partner(ref: str) -> Any:
    """Take a partner out."""
    form = DeedForm()
    with form.refusals():
        services.remove_partner(
            current_actor(), queries.team_id_of(current_actor(), ref), form.thing_id() or UUID(int=0)
        )
        flash("The partner was taken out of the application.", "success")
        return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


def _invite_form() -> InviteForm:
    form = InviteForm()
    known = [(str(each.id), f"{each.name}, {each.country_code}") for each in identity.all_organisations()]
    form.organisation_id.choices = choices([("", "Not in the list: I describe it below"), *known])
    return form


def _team_page(ref: str, form: Any) -> str:
    place = queries.workplace(current_actor(), ref)
    return page(
        "applications/team.html",
        form=form,
        invite_form=form if isinstance(form, InviteForm) else _invite_form(),
        deed=DeedForm(formdata=None),
        decline_form=form if isinstance(form, DeclineForm) else DeclineForm(formdata=None),
        leads=current_actor().user_id == place.application.coordinator.contact_id,
        **team_context(place),
    )
