"""Pages of identity: signing in, the own profile, and people and roles for administrators."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, flash, g, request
from flask import session as cookie
from flask_login import LoginManager, UserMixin, current_user, login_user

from grants.core import clock
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import policy, queries, rules, services
from grants.identity.forms import (
    ChangePasswordForm,
    ChoosePasswordForm,
    ConfirmPasswordForm,
    DisableForm,
    EmptyForm,
    GrantForm,
    InviteForm,
    OrganisationForm,
    ProfileForm,
    ResetForm,
    RoleForm,
    SessionForm,
    SignInForm,
)
from grants.identity.rules import SessionView, Where
from grants.identity.states import LinkPurpose
from grants.web.routing import ANONYMOUS, NavItem, current_actor, page, public, requires, see_other, signed_in

bp = Blueprint("identity", __name__)

NAVIGATION = (
    NavItem("Organisation", "identity.organisation", (Permission.ORGANISATION_EDIT,), 70),
    NavItem("People", "identity.users", (Permission.USER_READ,), 80),
    NavItem("Roles", "identity.roles", (Permission.ROLE_CONFIRM,), 81),
    NavItem("Mail", "identity.mail", (Permission.MAIL_READ,), 85),
)

# Where Flask-Login keeps what identifies the session in the browser's signed cookie: our random token.
SESSION_KEY = "_user_id"
_LINK_KEY = "link_token"

RESET_SENT = (
    "If there is an account for this address, a mail with a link is on its way. "
    "The link works for one hour. Look in the spam folder too."
)


# ---- Who asks: Flask-Login's small adapter, and the actor of every request ----


class SignedIn(UserMixin):
    """What Flask-Login holds: a live session, not a row of the table of people."""

    def __init__(self, token: str, session: SessionView) -> None:
        self.token = token
        self.session = session

    def get_id(self) -> str:
        return self.token


def init_app(app: Flask) -> None:
    """Attach sign-in to the program: who asks is known before anything else is looked at."""
    manager = LoginManager(app)
    # Our sessions live in the database; the browser's description is shown there, not trusted.
    manager.session_protection = None
    manager.user_loader(_load)
    app.before_request(_who_asks)
    app.extensions["demo_people"] = queries.demo_choices


def _load(token: str) -> SignedIn | None:
    session = queries.live_session(token, clock.now())
    return SignedIn(token, session) if session else None


def _who_asks() -> None:
    """Set ``g.actor``: two statements for somebody signed in, none for anybody else."""
    g.actor = ANONYMOUS
    # Flask-Login remembers in g, which outlives a request where an application context was opened around it.
    g.pop("_login_user", None)
    if request.endpoint == "static" or SESSION_KEY not in cookie or not current_user.is_authenticated:
        return
    session, now = cast(SignedIn, current_user).session, clock.now()
    g.actor = queries.actor_for(
        session.user_id, session_id=session.id, fresh=rules.is_fresh(session.proved_at, now), at=now
    )
    services.note_seen(session, now)


def _where() -> Where:
    return Where(request.remote_addr or "unknown", request.user_agent.string)


def _enter(token: str) -> None:
    """A new session in this browser; nothing of an earlier one is carried over."""
    services.replace_session(cookie.get(SESSION_KEY))
    cookie.clear()
    session = queries.live_session(token, clock.now())
    assert session is not None, "a session just started is alive"
    login_user(SignedIn(token, session))


def _home() -> str:
    return "oversight.home" if "oversight.home" in current_app.view_functions else "identity.profile"


def _go_on(target: str | None) -> Response:
    """To where the person wanted to go, if that is a page of ours; else home."""
    path = rules.safe_path(target)
    return cast(Response, current_app.redirect(path, 303)) if path else see_other(_home())


# ---- Signing in and out ----


@bp.get("/sign-in")
@public
def sign_in() -> Any:
    """The sign-in page."""
    if current_actor().user_id is not None:
        return _go_on(request.args.get("next"))
    ended = SESSION_KEY in cookie
    return page("identity/sign_in.html", form=SignInForm(), ended=ended, people=_demo_people())


@bp.post("/sign-in")
@public
def enter() -> Any:
    """Check address and password, start a session."""
    form = SignInForm()
    if form.validate_on_submit():
        with form.refusals():
            _enter(services.sign_in(str(form.email.data), str(form.password.data), _where()))
            return _go_on(request.args.get("next"))
    return page("identity/sign_in.html", form=form, ended=False, people=_demo_people()), 422


@bp.post("/sign-out")
@signed_in
def sign_out() -> Any:
    """End the session, here and in the database."""
    services.sign_out(current_actor())
    cookie.clear()
    flash("You are signed out.")
    return see_other("identity.sign_in")


@bp.get("/confirm-password")
@signed_in
def confirm_password() -> Any:
    """Ask for the password again before a dangerous act."""
    form = ConfirmPasswordForm(next=rules.safe_path(request.args.get("next")) or _page_before() or "")
    return page("identity/confirm_password.html", form=form, person=queries.own(current_actor()))


@bp.post("/confirm-password")
@signed_in
def proved() -> Any:
    """Dangerous acts are open for ten minutes; back to the page they are done on."""
    form = ConfirmPasswordForm()
    if form.validate_on_submit():
        with form.refusals():
            services.confirm_password(current_actor(), str(form.password.data or ""), _where())
            return _go_on(form.next.data)
    return page("identity/confirm_password.html", form=form, person=queries.own(current_actor())), 422


def _page_before() -> str | None:
    """The page whose form was refused, as the browser names it, if it is one of ours."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host or parts.path == request.path:
        return None
    return rules.safe_path(parts.path + ("?" + parts.query if parts.query else ""))


# ---- Links: invitation and reset ----


@bp.get("/<any(invitation, reset):purpose>/<token>")
@public
def open_link(purpose: str, token: str) -> Any:
    """Take the token out of the address at once; opening a link (as mail scanners do) does not use it."""
    cookie[_LINK_KEY] = token
    return see_other("identity.choose_password")


@bp.get("/choose-password")
@public
def choose_password() -> Any:
    """The form of an invitation or reset link."""
    link = queries.link(cookie.get(_LINK_KEY, ""), clock.now())
    if link is None:
        return page("identity/link_spent.html"), 404
    return page("identity/choose_password.html", form=ChoosePasswordForm(), link=link, is_new=_is_new(link.purpose))


@bp.post("/choose-password")
@public
def password_chosen() -> Any:
    """Set the password, once."""
    token, form = cookie.get(_LINK_KEY, ""), ChoosePasswordForm()
    link = queries.link(token, clock.now())
    if link is None:
        return page("identity/link_spent.html"), 404
    if form.validate_on_submit():
        with form.refusals():
            services.set_password_by_link(token, str(form.password.data))
            cookie.clear()
            flash("Your password is set. Sign in with it now.")
            return see_other("identity.sign_in")
    return page("identity/choose_password.html", form=form, link=link, is_new=_is_new(link.purpose)), 422


def _is_new(purpose: LinkPurpose) -> bool:
    return purpose is LinkPurpose.INVITATION


@bp.get("/reset")
@public
def reset() -> Any:
    """Ask for a link."""
    return page("identity/reset.html", form=ResetForm())


@bp.post("/reset")
@public
def ask_reset() -> Any:
    """Always the same answer, whether the address is known or not."""
    form = ResetForm()
    if form.validate_on_submit():
        with form.refusals():
            services.request_reset(str(form.email.data), _where())
            flash(RESET_SENT)
            return see_other("identity.sign_in")
    return page("identity/reset.html", form=form), 422


# ---- Demo ----


def _demo_people() -> tuple[Any, ...]:
    return queries.demo_users() if current_app.config["GRANTS_DEMO"] else ()


def _demo_only() -> None:
    if not current_app.config["GRANTS_DEMO"]:
        raise NotFound


@bp.get("/demo")
@public
def demo_people() -> Any:
    """Every demo person with what each can do."""
    _demo_only()
    return page("identity/demo_people.html", people=queries.demo_users(), words=policy.WORDS, form=EmptyForm())


@bp.post("/demo")
@public
def demo_sign_in() -> Any:
    """Become a demo person, without a password."""
    _demo_only()
    _enter(services.demo_sign_in(request.form.get("person", ""), _where()))
    return see_other(_home())


# ---- The own profile ----


def _profile(status: int = 200, **forms: Any) -> Any:
    actor = current_actor()
    own = queries.own(actor)
    form = ProfileForm(
        formdata=None, version=own.version, name=own.name, job_title=own.job_title, phone=queries.own_phone(actor)
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
            services.change_password(current_actor(), str(form.current.data), str(form.password.data), _where())
            cookie.clear()
            flash("Your password is changed and every browser is signed out. Sign in with the new password.")
            return see_other("identity.sign_in")
    return page("identity/password.html", form=form, own=queries.own(current_actor())), 422


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
            services.end_session(current_actor(), _id(form.session.data))
        flash("Ended. That browser must sign in again.")
    return see_other("identity.sessions")


def _id(text: str | None) -> UUID:
    """The id in a hidden field; anything else is not there."""
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound from None


# ---- The own organisation ----


@bp.route("/organisation", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_EDIT)
def organisation() -> Any:
    """The details of an organisation the person belongs to; ``?of=`` is its place in the list of several."""
    actor = current_actor()
    views = _own_organisations(actor)
    number = request.args.get("of", default=1, type=int)
    if not views:
        return page("identity/no_organisation.html")
    view = views[number - 1] if 1 <= number <= len(views) else views[0]
    form = OrganisationForm(obj=view)
    if form.validate_on_submit():
        with form.refusals():
            services.edit_organisation(actor, view.id, form.to_input(), version=form.version_shown())
            flash("The details of your organisation are saved.")
            return see_other("identity.organisation", of=number)
    members = queries.members(view.id)
    status = 422 if request.method == "POST" else 200
    return page("identity/organisation.html", form=form, view=view, views=views, number=number, members=members), status


def _own_organisations(actor: Actor) -> tuple[rules.OrganisationView, ...]:
    found = queries.organisations(actor.places(Permission.ORGANISATION_EDIT, "organisation") | actor.organisation_ids)
    return tuple(sorted(found.values(), key=lambda view: (view.name, str(view.id))))


# ---- Administrators: people ----


@bp.get("/admin/users")
@requires(Permission.USER_READ)
def users() -> Any:
    """Everybody, by name, with roles."""
    search = request.args.get("q", "")[:100]
    number = max(request.args.get("page", default=1, type=int), 1)
    found, total = queries.users(current_actor(), search=search, page_no=number)
    waiting = queries.roles_waiting(current_actor())
    more = number * queries.USERS_PER_PAGE < total
    return page(
        "identity/users.html", users=found, total=total, search=search, number=number, more=more, waiting=waiting
    )


@bp.route("/admin/users/invite", methods=["GET", "POST"])
@requires(Permission.USER_INVITE)
def invite() -> Any:
    """Invite somebody by mail."""
    form = InviteForm()
    form.offer(queries.all_organisations())
    if form.validate_on_submit():
        with form.refusals():
            services.invite_user(current_actor(), form.to_input())
            flash(f"The invitation to {rules.one_line(str(form.name.data))} is on its way.")
            return see_other("identity.users")
    return page("identity/invite.html", form=form), 422 if request.method == "POST" else 200


@bp.get("/admin/users/<handle>")
@requires(Permission.USER_READ)
def user(handle: str) -> Any:
    """One person: roles, invitation, disabling."""
    return _user(handle)


def _user(handle: str, status: int = 200, form: Any = None) -> Any:
    found = queries.user(current_actor(), handle)
    givers = queries.people({view.assigned_by for view in found.roles if view.assigned_by})
    return page(
        "identity/user.html",
        person=found,
        givers=givers,
        words=policy.WORDS,
        form=form or RoleForm(),
        small=GrantForm(),
    ), status


@bp.post("/admin/users/<handle>/roles")
@requires(Permission.ROLE_ASSIGN)
def assign_role(handle: str) -> Any:
    """Give a role."""
    form = RoleForm()
    if form.validate_on_submit():
        with form.refusals():
            values = form.to_input()
            services.assign_role(current_actor(), queries.user(current_actor(), handle).id, values)
            waits = (
                " Another administrator must confirm it before it holds." if values.role in policy.MONEY_ROLES else ""
            )
            flash(f"The role \u201c{policy.WORDS[values.role][0]}\u201d is given.{waits}")
            return see_other("identity.user", handle=handle)
    return _user(handle, 422, form)


@bp.post("/admin/users/<handle>/roles/end")
@requires(Permission.ROLE_ASSIGN)
def end_role(handle: str) -> Any:
    """End a role."""
    form = GrantForm()
    if form.validate_on_submit():
        with form.refusals():
            services.end_assigned_role(current_actor(), _id(form.grant.data))
            flash("The role is ended.")
            return see_other("identity.user", handle=handle)
    return _refused_small(form, "identity.user", handle=handle)


@bp.post("/admin/users/<handle>/invite-again")
@requires(Permission.USER_INVITE)
def invite_again(handle: str) -> Any:
    """Send the invitation again."""
    form = EmptyForm()
    if form.validate_on_submit():
        with form.refusals():
            services.invite_again(current_actor(), queries.user(current_actor(), handle).id)
            flash("A new invitation is on its way; the link in the earlier one no longer works.")
            return see_other("identity.user", handle=handle)
    return _refused_small(form, "identity.user", handle=handle)


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
    form = EmptyForm()
    if form.validate_on_submit():
        with form.refusals():
            services.enable_user(current_actor(), queries.user(current_actor(), handle).id)
            flash("This person can sign in again.")
            return see_other("identity.user", handle=handle)
    return _refused_small(form, "identity.user", handle=handle)


def _refused_small(form: Any, endpoint: str, **values: Any) -> Response:
    """A button's refusal, said on the page it stands on."""
    for sentence, _ in form.summary():
        flash(sentence, "error")
    return see_other(endpoint, **values)


# ---- Administrators: roles and mail ----


@bp.get("/admin/roles")
@requires(Permission.USER_READ)
def roles() -> Any:
    """What each role may do, and the roles that wait for a second person."""
    waiting = queries.roles_waiting(current_actor())
    givers = queries.people({view.assigned_by for _, view in waiting if view.assigned_by})
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
            services.confirm_role(current_actor(), _id(form.grant.data))
            flash("Confirmed. The role holds from now on.")
            return see_other("identity.roles")
    return _refused_small(form, "identity.roles")


@bp.get("/admin/mail")
@requires(Permission.MAIL_READ)
def mail() -> Any:
    """Every mail: sent, waiting, kept here."""
    return page("identity/mail.html", mails=queries.mails(current_actor()), smtp=_has_smtp(), form=EmptyForm())


@bp.post("/admin/mail/<int:number>")
@requires(Permission.MAIL_READ)
def open_mail(number: int) -> Any:
    """The text of one mail, opened on the record; only where no mail server takes it."""
    if _has_smtp():
        raise Refused("Mails leave through the mail server; their text is not shown here.")
    return page("identity/mail_text.html", mail=services.open_mail(current_actor(), number), number=number)


def _has_smtp() -> bool:
    return bool(current_app.config["SMTP_URL"])
