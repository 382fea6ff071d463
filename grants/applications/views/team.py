"""The organisations and people of an application: invited, answered, given a part, taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, request
from wtforms import SelectChoice

from grants.applications import queries, rules, services
from grants.applications.forms import AskForm, DeclineForm, DeedForm, InviteForm, PersonForm, RoleForm, chosen_role
from grants.applications.queries import Workplace
from grants.applications.rules import ApplicationView, PartnerView, TeamMember
from grants.applications.states import PartnerState
from grants.applications.views.frame import after_accepting, bp, team_context
from grants.applications.views.privacy import number_of
from grants.core import clock
from grants.core.permissions import Actor, Permission
from grants.dossiers.queries import SectionView
from grants.identity import queries as identity
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other

NOBODY = UUID(int=0)


@bp.get("/applications/<ref>/team")
@requires(Permission.APPLICATION_READ)
def team(ref: str) -> Any:
    """The consortium, invitations and their answers."""
    return _team_page(ref, None)


@bp.post("/applications/<ref>/team")
@requires(Permission.APPLICATION_INVITE)
def invite(ref: str) -> Any:
    """Invite an organisation."""
    form = _invite_form(queries.view(current_actor(), ref))
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
        answer = services.accept_invitation(current_actor(), application_id, form.thing_id() or NOBODY, _notice_read())
        if answer is PartnerState.WAITING:
            flash("You have accepted. The people of the organisation were asked to confirm it.", "success")
        else:
            flash("You have accepted the invitation. You can now write your part of the application.", "success")
        return after_accepting(queries.workplace(current_actor(), ref))
    return _team_page(ref, form), 422


def _notice_read() -> int | None:
    """The version of the privacy notice that whoever accepts has read."""
    return number_of(request.form.get("notice", ""))


@bp.post("/applications/<ref>/team/decline")
@requires(Permission.APPLICATION_EDIT)
def decline(ref: str) -> Any:
    """The invited person declines."""
    form = DeclineForm()
    with form.refusals():
        application_id = queries.team_id_of(current_actor(), ref)
        organisation_id = form.thing_id() or NOBODY
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
        services.remove_partner(current_actor(), queries.team_id_of(current_actor(), ref), form.thing_id() or NOBODY)
        flash("The partner was taken out of the application.", "success")
        return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


# --- people beside those who speak for a partner ------------------------------------------------------------------


@bp.post("/applications/<ref>/team/people")
@requires(Permission.APPLICATION_INVITE)
def invite_person(ref: str) -> Any:
    """Invite a person as editor, signatory or reader."""
    form = _person_form(queries.view(current_actor(), ref))
    if form.validate_on_submit():
        with form.refusals():
            services.invite_person(current_actor(), queries.team_id_of(current_actor(), ref), form.to_input())
            flash(f"The invitation to {form.email.data} is on its way.", "success")
            return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/join")
@requires(Permission.APPLICATION_READ)
def join(ref: str) -> Any:
    """The invited person joins."""
    form = DeedForm()
    with form.refusals():
        services.join(current_actor(), queries.team_id_of(current_actor(), ref), _notice_read())
        flash("You have accepted the invitation.", "success")
        return after_accepting(queries.workplace(current_actor(), ref))
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/leave")
@requires(Permission.APPLICATION_READ)
def leave(ref: str) -> Any:
    """A person declines, or leaves."""
    form = DeedForm()
    with form.refusals():
        services.leave(current_actor(), queries.team_id_of(current_actor(), ref))
        flash("You are not of the team any more. The lead was told.", "success")
        return see_other("oversight.home")
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/role")
@requires(Permission.APPLICATION_INVITE)
def change_role(ref: str) -> Any:
    """Give a person another role."""
    form = RoleForm()
    with form.refusals():
        application_id, person = queries.team_id_of(current_actor(), ref), form.thing_id() or NOBODY
        services.change_role(current_actor(), application_id, person, chosen_role(form.role.data))
        flash("The role is changed.", "success")
        return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/people/remove")
@requires(Permission.APPLICATION_INVITE)
def remove_person(ref: str) -> Any:
    """Take a person out of the team."""
    return _done_to(ref, services.remove_person, "The person was taken out of the team. What they wrote stays.")


@bp.post("/applications/<ref>/team/lead")
@requires(Permission.APPLICATION_INVITE)
def hand_over(ref: str) -> Any:
    """Hand the lead over."""
    return _done_to(ref, services.hand_over, "The lead is handed over. You stay in the team as editor.")


def _done_to(ref: str, deed: Callable[[Actor, UUID, UUID], None], words: str) -> Any:
    form = DeedForm()
    with form.refusals():
        deed(current_actor(), queries.team_id_of(current_actor(), ref), form.thing_id() or NOBODY)
        flash(words, "success")
        return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/sections/<key>/ask")
@requires(Permission.APPLICATION_INVITE)
def ask_to_write(ref: str, key: str) -> Any:
    """Ask a section of somebody, or of nobody in particular."""
    form = AskForm()
    with form.refusals():
        application_id = queries.team_id_of(current_actor(), ref)
        services.ask_to_write(current_actor(), application_id, key, form.person_id(), form.seen_id())
        flash(
            "Asked. Who is asked was told by mail." if form.person_id() else "Nobody in particular is asked now.",
            "success",
        )
        return see_other(".team", ref=ref, _anchor="who-writes")
    return _team_page(ref, form, key), 422


def _invite_form(application: ApplicationView, *, is_sent: bool = True) -> InviteForm:
    form = InviteForm() if is_sent else InviteForm(formdata=None)
    here = [partner.organisation_id for partner in application.partners]
    listed = identity.choosable_organisations(current_actor(), here)
    known = [(str(each.id), f"{each.name}, {each.country_code}") for each in listed]
    form.organisation_id.choices = choices([("", "Not in the list: I describe it below"), *known])
    form.sections.choices = _section_choices(application)
    return form


def _person_form(application: ApplicationView, *, is_sent: bool = True) -> PersonForm:
    form = PersonForm() if is_sent else PersonForm(formdata=None)
    form.sections.choices = _section_choices(application)
    return form


def _section_choices(application: ApplicationView) -> list[SelectChoice]:
    return choices((section.key, section.title) for section in application.call.content.definition.sections)


def _another_version_came(place: Workplace, form: Any) -> bool:
    """Whether an answer was refused since it did not carry the version of the privacy notice that stands."""
    answering = request.endpoint in ("applications.accept", "applications.join") and form is not None
    return answering and place.notice is not None and _notice_read() != place.notice.number


def _team_page(ref: str, form: Any, asked: str = "") -> str:
    """The page with the form that was refused, if one was; ``asked`` is the section it asked of somebody."""
    place = queries.workplace(current_actor(), ref)
    context = team_context(place)
    context["accepting"].notice_to_tick = _another_version_came(place, form)
    declining = _decline_forms(place, form)
    invite_form = form if isinstance(form, InviteForm) else _invite_form(place.application, is_sent=False)
    return page(
        "applications/team.html",
        form=form,
        invite_form=invite_form,
        person_form=form if isinstance(form, PersonForm) else _person_form(place.application, is_sent=False),
        decline_forms=declining,
        ask_forms=_ask_forms(place, asked, form),
        role_forms={each.user_id: _role_form(each) for each in place.team if each.is_member},
        deed=DeedForm(formdata=None),
        accepted_notices=place.accepted_notices,
        between_stages=queries.awaits_full_proposal(place.application, clock.now()),
        **context,
    )


def _ask_forms(place: Workplace, sent_key: str, sent: Any) -> list[tuple[SectionView, AskForm]]:
    """One form for each section: of whom it is asked; who was chosen stays chosen in the one that was refused."""
    people = [("", "Nobody in particular"), *((str(each.user_id), each.name) for each in rules.askable(place.team))]
    found = []
    for number, section in enumerate(place.dossier.sections, 1):
        now = str(section.asked_id or "")
        chosen = sent.person.data if section.key == sent_key else now
        form = AskForm(formdata=None, data={"person": chosen, "seen": now})
        form.person.choices = choices(people)
        form.person.id = f"asked-{number}"
        found.append((section, form))
    return found


def _role_form(member: TeamMember) -> RoleForm:
    form = RoleForm(formdata=None, data={"role": member.role.value, "thing": str(member.user_id)})
    form.role.id = f"role-{member.user_id}"
    return form


def _decline_forms(place: Workplace, form: Any) -> list[tuple[PartnerView, DeclineForm]]:
    """One form for each organisation the person answers for; what was typed stands in the one it was typed in."""
    found = []
    for number, each in enumerate(queries.invitations(current_actor(), place.application), 1):
        typed = isinstance(form, DeclineForm) and form.thing_id() == each.organisation_id
        own = form if typed else DeclineForm(formdata=None, data={"thing": str(each.organisation_id)})
        own.reason.id = f"reason-{number}"
        found.append((each, own))
    return found
