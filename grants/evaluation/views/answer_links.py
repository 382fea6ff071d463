"""Pages of answering an invitation from its mail, without signing in: opening one changes nothing, its buttons do."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app, flash, url_for
from flask import session as cookie

from grants.calls import queries as calls
from grants.core import clock
from grants.evaluation import queries, services
from grants.evaluation.forms import DeclineForm
from grants.evaluation.rules import InvitationView, LinkState
from grants.evaluation.views.frame import bp
from grants.identity import queries as identity
from grants.web.forms import ContestedForm, status_of
from grants.web.routing import current_actor, page, public, see_other

# The links opened in this browser, by call: two invitations in two tabs are two answers.
TOKENS_KEY = "answer_tokens"
TOKENS_MAX = 5


@bp.get("/evaluators/answer/<token>")
@public
def answer_link(token: str) -> Any:
    """Take the token out of the address at once; opening a link, as mail scanners do, does not use it."""
    found = queries.invitation_by_link(token)
    if found is None:
        return _nothing_known()
    slug = found[0].slug
    kept = [(name, each) for name, each in cookie.get(TOKENS_KEY, {}).items() if name != slug]
    cookie[TOKENS_KEY] = dict([*kept[-TOKENS_MAX + 1 :], (slug, token)])
    return see_other(".answer_page", slug=slug)


def _nothing_known() -> Any:
    return page("evaluation/answer_unknown.html"), 404


def _token(slug: str) -> str:
    return str(cookie.get(TOKENS_KEY, {}).get(slug, ""))


@bp.get("/calls/<slug>/invitation/answer")
@public
def answer_page(slug: str) -> Any:
    """What is asked of the person, and the two buttons."""
    found = queries.invitation_by_link(_token(slug))
    if found is None or found[0].slug != slug:
        return _nothing_known()
    return _answer_page(found[0], found[1])


def _answer_page(
    asked: InvitationView,
    state: LinkState,
    accepting: ContestedForm | None = None,
    declining: DeclineForm | None = None,
) -> str:
    call = calls.call_by_id(asked.call_id)
    newest = next(iter(calls.expert_terms(asked.call_id)), None)
    actor, version = current_actor(), str(asked.version)
    return page(
        "evaluation/answer.html",
        asked=asked,
        call=call,
        # Of a call that is not published nothing is told but what the mail told.
        is_published=call.published_at is not None and call.published_at <= clock.now(),
        terms=newest if newest is not None and newest.text is not None else None,
        state=state,
        is_good=state is LinkState.GOOD,
        other=actor.name if actor.user_id not in (None, asked.user_id) else "",
        is_own=actor.user_id == asked.user_id,
        accepting=accepting or ContestedForm(formdata=None, version=version),
        declining=declining or DeclineForm(formdata=None, version=version),
    )


@bp.post("/calls/<slug>/invitation/answer/accept")
@public
def accept_by_link(slug: str) -> Any:
    """Yes: on to the account, or to signing in, and from there to the profile."""
    form = ContestedForm()
    if _is_somebody_else(slug):
        return see_other(".answer_page", slug=slug)
    if form.validate_on_submit():
        with form.attempt():
            link_id = services.agree_by_link(*services.whose_link(_token(slug)), form.version_shown())
            return _on_to_the_profile(slug, link_id)
    return _again(slug, form)


def _on_to_the_profile(slug: str, link_id: Any) -> Any:
    profile = url_for("evaluation.invitation", slug=slug)
    if link_id is not None:
        flash("You said yes. Choose a password and sign in with it; then say what you know.", "success")
        token = identity.sign_in_token(link_id)
        return see_other("identity.open_link", purpose="invitation", token=token, next=profile)
    flash("You said yes. Say what you know next, then declare your conflicts of interest.", "success")
    if current_actor().user_id is not None:
        return cast(Any, current_app).redirect(profile, 303)
    return see_other("identity.sign_in", next=profile)


@bp.post("/calls/<slug>/invitation/answer/decline")
@public
def decline_by_link(slug: str) -> Any:
    """No, and why: final until the person is invited again."""
    form = DeclineForm()
    if _is_somebody_else(slug):
        return see_other(".answer_page", slug=slug)
    if form.validate_on_submit():
        with form.attempt():
            services.decline_by_link(*services.whose_link(_token(slug)), *form.why(), form.version_shown())
            flash("Your answer is stored. Thank you for saying so.", "success")
            return see_other(".answer_page", slug=slug)
    return _again(slug, form)


def _is_somebody_else(slug: str) -> bool:
    """Whether this browser is signed in as another person, who must not answer for the invited one."""
    found = queries.invitation_by_link(_token(slug))
    return found is not None and current_actor().user_id not in (None, found[0].user_id)


def _again(slug: str, form: ContestedForm) -> Any:
    """The page once more, with what was typed and what stands now."""
    found = queries.invitation_by_link(_token(slug))
    if found is None or found[0].slug != slug:
        return _nothing_known()
    if form.clashed:
        form.comes_again(found[0].version)
    shown = {"declining": form} if isinstance(form, DeclineForm) else {"accepting": form}
    return _answer_page(found[0], found[1], **shown), status_of(form)
