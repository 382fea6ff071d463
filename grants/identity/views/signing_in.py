"""Pages of signing in: password, links, demo."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app, flash, request
from flask import session as cookie

from grants.core import clock
from grants.core.errors import NotFound
from grants.identity import policy, queries, rules, services
from grants.identity.forms import (
    ChoosePasswordForm,
    ConfirmPasswordForm,
    ResetForm,
    SignInForm,
)
from grants.identity.states import LinkPurpose
from grants.identity.views.frame import LINK_KEY, NEXT_KEY, SESSION_KEY, bp, enter_as, go_on, home, readable, where
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, empty_cache, page, public, see_other, signed_in

# Who just chose a password signs in with it next: the address stands in the form, once.
CHOSEN_KEY = "chosen_email"
RESET_SENT = (
    "If there is an account for this address, a mail with a link is on its way. "
    "The link works for one hour. Look in the spam folder too."
)


@bp.get("/sign-in")
@public
def sign_in() -> Any:
    """The sign-in page."""
    if current_actor().user_id is not None:
        return go_on(request.args.get("next"))
    ended = SESSION_KEY in cookie
    return page(
        "identity/sign_in.html",
        form=SignInForm(data={"email": cookie.pop(CHOSEN_KEY, "")}),
        ended=ended,
        **_demo_people(),
    )


@bp.post("/sign-in")
@public
def enter() -> Any:
    """Check address and password, start a session."""
    form = SignInForm()
    if form.validate_on_submit():
        with form.refusals():
            enter_as(services.sign_in(str(form.email.data), str(form.password.data), where()))
            return go_on(request.args.get("next"))
    return page("identity/sign_in.html", form=form, ended=False, **_demo_people()), 422


@bp.post("/sign-out")
@signed_in
def sign_out() -> Any:
    """End the session, here and in the database."""
    services.sign_out(current_actor())
    cookie.clear()
    empty_cache()
    flash("You are signed out.")
    return see_other("identity.sign_in")


@bp.get("/confirm-password")
@signed_in
def confirm_password() -> Any:
    """Ask for the password again before a dangerous act."""
    form = ConfirmPasswordForm(next=readable(request.args.get("next")) or _page_before() or "")
    return page("identity/confirm_password.html", form=form, person=queries.own(current_actor()))


@bp.post("/confirm-password")
@signed_in
def proved() -> Any:
    """Dangerous acts are open for ten minutes; back to the page they are done on."""
    form = ConfirmPasswordForm()
    if form.validate_on_submit():
        with form.refusals():
            services.confirm_password(current_actor(), str(form.password.data or ""), where())
            flash("Confirmed, for ten minutes. If your text is open in another tab, go back there and send it again.")
            return go_on(form.next.data)
    return page("identity/confirm_password.html", form=form, person=queries.own(current_actor())), 422


def _page_before() -> str | None:
    """The page whose form was refused, as the browser names it, if it is one of ours."""
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return None
    if parts.netloc != request.host or parts.path == request.path:
        return None
    return readable(parts.path + ("?" + parts.query if parts.query else ""))


@bp.get("/<any(invitation, reset, address):purpose>/<token>")
@public
def open_link(purpose: str, token: str) -> Any:
    """Take the token out of the address at once; opening a link (as mail scanners do) does not use it."""
    cookie[LINK_KEY] = token
    cookie[NEXT_KEY] = readable(request.args.get("next")) or ""
    return see_other("identity.new_address" if purpose == "address" else "identity.choose_password")


@bp.get("/choose-password")
@public
def choose_password() -> Any:
    """The form of an invitation or reset link."""
    link = queries.link(cookie.get(LINK_KEY, ""), clock.now())
    if link is None:
        return page("identity/link_spent.html"), 404
    return page("identity/choose_password.html", form=ChoosePasswordForm(), link=link, is_new=_is_new(link.purpose))


@bp.post("/choose-password")
@public
def password_chosen() -> Any:
    """Set the password, once."""
    token, form = cookie.get(LINK_KEY, ""), ChoosePasswordForm()
    link = queries.link(token, clock.now())
    if link is None:
        return page("identity/link_spent.html"), 404
    if form.validate_on_submit():
        with form.refusals():
            services.set_password_by_link(token, str(form.password.data))
            going = cookie.get(NEXT_KEY) or None
            cookie.clear()
            cookie[CHOSEN_KEY] = link.email
            flash("Your password is set. Sign in with it now.")
            return see_other("identity.sign_in", next=going)
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
            services.request_reset(str(form.email.data), where())
            flash(RESET_SENT)
            return see_other("identity.sign_in")
    return page("identity/reset.html", form=form), 422


def _demo_people() -> dict[str, Any]:
    people = queries.demo_users() if current_app.config["GRANTS_DEMO"] else ()
    return {"people": people, "parts": rules.by_part(people)}


def _demo_only() -> None:
    if not current_app.config["GRANTS_DEMO"]:
        raise NotFound


@bp.get("/demo")
@public
def demo_people() -> Any:
    """Every demo person with what each can do."""
    _demo_only()
    return page(
        "identity/demo_people.html", parts=rules.by_part(queries.demo_users()), words=policy.WORDS, form=DeedForm()
    )


@bp.post("/demo")
@public
def demo_sign_in() -> Any:
    """Become a demo person, without a password."""
    _demo_only()
    enter_as(services.demo_sign_in(request.form.get("person", ""), where()))
    return see_other(home())
