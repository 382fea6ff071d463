"""The organisations of an application: invited, answered, taken out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.applications import queries, services
from grants.applications.forms import DeclineForm, DeedForm, InviteForm
from grants.applications.queries import Workplace
from grants.applications.rules import PartnerView
from grants.applications.states import PartnerState
from grants.applications.views.frame import bp, team_context
from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/team")
@requires(Permission.APPLICATION_READ)
def team(ref: str) -> Any:
    """The consortium, invitations and their answers."""
    return _team_page(ref, _invite_form(ref))


@bp.post("/applications/<ref>/team")
@requires(Permission.APPLICATION_INVITE)
def invite(ref: str) -> Any:
    """Invite an organisation."""
    form = _invite_form(ref)
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
        application_id = queries.team_id_of(current_actor(), ref)
        answer = services.accept_invitation(current_actor(), application_id, form.thing_id() or UUID(int=0))
        if answer is PartnerState.WAITING:
            flash("You have accepted. The people of the organisation were asked to confirm it.", "success")
        else:
            flash("You have accepted the invitation. You can now write in the application.", "success")
        return see_other(".show", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/decline")
@requires(Permission.APPLICATION_EDIT)
def decline(ref: str) -> Any:
    """The invited person declines."""
    form = DeclineForm()
    with form.refusals():
        application_id = queries.team_id_of(current_actor(), ref)
        organisation_id = form.thing_id() or UUID(int=0)
        services.decline_invitation(current_actor(), application_id, organisation_id, form.reason.data or "")
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


def _invite_form(ref: str) -> InviteForm:
    form, actor = InviteForm(), current_actor()
    here = [partner.organisation_id for partner in queries.view(actor, ref).partners]
    listed = identity.choosable_organisations(actor, here)
    known = [(str(each.id), f"{each.name}, {each.country_code}") for each in listed]
    form.organisation_id.choices = choices([("", "Not in the list: I describe it below"), *known])
    return form


def _team_page(ref: str, form: Any) -> str:
    place = queries.workplace(current_actor(), ref)
    declining = _decline_forms(place, form)
    return page(
        "applications/team.html",
        form=form,
        invite_form=form if isinstance(form, InviteForm) else _invite_form(ref),
        deed=DeedForm(formdata=None),
        decline_forms=declining,
        summary_on_top=not isinstance(form, InviteForm) and all(each is not form for _, each in declining),
        leads=current_actor().user_id == place.application.coordinator.contact_id,
        **team_context(place),
    )


def _decline_forms(place: Workplace, form: Any) -> list[tuple[PartnerView, DeclineForm]]:
    """One form for each organisation the person answers for; what was typed stands in the one it was typed in."""
    found = []
    for number, each in enumerate(queries.invitations(current_actor(), place.application), 1):
        typed = isinstance(form, DeclineForm) and form.thing_id() == each.organisation_id
        own = form if typed else DeclineForm(formdata=None, data={"thing": str(each.organisation_id)})
        own.reason.id = f"reason-{number}"
        found.append((each, own))
    return found
