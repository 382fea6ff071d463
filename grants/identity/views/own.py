"""Pages about oneself: profile, password, sessions, organisation."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask import session as cookie

from grants.core import clock
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import policy, queries, rules, services
from grants.identity.forms import (
    KIND_WORDS,
    AddressForm,
    ChangePasswordForm,
    ColleagueForm,
    OrganisationForm,
    ProfileForm,
    SessionForm,
)
from grants.identity.states import LinkPurpose
from grants.identity.views.frame import LINK_KEY, bp, id_in, where
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, empty_cache, page, requires, see_other, signed_in


def _profile(status: int = 200, **forms: Any) -> Any:
    actor = current_actor()
    own = queries.own(actor)
    form = ProfileForm(
        formdata=None,
        version=own.version,
        name=own.name,
        job_title=own.job_title,
        phone=queries.own_phone(actor),
        orcid=queries.own_orcid(actor),
    )
    shown = {"form": form, **forms}
    return page("identity/profile.html", own=own, words=policy.WORDS, **shown), status


@bp.get("/profile")
@signed_in
def profile() -> Any:
    """Name, roles, ways to the password and the sessions."""
    return _profile()


@bp.post("/profile")
@requires(Permission.PROFILE_EDIT)
def edit_profile() -> Any:
    """Change name, job title and telephone."""
    form = ProfileForm()
    if form.validate_on_submit():
        with form.refusals():
            services.edit_profile(current_actor(), form.to_input(), version=form.version_shown())
            flash("Your profile is saved.")
            return see_other("identity.profile")
    return _profile(422, form=form)


@bp.get("/profile/password")
@signed_in
def password() -> Any:
    """The form to change the own password."""
    return page("identity/password.html", form=ChangePasswordForm(), own=queries.own(current_actor()))


@bp.post("/profile/password")
@requires(Permission.PROFILE_EDIT)
def change_password() -> Any:
    """Change it; every browser is signed out, this one too."""
    form = ChangePasswordForm()
    if form.validate_on_submit():
        with form.refusals():
            services.change_password(current_actor(), str(form.current.data), str(form.password.data), where())
            cookie.clear()
            empty_cache()
            flash("Your password is changed and every browser is signed out. Sign in with the new password.")
            return see_other("identity.sign_in")
    return page("identity/password.html", form=form, own=queries.own(current_actor())), 422


@bp.route("/profile/address", methods=["GET", "POST"])
@requires(Permission.PROFILE_EDIT)
def address() -> Any:
    """Ask for another e-mail address: a link goes to the new one, a word to the present one."""
    form, own = AddressForm(), queries.own(current_actor())
    if form.validate_on_submit():
        with form.refusals():
            asked = services.ask_address(current_actor(), str(form.email.data), where())
            flash(
                f"A link went to {asked}. Open it within a day, signed in here; until then your address stays as it is."
            )
            return see_other("identity.profile")
    return page("identity/address.html", form=form, own=own), 422 if request.method == "POST" else 200


@bp.route("/profile/address/confirm", methods=["GET", "POST"])
@requires(Permission.PROFILE_EDIT)
def new_address() -> Any:
    """The page the link leads to: opening it changes nothing, the button does."""
    actor, token = current_actor(), cookie.get(LINK_KEY, "")
    link = queries.link(token, clock.now(), (LinkPurpose.ADDRESS,))
    if link is None or link.user_id != actor.user_id:
        return page("identity/address_spent.html"), 404
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.confirm_address(actor, token)
            cookie.pop(LINK_KEY, None)
            flash("Your new address is in use. Other browsers in which you were signed in must sign in again.")
            return see_other("identity.profile")
    shown = page("identity/address_confirm.html", form=form, email=queries.new_address(link.id), present=link.email)
    return shown, 422 if request.method == "POST" else 200


@bp.get("/profile/sessions")
@signed_in
def sessions() -> Any:
    """Where the person is signed in."""
    actor = current_actor()
    return page(
        "identity/sessions.html",
        sessions=queries.sessions(actor, clock.now()),
        browser_words=rules.browser_words,
        form=SessionForm(),
    )


@bp.post("/profile/sessions")
@requires(Permission.PROFILE_EDIT)
def end_session() -> Any:
    """End one other session, or all others."""
    form = SessionForm()
    if form.validate_on_submit():
        if form.session.data == "others":
            services.end_other_sessions(current_actor())
        else:
            services.end_session(current_actor(), id_in(form.session.data))
        flash("Ended. That browser must sign in again.")
    return see_other("identity.sessions")


@bp.route("/organisation", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_EDIT)
def organisation() -> Any:
    """The details of an organisation the person belongs to; ``?of=`` is its place in the list of several."""
    actor = current_actor()
    views = _own_organisations(actor)
    number = request.args.get("of", default=1, type=int)
    if not views:
        everywhere = actor.everywhere(Permission.ORGANISATION_EDIT)
        return see_other("identity.organisations") if everywhere else page("identity/no_organisation.html")
    view = views[number - 1] if 1 <= number <= len(views) else views[0]
    form = OrganisationForm.of(view, queries.facts(view.id))
    if form.validate_on_submit():
        with form.refusals():
            services.edit_organisation(actor, view.id, form.to_input(view.kind), version=form.version_shown())
            flash("The details of your organisation are saved.")
            return see_other("identity.organisation", of=number)
    members = queries.members(view.id)
    status = 422 if request.method == "POST" else 200
    return page(
        "identity/organisation.html",
        form=form,
        view=view,
        views=views,
        members=members,
        kind=KIND_WORDS[view.kind],
        slug=queries.slug_of(view),
        may_add=actor.may(Permission.ORGANISATION_VOUCH, Scope.of(("organisation", view.id))),
    ), status


@bp.route("/organisations/<slug>/people", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_VOUCH)
def people(slug: str) -> Any:
    """Who belongs to an organisation, and a form by which one of them, or an administrator, adds a colleague."""
    actor, form = current_actor(), ColleagueForm()
    view = queries.organisation_vouched_for(actor, slug)
    if form.validate_on_submit():
        with form.refusals():
            services.add_colleague(actor, view.id, form.to_input())
            flash(
                f"{rules.one_line(str(form.name.data))} now belongs to {view.name}. Everybody there was told by mail."
            )
            return see_other("identity.people", slug=slug)
    status = 422 if request.method == "POST" else 200
    members = queries.members(view.id)
    return page("identity/people_of.html", form=form, view=view, members=members), status


def _own_organisations(actor: Actor) -> tuple[rules.OrganisationView, ...]:
    found = queries.organisations(actor.places(Permission.ORGANISATION_EDIT, "organisation") | actor.organisation_ids)
    return tuple(sorted(found.values(), key=lambda view: (view.name, str(view.id))))
