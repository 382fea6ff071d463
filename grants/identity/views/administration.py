"""Pages of administrators: people, roles, mail."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request

from grants.core.errors import Refused
from grants.core.jobs import JobState
from grants.core.permissions import Permission
from grants.identity import policy, queries, rules, services
from grants.identity.forms import (
    KIND_WORDS,
    AnyOrganisationForm,
    DisableForm,
    GrantForm,
    InviteForm,
    RoleForm,
)
from grants.identity.views.frame import bp, id_in, refused_button
from grants.web import mailing, paging
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/admin/users")
@requires(Permission.USER_READ)
def users() -> Any:
    """Everybody, by name, with roles."""
    search = request.args.get("q", "")[:100]
    found = queries.users(current_actor(), paging.asked(), search=search)
    return page("identity/users.html", users=found, search=search, waiting=queries.roles_waiting(current_actor()))


@bp.route("/admin/users/invite", methods=["GET", "POST"])
@requires(Permission.USER_INVITE)
def invite() -> Any:
    """Invite somebody by mail."""
    form = InviteForm()
    form.offer(queries.all_organisations())
    if form.validate_on_submit():
        with form.refusals():
            services.invite_user(current_actor(), form.to_input())
            flash(mailing.mailed(f"The invitation to {rules.one_line(str(form.name.data))}"))
            return see_other("identity.users")
    return page("identity/invite.html", form=form), 422 if request.method == "POST" else 200


@bp.get("/admin/users/<handle>")
@requires(Permission.USER_READ)
def user(handle: str) -> Any:
    """One person: roles, invitation, disabling."""
    return _user(handle)


def _user(handle: str, status: int = 200, form: Any = None) -> Any:
    found = queries.user(current_actor(), handle)
    named = {each for view in found.roles for each in (view.assigned_by, view.stand_in_for) if each}
    givers = queries.people(named)
    return page(
        "identity/user.html",
        person=found,
        givers=givers,
        words=policy.WORDS,
        places={place.id: place.label for place in queries.role_places("call")},
        form=form or _role_form(),
        small=GrantForm(),
    ), status


def _role_form() -> RoleForm:
    form = RoleForm()
    form.offer(queries.role_places("call"))
    return form


@bp.post("/admin/users/<handle>/roles")
@requires(Permission.ROLE_ASSIGN)
def assign_role(handle: str) -> Any:
    """Give a role."""
    form = _role_form()
    if form.validate_on_submit():
        with form.refusals():
            values = form.to_input()
            services.assign_role(current_actor(), queries.user(current_actor(), handle).id, values)
            waits = policy.needs_confirmation(values.role)
            then = " Another administrator must confirm it before it holds." if waits else ""
            flash(f"The role \u201c{policy.WORDS[values.role][0]}\u201d is given.{then}")
            return see_other("identity.user", handle=handle)
    return _user(handle, 422, form)


@bp.post("/admin/users/<handle>/roles/end")
@requires(Permission.ROLE_ASSIGN)
def end_role(handle: str) -> Any:
    """End a role."""
    form = GrantForm()
    if form.validate_on_submit():
        with form.refusals():
            services.end_assigned_role(current_actor(), id_in(form.grant.data))
            flash("The role is ended.")
            return see_other("identity.user", handle=handle)
    return refused_button(form, "identity.user", handle=handle)


@bp.post("/admin/users/<handle>/invite-again")
@requires(Permission.USER_INVITE)
def invite_again(handle: str) -> Any:
    """Send the invitation again."""
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.invite_again(current_actor(), queries.user(current_actor(), handle).id)
            flash(f"{mailing.mailed('A new invitation')} The link in the earlier one no longer works.")
            return see_other("identity.user", handle=handle)
    return refused_button(form, "identity.user", handle=handle)


@bp.route("/admin/users/<handle>/disable", methods=["GET", "POST"])
@requires(Permission.USER_DISABLE)
def disable(handle: str) -> Any:
    """Keep a person out: a page of its own that says what happens."""
    found = queries.user(current_actor(), handle)
    form = DisableForm()
    if form.validate_on_submit():
        with form.refusals():
            services.disable_user(current_actor(), found.id, reason=str(form.reason.data))
            flash(f"{found.name} can no longer sign in.")
            return see_other("identity.user", handle=handle)
    return page("identity/disable.html", form=form, person=found), 422 if request.method == "POST" else 200


@bp.post("/admin/users/<handle>/enable")
@requires(Permission.USER_DISABLE)
def enable(handle: str) -> Any:
    """Let a person sign in again."""
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.enable_user(current_actor(), queries.user(current_actor(), handle).id)
            flash("This person can sign in again.")
            return see_other("identity.user", handle=handle)
    return refused_button(form, "identity.user", handle=handle)


@bp.get("/admin/organisations")
@requires(Permission.ORGANISATION_READ)
def organisations() -> Any:
    """The register: every organisation, by country and name."""
    search = request.args.get("q", "")[:100]
    found = queries.organisation_rows(current_actor(), paging.asked(), search=search)
    return page(
        "identity/organisations.html", found=found, search=search, words=KIND_WORDS, kinds=len(rules.FACT_WORDS)
    )


@bp.route("/admin/organisations/add", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_EDIT)
def add_organisation() -> Any:
    """Add an organisation."""
    form = AnyOrganisationForm()
    if form.validate_on_submit():
        with form.refusals():
            made = services.add_organisation(current_actor(), form.to_input(form.chosen_kind()))
            flash(f"“{made.name}” is in the list.")
            return see_other("identity.edit_organisation", slug=queries.slug_of(made))
    return page(
        "identity/organisation_edit.html", form=form, view=None, slug=""
    ), 422 if request.method == "POST" else 200


@bp.route("/admin/organisations/<slug>", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_EDIT)
def edit_organisation(slug: str) -> Any:
    """The details of any organisation, its kind included."""
    view = queries.organisation_by_slug(current_actor(), slug)
    form = AnyOrganisationForm.of(view, queries.facts(view.id))
    if form.validate_on_submit():
        with form.refusals():
            saved = services.edit_organisation(
                current_actor(), view.id, form.to_input(form.chosen_kind()), version=form.version_shown()
            )
            flash("The details are saved.")
            return see_other("oversight.organisation", slug=queries.slug_of(saved))
    return page(
        "identity/organisation_edit.html", form=form, view=view, slug=slug
    ), 422 if request.method == "POST" else 200


@bp.get("/admin/roles")
@requires(Permission.USER_READ)
def roles() -> Any:
    """What each role may do, and the roles that wait for a second person."""
    waiting = queries.roles_waiting(current_actor())
    named = {each for _, view in waiting for each in (view.assigned_by, view.stand_in_for) if each}
    givers = queries.people(named)
    return page("identity/roles.html", policy=policy, waiting=waiting, givers=givers, form=GrantForm())


@bp.get("/admin/roles.txt")
@requires(Permission.USER_READ)
def roles_text() -> Any:
    """The table for an auditor's file."""
    return Response(policy.printed() + "\n", mimetype="text/plain")


@bp.post("/admin/roles")
@requires(Permission.ROLE_CONFIRM)
def confirm_role() -> Any:
    """Confirm a role another administrator assigned."""
    form = GrantForm()
    if form.validate_on_submit():
        with form.refusals():
            services.confirm_role(current_actor(), id_in(form.grant.data))
            flash("Confirmed. The role holds from now on.")
            return see_other("identity.roles")
    return refused_button(form, "identity.roles")


@bp.get("/admin/mail")
@requires(Permission.MAIL_READ)
def mail() -> Any:
    """Every mail: sent, waiting, kept here; or only those that failed."""
    only = JobState.FAILED if request.args.get("state") == JobState.FAILED.value else None
    return page(
        "identity/mail.html",
        mails=queries.mails(current_actor(), paging.asked(), only),
        only_failed=only is not None,
        smtp=mailing.leaves(),
        form=DeedForm(),
    )


@bp.post("/admin/mail/<int(max=2147483647):number>")
@requires(Permission.MAIL_READ)
def open_mail(number: int) -> Any:
    """The text of one mail, opened on the record; only where no mail server takes it."""
    if mailing.leaves():
        raise Refused("Mails leave through the mail server; their text is not shown here.")
    return page("identity/mail_text.html", mail=services.open_mail(current_actor(), number), number=number)
